import type { Git } from "../git/git.ts";
import type { PathChange } from "../merge/change.ts";
import { planPaths } from "../merge/paths.ts";
import type { Vault } from "../workspaces/vault.ts";
import { mergeTrees } from "./merge-trees.ts";
import type { ConflictKind } from "./tree-merge.ts";

/** One side's work as it is by now: from a base to a tree, both commits or trees. */
export interface Side {
  readonly base: string;
  readonly tree: string;
  readonly changes: readonly PathChange[];
}

/** A path at which two sides meet; without a kind it merges. */
interface Meeting {
  readonly path: string;
  readonly kind?: ConflictKind | undefined;
}

/** Where two sides meet, and whether they would merge there. */
export interface Collision {
  readonly status: "conflict" | "merges";
  readonly paths: readonly Meeting[];
}

/**
 * Merges the work of two sides to find out whether it will, when both land. Nothing is kept of it.
 *
 * @param vault gets the objects
 * @returns `undefined` where they do not meet, or where what stands between their bases does not let it be told
 */
export async function collide(git: Git, vault: Vault, ours: Side, theirs: Side): Promise<Collision | undefined> {
  const plan = planPaths(ours.changes, theirs.changes);
  if (plan.type === "disjoint") return undefined;
  const [ourBase, theirBase] = await Promise.all([vault.objects.treeOf(ours.base), vault.objects.treeOf(theirs.base)]);
  const even = ourBase === theirBase ? { ours, theirs } : await level(git, vault, ours, theirs);
  if (even === undefined) return undefined;
  const merge = await mergeTrees(git, vault, {
    base: even.ours.base,
    ours: even.ours.tree,
    theirs: even.theirs.tree,
  });
  if (merge.status === "merged") return { status: "merges", paths: plan.paths.map((path) => ({ path })) };
  return { status: "conflict", paths: merge.conflicts.map(({ path, kind }) => ({ path, kind })) };
}

interface Even {
  readonly ours: Pick<Side, "base" | "tree">;
  readonly theirs: Pick<Side, "base" | "tree">;
}

/** Brings two sides to one base: the older work is put on the newer base, as landing would. */
async function level(git: Git, vault: Vault, ours: Side, theirs: Side): Promise<Even | undefined> {
  const moved = await carry(git, vault, theirs, ours.base);
  if (moved !== undefined) return isEmpty(moved) ? undefined : { ours, theirs: moved };
  const other = await carry(git, vault, ours, theirs.base);
  return other === undefined || isEmpty(other) ? undefined : { ours: other, theirs };
}

interface Carried {
  readonly base: string;
  readonly tree: string;
  readonly changes: number;
}

function isEmpty({ changes }: Carried): boolean {
  return changes === 0;
}

async function carry(git: Git, vault: Vault, side: Side, base: string): Promise<Carried | undefined> {
  const merge = await mergeTrees(git, vault, { base: side.base, ours: base, theirs: side.tree });
  return merge.status === "merged" ? { base, tree: merge.tree, changes: merge.changes.length } : undefined;
}
