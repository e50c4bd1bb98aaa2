import type { CancelTimer, Clock } from "../base/clock.ts";
import { createSignal } from "../base/signal.ts";
import { faultPoint } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { Turns } from "../base/turns.ts";
import { Heap } from "../engine/heap.ts";
import { nextDueMs } from "../engine/schedule.ts";
import { forgetCursors, loadCursor, moveCursor } from "../store/cursors.ts";
import type { Store } from "../store/port.ts";
import { dropTimedEvent, loadDueEvents, loadNextDueMs } from "../store/timed-events.ts";
import type { EventSink, WatchedSource } from "./source.ts";
import { settleTimer, type TimerWish } from "./timer.ts";

/** What the timers work with. */
export interface TimerSourceParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly sink: EventSink;
}

/**
 * Brings the events of timers, and the events that were put off until a moment.
 *
 * A timer has a cursor: the last time at which it was due, or the moment from which it counts. It is
 * - `new`, where it has no cursor, or one of another schedule: it counts from now;
 * - `waiting` until its next time after the cursor;
 * - `due`, once that time has passed by the wall clock: its events and its cursor are one transaction, and it waits again;
 * - `gone`, when nobody wants it any more: its cursor is forgotten, so that what passes meanwhile was not missed.
 *
 * Invariants:
 * 1. A time makes one event at most: the cursor moves with the event, and the event's key is the timer and the time.
 * 2. The wall clock is looked at once a minute at least: a clock that was set, and a machine that slept, are noticed.
 * 3. A clock that was set back makes a timer wait until its cursor has passed again, for a day at most.
 */
export class TimerSource implements WatchedSource<TimerWish> {
  readonly #parts: TimerSourceParts;
  readonly #turns = new Turns();
  readonly #signal = createSignal(() => this.#inTurn(() => this.#look()));
  #timers = new Map<string, Timer>();
  #due = newHeap();
  #skewMs: number | undefined;
  #cancel: CancelTimer | undefined;
  #isClosed = false;

  constructor(parts: TimerSourceParts) {
    this.#parts = parts;
  }

  /** Also starts what brings the events that were put off, with no wishes too. */
  want(wishes: readonly TimerWish[]): Promise<void> {
    return this.#inTurn(async () => {
      const wanted = new Map<string, Timer>();
      const moves = [];
      for (const wish of wishes) {
        const timer = await this.#takeUp(wish);
        wanted.set(wish.triggerId, timer);
        if (timer.isNew) moves.push(moveOf(timer));
      }
      const gone = [...this.#timers.keys()].filter((id) => !wanted.has(id));
      await this.#commit([...moves, ...gone.map((id) => forgetCursors(cursorOf(id)))]);
      this.#timers = wanted;
      this.#reckon();
      await this.#look();
    });
  }

  /** Says that an event was put off: it may be due before what was waited for. */
  lookAgain(): void {
    this.#signal.raise();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await this.#inTurn(() => Promise.resolve());
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    return this.#turns.run("timers", action);
  }

  async #takeUp(wish: TimerWish): Promise<Timer> {
    const known = this.#timers.get(wish.triggerId);
    const schedule = JSON.stringify(wish.when);
    if (known?.schedule === schedule) return { ...known, wish, isNew: false };
    const nowMs = this.#parts.clock.wallMs();
    const cursor = await loadCursor<string>(this.#parts.store, cursorOf(wish.triggerId));
    const isNew = cursor?.data !== schedule;
    return { wish, schedule, isNew, doneMs: isNew ? nowMs : cursor.position, nextMs: undefined, noticedMs: undefined };
  }

  async #commit(statements: readonly ReturnType<typeof moveCursor>[]): Promise<void> {
    for (let at = 0; at < statements.length; at += MOST_STATEMENTS) {
      await this.#parts.store.commit(statements.slice(at, at + MOST_STATEMENTS));
    }
  }

  /** Says of every timer when it is due next, from its cursor. */
  #reckon(): void {
    const nowMs = this.#parts.clock.wallMs();
    this.#due = newHeap();
    for (const timer of this.#timers.values()) {
      if (timer.doneMs - nowMs > LONGEST_SET_BACK_MS) timer.doneMs = nowMs;
      this.#await(timer);
    }
  }

  #await(timer: Timer): void {
    timer.nextMs = nextDueMs(timer.wish.when, timer.doneMs);
    if (timer.nextMs !== undefined) this.#due.push(timer as DueTimer);
  }

  async #look(): Promise<void> {
    if (this.#isClosed) return;
    this.#cancel?.();
    let againMs = LONGEST_WAIT_MS;
    try {
      this.#noticeSetBack();
      await this.#bringTimers();
      await this.#bringTimedEvents();
      againMs = await this.#nextLookMs();
    } catch (cause) {
      this.#parts.log("error", "events of timers could not be kept; they are tried again", { cause: String(cause) });
    }
    if (!this.#isClosed) this.#cancel = this.#parts.clock.after(againMs, () => this.lookAgain());
  }

  #noticeSetBack(): void {
    const { clock } = this.#parts;
    const skewMs = clock.wallMs() - clock.monotonicMs();
    if (this.#skewMs !== undefined && this.#skewMs - skewMs > 1000) this.#reckon();
    this.#skewMs = skewMs;
  }

  async #bringTimers(): Promise<void> {
    for (;;) {
      const nowMs = this.#parts.clock.wallMs();
      const batch: DueTimer[] = [];
      while (batch.length < MOST_TIMERS && (this.#due.peek()?.nextMs ?? Infinity) <= nowMs) {
        batch.push(this.#due.pop() as DueTimer);
      }
      if (batch.length === 0) return;
      await this.#bring(batch, nowMs);
    }
  }

  async #bring(batch: readonly DueTimer[], nowMs: number): Promise<void> {
    for (const timer of batch) timer.noticedMs ??= nowMs;
    try {
      const settled = batch.map((timer) => {
        const { wish, doneMs, noticedMs = nowMs } = timer;
        return { timer, ...settleTimer(wish, { doneMs, noticedMs, nowMs }) };
      });
      const moves = settled.map(({ timer, doneMs }) => moveOf({ ...timer, doneMs }));
      faultPoint("timer.due");
      await this.#parts.sink(
        settled.flatMap(({ events }) => events),
        moves,
      );
      faultPoint("timer.kept");
      for (const { timer, doneMs } of settled) Object.assign(timer, { doneMs, noticedMs: undefined });
    } finally {
      for (const timer of batch) this.#await(timer);
    }
  }

  async #bringTimedEvents(): Promise<void> {
    const { clock, store, sink } = this.#parts;
    for (;;) {
      const nowMs = clock.wallMs();
      const rows = await loadDueEvents(store, nowMs, MOST_TIMED_EVENTS);
      if (rows.length === 0) return;
      faultPoint("timed-event.due");
      await sink(
        rows.map(({ id, event }) => ({ ...event, atMs: nowMs, key: event.key ?? `timed:${id}` })),
        rows.map(({ id }) => dropTimedEvent(id)),
      );
    }
  }

  async #nextLookMs(): Promise<number> {
    const timedMs = await loadNextDueMs(this.#parts.store);
    const nextMs = Math.min(this.#due.peek()?.nextMs ?? Infinity, timedMs ?? Infinity);
    return Math.min(Math.max(nextMs - this.#parts.clock.wallMs(), 1), LONGEST_WAIT_MS);
  }
}

const LONGEST_WAIT_MS = 60_000;
const LONGEST_SET_BACK_MS = 24 * 3_600_000;
const MOST_TIMERS = 20;
const MOST_TIMED_EVENTS = 100;
const MOST_STATEMENTS = 500;

interface Timer {
  readonly wish: TimerWish;
  readonly schedule: string;
  readonly isNew: boolean;
  doneMs: number;
  nextMs: number | undefined;
  /** When it was noticed to be due, until that is kept. */
  noticedMs: number | undefined;
}

interface DueTimer extends Timer {
  nextMs: number;
}

function newHeap(): Heap<DueTimer> {
  return new Heap((a, b) => a.nextMs - b.nextMs);
}

function cursorOf(triggerId: string): string {
  // Names are forgotten by how they start, and one id may start like another.
  return `timer:${triggerId}:`;
}

function moveOf({ wish, doneMs, schedule }: Timer): ReturnType<typeof moveCursor> {
  return moveCursor(cursorOf(wish.triggerId), doneMs, schedule);
}
