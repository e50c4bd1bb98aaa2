/**
 * A rate: so many in a minute at most in the long run, and never more than that many at once.
 *
 * It is told the time, which never goes backwards. A full bucket holds a minute's worth; each start takes one out, and
 * one comes in after each equal part of the minute.
 */
export class TokenBucket {
  readonly #stepMs: number;
  readonly #size: number;
  /** When the bucket is full again. */
  #fullAtMs = Number.NEGATIVE_INFINITY;

  constructor(perMinute: number) {
    this.#size = perMinute;
    this.#stepMs = MINUTE_MS / perMinute;
  }

  /** From when on there is one to take. */
  get nextAtMs(): number {
    return this.#fullAtMs - (this.#size - 1) * this.#stepMs;
  }

  /** Takes one out. */
  take(nowMs: number): void {
    this.#fullAtMs = Math.max(this.#fullAtMs, nowMs) + this.#stepMs;
  }

  /** Puts one back that was not used. */
  giveBack(): void {
    this.#fullAtMs -= this.#stepMs;
  }
}

const MINUTE_MS = 60_000;
