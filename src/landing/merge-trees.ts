import type { Git } from "../git/git.ts";
import { planPaths } from "../merge/paths.ts";
import type { Vault } from "../workspaces/vault.ts";
import { composeDraft, type Composed } from "./compose.ts";
import { decideMeetings, type Meeting } from "./contents.ts";
import { openLosses } from "./conservation.ts";
import { decideLockFiles } from "./lock-files/decide-lock-files.ts";
import { openNameClashes } from "./name-clashes.ts";
import { editOf, type Decision } from "./decision.ts";
import { byPath, entriesAt, type Sides } from "./sides.ts";
import { draftStructural, type MergeDraft } from "./structural.ts";
import type { MergeRequest, RulesSource, TreeMerge } from "./tree-merge.ts";

export type { MergeRequest, PathConflict, TreeMerge } from "./tree-merge.ts";

/**
 * Merges what theirs made of a base into ours. It goes by the trees alone: how the commits are related, and whether
 * they are at all, does not matter. The result holds every edit of both sides, or it is a conflict.
 *
 * The trees of the answer are on the disk, unless the request says `isStaged`: then they are after the next flush of
 * the vault's objects, commit or update of a ref.
 */
export async function mergeTrees(git: Git, vault: Vault, request: MergeRequest): Promise<TreeMerge> {
  const merge = await mergeStaged(git, vault, request);
  if (request.isStaged !== true) await vault.objects.flush();
  return merge;
}

async function mergeStaged(git: Git, vault: Vault, request: MergeRequest): Promise<TreeMerge> {
  const { objects } = vault;
  const [base, ours, theirs] = await Promise.all(
    [request.base, request.ours, request.theirs].map((oid) => objects.treeOf(oid)),
  );
  const merged = { status: "merged", resolved: [], waivers: [] } as const;
  if (base === undefined || ours === undefined || theirs === undefined)
    throw new TypeError("three trees have three ids");
  if (theirs === base || theirs === ours) return { ...merged, tree: ours, changes: [] };
  if (ours === base) return { ...merged, tree: theirs, changes: await objects.compare(ours, theirs) };
  const [own, other] = await Promise.all([objects.compare(base, ours), objects.compare(base, theirs)]);
  const sides: Sides = { base, ours, theirs, oursChanges: byPath(own), theirsChanges: byPath(other) };
  const choices = request.choices ?? new Map<string, "ours" | "theirs">();
  const draft = await makeDraft(git, vault, sides, request.rules);
  const tree = async (): Promise<string> => (await composeDraft(vault, sides, draft, choices)).tree;
  const chosen = new Set(choices.keys());
  const decisions = await decideLockFiles(vault, { decisions: draft.decisions, tree, chosen }, request.rules);
  return settle(vault, sides, { ...draft, decisions }, choices);
}

async function makeDraft(git: Git, vault: Vault, sides: Sides, rules: RulesSource | undefined): Promise<MergeDraft> {
  const plan = planPaths([...sides.oursChanges.values()], [...sides.theirsChanges.values()]);
  if (plan.type === "structural" || mayHaveMoved(sides)) return draftStructural(git, vault, sides, rules);
  const meeting = new Set(plan.type === "contents" ? plan.paths : []);
  const rest = [...sides.theirsChanges.values()].filter(({ path }) => !meeting.has(path));
  const meetings = [...meeting].flatMap((path) => meetingAt(sides, path));
  const decisions = await decideMeetings(git, vault, sides.ours, meetings, rules);
  return { edits: rest.map(editOf), decisions, renames: [] };
}

/** Where both deleted a path, one of them may have moved it, and so kept what the other did not want or put elsewhere. */
function mayHaveMoved({ oursChanges, theirsChanges }: Sides): boolean {
  const changes = [...oursChanges.values(), ...theirsChanges.values()];
  if (!changes.some(({ kind }) => kind === "added")) return false;
  const isDeleted = (change: { readonly kind: string } | undefined): boolean => change?.kind === "deleted";
  return [...oursChanges.keys()].some((path) => isDeleted(oursChanges.get(path)) && isDeleted(theirsChanges.get(path)));
}

function meetingAt(sides: Sides, path: string): Meeting[] {
  const { base, ours, theirs } = entriesAt(sides, path);
  return ours === undefined || theirs === undefined ? [] : [{ path, base, ours, theirs }];
}

/** Composes the tree, checks that nothing was lost in it and no names clash, and makes each finding a conflict. */
async function settle(
  vault: Vault,
  sides: Sides,
  draft: MergeDraft,
  choices: NonNullable<MergeRequest["choices"]>,
): Promise<TreeMerge> {
  const composed = await composeDraft(vault, sides, draft, choices);
  if (composed.conflicts.length > 0) return conflictOf(composed);
  const found = [
    ...(await openLosses(vault, sides, draft, composed)),
    ...(await openNameClashes(vault, sides, composed.tree)),
  ];
  if (found.length === 0) return mergedOf(vault, sides, composed);
  const held = new Set(found.flatMap((open) => open.held));
  const decisions = [...draft.decisions.filter((decision) => !held.has(pathOf(decision))), ...found];
  const again = await composeDraft(vault, sides, { ...draft, decisions }, choices);
  return again.conflicts.length > 0 ? conflictOf(again) : mergedOf(vault, sides, again);
}

function pathOf(decision: Decision): string {
  return decision.type === "merged" ? decision.path : decision.conflict.path;
}

function conflictOf({ conflicts, tree }: Composed): TreeMerge {
  return { status: "conflict", conflicts, partial: tree };
}

async function mergedOf(vault: Vault, sides: Sides, { tree, resolved, waivers }: Composed): Promise<TreeMerge> {
  return { status: "merged", tree, changes: await vault.objects.compare(sides.ours, tree), resolved, waivers };
}
