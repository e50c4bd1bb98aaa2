import type { Outcome, TaskState } from "../engine/task.ts";
import type { SqlRow, Statement, Store } from "./port.ts";
import type { Reason } from "./runs.ts";
import {
  insertInto,
  numberOf,
  optionalJsonOf,
  optionalNumberOf,
  optionalTextOf,
  textOf,
  toJson,
  updateVersioned,
} from "./statements.ts";

/** Why and how a task is to be stopped. */
interface CancelRequest {
  readonly by: "user" | "race" | "parent";
  /** Skips the patient rungs of the ladder. */
  readonly force: boolean;
  /** The winner, where a race was lost. */
  readonly winner?: string | undefined;
}

/** What a task left behind. */
export interface TaskResult {
  readonly exitStatus: number | undefined;
  /** The parsed output of a task with `output: json`, where it is small enough to be kept here. */
  readonly output?: unknown;
}

/** One task of a run. */
export interface TaskRow {
  readonly run: string;
  readonly name: string;
  readonly version: number;
  readonly position: number;
  readonly state: TaskState;
  readonly outcome: Outcome | undefined;
  /** The number of its newest attempt; 0 before the first. */
  readonly attempt: number;
  /** How many of its attempts failed or were lost; one that never ran is neither. */
  readonly failures: number;
  readonly cancel: CancelRequest | undefined;
  /** Why it waits, or ended as it did. */
  readonly reason: Reason | undefined;
  /** On the monotonic clock of the boot it was written in. */
  readonly notBeforeMs: number | undefined;
  /** When a monitor was restarted lately. */
  readonly restarts?: readonly number[] | undefined;
  readonly result: TaskResult | undefined;
  /** The landing that is about to move the lane for it, or has. */
  readonly landing: string | undefined;
  readonly readyMs: number | undefined;
  readonly endedMs: number | undefined;
}

/** What may change in a task; `null` empties a field. */
export type TaskPatch = Partial<{
  readonly state: TaskState;
  readonly outcome: Outcome;
  readonly attempt: number;
  readonly failures: number;
  readonly cancel: CancelRequest;
  readonly reason: Reason | null;
  readonly notBeforeMs: number | null;
  readonly restarts: readonly number[];
  readonly result: TaskResult;
  readonly landing: string | null;
  readonly readyMs: number;
  readonly endedMs: number;
}>;

/** Adds a task. */
export function insertTask(task: Pick<TaskRow, "run" | "name" | "position" | "state">): Statement {
  return insertInto("tasks", {
    run_id: task.run,
    name: task.name,
    version: 1,
    position: task.position,
    state: task.state,
    attempt: 0,
    failures: 0,
  });
}

/** Changes a task that still has the version it was read with. */
export function updateTask(task: Pick<TaskRow, "run" | "name" | "version">, patch: TaskPatch): Statement {
  return updateVersioned("tasks", { run_id: task.run, name: task.name }, task.version, {
    ...(patch.state === undefined ? {} : { state: patch.state }),
    ...(patch.outcome === undefined ? {} : { outcome: patch.outcome }),
    ...(patch.attempt === undefined ? {} : { attempt: patch.attempt }),
    ...(patch.failures === undefined ? {} : { failures: patch.failures }),
    ...(patch.cancel === undefined ? {} : { cancel_json: toJson(patch.cancel) }),
    ...(patch.reason === undefined ? {} : { reason_json: toJson(patch.reason) }),
    ...(patch.notBeforeMs === undefined ? {} : { not_before_ms: patch.notBeforeMs }),
    ...(patch.restarts === undefined ? {} : { restarts_json: toJson(patch.restarts) }),
    ...(patch.result === undefined ? {} : { result_json: toJson(patch.result) }),
    ...(patch.landing === undefined ? {} : { landing_id: patch.landing }),
    ...(patch.readyMs === undefined ? {} : { ready_ms: patch.readyMs }),
    ...(patch.endedMs === undefined ? {} : { ended_ms: patch.endedMs }),
  });
}

/** The row after {@link updateTask} took effect. */
export function patchedTask(task: TaskRow, patch: TaskPatch): TaskRow {
  const { reason, notBeforeMs, landing, ...rest } = patch;
  return {
    ...task,
    ...rest,
    version: task.version + 1,
    reason: reason === null ? undefined : (reason ?? task.reason),
    notBeforeMs: notBeforeMs === null ? undefined : (notBeforeMs ?? task.notBeforeMs),
    landing: landing === null ? undefined : (landing ?? task.landing),
  };
}

/** The tasks of a run, in their order. */
export async function loadTasks(store: Store, run: string): Promise<TaskRow[]> {
  return (await store.read("select * from tasks where run_id = ? order by position", [run])).map(parseTask);
}

/** How many tasks of each run stand in each state and outcome. */
export async function countTasks(
  store: Store,
  runs: readonly string[],
): Promise<Map<string, { state: TaskState; outcome: Outcome | undefined; count: number }[]>> {
  const counts = new Map<string, { state: TaskState; outcome: Outcome | undefined; count: number }[]>();
  if (runs.length === 0) return counts;
  const rows = await store.read(
    `select run_id, state, outcome, count(*) as count from tasks
     where run_id in (${runs.map(() => "?").join(", ")}) group by run_id, state, outcome`,
    runs,
  );
  for (const row of rows) {
    const list = counts.get(textOf(row, "run_id")) ?? [];
    counts.set(textOf(row, "run_id"), list);
    list.push({
      state: textOf(row, "state") as TaskState,
      outcome: optionalTextOf(row, "outcome") as Outcome | undefined,
      count: numberOf(row, "count"),
    });
  }
  return counts;
}

function parseTask(row: SqlRow): TaskRow {
  return {
    run: textOf(row, "run_id"),
    name: textOf(row, "name"),
    version: numberOf(row, "version"),
    position: numberOf(row, "position"),
    state: textOf(row, "state") as TaskState,
    outcome: optionalTextOf(row, "outcome") as Outcome | undefined,
    attempt: numberOf(row, "attempt"),
    failures: numberOf(row, "failures"),
    cancel: optionalJsonOf(row, "cancel_json"),
    reason: optionalJsonOf(row, "reason_json"),
    notBeforeMs: optionalNumberOf(row, "not_before_ms"),
    restarts: optionalJsonOf(row, "restarts_json"),
    result: optionalJsonOf(row, "result_json"),
    landing: optionalTextOf(row, "landing_id"),
    readyMs: optionalNumberOf(row, "ready_ms"),
    endedMs: optionalNumberOf(row, "ended_ms"),
  };
}
