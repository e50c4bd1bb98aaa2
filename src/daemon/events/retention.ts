/**
 * Lets go of old events, a few at a time.
 *
 * Invariants:
 * 1. Nothing is removed that a reader of events has not read, or that an open firing or dead letter is about.
 * 2. What is removed is the beginning: whoever asks for what comes after a number learns whether some of that is gone.
 * 3. One removal holds up nobody for long: its size follows from how long the one before took, and others come between.
 */
import { pause, type Clock } from "../../base/clock.ts";
import { faultPoint } from "../../base/fault.ts";
import { loadCursor, loadSlowestReader, moveCursor } from "../../store/cursors.ts";
import { countRemovable, loadEventPlaces, loadNewestSeq, removeEvents } from "../../store/events.ts";
import type { Store } from "../../store/port.ts";
import type { EventLimits } from "../config.ts";

const REMOVED = "removed-events";
const [LEAST_AT_ONCE, MOST_AT_ONCE] = [20, 1000];
const [SHORT_MS, LONG_MS] = [3, 8];
/** Of the time, how much removing may take. */
const SHARE_OF_TIME = 4;

/** What retention works with. */
interface RetentionParts {
  readonly store: Store;
  readonly clock: Clock;
  /** Aborts when the daemon is about to go. */
  readonly stopping: AbortSignal;
}

/** The number up to which events were removed. */
export async function loadRemovedSeq(store: Store): Promise<number> {
  return (await loadCursor(store, REMOVED))?.position ?? 0;
}

/** Removes the events that are older, or more, than is to be kept. */
export class Retention {
  readonly #parts: RetentionParts;
  readonly #limits: EventLimits;
  #atOnce = 100;
  #round: Promise<number> | undefined;

  constructor(parts: RetentionParts, limits: EventLimits) {
    this.#parts = parts;
    this.#limits = limits;
  }

  /**
   * Removes what need not be kept, and resolves with how many events that were.
   * @param keepMs how long events are kept, where that is less than usual
   */
  async remove(keepMs = this.#limits.keepMs): Promise<number> {
    while (this.#round !== undefined) await this.#round;
    this.#round = this.#remove(keepMs).finally(() => (this.#round = undefined));
    return this.#round;
  }

  /** How many events {@link Retention.remove} would remove. */
  async count(keepMs = this.#limits.keepMs): Promise<number> {
    const { store, clock, stopping } = this.#parts;
    let count = 0;
    for (let afterSeq = 0; ;) {
      const throughSeq = await this.#findEnd(afterSeq, MOST_AT_ONCE, keepMs);
      if (throughSeq === undefined || stopping.aborted) return count;
      count += await countRemovable(store, afterSeq, throughSeq);
      afterSeq = throughSeq;
      await pause(clock, 0, stopping);
    }
  }

  async #remove(keepMs: number): Promise<number> {
    const { store, clock, stopping } = this.#parts;
    let count = 0;
    for (let afterSeq = 0; !stopping.aborted;) {
      const throughSeq = await this.#findEnd(afterSeq, this.#atOnce, keepMs);
      if (throughSeq === undefined) break;
      const removable = await countRemovable(store, afterSeq, throughSeq);
      count += removable;
      const tookMs = removable === 0 ? 0 : await this.#removeSome(afterSeq, throughSeq);
      afterSeq = throughSeq;
      await pause(clock, SHARE_OF_TIME * tookMs, stopping);
    }
    return count;
  }

  async #removeSome(afterSeq: number, throughSeq: number): Promise<number> {
    const { store, clock } = this.#parts;
    const beganMs = clock.monotonicMs();
    const removedSeq = Math.max(throughSeq, await loadRemovedSeq(store));
    faultPoint("events.remove");
    await store.commit([removeEvents(afterSeq, throughSeq), moveCursor(REMOVED, removedSeq)]);
    const tookMs = clock.monotonicMs() - beganMs;
    if (tookMs > LONG_MS) this.#atOnce = Math.max(LEAST_AT_ONCE, Math.floor(this.#atOnce / 2));
    else if (tookMs < SHORT_MS) this.#atOnce = Math.min(MOST_AT_ONCE, Math.ceil(this.#atOnce * 1.5));
    return tookMs;
  }

  /** The last of the next events that need not be kept; `undefined` where the next one must be. */
  async #findEnd(afterSeq: number, limit: number, keepMs: number): Promise<number | undefined> {
    const { store, clock } = this.#parts;
    const nowMs = clock.wallMs();
    const [newestSeq, slowest] = await Promise.all([loadNewestSeq(store), loadSlowestReader(store)]);
    let end: number | undefined;
    for (const { seq, atMs } of await loadEventPlaces(store, afterSeq, limit)) {
      if (seq > (slowest ?? newestSeq)) break;
      if (atMs < nowMs - keepMs || seq <= newestSeq - this.#limits.most) end = seq;
      // Its time is of a clock that was wrong: it is older than what comes after it.
      else if (atMs <= nowMs) break;
    }
    return end;
  }
}
