import type { SqlRow, Statement, Store } from "./port.ts";
import { insertInto, numberOf, optionalTextOf, textOf, updateVersioned } from "./statements.ts";

/**
 * A workspace's place in the pool. `free`: stands reset at its base commit, for anybody. `leased`: belongs to its
 * holder, with whatever that left in it, until it has been made safe and reset.
 */
export interface WorkspaceRow {
  readonly id: string;
  readonly version: number;
  readonly repositoryId: string;
  /** Its number among the workspaces of its repository; its folder's name. */
  readonly slot: number;
  readonly state: "free" | "leased";
  /** `RUN/TASK/NUMBER`, or `RUN` when the tasks of a run share it; `conflict/ID` while a person fixes one in it. */
  readonly holder: string | undefined;
  /** What it was last reset to; `undefined` before it was filled. */
  readonly baseCommit: string | undefined;
  /** What its carried dependencies were copied from. */
  readonly dependenciesKey: string | undefined;
  /** What its setup commands last ran for. */
  readonly setupKey: string | undefined;
  readonly usedMs: number;
}

/** What may change in a workspace; `null` empties a field. */
export type WorkspacePatch = Partial<{
  readonly state: "free" | "leased";
  readonly holder: string | null;
  readonly baseCommit: string | null;
  readonly dependenciesKey: string | null;
  readonly setupKey: string | null;
  readonly usedMs: number;
}>;

/** Adds a workspace. */
export function insertWorkspace(workspace: Omit<WorkspaceRow, "version">): Statement {
  return insertInto("workspaces", {
    id: workspace.id,
    version: 1,
    repository_id: workspace.repositoryId,
    slot: workspace.slot,
    state: workspace.state,
    holder: workspace.holder ?? null,
    base_commit: workspace.baseCommit ?? null,
    dependencies_key: workspace.dependenciesKey ?? null,
    setup_key: workspace.setupKey ?? null,
    used_ms: workspace.usedMs,
  });
}

/** Changes a workspace that still has the version it was read with. */
export function updateWorkspace(workspace: { id: string; version: number }, patch: WorkspacePatch): Statement {
  return updateVersioned("workspaces", { id: workspace.id }, workspace.version, {
    ...(patch.state === undefined ? {} : { state: patch.state }),
    ...(patch.holder === undefined ? {} : { holder: patch.holder }),
    ...(patch.baseCommit === undefined ? {} : { base_commit: patch.baseCommit }),
    ...(patch.dependenciesKey === undefined ? {} : { dependencies_key: patch.dependenciesKey }),
    ...(patch.setupKey === undefined ? {} : { setup_key: patch.setupKey }),
    ...(patch.usedMs === undefined ? {} : { used_ms: patch.usedMs }),
  });
}

/** The row after {@link updateWorkspace} took effect. */
export function patchedWorkspace(workspace: WorkspaceRow, patch: WorkspacePatch): WorkspaceRow {
  const settled = (value: string | null | undefined, before: string | undefined): string | undefined =>
    value === null ? undefined : (value ?? before);
  return {
    ...workspace,
    version: workspace.version + 1,
    state: patch.state ?? workspace.state,
    usedMs: patch.usedMs ?? workspace.usedMs,
    holder: settled(patch.holder, workspace.holder),
    baseCommit: settled(patch.baseCommit, workspace.baseCommit),
    dependenciesKey: settled(patch.dependenciesKey, workspace.dependenciesKey),
    setupKey: settled(patch.setupKey, workspace.setupKey),
  };
}

/** Removes a workspace from the pool; only a free one goes. */
export function deleteWorkspace(workspace: { id: string; version: number }): Statement {
  return {
    sql: "delete from workspaces where id = ? and version = ? and state = 'free'",
    values: [workspace.id, workspace.version],
    expectRows: 1,
  };
}

/** All workspaces. */
export async function loadWorkspaces(store: Store): Promise<WorkspaceRow[]> {
  return (await store.read("select * from workspaces order by repository_id, slot")).map(parseWorkspace);
}

/** A port that a workspace holds. */
export interface PortRow {
  readonly port: number;
  readonly workspaceId: string;
  readonly name: string;
}

/** Gives a port to a workspace; fails if another one has it. */
export function insertPort(row: PortRow): Statement {
  return insertInto("ports", { port: row.port, workspace_id: row.workspaceId, name: row.name });
}

/** All leased ports. */
export async function loadPorts(store: Store): Promise<PortRow[]> {
  const rows = await store.read("select * from ports");
  return rows.map((row) => ({
    port: numberOf(row, "port"),
    workspaceId: textOf(row, "workspace_id"),
    name: textOf(row, "name"),
  }));
}

function parseWorkspace(row: SqlRow): WorkspaceRow {
  return {
    id: textOf(row, "id"),
    version: numberOf(row, "version"),
    repositoryId: textOf(row, "repository_id"),
    slot: numberOf(row, "slot"),
    state: textOf(row, "state") as "free" | "leased",
    holder: optionalTextOf(row, "holder"),
    baseCommit: optionalTextOf(row, "base_commit"),
    dependenciesKey: optionalTextOf(row, "dependencies_key"),
    setupKey: optionalTextOf(row, "setup_key"),
    usedMs: numberOf(row, "used_ms"),
  };
}
