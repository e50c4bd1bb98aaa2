import type { SqlRow, Statement, Store } from "./port.ts";
import {
  insertInto,
  jsonOf,
  numberOf,
  optionalNumberOf,
  optionalTextOf,
  textOf,
  updateVersioned,
} from "./statements.ts";

/** Which side of a conflict a person takes. */
export type Side = "ours" | "theirs";

/**
 * A changeset that could not be merged, kept until it is. `open`: waits for somebody. `settled`: it landed after all.
 * `aborted`: somebody gave it up; the changeset itself stays in the vault.
 */
export interface ConflictRow<Record> {
  readonly id: string;
  readonly version: number;
  readonly run: string;
  readonly task: string;
  readonly state: "open" | "settled" | "aborted";
  /** Base, both sides and what conflicts: whatever the layer above keeps. */
  readonly record: Record;
  /** What a person decided so far, by path. */
  readonly choices: Readonly<{ [path: string]: Side }>;
  /** The workspace in which it is being fixed. */
  readonly workspaceId: string | undefined;
  /** The landing that settled it. */
  readonly landing: string | undefined;
  readonly createdMs: number;
  readonly endedMs: number | undefined;
}

/** What may change in a conflict; `null` empties a field. */
export type ConflictPatch = Partial<{
  readonly state: "settled" | "aborted";
  readonly choices: Readonly<{ [path: string]: Side }>;
  readonly workspaceId: string | null;
  readonly landing: string;
  readonly endedMs: number;
}>;

/** Adds an open conflict. */
export function insertConflict(
  conflict: Pick<ConflictRow<unknown>, "id" | "run" | "task" | "record" | "createdMs">,
): Statement {
  return insertInto("conflicts", {
    id: conflict.id,
    version: 1,
    run_id: conflict.run,
    task: conflict.task,
    state: "open",
    record_json: JSON.stringify(conflict.record),
    choices_json: "{}",
    created_ms: conflict.createdMs,
  });
}

/** Changes a conflict that still has the version it was read with. */
export function updateConflict(conflict: { id: string; version: number }, patch: ConflictPatch): Statement {
  return updateVersioned("conflicts", { id: conflict.id }, conflict.version, {
    ...(patch.state === undefined ? {} : { state: patch.state }),
    ...(patch.choices === undefined ? {} : { choices_json: JSON.stringify(patch.choices) }),
    ...(patch.workspaceId === undefined ? {} : { workspace_id: patch.workspaceId }),
    ...(patch.landing === undefined ? {} : { landing_id: patch.landing }),
    ...(patch.endedMs === undefined ? {} : { ended_ms: patch.endedMs }),
  });
}

/** A task's work has landed: whatever open conflict there is about it is settled, also one that is just being changed. */
export function settleConflicts(of: { run: string; task: string }, landing: string, endedMs: number): Statement {
  return {
    sql: `update conflicts set state = 'settled', landing_id = ?, ended_ms = ?, version = version + 1
          where run_id = ? and task = ? and state = 'open'`,
    values: [landing, endedMs, of.run, of.task],
  };
}

/** Another conflict takes the place of this one, if it is still open. */
export function replaceConflict(id: string, endedMs: number): Statement {
  return {
    sql: `update conflicts set state = 'aborted', ended_ms = ?, version = version + 1 where id = ? and state = 'open'`,
    values: [endedMs, id],
  };
}

/** The conflicts of a run, oldest first. */
export async function loadConflicts<Record>(store: Store, run: string): Promise<ConflictRow<Record>[]> {
  const rows = await store.read("select * from conflicts where run_id = ? order by created_ms, rowid", [run]);
  return rows.map((row) => parseConflict<Record>(row));
}

/** All conflicts that wait for somebody, of one repository or of all, oldest first. */
export async function loadOpenConflicts<Record>(store: Store, repositoryId?: string): Promise<ConflictRow<Record>[]> {
  const rows =
    repositoryId === undefined
      ? await store.read("select * from conflicts where state = 'open' order by created_ms, rowid")
      : await store.read(
          `select conflicts.* from conflicts join runs on runs.id = conflicts.run_id
           where conflicts.state = 'open' and runs.repository_id = ? order by conflicts.created_ms, conflicts.rowid`,
          [repositoryId],
        );
  return rows.map((row) => parseConflict<Record>(row));
}

/** The conflicts whose ids start with some characters, at most ten of them. */
export async function findConflicts<Record>(store: Store, start: string): Promise<ConflictRow<Record>[]> {
  const rows = await store.read("select * from conflicts where substr(id, 1, ?) = ? order by id limit 10", [
    start.length,
    start,
  ]);
  return rows.map((row) => parseConflict<Record>(row));
}

function parseConflict<Record>(row: SqlRow): ConflictRow<Record> {
  return {
    id: textOf(row, "id"),
    version: numberOf(row, "version"),
    run: textOf(row, "run_id"),
    task: textOf(row, "task"),
    state: textOf(row, "state") as ConflictRow<Record>["state"],
    record: jsonOf<Record>(row, "record_json"),
    choices: jsonOf(row, "choices_json"),
    workspaceId: optionalTextOf(row, "workspace_id"),
    landing: optionalTextOf(row, "landing_id"),
    createdMs: numberOf(row, "created_ms"),
    endedMs: optionalNumberOf(row, "ended_ms"),
  };
}
