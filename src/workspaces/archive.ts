import { readdirSync } from "node:fs";
import { join } from "node:path";

import type { Git } from "../git/git.ts";
import type { RuleDifference } from "./base-rules.ts";
import { findIgnoredWork, keepIgnored } from "./ignored.ts";
import { keepNested } from "./nested.ts";
import { keepCommits } from "./own-commits.ts";
import { withRights } from "./rights.ts";
import { isRealFolder, type Workspace } from "./workspace.ts";

/** What is kept of an attempt besides its snapshot. */
export interface Archive {
  /** Commits the agent made itself, kept under refs of the vault. */
  readonly commits: number;
  /** Repositories inside the workspace whose files and commits are kept. */
  readonly nested: number;
  /** Ignored files that are newer than the lease and are kept. */
  readonly ignoredFiles: number;
  /** Ignored files and repositories that were too large or too many to be kept. */
  readonly ignoredFilesLeftOut: number;
  /** The first of those. */
  readonly leftOut: readonly string[];
}

/** What to archive. */
export interface ArchiveRequest {
  /** `RUN/TASK/NUMBER`: the refs are `refs/commits/…`, `refs/nested/…` and `refs/ignored/…` of this name. */
  readonly name: string;
  readonly base: string;
  /** What the private repository's refs stood at when it was made. */
  readonly knownOids: ReadonlySet<string>;
  /** Nested repositories, from the snapshot. */
  readonly nested: readonly string[];
  /** Folders of submodules that are not checked out: git does not look into them. */
  readonly absent?: readonly string[] | undefined;
  /** Where ignore rules differ, from the snapshot. */
  readonly rules?: RuleDifference | undefined;
  /** Ignored folders and files that are ours: carried dependencies and files. */
  readonly kept: readonly string[];
  readonly atSeconds: number;
}

const NO_DIFFERENCE: RuleDifference = { hidden: [], revealed: [] };
const MOST_NAMED = 20;

/**
 * Puts everything of an attempt that its snapshot does not hold into the vault: the agent's own commits (also those
 * only a reflog names), repositories inside the workspace, and ignored files newer than the lease.
 */
export async function archiveWorkspace(git: Git, workspace: Workspace, request: ArchiveRequest): Promise<Archive> {
  if (isRealFolder(workspace.tree)) return withRights(workspace, () => archive(git, workspace, request));
  return { commits: 0, nested: 0, ignoredFiles: 0, ignoredFilesLeftOut: 0, leftOut: [] };
}

async function archive(git: Git, workspace: Workspace, request: ArchiveRequest): Promise<Archive> {
  const { vault, tree } = workspace;
  const { name, base, knownOids, atSeconds } = request;
  const commits = await keepCommits(git, vault, join(tree, ".git"), `refs/commits/${name}`, [base], knownOids);
  const ignored = await findIgnoredWork(git, workspace, request.rules ?? NO_DIFFERENCE, request.kept);
  const filled = (request.absent ?? []).filter((path) => isFilled(join(tree, path)));
  let nested = 0;
  for (const [index, path] of [...request.nested, ...filled, ...ignored.repositories].entries()) {
    nested += await keepNested(git, workspace, path, `refs/nested/${name}/${index}`, atSeconds);
  }
  await keepIgnored(git, workspace, ignored.files, `refs/ignored/${name}`, atSeconds);
  return {
    commits,
    nested,
    ignoredFiles: ignored.files.length,
    ignoredFilesLeftOut: ignored.leftOut.length,
    leftOut: ignored.leftOut.slice(0, MOST_NAMED),
  };
}

function isFilled(folder: string): boolean {
  return isRealFolder(folder) && readdirSync(folder).length > 0;
}

/** The paths that a task which should write nothing has changed all the same. */
export async function listChangedPaths(git: Git, workspace: Workspace): Promise<string[]> {
  if (!isRealFolder(workspace.tree)) return [];
  const args = ["status", "--porcelain", "-z", "--no-renames", "--ignore-submodules=all"];
  const records = await git.records(workspace.place, args, { config: { "core.sparseCheckout": "true" } });
  return records.map((record) => record.slice(3));
}
