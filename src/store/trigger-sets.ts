import type { TriggerSetSpec, TriggerSpec } from "../engine/trigger.ts";
import type { SqlRow, Statement, Store } from "./port.ts";
import { jsonOf, numberOf, optionalNumberOf, textOf, toJson, insertInto, updateVersioned } from "./statements.ts";

/** What a repository's owner has agreed to: its file, as it was then. */
export interface TriggerSetRow {
  readonly repositoryId: string;
  /** The worktree whose file it is, and where its runs start. */
  readonly root: string;
  /** The file. */
  readonly content: string;
  readonly contentHash: string;
  readonly chains: TriggerSetSpec["chains"];
  readonly state: "enabled" | "disabled";
  readonly enabledMs: number;
}

/** A trigger of a set, and how its flow control stands. */
export interface TriggerRow<Flow> {
  /** `REPOSITORY/NAME`. */
  readonly id: string;
  readonly version: number;
  readonly repositoryId: string;
  readonly spec: TriggerSpec;
  /** `removed`: it is not in the file that was agreed to last, or its set is disabled. */
  readonly state: "active" | "paused" | "removed";
  readonly flow: Flow;
  /** When its flow control has something to do though nothing happens. */
  readonly dueMs: number | undefined;
  readonly createdMs: number;
}

/** Keeps what a repository's owner has agreed to, instead of what they had agreed to before. */
export function putTriggerSet(set: TriggerSetRow): Statement {
  const { sql, values = [] } = insertInto("trigger_sets", {
    repository_id: set.repositoryId,
    version: 1,
    root: set.root,
    content: set.content,
    content_hash: set.contentHash,
    chains_json: JSON.stringify(set.chains),
    state: set.state,
    enabled_ms: set.enabledMs,
  });
  return {
    sql: `${sql} on conflict (repository_id) do update set version = version + 1, root = excluded.root,
      content = excluded.content, content_hash = excluded.content_hash, chains_json = excluded.chains_json,
      state = excluded.state, enabled_ms = excluded.enabled_ms`,
    values,
    expectRows: 1,
  };
}

/** What a repository's owner has agreed to, if they have agreed to anything. */
export async function findTriggerSet(store: Store, repositoryId: string): Promise<TriggerSetRow | undefined> {
  const [row] = await store.read("select * from trigger_sets where repository_id = ?", [repositoryId]);
  return row === undefined ? undefined : parseSet(row);
}

/** All sets that are enabled. */
export async function loadTriggerSets(store: Store): Promise<TriggerSetRow[]> {
  return (await store.read("select * from trigger_sets where state = 'enabled' order by enabled_ms")).map(parseSet);
}

/** Adds a trigger. */
export function insertTrigger(trigger: Omit<TriggerRow<unknown>, "version">): Statement {
  return insertInto("triggers", {
    id: trigger.id,
    version: 1,
    repository_id: trigger.repositoryId,
    name: trigger.spec.name,
    spec_json: JSON.stringify(trigger.spec),
    state: trigger.state,
    flow_json: JSON.stringify(trigger.flow),
    due_ms: trigger.dueMs ?? null,
    created_ms: trigger.createdMs,
  });
}

/** What may change of a trigger. */
export type TriggerPatch<Flow> = Partial<Pick<TriggerRow<Flow>, "spec" | "state" | "flow">> & {
  readonly dueMs?: number | null;
};

/** Changes a trigger that still has the version it was read with. */
export function updateTrigger<Flow>(
  { id, version }: Pick<TriggerRow<Flow>, "id" | "version">,
  patch: TriggerPatch<Flow>,
): Statement {
  return updateVersioned("triggers", { id }, version, {
    ...(patch.spec === undefined ? {} : { spec_json: toJson(patch.spec) }),
    ...(patch.state === undefined ? {} : { state: patch.state }),
    ...(patch.flow === undefined ? {} : { flow_json: toJson(patch.flow) }),
    ...(patch.dueMs === undefined ? {} : { due_ms: patch.dueMs }),
  });
}

/** The row after a patch. */
export function patchedTrigger<Flow>(row: TriggerRow<Flow>, patch: TriggerPatch<Flow>): TriggerRow<Flow> {
  const { dueMs = row.dueMs, ...rest } = patch;
  return { ...row, ...rest, dueMs: dueMs ?? undefined, version: row.version + 1 };
}

/** All triggers of a repository, also those that were removed. */
export async function loadTriggers<Flow>(store: Store, repositoryId: string): Promise<TriggerRow<Flow>[]> {
  const rows = await store.read("select * from triggers where repository_id = ? order by rowid", [repositoryId]);
  return rows.map((row) => parseTrigger<Flow>(row));
}

function parseSet(row: SqlRow): TriggerSetRow {
  return {
    repositoryId: textOf(row, "repository_id"),
    root: textOf(row, "root"),
    content: textOf(row, "content"),
    contentHash: textOf(row, "content_hash"),
    chains: jsonOf<TriggerSetSpec["chains"]>(row, "chains_json"),
    state: textOf(row, "state") as TriggerSetRow["state"],
    enabledMs: numberOf(row, "enabled_ms"),
  };
}

function parseTrigger<Flow>(row: SqlRow): TriggerRow<Flow> {
  return {
    id: textOf(row, "id"),
    version: numberOf(row, "version"),
    repositoryId: textOf(row, "repository_id"),
    spec: jsonOf<TriggerSpec>(row, "spec_json"),
    state: textOf(row, "state") as TriggerRow<Flow>["state"],
    flow: jsonOf<Flow>(row, "flow_json"),
    dueMs: optionalNumberOf(row, "due_ms"),
    createdMs: numberOf(row, "created_ms"),
  };
}
