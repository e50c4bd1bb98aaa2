/**
 * The workspace in which a person fixes a conflict.
 *
 * State    What tells                                              What is in it
 * absent   the conflict names no workspace                         -
 * leased   conflict and lease name each other                      ours, half done: nobody was told of it
 * opened   `refs/conflicts/RUN/ID/opened` as well                  a person's work
 * closed   the conflict is not open any more                       safe in the vault; it goes back to the pool
 *
 * Invariants:
 * 1. Nobody is told the folder before it is opened.
 * 2. What is in an opened workspace is in the vault before it is reset.
 */
import { faultPoint } from "../base/fault.ts";
import { listRefs } from "../git/refs.ts";
import { findConflicts, updateConflict } from "../store/conflicts.ts";
import { updateWorkspace, type WorkspaceRow } from "../store/workspaces.ts";
import { archiveWorkspace } from "../workspaces/archive.ts";
import { captureWorkspace, type Snapshot } from "../workspaces/capture.ts";
import { treeOf } from "../workspaces/layout.ts";
import { workspaceAt, type Workspace, type WorkspaceSource } from "../workspaces/workspace.ts";
import { runOf, type KeptConflict } from "./conflict-lookup.ts";
import { lateSource } from "./late-inputs.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { prepareWorkspace } from "./preparation.ts";
import { freeWorkspace } from "./release.ts";
import type { RunInputs } from "./run-files.ts";
import type { ConflictRecord } from "./settlement.ts";

/** A workspace in which a person is at work on a conflict. */
export interface OpenedWorkspace {
  readonly row: WorkspaceRow;
  readonly workspace: Workspace;
  readonly folder: string;
  /** The commit that it stands on: what had landed when it was opened. */
  readonly base: string;
  /** The commit of what it was filled with. */
  readonly filled: string;
}

const HOLDER = /^conflict\/([0-9a-z]+)$/;

/** The ref in the vault that holds something of a conflict. */
function conflictRef({ run, id }: Pick<KeptConflict, "run" | "id">, what: "opened" | "fixed" | "left"): string {
  return `refs/conflicts/${run}/${id}/${what}`;
}

/** The workspace of a conflict, where it was opened. */
export async function findOpened(
  parts: Parts,
  run: LiveRun,
  conflict: KeptConflict,
): Promise<OpenedWorkspace | undefined> {
  const row = findLeased(parts, conflict);
  if (row === undefined) return undefined;
  const vault = parts.vaultOf(run.row.repositoryId);
  const [mark] = await listRefs(parts.git, vault.directory, conflictRef(conflict, "opened"));
  if (mark === undefined) return undefined;
  const base = await parts.git.text(vault.place, ["rev-parse", "--verify", `${mark.oid}^`]);
  const workspace = workspaceAt(parts.layout.slot(row.repositoryId, row.slot), vault);
  return { row, workspace, folder: treeOf(workspace.slot), base, filled: mark.oid };
}

function findLeased(parts: Parts, conflict: KeptConflict): WorkspaceRow | undefined {
  const row = conflict.workspaceId === undefined ? undefined : parts.pool.find(conflict.workspaceId);
  return row?.state === "leased" && row.holder === `conflict/${conflict.id}` ? row : undefined;
}

/** Leases a workspace for a conflict, fills it with a tree on top of a commit, and says so. */
export async function openWorkspace(
  parts: Parts,
  run: LiveRun,
  inputs: RunInputs,
  conflict: KeptConflict,
  content: { readonly base: string; readonly tree: string },
): Promise<OpenedWorkspace> {
  const { base, tree } = content;
  const leased = findLeased(parts, conflict) ?? (await lease(parts, run, conflict, base));
  // Half filled by an earlier daemon, it only seems to stand at its base.
  await forgetBase(parts, leased.id);
  const { workspace } = await prepareWorkspace({
    parts,
    // No command of the repository's runs in it, and nothing of it needs a port.
    run: { ...run.row, spec: { ...run.row.spec, setup: [], ports: [] } },
    inputs,
    workspaceId: leased.id,
    base,
    marker: `conflict-${conflict.id}`,
    folder: parts.layout.run(run.row.id),
    directory: "",
    variables: {},
    templates: {},
    report: () => undefined,
    signal: new AbortController().signal,
  });
  const config = { "core.sparseCheckout": String(inputs.source.sparse !== undefined) };
  await parts.git.run(workspace.place, ["read-tree", "-m", "-u", "--no-recurse-submodules", base, tree], { config });
  faultPoint("conflict.filled");
  const vault = parts.vaultOf(run.row.repositoryId);
  const message = `What the workspace of conflict ${conflict.id} was filled with`;
  const atSeconds = parts.clock.wallMs() / 1000;
  const filled = await vault.commits.write({ tree, parents: [base], message, atSeconds });
  await vault.refs.update([{ name: conflictRef(conflict, "opened"), to: filled }]);
  const row = parts.pool.find(leased.id) ?? leased;
  return { row, workspace, folder: treeOf(workspace.slot), base, filled };
}

async function lease(parts: Parts, run: LiveRun, conflict: KeptConflict, base: string): Promise<WorkspaceRow> {
  const reservation = await parts.pool.reserve({
    repositoryId: run.row.repositoryId,
    holder: `conflict/${conflict.id}`,
    base,
    dependenciesKey: run.row.plan.dependencies.key,
    atMs: parts.clock.wallMs(),
  });
  try {
    const named = updateConflict(conflict, { workspaceId: reservation.row.id });
    await parts.book.commit([reservation.statement, named]);
  } catch (cause) {
    reservation.cancel();
    throw cause;
  }
  return reservation.confirm();
}

async function forgetBase(parts: Parts, id: string): Promise<void> {
  const row = parts.pool.find(id);
  if (row === undefined || row.baseCommit === undefined) return;
  const patch = { baseCommit: null } as const;
  await parts.book.commit([updateWorkspace(row, patch)]);
  parts.pool.patched(id, patch);
}

/** Takes a snapshot of what a person has made of a conflict so far. */
export function captureFixed(
  parts: Parts,
  run: LiveRun,
  conflict: KeptConflict,
  { workspace, base }: OpenedWorkspace,
  as: "fixed" | "left" = "fixed",
): Promise<Snapshot> {
  return captureWorkspace(parts.git, workspace, {
    base,
    ref: conflictRef(conflict, as),
    message: `What was made of conflict ${conflict.id}`,
    atSeconds: parts.clock.wallMs() / 1000,
    kept: run.row.spec.dependencies,
  });
}

/**
 * Gives the workspace of a conflict that is over back to the pool, once all that is in it is in the vault. Where that
 * cannot be, it is retained. Doing it again after a crash is harmless.
 *
 * @returns the ref in the vault that holds what was in it; `undefined` where it held nothing of a person's
 */
export async function closeWorkspace(parts: Parts, conflict: KeptConflict): Promise<string | undefined> {
  const row = findLeased(parts, conflict);
  if (row === undefined || !parts.pool.beginRelease(row.id)) return undefined;
  try {
    const run = await runOf(parts, conflict);
    const source = await lateSource(parts, run);
    const ref = await keepContent(parts, run, conflict, source);
    await freeWorkspace(parts, row, { base: run.row.baseCommit, source, kept: run.row.spec.dependencies });
    return ref;
  } catch (cause) {
    parts.log("error", "the workspace of a conflict is retained", { conflict: conflict.id, cause: String(cause) });
    parts.pool.retain(row.id);
    return undefined;
  }
}

async function keepContent(
  parts: Parts,
  run: LiveRun,
  conflict: KeptConflict,
  source: WorkspaceSource,
): Promise<string | undefined> {
  const opened = await findOpened(parts, run, conflict);
  if (opened === undefined) return undefined;
  const left = await captureFixed(parts, run, conflict, opened, "left");
  await archiveWorkspace(parts.git, opened.workspace, {
    name: `${run.row.id}/conflict/${conflict.id}`,
    base: opened.base,
    knownOids: new Set(source.refs.map(({ oid }) => oid)),
    nested: left.nested,
    rules: left.rules,
    kept: [...run.row.spec.dependencies, ...run.row.spec.carry],
    atSeconds: parts.clock.wallMs() / 1000,
  });
  return conflictRef(conflict, "left");
}

/** Closes what was opened for conflicts that are over by now. */
export async function closeLeftOver(parts: Parts): Promise<void> {
  for (const row of parts.pool.leased()) {
    const [, id] = HOLDER.exec(row.holder ?? "") ?? [];
    if (id === undefined) continue;
    const conflict = (await findConflicts<ConflictRecord>(parts.store, id)).find((one) => one.id === id);
    if (conflict !== undefined && conflict.state !== "open") await closeWorkspace(parts, conflict);
  }
}
