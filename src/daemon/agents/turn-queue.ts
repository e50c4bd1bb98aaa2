import type { AnabranchError } from "../../base/errors.ts";
import type { TurnEnd } from "../../agents/port.ts";

/**
 * Which turn of a session goes on, and how it ends.
 *
 * closed → (begin) open → (its end is given, and no message is still on its way) closed
 *
 * A message that the agent has not taken when its turn ends begins the next one by itself: the turn counts as going on.
 */
export class TurnQueue {
  #isOpen = false;
  #onTheWay = 0;
  #gone: AnabranchError | undefined;
  #ended: TurnEnd | undefined;
  #wake: (end: TurnEnd) => void = () => undefined;

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Why the session's program is no longer there. */
  get gone(): AnabranchError | undefined {
    return this.#gone;
  }

  begin(): void {
    [this.#isOpen, this.#ended, this.#onTheWay] = [true, undefined, 0];
    if (this.#gone !== undefined) this.leave(this.#gone);
  }

  /** Resolves with the end of the turn that was begun. */
  end(): Promise<TurnEnd> {
    if (this.#ended !== undefined) return Promise.resolve(this.#ended);
    return new Promise((resolve) => (this.#wake = resolve));
  }

  /** A message is on its way to the agent. */
  expect(): void {
    this.#onTheWay += 1;
  }

  /** A message has reached the agent. */
  expected(): void {
    this.#onTheWay = Math.max(0, this.#onTheWay - 1);
  }

  /** A turn has ended. */
  give(end: TurnEnd): void {
    if (!this.#isOpen || (end.status === "completed" && this.#onTheWay > 0)) return;
    [this.#isOpen, this.#ended] = [false, end];
    this.#wake(end);
  }

  /** The session's program has gone. */
  leave(error: AnabranchError): void {
    this.#gone = error;
    this.give({ type: "turn.end", status: "failed", text: "", failure: { reason: "other", message: error.message } });
  }

  /** The session is a new one. */
  reset(): void {
    this.#gone = undefined;
  }
}
