/**
 * The ready queue of all runs: which task starts next.
 *
 * A ready task is queued or delayed until its backoff has passed. Queued ones wait in rooms: those that nothing keeps
 * from starting, as far as is known, in one; the others under the one limit that did. Starting a task uses one unit of
 * each of its limits; ending gives those back. There are no barriers: a task waits for its own needs and limits only.
 *
 * Between runs the one with the fewest tasks at work goes first, then the older one; within a run the task with the
 * longest critical path.
 *
 * Invariants:
 * 1. No limit is ever used beyond its capacity or its rate, except by tasks that were found at work at start-up.
 * 2. No task stays queued while all of its limits, and the total, have room.
 */
import { Heap } from "./heap.ts";
import { TokenBucket } from "./token-bucket.ts";
import {
  byPriority,
  byTurn,
  dissolve,
  groupName,
  WaitingRoom,
  type Place,
  type ReadyTask,
  type TaskGroup,
  type WaitingRun,
} from "./waiting-room.ts";

export type { ReadyTask } from "./waiting-room.ts";

/** How many tasks may be at work at once. */
export interface Capacities {
  readonly total: number;
  /** For one named limit; `Infinity` where there is none. It may change at any time. */
  readonly of: (limit: string) => number;
  /** How many tasks may start in a minute, for limits that have such a rate. */
  readonly perMinute?: (limit: string) => number | undefined;
}

/** Why a queued task does not start: all places are taken, one limit is full, or its rate is used up until then. */
export type Queued =
  | { readonly type: "delayed"; readonly untilMs: number }
  | { readonly type: "total"; readonly capacity: number }
  | { readonly type: "limit"; readonly limit: string; readonly capacity: number }
  | { readonly type: "rate"; readonly limit: string; readonly untilMs: number };

/** See the head of this file. */
export class Scheduler {
  readonly #capacities: Capacities;
  readonly #used = new Map<string, number>();
  readonly #rates = new Map<string, TokenBucket>();
  readonly #runs = new Map<string, WaitingRun>();
  readonly #open = new WaitingRoom();
  readonly #full = new Map<string, WaitingRoom>();
  readonly #delayed = new Heap<ReadyTask>((a, b) => (a.notBeforeMs ?? 0) - (b.notBeforeMs ?? 0));
  readonly #queued = new Map<string, ReadyTask>();
  readonly #working = new Map<string, ReadyTask>();
  #nextAge = 0;
  #nowMs = 0;

  constructor(capacities: Capacities) {
    this.#capacities = capacities;
  }

  /** Adds a ready task. Adding one that is queued or at work already changes nothing. */
  add(task: ReadyTask): void {
    if (this.#queued.has(task.key) || this.#working.has(task.key)) return;
    this.#queued.set(task.key, task);
    const run = this.#know(task);
    if (task.notBeforeMs === undefined) this.#enqueue(run, task);
    else this.#delayed.push(task);
  }

  /** Forgets a queued task: it was cancelled. */
  remove(key: string): void {
    const task = this.#queued.get(key);
    this.#queued.delete(key);
    if (task !== undefined) this.#unknow(task);
  }

  /** Counts a task as at work without choosing it: it was found so at start-up. */
  adopt(task: ReadyTask): void {
    if (this.#queued.has(task.key) || this.#working.has(task.key)) return;
    this.#know(task);
    this.#begin(task);
  }

  /** A task ended, or is about to be ready again: its limits have room. */
  release(key: string): void {
    const task = this.#working.get(key);
    if (task === undefined) return;
    this.#working.delete(key);
    this.#count(task, -1);
    this.#unknow(task);
  }

  /** A task that was chosen does not start after all: to its rates, it never did. */
  withdraw(key: string): void {
    for (const limit of this.#working.get(key)?.limits ?? []) this.#rates.get(limit)?.giveBack();
    this.release(key);
  }

  /**
   * The tasks that start now, in order. They count as at work from here on.
   * @param most no more than so many
   */
  next(nowMs: number, most = Number.POSITIVE_INFINITY): ReadyTask[] {
    this.#nowMs = nowMs;
    this.#wakeDelayed(nowMs);
    const rooms = this.#roomsToAsk();
    const starting: ReadyTask[] = [];
    while (this.#working.size < this.#capacities.total && starting.length < most) {
      const place = this.#firstOf(rooms);
      if (place === undefined) break;
      const full = place.group.limits.find((limit) => !this.#hasRoom(limit));
      if (full === undefined) starting.push(this.#start(place));
      else this.#park(full, place);
    }
    return starting;
  }

  /** When the next delayed task is due, or a rate lets the next one start, on the monotonic clock. */
  get wakeAtMs(): number | undefined {
    const rated = [...this.#rates].filter(([limit]) => this.#full.has(limit) && this.#hasPlace(limit));
    const due = [this.#nextDelayed()?.notBeforeMs, ...rated.map(([, { nextAtMs }]) => nextAtMs)];
    const known = due.filter((atMs) => atMs !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /** Why a queued task did not start when that was last asked; `undefined` where nothing is in its way. */
  whyQueued(key: string): Queued | undefined {
    const task = this.#queued.get(key);
    if (task === undefined) return undefined;
    const { notBeforeMs } = task;
    if (notBeforeMs !== undefined && notBeforeMs > this.#nowMs) return { type: "delayed", untilMs: notBeforeMs };
    const limit = task.limits.find((one) => !this.#hasRoom(one));
    if (limit !== undefined) {
      return this.#hasPlace(limit)
        ? { type: "rate", limit, untilMs: this.#rateOf(limit)?.nextAtMs ?? this.#nowMs }
        : { type: "limit", limit, capacity: this.#capacities.of(limit) };
    }
    const { total } = this.#capacities;
    return this.#working.size < total ? undefined : { type: "total", capacity: total };
  }

  /** How many tasks wait to start. */
  get queuedCount(): number {
    return this.#queued.size;
  }

  /** How many tasks are at work. */
  get workingCount(): number {
    return this.#working.size;
  }

  /** The rooms that a task might start from: what waits under a full limit needs no look. */
  #roomsToAsk(): Map<string | undefined, WaitingRoom> {
    return new Map([[undefined, this.#open], ...[...this.#full].filter(([limit]) => this.#hasRoom(limit))]);
  }

  #firstOf(rooms: Map<string | undefined, WaitingRoom>): Place | undefined {
    let first: Place | undefined;
    for (const [limit, room] of rooms) {
      if (limit !== undefined && !this.#hasRoom(limit)) continue;
      const place = room.first((group) => this.#headOf(group));
      if (place !== undefined && (first === undefined || byTurn(place, first) < 0)) first = place;
      if (place !== undefined || limit === undefined) continue;
      rooms.delete(limit);
      this.#full.delete(limit);
    }
    return first;
  }

  #headOf({ tasks }: TaskGroup): ReadyTask | undefined {
    for (let task = tasks.peek(); task !== undefined; task = tasks.peek()) {
      if (this.#queued.get(task.key) === task) return task;
      tasks.pop();
    }
    return undefined;
  }

  #start({ group, head }: Place): ReadyTask {
    group.tasks.pop();
    this.#queued.delete(head.key);
    this.#begin(head);
    for (const limit of head.limits) this.#rateOf(limit)?.take(this.#nowMs);
    const next = this.#headOf(group);
    if (next !== undefined) this.#open.enter(group, next);
    else dissolve(group);
    return head;
  }

  #park(limit: string, { group, head }: Place): void {
    const room = this.#full.get(limit) ?? new WaitingRoom();
    this.#full.set(limit, room);
    room.enter(group, head);
  }

  #begin(task: ReadyTask): void {
    this.#working.set(task.key, task);
    this.#count(task, 1);
  }

  #count(task: ReadyTask, change: 1 | -1): void {
    for (const limit of task.limits) {
      const used = (this.#used.get(limit) ?? 0) + change;
      if (used === 0) this.#used.delete(limit);
      else this.#used.set(limit, used);
    }
    const run = this.#runs.get(task.run);
    if (run === undefined) return;
    run.working += change;
    for (const room of run.rooms) room.reorder(run);
  }

  #hasRoom(limit: string): boolean {
    return this.#hasPlace(limit) && (this.#rateOf(limit)?.nextAtMs ?? this.#nowMs) <= this.#nowMs;
  }

  #hasPlace(limit: string): boolean {
    return (this.#used.get(limit) ?? 0) < this.#capacities.of(limit);
  }

  #rateOf(limit: string): TokenBucket | undefined {
    const known = this.#rates.get(limit);
    if (known !== undefined) return known;
    const perMinute = this.#capacities.perMinute?.(limit);
    if (perMinute === undefined) return undefined;
    const bucket = new TokenBucket(perMinute);
    this.#rates.set(limit, bucket);
    return bucket;
  }

  #enqueue(run: WaitingRun, task: ReadyTask): void {
    const name = groupName(task.limits);
    let group = run.groups.get(name);
    if (group === undefined) {
      group = { run, limits: task.limits, tasks: new Heap(byPriority), place: undefined };
      run.groups.set(name, group);
    }
    group.tasks.push(task);
    const head = this.#headOf(group);
    if (head === undefined || head === group.place?.head) return;
    (group.place?.room ?? this.#open).enter(group, head);
  }

  #wakeDelayed(nowMs: number): void {
    for (let task = this.#nextDelayed(); task !== undefined; task = this.#nextDelayed()) {
      if ((task.notBeforeMs ?? 0) > nowMs) return;
      this.#delayed.pop();
      const run = this.#runs.get(task.run);
      if (run !== undefined) this.#enqueue(run, task);
    }
  }

  #nextDelayed(): ReadyTask | undefined {
    for (let task = this.#delayed.peek(); task !== undefined; task = this.#delayed.peek()) {
      if (this.#queued.get(task.key) === task) return task;
      this.#delayed.pop();
    }
    return undefined;
  }

  #know(task: ReadyTask): WaitingRun {
    const known = this.#runs.get(task.run);
    const run = known ?? {
      age: this.#nextAge++,
      working: 0,
      known: 0,
      groups: new Map<string, TaskGroup>(),
      rooms: new Set<WaitingRoom>(),
    };
    run.known += 1;
    this.#runs.set(task.run, run);
    return run;
  }

  #unknow(task: ReadyTask): void {
    const run = this.#runs.get(task.run);
    if (run === undefined) return;
    run.known -= 1;
    if (run.known === 0) this.#runs.delete(task.run);
  }
}
