import { realpathSync } from "node:fs";
import { relative } from "node:path";

import { AnabranchError } from "../base/errors.ts";
import { requireRepositoryRow, type RepositoryRow } from "../store/repositories.ts";
import type { WorkspaceRow } from "../store/workspaces.ts";
import { baseRef, type Base } from "../workspaces/base.ts";
import { glimpseWorkspace } from "../workspaces/glimpse.ts";
import { treeOf } from "../workspaces/layout.ts";
import { workspaceAt, type Workspace } from "../workspaces/workspace.ts";
import type { Parts } from "./parts.ts";

/** A folder inside of one of our workspaces, seen as a place in the user's repository. */
export interface InsideWorkspace {
  readonly repository: RepositoryRow;
  readonly workspace: Workspace;
  readonly row: WorkspaceRow;
  /** The user's worktree that the work began in. */
  readonly root: string;
  /** From the root. */
  readonly subdirectory: string;
}

/**
 * Tells where in the user's repository a folder lies that is in a workspace of ours; `undefined` elsewhere. What is
 * started there belongs to the user's repository: it would be lost with the workspace otherwise.
 */
export async function placeInside(parts: Parts, directory: string): Promise<InsideWorkspace | undefined> {
  const path = realPath(directory);
  for (const row of parts.pool.leased()) {
    const slot = parts.layout.slot(row.repositoryId, row.slot);
    const subdirectory = relative(realPath(treeOf(slot)), path);
    if (subdirectory === ".." || subdirectory.startsWith("../")) continue;
    const repository = await requireRepositoryRow(parts.store, row.repositoryId);
    const root = parts.book.get(row.holder?.split("/")[0] ?? "")?.row.plan.root ?? repository.root;
    return { repository, workspace: workspaceAt(slot, parts.vaultOf(row.repositoryId)), row, root, subdirectory };
  }
  return undefined;
}

/**
 * Takes the present state of a workspace as one commit in the vault, while something is at work in it.
 * @throws {AnabranchError} `CANNOT_FORK` where its folder is gone, or more has changed than can be taken so
 */
export async function takeWorkspaceBase(
  parts: Parts,
  { workspace, row }: InsideWorkspace,
  kept: readonly string[],
): Promise<Base> {
  const base = row.baseCommit ?? "";
  const signal = new AbortController().signal;
  const glimpse = await glimpseWorkspace(parts.git, workspace, { base, kept, stamp: undefined, signal });
  if (typeof glimpse === "string") {
    throw new AnabranchError("CANNOT_FORK", {
      message: `the state of ${workspace.tree} cannot be taken: ${glimpse === "gone" ? "it was removed" : "too much has changed in it"}`,
      hint: "wait until its task has ended, then fork it",
    });
  }
  if (glimpse.changes.length === 0) return { commit: base, uncommittedPaths: 0, untrackedPaths: 0, nested: [] };
  const { vault } = workspace;
  const commit = await vault.commits.write({
    tree: glimpse.tree,
    parents: [base],
    message: "The state of a workspace while its task was at work",
    atSeconds: parts.clock.wallMs() / 1000,
  });
  await vault.refs.update([{ name: baseRef(commit), to: commit }]);
  const added = glimpse.changes.filter(({ kind }) => kind === "added").length;
  return { commit, uncommittedPaths: glimpse.changes.length, untrackedPaths: added, nested: [] };
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
