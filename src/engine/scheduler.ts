/**
 * The ready queue of all runs: which task starts next.
 *
 * A ready task is in exactly one place: in its run's queue, ordered by the length of its critical path; or parked under
 * the one limit that kept it from starting, until that limit has room; or delayed until its backoff has passed.
 * Starting takes it out and uses one unit of each of its limits; ending gives those back. There are no barriers:
 * a task waits for its own needs and limits only.
 *
 * Between runs the one with the fewest tasks at work goes first, then the older one.
 *
 * Invariants:
 * 1. No limit is ever used beyond its capacity, except by tasks that were found at work at start-up.
 * 2. No task stays queued while all of its limits, and the total, have room.
 */
import { Heap } from "./heap.ts";

/** A ready task, as the scheduler sees it. */
export interface ReadyTask {
  /** Unique among all runs. */
  readonly key: string;
  readonly run: string;
  /** Its critical path in milliseconds: the longer, the earlier it starts. */
  readonly priority: number;
  /** Its place in its run: decides between equal priorities. */
  readonly position: number;
  /** The names of the limits it uses one unit of. */
  readonly limits: readonly string[];
  /** On the monotonic clock; it does not start earlier. */
  readonly notBeforeMs?: number | undefined;
}

/** How many tasks may be at work at once. */
export interface Capacities {
  readonly total: number;
  /** For one named limit; `Infinity` where there is none. */
  readonly of: (limit: string) => number;
}

interface RunQueue {
  readonly age: number;
  readonly tasks: Heap<ReadyTask>;
  working: number;
  /** How many of its tasks are known here at all; with none, the run is forgotten. */
  known: number;
}

interface Turn {
  readonly run: string;
  readonly working: number;
  readonly age: number;
}

const byPriority = (a: ReadyTask, b: ReadyTask): number => b.priority - a.priority || a.position - b.position;

/** See the head of this file. */
export class Scheduler {
  readonly #capacities: Capacities;
  readonly #used = new Map<string, number>();
  readonly #runs = new Map<string, RunQueue>();
  readonly #turns = new Heap<Turn>((a, b) => a.working - b.working || a.age - b.age);
  readonly #parked = new Map<string, Heap<ReadyTask>>();
  readonly #delayed = new Heap<ReadyTask>((a, b) => (a.notBeforeMs ?? 0) - (b.notBeforeMs ?? 0));
  readonly #queued = new Map<string, ReadyTask>();
  readonly #working = new Map<string, ReadyTask>();
  #nextAge = 0;

  constructor(capacities: Capacities) {
    this.#capacities = capacities;
  }

  /** Adds a ready task. Adding one that is queued or at work already changes nothing. */
  add(task: ReadyTask): void {
    if (this.#queued.has(task.key) || this.#working.has(task.key)) return;
    this.#queued.set(task.key, task);
    this.#know(task);
    if (task.notBeforeMs === undefined) this.#enqueue(task);
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
    for (const limit of task.limits) {
      this.#used.set(limit, (this.#used.get(limit) ?? 1) - 1);
      this.#unparkOne(limit);
    }
    const queue = this.#runs.get(task.run);
    if (queue !== undefined) queue.working -= 1;
    this.#takeTurn(task.run);
    this.#unknow(task);
  }

  /** The tasks that start now, in order. They count as at work from here on. */
  next(nowMs: number): ReadyTask[] {
    this.#wakeDelayed(nowMs);
    const starting: ReadyTask[] = [];
    while (this.#working.size < this.#capacities.total) {
      const turn = this.#turns.pop();
      if (turn === undefined) break;
      const queue = this.#runs.get(turn.run);
      // A turn from before the run's last change is stale: a newer one is in the heap.
      if (queue === undefined || queue.working !== turn.working) continue;
      const task = this.#startOne(queue);
      if (task !== undefined) starting.push(task);
      this.#takeTurn(turn.run);
    }
    return starting;
  }

  /** When the next delayed task is due, on the monotonic clock. */
  get wakeAtMs(): number | undefined {
    return this.#delayed.peek()?.notBeforeMs;
  }

  /** How many tasks are at work. */
  get workingCount(): number {
    return this.#working.size;
  }

  #startOne(queue: RunQueue): ReadyTask | undefined {
    for (let task = queue.tasks.pop(); task !== undefined; task = queue.tasks.pop()) {
      if (this.#queued.get(task.key) !== task) continue;
      const full = task.limits.find((limit) => !this.#hasRoom(limit));
      if (full === undefined) {
        this.#queued.delete(task.key);
        this.#begin(task);
        return task;
      }
      this.#park(full, task);
    }
    return undefined;
  }

  #begin(task: ReadyTask): void {
    this.#working.set(task.key, task);
    for (const limit of task.limits) this.#used.set(limit, (this.#used.get(limit) ?? 0) + 1);
    const queue = this.#runs.get(task.run);
    if (queue !== undefined) queue.working += 1;
  }

  #hasRoom(limit: string): boolean {
    return (this.#used.get(limit) ?? 0) < this.#capacities.of(limit);
  }

  #enqueue(task: ReadyTask): void {
    this.#runs.get(task.run)?.tasks.push(task);
    this.#takeTurn(task.run);
  }

  #takeTurn(run: string): void {
    const queue = this.#runs.get(run);
    if (queue !== undefined && queue.tasks.size > 0) this.#turns.push({ run, working: queue.working, age: queue.age });
  }

  // A task that leaves one full limit for another must not leave the room it waited for unused.
  #park(full: string, task: ReadyTask): void {
    const heap = this.#parked.get(full) ?? new Heap(byPriority);
    heap.push(task);
    this.#parked.set(full, heap);
    for (const limit of task.limits) if (limit !== full && this.#hasRoom(limit)) this.#unparkOne(limit);
  }

  #unparkOne(limit: string): void {
    const heap = this.#parked.get(limit);
    if (heap === undefined) return;
    for (let task = heap.pop(); task !== undefined; task = heap.pop()) {
      if (this.#queued.get(task.key) !== task) continue;
      this.#enqueue(task);
      return;
    }
    this.#parked.delete(limit);
  }

  #wakeDelayed(nowMs: number): void {
    for (let task = this.#delayed.peek(); task !== undefined; task = this.#delayed.peek()) {
      if ((task.notBeforeMs ?? 0) > nowMs) return;
      this.#delayed.pop();
      if (this.#queued.get(task.key) === task) this.#enqueue(task);
    }
  }

  #know(task: ReadyTask): void {
    const queue = this.#runs.get(task.run);
    if (queue !== undefined) queue.known += 1;
    else this.#runs.set(task.run, { age: this.#nextAge++, tasks: new Heap(byPriority), working: 0, known: 1 });
  }

  #unknow(task: ReadyTask): void {
    const queue = this.#runs.get(task.run);
    if (queue === undefined) return;
    queue.known -= 1;
    if (queue.known === 0) this.#runs.delete(task.run);
  }
}
