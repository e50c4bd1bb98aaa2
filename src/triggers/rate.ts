import { createHash } from "node:crypto";

import type { Clock } from "../base/clock.ts";

/** How much may be asked for at once, and how much comes back in a second. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

const SLOTS = 256;

/**
 * Says how much is asked for by name. Names share slots, so that many of them fill no memory, and so that nobody can tell
 * by what is let through which names there are.
 */
export class RateLimit {
  readonly #clock: Clock;
  readonly #rate: Rate;
  readonly #slots = new Map<number, { left: number; atMs: number }>();

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock;
    this.#rate = rate;
  }

  /** Whether one more of that name is within the rate. */
  take(name: string): boolean {
    const { burst, perSecond } = this.#rate;
    const nowMs = this.#clock.monotonicMs();
    const key = createHash("sha256").update(name).digest().readUInt32BE() % SLOTS;
    const slot = this.#slots.get(key) ?? { left: burst, atMs: nowMs };
    const left = Math.min(burst, slot.left + ((nowMs - slot.atMs) / 1000) * perSecond);
    this.#slots.set(key, { left: left < 1 ? left : left - 1, atMs: nowMs });
    return left >= 1;
  }
}
