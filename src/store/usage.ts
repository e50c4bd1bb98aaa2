import type { Spent } from "../engine/budget.ts";
import type { Store } from "./port.ts";
import type { SessionRecord } from "./sessions.ts";
import { jsonOf, numberOf, optionalTextOf, textOf } from "./statements.ts";

/** A run, as a part of a tree of delegation. */
export interface FamilyRun {
  readonly id: string;
  readonly parent: { readonly run: string; readonly task: string } | undefined;
}

/** What a session has used, as far as it is kept. */
export interface SessionUsage {
  readonly run: string;
  readonly task: string;
  readonly attempt: number;
  readonly createdMs: number;
  readonly spent: Spent;
}

/** Some runs, all that they and those above them have started, and all above them; those above come first. */
export async function loadFamily(store: Store, runs: readonly string[]): Promise<FamilyRun[]> {
  if (runs.length === 0) return [];
  const rows = await store.read(
    `with recursive
       up(id, parent) as (
         select id, parent_run from runs where id in (${runs.map(() => "?").join(", ")})
         union select runs.id, runs.parent_run from runs join up on runs.id = up.parent),
       down(id, depth) as (
         select up.id, 0 from up where up.parent is null or not exists (select 1 from runs where runs.id = up.parent)
         union select runs.id, down.depth + 1 from runs join down on runs.parent_run = down.id)
     select runs.id, runs.parent_run, runs.parent_task from down join runs on runs.id = down.id order by down.depth`,
    runs,
  );
  return rows.map((row) => {
    const run = optionalTextOf(row, "parent_run");
    return {
      id: textOf(row, "id"),
      parent: run === undefined ? undefined : { run, task: textOf(row, "parent_task") },
    };
  });
}

/** The runs of a chain of events, also those that its tasks have started. */
export async function loadChainRunIds(store: Store, chain: string): Promise<string[]> {
  return (await store.read("select id from runs where chain = ?", [chain])).map((row) => textOf(row, "id"));
}

/** What every session of some runs has used. */
export async function loadUsage(store: Store, runs: readonly string[]): Promise<SessionUsage[]> {
  if (runs.length === 0) return [];
  const rows = await store.read(
    `select run_id, task, attempt, created_ms, record_json from sessions
     where run_id in (${runs.map(() => "?").join(", ")}) order by created_ms`,
    runs,
  );
  return rows.map((row) => {
    const { usage, estimated } = jsonOf<SessionRecord>(row, "record_json");
    return {
      run: textOf(row, "run_id"),
      task: textOf(row, "task"),
      attempt: numberOf(row, "attempt"),
      createdMs: numberOf(row, "created_ms"),
      spent: { usage, estimated },
    };
  });
}
