import { findRepository } from "../git/repository.ts";
import { copyCarried } from "../workspaces/dependencies.ts";
import type { WorkspaceSource } from "../workspaces/workspace.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { openRepository, settleSource } from "./repository-source.ts";
import type { RunInputs } from "./run-files.ts";

/**
 * What commands and workspaces of a run need. Where the run is over, what was kept of that is gone: then the
 * environment is the asking person's, and the repository is looked at anew. Whoever asks forgets the run's files then.
 */
export async function lateInputs(
  parts: Parts,
  run: LiveRun,
  environment: Readonly<Record<string, string>>,
): Promise<RunInputs> {
  const { id, plan, spec } = run.row;
  const kept = await parts.files.find(id);
  if (kept !== undefined) return kept;
  const source = await lateSource(parts, run);
  await copyCarried(plan.root, parts.files.carried(id), spec.carry);
  return { environment, source };
}

/** What workspaces of a run need to know of the user's repository, also when the run is over. */
export async function lateSource(parts: Parts, { row }: LiveRun): Promise<WorkspaceSource> {
  const kept = await parts.files.find(row.id);
  if (kept !== undefined) return kept.source;
  const repository = await findRepository(parts.git, row.plan.root);
  const opened = await openRepository(parts, row.repositoryId, repository);
  return (await settleSource(parts, opened, row.baseCommit, false)).source;
}
