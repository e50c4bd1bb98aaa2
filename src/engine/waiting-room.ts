/**
 * A place where queued tasks wait: for their turn, or for one limit to have room.
 *
 * What waits are groups of tasks of one run that use the same limits: what keeps one of them from starting keeps all,
 * so that a thousand tasks go from one room to another in one step. A group is in one room at a time. A turn or a place
 * that a later one has replaced stays in its heap until it comes up, and is then thrown away.
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

/** A run with tasks that are queued or at work. */
export interface WaitingRun {
  /** The lower, the older. */
  readonly age: number;
  working: number;
  /** How many of its tasks are known at all; with none, the run is forgotten. */
  known: number;
  readonly groups: Map<string, TaskGroup>;
  /** Where its groups wait. */
  readonly rooms: Set<WaitingRoom>;
}

/** Tasks of one run that use the same limits, the longest critical path first. */
export interface TaskGroup {
  readonly run: WaitingRun;
  readonly limits: readonly string[];
  readonly tasks: Heap<ReadyTask>;
  place: Place | undefined;
}

/** Where a group waits, and the task it waits with. */
export interface Place {
  readonly group: TaskGroup;
  readonly head: ReadyTask;
  readonly room: WaitingRoom;
}

interface Line {
  readonly places: Heap<Place>;
  turn: Turn;
}

interface Turn {
  readonly run: WaitingRun;
  readonly working: number;
}

/** The longest critical path first, then the written order. */
export const byPriority = (a: ReadyTask, b: ReadyTask): number => b.priority - a.priority || a.position - b.position;

/** Whose turn it is: the run with the fewest tasks at work, then the older one, then the task with the longest path. */
export function byTurn(a: Place, b: Place): number {
  const [one, other] = [a.group.run, b.group.run];
  return one.working - other.working || one.age - other.age || byPriority(a.head, b.head);
}

/** See the head of this file. */
export class WaitingRoom {
  readonly #lines = new Map<WaitingRun, Line>();
  readonly #turns = new Heap<Turn>((a, b) => a.working - b.working || a.run.age - b.run.age);

  /** Lets a group wait here, and nowhere else. */
  enter(group: TaskGroup, head: ReadyTask): void {
    const { run } = group;
    let line = this.#lines.get(run);
    if (line === undefined) {
      line = { places: new Heap((a, b) => byPriority(a.head, b.head)), turn: this.#take(run) };
      this.#lines.set(run, line);
      run.rooms.add(this);
    }
    group.place = { group, head, room: this };
    line.places.push(group.place);
  }

  /** How many tasks of a run are at work has changed. */
  reorder(run: WaitingRun): void {
    const line = this.#lines.get(run);
    if (line !== undefined && line.turn.working !== run.working) line.turn = this.#take(run);
  }

  /**
   * The place whose turn it is; it stays where it is.
   * @param headOf finds the first task of a group that is still queued
   */
  first(headOf: (group: TaskGroup) => ReadyTask | undefined): Place | undefined {
    for (let turn = this.#turns.peek(); turn !== undefined; turn = this.#turns.peek()) {
      const line = this.#lines.get(turn.run);
      if (line?.turn === turn) {
        const place = this.#firstOf(line, headOf);
        if (place !== undefined) return place;
        this.#lines.delete(turn.run);
        turn.run.rooms.delete(this);
      }
      this.#turns.pop();
    }
    return undefined;
  }

  #firstOf({ places }: Line, headOf: (group: TaskGroup) => ReadyTask | undefined): Place | undefined {
    for (let place = places.peek(); place !== undefined; place = places.peek()) {
      const { group } = place;
      const isCurrent = group.place === place;
      const head = isCurrent ? headOf(group) : undefined;
      if (isCurrent && head === place.head) return place;
      places.pop();
      if (!isCurrent) continue;
      // Its first task was cancelled: the next one's path may be shorter.
      if (head === undefined) dissolve(group);
      else this.enter(group, head);
    }
    return undefined;
  }

  #take(run: WaitingRun): Turn {
    const turn = { run, working: run.working };
    this.#turns.push(turn);
    return turn;
  }
}

/** Forgets a group that has no tasks left. */
export function dissolve(group: TaskGroup): void {
  group.place = undefined;
  group.run.groups.delete(groupName(group.limits));
}

/** The name of a group among those of its run. */
export function groupName(limits: readonly string[]): string {
  return limits.join("\n");
}
