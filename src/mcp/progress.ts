import type { CancelTimer, Clock } from "../base/clock.ts";

const [SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS] = [500, 10_000];

/**
 * Tells a client how far a call is: soon after something changed, though not at every change; and now and then also
 * when nothing did, so that it keeps waiting.
 */
export class Progress {
  readonly #clock: Clock;
  readonly #send: (progress: number, text: string) => void;
  readonly #startedMs: number;
  #text = "";
  #isNew = false;
  #lastMs: number;
  #lastProgress = 0;
  #cancelTimer: CancelTimer;

  constructor(clock: Clock, send: (progress: number, text: string) => void) {
    this.#clock = clock;
    this.#send = send;
    this.#startedMs = clock.monotonicMs();
    this.#lastMs = this.#startedMs - SHORTEST_PAUSE_MS;
    this.#cancelTimer = clock.after(LONGEST_PAUSE_MS, () => this.#flush());
  }

  /** What is to be told next. */
  tell(text: string): void {
    if (text === this.#text) return;
    [this.#text, this.#isNew] = [text, true];
    this.#plan();
  }

  /** Nothing more is told. */
  end(): void {
    this.#cancelTimer();
  }

  #plan(): void {
    this.#cancelTimer();
    const pauseMs = this.#isNew ? SHORTEST_PAUSE_MS : LONGEST_PAUSE_MS;
    this.#cancelTimer = this.#clock.after(this.#lastMs + pauseMs - this.#clock.monotonicMs(), () => this.#flush());
  }

  #flush(): void {
    this.#lastMs = this.#clock.monotonicMs();
    // It must rise each time, whatever becomes of the clock's resolution.
    this.#lastProgress = Math.max(this.#lastProgress + 0.001, (this.#lastMs - this.#startedMs) / 1000);
    this.#isNew = false;
    this.#send(Number(this.#lastProgress.toFixed(3)), this.#text);
    this.#plan();
  }
}
