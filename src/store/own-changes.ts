import type { Cause } from "../engine/cause.ts";
import type { SubjectKind } from "./known-states.ts";
import type { SqlRow, Statement, Store } from "./port.ts";
import { optionalJsonOf, textOf, toJson } from "./statements.ts";

/** A change of the user's files or refs that Anabranch makes for a run, until it has been seen there. */
export interface OwnChange {
  /** The path or the ref. */
  readonly name: string;
  /** What it is like afterwards. */
  readonly state: string;
  readonly run: string;
  readonly cause: Cause | undefined;
}

/** What is about to change, for {@link expectOwnChanges}. */
export interface ComingChanges {
  readonly repositoryId: string;
  readonly run: string;
  readonly cause: Cause | undefined;
  readonly kind: SubjectKind;
  readonly changes: readonly { readonly name: string; readonly state: string }[];
  readonly atMs: number;
}

/**
 * Says what is about to change, in the transaction that makes it certain. Where nobody has ever watched the repository,
 * nothing is kept.
 */
export function expectOwnChanges({ repositoryId, run, cause, kind, changes, atMs }: ComingChanges): Statement[] {
  return changes.map(({ name, state }) => ({
    sql: `insert into own_changes (repository_id, subject, state, run_id, cause_json, created_ms)
      select ?, ?, ?, ?, ?, ? where exists (select 1 from cursors where name = ?)
      on conflict (repository_id, subject, state) do update set
        run_id = excluded.run_id, cause_json = excluded.cause_json, created_ms = excluded.created_ms`,
    values: [repositoryId, `${kind}:${name}`, state, run, toJson(cause), atMs, watchCursor(kind, repositoryId)],
  }));
}

/** The name of the cursor of whoever watches a repository's files or refs. */
export function watchCursor(kind: SubjectKind, repositoryId: string): string {
  return `watch:${kind}:${repositoryId}`;
}

/** The changes of one kind that are still to be seen in a repository; most often there are none. */
export async function loadOwnChanges(
  store: Store,
  repositoryId: string,
  kind: SubjectKind,
  sinceMs: number,
): Promise<OwnChange[]> {
  const rows = await store.read(
    `select * from own_changes where repository_id = ? and subject >= ? and subject < ? and created_ms >= ?
     order by created_ms`,
    [repositoryId, `${kind}:`, `${kind};`, sinceMs],
  );
  return rows.map((row) => parseOwnChange(row, kind));
}

/** It has been seen. */
export function forgetOwnChange(
  repositoryId: string,
  kind: SubjectKind,
  { name, state }: Pick<OwnChange, "name" | "state">,
): Statement {
  return {
    sql: "delete from own_changes where repository_id = ? and subject = ? and state = ?",
    values: [repositoryId, `${kind}:${name}`, state],
  };
}

/** Who watches sees everything within this time: what was not seen by then has never come about, or not for long. */
export const OWN_CHANGE_MS = 10 * 60_000;

/** Forgets what was never seen. */
export function forgetOldOwnChanges(repositoryId: string, kind: SubjectKind, beforeMs: number): Statement {
  return {
    sql: "delete from own_changes where repository_id = ? and subject >= ? and subject < ? and created_ms < ?",
    values: [repositoryId, `${kind}:`, `${kind};`, beforeMs],
  };
}

function parseOwnChange(row: SqlRow, kind: SubjectKind): OwnChange {
  return {
    name: textOf(row, "subject").slice(kind.length + 1),
    state: textOf(row, "state"),
    run: textOf(row, "run_id"),
    cause: optionalJsonOf<Cause>(row, "cause_json"),
  };
}
