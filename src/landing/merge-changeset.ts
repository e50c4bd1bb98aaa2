import type { Git } from "../git/git.ts";
import { TreeEditor } from "../git/tree-editor.ts";
import type { PathChange } from "../merge/change.ts";
import type { Vault } from "../workspaces/vault.ts";
import { findAddedMarkers } from "./markers.ts";
import { mergeTrees } from "./merge-trees.ts";
import type { PathConflict, RulesSource, TreeMerge } from "./tree-merge.ts";

/** A changeset, and what a person decided about it. */
interface Changeset {
  readonly base: string;
  readonly snapshot: string;
  readonly choices?: ReadonlyMap<string, "ours" | "theirs"> | undefined;
}

type Merged = Extract<TreeMerge, { readonly status: "merged" }>;

/** Merges a changeset onto a commit, as it would land alone. What would bring conflict markers is a conflict too. */
export async function mergeChangeset(
  git: Git,
  vault: Vault,
  ours: string,
  changeset: Changeset,
  rules: RulesSource,
): Promise<TreeMerge> {
  const merge = await mergeOnto(git, vault, ours, changeset, rules);
  await vault.objects.flush();
  if (merge.status === "conflict") return merge;
  const conflicts = await conflictsOfMarkers(vault, merge.changes);
  if (conflicts.length === 0) return merge;
  const partial = await takeBack(vault, merge, new Set(conflicts.map(({ path }) => path)));
  return { status: "conflict", conflicts, partial };
}

/** Merges a changeset onto a commit, without a look at markers. The result is on the disk after the next flush. */
export async function mergeOnto(
  git: Git,
  vault: Vault,
  ours: string,
  changeset: Changeset,
  rules: RulesSource | undefined,
): Promise<TreeMerge> {
  const { base, snapshot, choices } = changeset;
  const merge = await mergeTrees(git, vault, { base, ours, theirs: snapshot, choices, rules, isStaged: true });
  if (merge.status === "conflict" || choices === undefined) return merge;
  return withoutMarked(vault, ours, merge, choices);
}

/** Where a person keeps ours instead of a file with conflict markers. */
async function withoutMarked(
  vault: Vault,
  ours: string,
  merge: Merged,
  choices: NonNullable<Changeset["choices"]>,
): Promise<TreeMerge> {
  const marked = await findAddedMarkers(vault.objects, merge.changes);
  const paths = marked.map(({ path }) => path).filter((path) => choices.get(path) === "ours");
  if (paths.length === 0) return merge;
  const tree = await takeBack(vault, merge, new Set(paths));
  const waivers = paths.map((path) => ({ path, what: "ours was kept: theirs has conflict markers", by: "person" }));
  const changes = await vault.objects.compare(ours, tree);
  return { ...merge, tree, changes, waivers: [...merge.waivers, ...waivers] };
}

/** The tree of a merge in which some paths are as they were before it. */
async function takeBack(vault: Vault, { tree, changes }: Merged, paths: ReadonlySet<string>): Promise<string> {
  const editor = new TreeEditor(vault.objects, tree);
  const back = changes.filter(({ path }) => paths.has(path));
  await editor.apply(
    back.map(({ path, oldMode: mode, oldOid: oid, kind }) => ({ path, mode, oid: kind === "added" ? null : oid })),
  );
  return editor.write();
}

/** A conflict for each file that would get conflict markers by these changes. */
export async function conflictsOfMarkers(vault: Vault, changes: readonly PathChange[]): Promise<PathConflict[]> {
  const marked = await findAddedMarkers(vault.objects, changes);
  return marked.map(({ path, lines }) => {
    const change = changes.find((one) => one.path === path);
    const shown = lines.slice(0, 3).join(", ");
    return {
      path,
      kind: "markers",
      ...(change === undefined || change.kind === "added"
        ? {}
        : { ours: { mode: change.oldMode, oid: change.oldOid } }),
      ...(change === undefined ? {} : { theirs: { mode: change.newMode, oid: change.newOid } }),
      message: `${path} would get conflict markers, in line ${shown}${lines.length > 3 ? " and more" : ""}`,
    };
  });
}
