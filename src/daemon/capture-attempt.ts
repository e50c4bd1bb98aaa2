import { attemptName, type AttemptRow, type ChangedPath, type Changeset } from "../store/attempts.ts";
import { captureWorkspace } from "../workspaces/capture.ts";
import { workspaceAt } from "../workspaces/workspace.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";

/** The ref in the vault that holds an attempt's snapshot. */
function snapshotRef(attempt: AttemptRow): string {
  return `refs/snapshots/${attemptName(attempt)}`;
}

const MOST_CHANGES = 100;
const MOST_DIFFERENT = 2000;

/** Takes the snapshot of an attempt's workspace and works out its changeset. */
export async function captureAttempt(
  parts: Parts,
  run: LiveRun,
  attempt: AttemptRow,
): Promise<{ readonly changeset: Changeset }> {
  const row = parts.pool.find(attempt.workspaceId);
  if (row === undefined) throw new Error(`no workspace ${attempt.workspaceId}`);
  const vault = parts.vaultOf(row.repositoryId);
  const workspace = workspaceAt(parts.layout.slot(row.repositoryId, row.slot), vault);
  const base = attempt.baseCommit;
  const snapshot = await captureWorkspace(parts.git, workspace, {
    base,
    ref: snapshotRef(attempt),
    message: `What ${attemptName(attempt)} left in its workspace`,
    atSeconds: parts.clock.wallMs() / 1000,
    kept: run.row.spec.dependencies,
    countLines: true,
  });
  const lines = new Map(snapshot.lines.map((count) => [count.path, count]));
  const changes = snapshot.changes.map(({ path, kind }): ChangedPath => {
    const count = lines.get(path);
    return { path, kind, added: count?.added, deleted: count?.deleted };
  });
  const { hidden, revealed } = snapshot.rules;
  const changeset: Changeset = {
    base,
    snapshot: snapshot.commit,
    paths: changes.length,
    addedLines: changes.reduce((sum, change) => sum + (change.added ?? 0), 0),
    deletedLines: changes.reduce((sum, change) => sum + (change.deleted ?? 0), 0),
    changes: changes.slice(0, MOST_CHANGES),
    nested: snapshot.nested,
    ...(hidden.length + revealed.length === 0
      ? {}
      : { rules: { hidden: hidden.slice(0, MOST_DIFFERENT), revealed: revealed.slice(0, MOST_DIFFERENT) } }),
  };
  return { changeset };
}
