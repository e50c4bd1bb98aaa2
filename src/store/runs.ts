import type { ErrorShape } from "../base/errors.ts";
import type { Cause } from "../engine/cause.ts";
import type { Outcome } from "../engine/task.ts";
import type { SqlRow, Statement, Store } from "./port.ts";
import {
  insertInto,
  jsonOf,
  numberOf,
  optionalJsonOf,
  optionalNumberOf,
  optionalTextOf,
  textOf,
  toJson,
  updateVersioned,
} from "./statements.ts";

/** How it stands with what a run's tasks changed, beyond each task's own landing. */
export interface RunLanding {
  /** Where all of its work is to land at once: whether that was asked for, and how it ended. */
  readonly together?: "wanted" | "moving" | "landed" | "refused";
  /** Why it was refused, or waits. */
  readonly reason?: Reason | undefined;
  /** Whether the base passes verification itself, once that is known. */
  readonly base?: "green" | "red" | "unverified";
  /** The commands that fail on the base already. */
  readonly failing?: readonly { readonly command: string; readonly log: string }[];
}

/** The task that has started a run. */
export interface StartingTask {
  readonly run: string;
  readonly task: string;
}

/** A run. `Spec` and `Plan` are whatever the layer above keeps in them. */
export interface RunRow<Spec, Plan> {
  readonly id: string;
  readonly version: number;
  /** Made by the caller: the same request never becomes two runs. */
  readonly requestId: string;
  readonly repositoryId: string;
  /** The task that started it, where one did, or has adopted it since: what is cancelled there is cancelled here. */
  readonly parent: StartingTask | undefined;
  /**
   * Who is told of it: the nearest of those above it that has not ended, where that is a task. When a task ends, what it
   * owns belongs to the owner of its own run, in the same transaction.
   */
  readonly owner: StartingTask | undefined;
  /** What led to it, where that is a chain of events. What its tasks start has the same cause. */
  readonly cause: Cause | undefined;
  /** The agent's own id of the conversation that asked for it, where one outside of all tasks did. */
  readonly asker: string | undefined;
  readonly state: "active" | "ended";
  readonly outcome: Outcome | undefined;
  readonly cancelRequested: boolean;
  readonly spec: Spec;
  readonly plan: Plan;
  /** The commit in the vault its workspaces start from. */
  readonly baseCommit: string;
  readonly landing: RunLanding;
  readonly createdMs: number;
  readonly endedMs: number | undefined;
}

/** What may change in a run. */
export type RunPatch<Plan> = Partial<{
  readonly state: "ended";
  readonly outcome: Outcome;
  readonly cancelRequested: true;
  readonly plan: Plan;
  readonly landing: RunLanding;
  readonly endedMs: number;
}>;

/** Adds a run; whoever starts it owns it. */
export function insertRun(run: Omit<RunRow<unknown, unknown>, "version" | "landing" | "owner">): Statement {
  return insertInto("runs", {
    id: run.id,
    version: 1,
    request_id: run.requestId,
    repository_id: run.repositoryId,
    parent_run: run.parent?.run ?? null,
    parent_task: run.parent?.task ?? null,
    owner_run: run.parent?.run ?? null,
    owner_task: run.parent?.task ?? null,
    cause_json: toJson(run.cause),
    chain: run.cause?.chain ?? null,
    asker: run.asker ?? null,
    state: run.state,
    outcome: run.outcome ?? null,
    cancel_requested: run.cancelRequested ? 1 : 0,
    spec_json: JSON.stringify(run.spec),
    plan_json: JSON.stringify(run.plan),
    base_commit: run.baseCommit,
    created_ms: run.createdMs,
    ended_ms: run.endedMs ?? null,
  });
}

/** Changes a run that still has the version it was read with. */
export function updateRun(run: { id: string; version: number }, patch: RunPatch<unknown>): Statement {
  return updateVersioned("runs", { id: run.id }, run.version, {
    ...(patch.state === undefined ? {} : { state: patch.state }),
    ...(patch.outcome === undefined ? {} : { outcome: patch.outcome }),
    ...(patch.cancelRequested === undefined ? {} : { cancel_requested: 1 }),
    ...(patch.plan === undefined ? {} : { plan_json: toJson(patch.plan) }),
    ...(patch.landing === undefined ? {} : { landing_json: toJson(patch.landing) }),
    ...(patch.endedMs === undefined ? {} : { ended_ms: patch.endedMs }),
  });
}

/** Whose a run is to be from now on. */
export interface NewOwner {
  readonly owner: StartingTask | undefined;
  /** The conversation that is told where no task is. */
  readonly asker: string | undefined;
}

/** Gives a run that belongs to a task that ends to whoever comes next, unless it has another owner by now. */
export function inheritRun(id: string, from: StartingTask, { owner, asker }: NewOwner): Statement {
  return {
    sql: `update runs set owner_run = ?, owner_task = ?, asker = coalesce(asker, ?)
      where id = ? and owner_run = ? and owner_task = ?`,
    values: [owner?.run ?? null, owner?.task ?? null, asker ?? null, id, from.run, from.task],
  };
}

/** Gives a run that still has the owner it was read with to another parent. */
export function adoptRun(id: string, from: StartingTask | undefined, to: StartingTask | undefined): Statement {
  const [run, task] = [to?.run ?? null, to?.task ?? null];
  return {
    sql: `update runs set parent_run = ?, parent_task = ?, owner_run = ?, owner_task = ?
      where id = ? and coalesce(owner_run, '') = ? and coalesce(owner_task, '') = ?`,
    values: [run, task, run, task, id, from?.run ?? "", from?.task ?? ""],
    expectRows: 1,
  };
}

/** How many tasks stand above a run, one above the other: none above what a person has started. */
export async function loadDepth(store: Store, id: string): Promise<number> {
  const [row] = await store.read(
    `with recursive above(id, depth) as (
       select id, 0 from runs where id = ?
       union all select runs.parent_run, above.depth + 1 from above join runs on runs.id = above.id
         where runs.parent_run is not null and above.depth < 1000)
     select max(depth) as depth from above`,
    [id],
  );
  return row === undefined ? 0 : (optionalNumberOf(row, "depth") ?? 0);
}

/** A run by its whole id. */
export async function findRun<Spec, Plan>(store: Store, id: string): Promise<RunRow<Spec, Plan> | undefined> {
  const [row] = await store.read("select * from runs where id = ?", [id]);
  return row === undefined ? undefined : parseRun(row);
}

/** The run that a request became, if it became one. */
export async function findRunByRequest<Spec, Plan>(
  store: Store,
  requestId: string,
): Promise<RunRow<Spec, Plan> | undefined> {
  const [row] = await store.read("select * from runs where request_id = ?", [requestId]);
  return row === undefined ? undefined : parseRun(row);
}

/** Runs that have work left: active ones, and ended ones whose detached tasks go on. */
export async function loadOpenRuns<Spec, Plan>(store: Store): Promise<RunRow<Spec, Plan>[]> {
  const rows = await store.read(
    `select * from runs where state = 'active' or id in (select run_id from tasks where state <> 'ended')
     order by created_ms, rowid`,
  );
  return rows.map((row) => parseRun<Spec, Plan>(row));
}

/** The newest runs first. */
export async function loadRuns<Spec, Plan>(
  store: Store,
  query: { readonly limit: number; readonly repositoryId?: string | undefined; readonly skip?: number },
): Promise<RunRow<Spec, Plan>[]> {
  const rows =
    query.repositoryId === undefined
      ? await store.read("select * from runs order by created_ms desc, rowid desc limit ? offset ?", [
          query.limit,
          query.skip ?? 0,
        ])
      : await store.read(
          "select * from runs where repository_id = ? order by created_ms desc, rowid desc limit ? offset ?",
          [query.repositoryId, query.limit, query.skip ?? 0],
        );
  return rows.map((row) => parseRun<Spec, Plan>(row));
}

/** The ids that start with some characters, at most ten of them. */
export async function findRunIds(store: Store, start: string): Promise<string[]> {
  const rows = await store.read("select id from runs where substr(id, 1, ?) = ? order by id limit 10", [
    start.length,
    start,
  ]);
  return rows.map((row) => textOf(row, "id"));
}

/** All runs below a task, or below any task of a run, however deep; also below those that are over. */
export async function loadRunIdsBelow(store: Store, run: string, task?: string): Promise<string[]> {
  const first = task === undefined ? "parent_run = ?" : "parent_run = ? and parent_task = ?";
  const rows = await store.read(
    `with recursive below(id) as (
       select id from runs where ${first}
       union select runs.id from runs join below on runs.parent_run = below.id)
     select id from below`,
    task === undefined ? [run] : [run, task],
  );
  return rows.map((row) => textOf(row, "id"));
}

/** Removes a run and all that belongs to it. */
export function deleteRun(id: string): Statement[] {
  return [
    { sql: "delete from events where run_id = ?", values: [id] },
    { sql: "delete from runs where id = ? and state = 'ended'", values: [id], expectRows: 1 },
  ];
}

function parseRun<Spec, Plan>(row: SqlRow): RunRow<Spec, Plan> {
  return {
    id: textOf(row, "id"),
    version: numberOf(row, "version"),
    requestId: textOf(row, "request_id"),
    repositoryId: textOf(row, "repository_id"),
    parent: taskOf(row, "parent"),
    owner: taskOf(row, "owner"),
    cause: optionalJsonOf<Cause>(row, "cause_json"),
    asker: optionalTextOf(row, "asker"),
    state: textOf(row, "state") as "active" | "ended",
    outcome: optionalTextOf(row, "outcome") as Outcome | undefined,
    cancelRequested: numberOf(row, "cancel_requested") === 1,
    spec: jsonOf<Spec>(row, "spec_json"),
    plan: jsonOf<Plan>(row, "plan_json"),
    baseCommit: textOf(row, "base_commit"),
    landing: optionalJsonOf<RunLanding>(row, "landing_json") ?? {},
    createdMs: numberOf(row, "created_ms"),
    endedMs: optionalNumberOf(row, "ended_ms"),
  };
}

function taskOf(row: SqlRow, name: "parent" | "owner"): StartingTask | undefined {
  const run = optionalTextOf(row, `${name}_run`);
  return run === undefined ? undefined : { run, task: textOf(row, `${name}_task`) };
}

/** Why something is as it is, kept as an error's shape so that it carries code, message and hint. */
export type Reason = Omit<ErrorShape, "kind">;
