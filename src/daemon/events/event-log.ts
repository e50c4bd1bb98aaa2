/**
 * The one way to the events for those who bring them and those who read them.
 *
 * Appending: `waiting → appending → durable`. Whoever brings more than fits waits for its turn, in order.
 * Reading: the newest events are in memory, read once for all readers after each commit; older ones come from the store.
 *
 * Invariants:
 * 1. Events are durable, with whatever was to be kept with them, before {@link EventLog.append} resolves.
 * 2. A reader that goes on after the last number it was given meets every event once, in the order of commits.
 * 3. What is in memory is whole from one number on, and bounded in number and size; what nobody reads is not kept there.
 */
import type { Store } from "../../store/port.ts";
import type { EventSink } from "../../triggers/source.ts";
import {
  appendEvent,
  loadEvents,
  loadNewestSeq,
  loadSomeEvents,
  type EventRow,
  type NewEvent,
} from "../../store/events.ts";
import { faultPoint } from "../../base/fault.ts";
import { numberOf } from "../../store/statements.ts";
import { RecentEvents } from "./recent-events.ts";

/** Told that there may be new events. */
export type EventListener = () => void;

const [MOST_APPENDING, READ_AT_ONCE] = [2000, 500];

/** Appends events and gives them to those who read them. */
export class EventLog {
  readonly #store: Store;
  readonly #listeners = new Set<EventListener>();
  readonly #turns: { readonly count: number; readonly begin: () => void }[] = [];
  readonly #recent = new RecentEvents();
  #appending = 0;
  #isStale = true;
  #catchingUp: Promise<void> | undefined;

  constructor({ store }: { readonly store: Store }) {
    this.#store = store;
    store.onCommit(() => this.#onCommit());
  }

  /** See {@link EventSink}. It waits while others append as much as the memory should hold. */
  readonly append: EventSink = async (events, also = []) => {
    if (events.length === 0 && also.length === 0) return;
    await this.#begin(events.length);
    try {
      await this.#store.commit([...events.map(appendEvent), ...also]);
      faultPoint("events.appended");
    } finally {
      this.#end(events.length);
    }
  };

  /** Appends one event and resolves with its number; with none where its key is known. */
  async appendOne(event: NewEvent): Promise<number | undefined> {
    await this.#begin(1);
    try {
      const { sql, ...rest } = appendEvent(event);
      const [rows = []] = await this.#store.commit([{ ...rest, sql: `${sql} returning seq` }]);
      faultPoint("events.appended");
      return rows[0] === undefined ? undefined : numberOf(rows[0], "seq");
    } finally {
      this.#end(1);
    }
  }

  /** Events after a number, in order: not always all that fit, but none only where there are none. */
  async read(afterSeq: number, limit = READ_AT_ONCE): Promise<readonly EventRow[]> {
    if (this.#catchingUp !== undefined) await this.#catchingUp;
    if (this.#isStale) await (this.#catchingUp ??= this.#catchUp().finally(() => (this.#catchingUp = undefined)));
    const known = this.#recent.after(afterSeq, limit);
    if (known !== undefined) return known;
    return loadEvents(this.#store, { afterSeq, limit });
  }

  /** The number of the newest event. */
  newest(): Promise<number> {
    return loadNewestSeq(this.#store);
  }

  /** Calls `listener` whenever there may be new events. Returns the way to stop that. */
  onNew(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#recent.clear();
    };
  }

  #onCommit(): void {
    this.#isStale = true;
    for (const listener of this.#listeners) listener();
  }

  // Once a batch at most: what the store gives at once would keep everybody else waiting.
  async #catchUp(): Promise<void> {
    this.#isStale = false;
    if (this.#recent.lastSeq === undefined) {
      if (this.#listeners.size > 0) this.#recent.startAfter(await loadNewestSeq(this.#store));
      return;
    }
    const found = await loadSomeEvents(this.#store, { afterSeq: this.#recent.lastSeq, limit: READ_AT_ONCE });
    this.#recent.push(found.events);
    if (!found.areAll) this.#isStale = true;
  }

  #begin(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#turns.push({ count, begin: resolve });
      this.#admit();
    });
  }

  #end(count: number): void {
    this.#appending -= count;
    this.#admit();
  }

  #admit(): void {
    for (;;) {
      const [next] = this.#turns;
      if (next === undefined || (this.#appending > 0 && this.#appending + next.count > MOST_APPENDING)) return;
      this.#turns.shift();
      this.#appending += next.count;
      next.begin();
    }
  }
}
