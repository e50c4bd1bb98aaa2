import type { Clock } from "../base/clock.ts";

/** Whoever has waited has that long to say that it was told. */
const GRACE_MS = 2000;

/**
 * Who waits for what right now. Whoever waits itself is told by the answer, and not once more by a message; it counts as
 * waiting for a moment longer, in which it says that it was told.
 */
export class WaitingCallers {
  readonly #clock: Clock;
  readonly #waits = new Map<string, number>();
  readonly #listeners = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Somebody begins to wait for some runs; returns what ends that. */
  begin(address: string, runs: readonly string[]): () => void {
    for (const run of runs) this.#count(address, run, 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#clock.after(GRACE_MS, () => {
        for (const run of runs) this.#count(address, run, -1);
        for (const listener of this.#listeners) listener();
      });
    };
  }

  /** Whether somebody waits for a run. */
  has(address: string, run: string): boolean {
    return this.#waits.has(`${address} ${run}`);
  }

  /** Calls `listener` whenever somebody has stopped to wait. */
  onEnd(listener: () => void): void {
    this.#listeners.add(listener);
  }

  #count(address: string, run: string, by: number): void {
    const key = `${address} ${run}`;
    const count = (this.#waits.get(key) ?? 0) + by;
    if (count > 0) this.#waits.set(key, count);
    else this.#waits.delete(key);
  }
}
