import type { Change } from "../git/changes.ts";
import type { Git } from "../git/git.ts";
import { TreeEditor } from "../git/tree-editor.ts";
import type { Vault } from "../workspaces/vault.ts";
import type { LaneStep } from "./lane-steps.ts";
import type { UserState } from "./user-state.ts";

/** What a run was given of the user's. */
export interface GivenState {
  /** The commit its workspaces started from. */
  readonly base: string;
  /** What of it the user had committed: a commit or a tree. */
  readonly committed: string;
}

/**
 * Finds the paths of a lane that must not be committed: those that git does not track for the user, and those that hold
 * what the user has not committed, under whatever name the run has put it.
 */
export async function findPrivatePaths(
  git: Git,
  vault: Vault,
  state: UserState,
  given: GivenState,
  steps: readonly LaneStep[],
): Promise<ReadonlySet<string>> {
  const known = await collectKnown(vault, state, given);
  for (const step of steps) {
    const hidesRename = step.changes.some(({ kind, path }) => kind === "deleted" && known.paths.has(path));
    const renames = hidesRename ? await findRenames(git, vault, step) : [];
    for (const { from, to } of renames) if (known.paths.has(from)) known.paths.add(to);
    for (const change of step.changes) {
      if (!known.paths.has(change.path) && !(await known.holds(change))) continue;
      known.paths.add(change.path);
      if (change.kind !== "deleted") known.contents.add(change.newOid);
    }
  }
  return known.paths;
}

interface Known {
  readonly paths: Set<string>;
  readonly contents: Set<string>;
  /** Whether a change brings content that is the user's and not committed. */
  readonly holds: (change: Change) => Promise<boolean>;
}

async function collectKnown(vault: Vault, state: UserState, given: GivenState): Promise<Known> {
  const atStart = (await vault.objects.compare(given.committed, given.base)).filter(isThere);
  const now = state.uncommitted.filter(isThere);
  const head = new TreeEditor(vault.objects, state.committed);
  const paths = new Set(now.filter(({ kind }) => kind === "added").map(({ path }) => path));
  for (const { path } of atStart) if ((await head.entryAt(path)) === undefined) paths.add(path);
  const contents = new Set([...atStart, ...now].map((change) => change.newOid));
  let committed: Promise<ReadonlySet<string>> | undefined;
  const holds = async ({ kind, newOid }: Change): Promise<boolean> => {
    if (kind === "deleted" || !contents.has(newOid) || (await vault.objects.sizeOf(newOid)) === 0) return false;
    committed ??= listBlobs(vault, state.committed);
    return !(await committed).has(newOid);
  };
  return { paths, contents, holds };
}

function isThere({ kind }: Change): boolean {
  return kind !== "deleted";
}

async function listBlobs(vault: Vault, root: string): Promise<ReadonlySet<string>> {
  const empty = await vault.objects.writeTree([]);
  return new Set((await vault.objects.compare(empty, root)).map((change) => change.newOid));
}

async function findRenames(
  git: Git,
  vault: Vault,
  { parent, commit }: LaneStep,
): Promise<{ from: string; to: string }[]> {
  const args = ["diff-tree", "-r", "-z", "-M30%", "-l0", "--diff-filter=R", "--name-status", parent, commit];
  const fields = await git.records(vault.place, args);
  const renames: { from: string; to: string }[] = [];
  for (let index = 0; index + 2 < fields.length; index += 3) {
    renames.push({ from: fields[index + 1] ?? "", to: fields[index + 2] ?? "" });
  }
  return renames;
}
