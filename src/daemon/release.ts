import { join } from "node:path";

import { isAnabranchError } from "../base/errors.ts";
import { attemptName, type ArchiveRecord, type AttemptRow } from "../store/attempts.ts";
import { updateWorkspace, type WorkspacePatch, type WorkspaceRow } from "../store/workspaces.ts";
import { archiveWorkspace, listChangedPaths } from "../workspaces/archive.ts";
import { captureWorkspace } from "../workspaces/capture.ts";
import { keepCommits } from "../workspaces/own-commits.ts";
import { repairDependencies } from "../workspaces/repair.ts";
import {
  resetWorkspace,
  submoduleAt,
  workspaceAt,
  type Workspace,
  type WorkspaceSource,
} from "../workspaces/workspace.ts";
import { captureAttempt } from "./capture-attempt.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { isTemporary, persist } from "./patience.ts";

const MOST_DISCARDED_PATHS = 200;

/**
 * Gives a workspace back to the pool: what is in it is made safe or reported, then it is reset. Resolves when it is
 * free, or retained because it could not be made safe. Doing it again after a crash is harmless.
 *
 * @param attempts those that worked in it: one, or all that shared it
 */
export async function releaseWorkspace(
  parts: Parts,
  run: LiveRun,
  row: WorkspaceRow,
  attempts: readonly AttemptRow[],
): Promise<void> {
  if (!parts.pool.beginRelease(row.id)) return;
  const workspace = workspaceAt(parts.layout.slot(row.repositoryId, row.slot), parts.vaultOf(row.repositoryId));
  try {
    await persist(
      parts,
      `releasing workspace ${row.slot}`,
      () => undefined,
      () => release(parts, run, row, workspace, attempts),
    );
  } catch (cause) {
    parts.log("error", "a workspace is retained: it could not be made safe", {
      workspace: workspace.slot,
      holder: row.holder,
      cause: isAnabranchError(cause) ? cause.message : String(cause),
    });
    parts.pool.retain(row.id);
  }
}

async function release(
  parts: Parts,
  run: LiveRun,
  row: WorkspaceRow,
  workspace: Workspace,
  attempts: readonly AttemptRow[],
): Promise<void> {
  const { source } = await parts.files.load(run.row.id);
  const kept = run.row.spec.dependencies;
  // A workspace that never reached its base holds nothing of anybody's.
  if (row.baseCommit !== undefined) {
    const started = attempts.filter((attempt) => attempt.process !== undefined);
    const writers = started.filter((attempt) => run.tasks.get(attempt.task)?.spec.writes !== "none");
    for (const attempt of writers) await archive(parts, run, workspace, source, await captured(parts, run, attempt));
    if (writers.length === 0) await reportDiscarded(parts, run, workspace, started);
  }
  await freeWorkspace(parts, row, { base: run.row.baseCommit, source, kept });
}

/** What a workspace is to stand ready with. */
export interface FreedWorkspace {
  readonly base: string;
  readonly source: WorkspaceSource;
  readonly kept: readonly string[];
}

/** Resets a workspace in which nothing of value is left, and gives it back to the pool. */
export async function freeWorkspace(
  parts: Parts,
  row: WorkspaceRow,
  { base, source, kept }: FreedWorkspace,
): Promise<void> {
  const workspace = workspaceAt(parts.layout.slot(row.repositoryId, row.slot), parts.vaultOf(row.repositoryId));
  const repaired = await repairDependencies(workspace, kept, parts.trash);
  const isReset = await parts.filling.run(() => resetOrDiscard(parts, workspace, base, source, kept));
  const patch: WorkspacePatch = {
    state: "free",
    holder: null,
    baseCommit: isReset ? base : null,
    usedMs: parts.clock.wallMs(),
    ...(repaired === "dropped" || !isReset ? { dependenciesKey: null, setupKey: null } : {}),
  };
  await parts.book.commit([updateWorkspace(parts.pool.find(row.id) ?? row, patch)]);
  parts.pool.patched(row.id, patch);
}

/** Everything of value is safe by now: a tree that cannot be reset, because of rights for instance, is given up. */
async function resetOrDiscard(
  parts: Parts,
  workspace: Workspace,
  base: string,
  source: WorkspaceSource,
  kept: readonly string[],
): Promise<boolean> {
  try {
    await resetWorkspace(parts.git, workspace, base, source, kept, parts.trash);
    return true;
  } catch (cause) {
    if (isTemporary(cause)) throw cause;
    parts.log("warn", "a workspace could not be reset and is made anew", {
      slot: workspace.slot,
      cause: String(cause),
    });
    await parts.trash.discard(workspace.slot);
    return false;
  }
}

/** The attempt with its changeset: taken now where it could not be taken before. */
async function captured(parts: Parts, run: LiveRun, attempt: AttemptRow): Promise<AttemptRow> {
  if (attempt.changeset !== undefined) return attempt;
  const taken = await captureAttempt(parts, run, attempt).catch(nothingWhereGone);
  return { ...attempt, changeset: taken?.changeset };
}

async function archive(
  parts: Parts,
  run: LiveRun,
  workspace: Workspace,
  source: WorkspaceSource,
  attempt: AttemptRow,
): Promise<void> {
  const name = attemptName(attempt);
  const atSeconds = parts.clock.wallMs() / 1000;
  const archived = await archiveWorkspace(parts.git, workspace, {
    name,
    base: attempt.baseCommit,
    knownOids: new Set(source.refs.map((ref) => ref.oid)),
    nested: attempt.changeset?.nested ?? [],
    absent: source.absentSubmodules,
    rules: attempt.changeset?.rules,
    kept: [...run.row.spec.dependencies, ...run.row.spec.carry],
    atSeconds,
  });
  const submodules = await archiveSubmodules(parts, workspace, source, name, atSeconds);
  const record: ArchiveRecord = { ...archived, submodules };
  if (Object.values(record).every((count) => count === 0 || Array.isArray(count))) return;
  await parts.book.change(run, (draft) => {
    const { changeset } = attempt;
    if (changeset !== undefined && run.tasks.get(attempt.task)?.attempt?.number === attempt.number) {
      draft.setAttempt(attempt.task, { changeset: { ...changeset, archive: record } });
    }
    draft.event("task.archived", { ...record }, attempt.task);
  });
}

/** Keeps what was changed inside submodules, which a snapshot only holds as the number of a commit. */
async function archiveSubmodules(
  parts: Parts,
  workspace: Workspace,
  source: WorkspaceSource,
  name: string,
  atSeconds: number,
): Promise<number> {
  let changed = 0;
  for (const [index, submodule] of source.submodules.entries()) {
    const inner = submoduleAt(workspace, index, submodule);
    const ref = `refs/nested/${name}/submodule-${index}/files`;
    const { commit } = submodule;
    const message = `Files of the submodule ${submodule.path}`;
    const snapshot = await captureWorkspace(parts.git, inner, {
      base: commit,
      ref,
      message,
      atSeconds,
      kept: [],
      withoutParent: true,
    }).catch(nothingWhereGone);
    const own = join(inner.tree, ".git");
    const known = new Set([commit, ...submodule.source.refs.map((one) => one.oid)]);
    const commits = await keepCommits(
      parts.git,
      workspace.vault,
      own,
      `refs/commits/${name}/submodule-${index}`,
      [],
      known,
    );
    if (commits > 0 || (snapshot !== undefined && snapshot.changes.length > 0)) changed += 1;
    changed += await archiveSubmodules(parts, inner, submodule.source, `${name}/submodule-${index}`, atSeconds);
  }
  return changed;
}

function nothingWhereGone(cause: unknown): undefined {
  if (isAnabranchError(cause) && cause.code === "WORKSPACE_GONE") return undefined;
  throw cause;
}

async function reportDiscarded(
  parts: Parts,
  run: LiveRun,
  workspace: Workspace,
  attempts: readonly AttemptRow[],
): Promise<void> {
  const changed = await listChangedPaths(parts.git, workspace);
  if (changed.length === 0) return;
  const discarded = changed.slice(0, MOST_DISCARDED_PATHS);
  await parts.book.change(run, (draft) => {
    for (const attempt of attempts) {
      if (run.tasks.get(attempt.task)?.attempt?.number === attempt.number)
        draft.setAttempt(attempt.task, { discarded });
      draft.event(
        "task.discarded",
        { paths: discarded, count: changed.length, shared: attempts.length > 1 },
        attempt.task,
      );
    }
  });
}
