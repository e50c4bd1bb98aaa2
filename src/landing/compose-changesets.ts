import type { Git } from "../git/git.ts";
import { TreeEditor } from "../git/tree-editor.ts";
import type { PathChange } from "../merge/change.ts";
import type { Vault } from "../workspaces/vault.ts";
import { authorOf, landedMessage } from "./landed-commit.ts";
import { findAddedMarkers, type MarkedFile } from "./markers.ts";
import { mergeTrees, type PathConflict } from "./merge-trees.ts";
import type { HandMerge, LandedChangeset, Waiver } from "./receipt.ts";
import type { TreeMerge } from "./tree-merge.ts";

/** A changeset that is to land. */
export interface Candidate {
  readonly run: string;
  readonly task: string;
  readonly attempt: number;
  readonly base: string;
  readonly snapshot: string;
  /** What the task was asked to do. */
  readonly intent: string;
  /** What a person decided where it conflicted before. */
  readonly choices?: ReadonlyMap<string, "ours" | "theirs"> | undefined;
  /** What a person gave up when they settled it by hand. */
  readonly waivers?: readonly Waiver[] | undefined;
  /** How they made the snapshot of the task's own. */
  readonly byHand?: readonly HandMerge[] | undefined;
  /** The conflict that its landing settles. */
  readonly conflict?: string | undefined;
}

/** A changeset that could not be merged. */
export interface Conflicting {
  readonly candidate: Candidate;
  /** What it was merged with. */
  readonly ours: string;
  readonly conflicts: readonly PathConflict[];
}

/** Changesets put on top of each other. */
export interface Composed {
  /** Where the target would stand. */
  readonly tip: string;
  readonly landed: readonly { readonly candidate: Candidate; readonly changeset: LandedChangeset }[];
  readonly conflicting: readonly Conflicting[];
}

/** For which landing, and when. */
export interface Composition {
  readonly landing: string;
  readonly atSeconds: number;
}

interface Step {
  readonly candidate: Candidate;
  readonly ours: string;
  readonly merge: Merged;
  readonly changeset: LandedChangeset;
}

type Merged = Extract<TreeMerge, { readonly status: "merged" }>;

/**
 * Merges changesets onto a commit, one after the other, each as a commit with one parent. Nothing is moved. One that
 * conflicts is left out, and the next goes onto what the others came to. So is one that would put conflict markers into
 * a file: no such thing may land.
 */
export async function composeChangesets(
  git: Git,
  vault: Vault,
  from: string,
  candidates: readonly Candidate[],
  composition: Composition,
): Promise<Composed> {
  const marked: Conflicting[] = [];
  for (;;) {
    const left = candidates.filter((candidate) => !marked.some((one) => one.candidate === candidate));
    const { tip, steps, conflicting } = await composeOnce(git, vault, from, left, composition);
    // Looking at all of them at once costs a fraction of looking at each in its turn, and finds nothing most of the time.
    const found = (await Promise.all(steps.map((step) => findMarked(vault, step)))).flat();
    if (found.length === 0) {
      const landed = steps.map(({ candidate, changeset }) => ({ candidate, changeset }));
      return { tip, landed, conflicting: [...conflicting, ...marked] };
    }
    marked.push(...found);
  }
}

async function composeOnce(
  git: Git,
  vault: Vault,
  from: string,
  candidates: readonly Candidate[],
  composition: Composition,
): Promise<{ tip: string; steps: Step[]; conflicting: Conflicting[] }> {
  const steps: Step[] = [];
  const conflicting: Conflicting[] = [];
  let tip = from;
  for (const candidate of candidates) {
    const ours = tip;
    const merge = await mergeOnto(git, vault, ours, candidate);
    if (merge.status === "conflict") {
      conflicting.push({ candidate, ours, conflicts: merge.conflicts });
      continue;
    }
    // What is there already needs no commit of its own.
    if (merge.changes.length > 0) tip = await writeLanded(vault, ours, merge.tree, candidate, composition);
    steps.push({ candidate, ours, merge, changeset: landedChangeset(candidate, merge, tip) });
  }
  return { tip, steps, conflicting };
}

async function mergeOnto(git: Git, vault: Vault, ours: string, candidate: Candidate): Promise<TreeMerge> {
  const { base, snapshot, choices } = candidate;
  if (choices === undefined) return mergeTrees(git, vault, { base, ours, theirs: snapshot });
  const merge = await mergeTrees(git, vault, { base, ours, theirs: snapshot, choices });
  return merge.status === "conflict" ? merge : withoutMarked(vault, ours, merge, choices);
}

/** Where a person keeps ours instead of a file with conflict markers. */
async function withoutMarked(
  vault: Vault,
  ours: string,
  merge: Merged,
  choices: NonNullable<Candidate["choices"]>,
): Promise<TreeMerge> {
  const marked = (await findAddedMarkers(vault.objects, merge.changes)).filter(
    ({ path }) => choices.get(path) === "ours",
  );
  if (marked.length === 0) return merge;
  const tree = await takeBack(vault, merge, new Set(marked.map(({ path }) => path)));
  const waivers = marked.map(({ path }) => ({
    path,
    what: "ours was kept: theirs has conflict markers",
    by: "person",
  }));
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

function landedChangeset(candidate: Candidate, merge: Merged, commit: string): LandedChangeset {
  const { task, attempt, base, snapshot, conflict, byHand, waivers = [] } = candidate;
  return {
    task,
    attempt,
    base,
    snapshot,
    commit,
    paths: merge.changes.length,
    resolved: merge.resolved,
    waivers: [...merge.waivers, ...waivers],
    ...(conflict === undefined ? {} : { conflict }),
    ...(byHand === undefined ? {} : { byHand }),
  };
}

/**
 * Merges a changeset onto a commit, without landing it: as {@link composeChangesets} would, one alone.
 */
export async function mergeChangeset(git: Git, vault: Vault, ours: string, candidate: Candidate): Promise<TreeMerge> {
  const merge = await mergeOnto(git, vault, ours, candidate);
  if (merge.status === "conflict") return merge;
  const marked = await findAddedMarkers(vault.objects, merge.changes);
  if (marked.length === 0) return merge;
  return {
    status: "conflict",
    conflicts: marked.map((file) => markersConflict(file, merge.changes)),
    partial: await takeBack(vault, merge, new Set(marked.map(({ path }) => path))),
  };
}

async function findMarked(vault: Vault, { candidate, ours, merge }: Step): Promise<Conflicting[]> {
  const marked = await findAddedMarkers(vault.objects, merge.changes);
  if (marked.length === 0) return [];
  return [{ candidate, ours, conflicts: marked.map((file) => markersConflict(file, merge.changes)) }];
}

function markersConflict({ path, lines }: MarkedFile, changes: readonly PathChange[]): PathConflict {
  const change = changes.find((one) => one.path === path);
  const shown = lines.slice(0, 3).join(", ");
  return {
    path,
    kind: "markers",
    ...(change === undefined || change.kind === "added" ? {} : { ours: { mode: change.oldMode, oid: change.oldOid } }),
    ...(change === undefined ? {} : { theirs: { mode: change.newMode, oid: change.newOid } }),
    message: `${path} would get conflict markers, in line ${shown}${lines.length > 3 ? " and more" : ""}`,
  };
}

function writeLanded(
  vault: Vault,
  parent: string,
  tree: string,
  { run, task, attempt, intent }: Candidate,
  { landing, atSeconds }: Composition,
): Promise<string> {
  const message = landedMessage({ run, task, attempt, landing, intent });
  return vault.commits.write({ tree, parents: [parent], message, atSeconds, author: authorOf(task) });
}
