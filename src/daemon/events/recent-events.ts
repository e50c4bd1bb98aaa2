import type { EventRow, SizedEvent } from "../../store/events.ts";

const [MOST_EVENTS, MOST_BYTES] = [4000, 8 * 1024 * 1024];

/** The newest events: all of them after one number, within bounds. */
export class RecentEvents {
  /** In the order of their numbers; those before `#start` are let go of. */
  #events: (SizedEvent | undefined)[] = [];
  #start = 0;
  #bytes = 0;
  #afterSeq: number | undefined;
  #lastSeq: number | undefined;

  /** The number of the newest that is known; `undefined` before the beginning. */
  get lastSeq(): number | undefined {
    return this.#lastSeq;
  }

  /** Begins to hold what comes after a number. */
  startAfter(seq: number): void {
    this.clear();
    [this.#afterSeq, this.#lastSeq] = [seq, seq];
  }

  /** Takes in what comes next; the oldest go where it is too much. */
  push(events: readonly SizedEvent[]): void {
    for (const sized of events) {
      this.#events.push(sized);
      this.#bytes += sized.bytes;
      this.#lastSeq = sized.event.seq;
    }
    while (this.#events.length - this.#start > MOST_EVENTS || this.#bytes > MOST_BYTES) this.#letGo();
    if (this.#start > MOST_EVENTS) [this.#events, this.#start] = [this.#events.slice(this.#start), 0];
  }

  /** The events after a number, as far as they are known; `undefined` where some of them are not held. */
  after(seq: number, limit: number): readonly EventRow[] | undefined {
    if (this.#afterSeq === undefined || this.#lastSeq === undefined) return undefined;
    if (seq < this.#afterSeq || seq > this.#lastSeq) return undefined;
    const from = this.#indexAfter(seq);
    return this.#events.slice(from, from + limit).flatMap((sized) => (sized === undefined ? [] : [sized.event]));
  }

  /** Holds nothing any more. */
  clear(): void {
    [this.#events, this.#start, this.#bytes] = [[], 0, 0];
    [this.#afterSeq, this.#lastSeq] = [undefined, undefined];
  }

  #letGo(): void {
    const oldest = this.#events[this.#start];
    if (oldest === undefined) return;
    this.#bytes -= oldest.bytes;
    this.#afterSeq = oldest.event.seq;
    this.#events[this.#start] = undefined;
    this.#start += 1;
  }

  #indexAfter(seq: number): number {
    let [low, high] = [this.#start, this.#events.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.event.seq ?? 0) > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
