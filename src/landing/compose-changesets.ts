import { AnabranchError } from "../base/errors.ts";
import type { Git } from "../git/git.ts";
import type { PathChange } from "../merge/change.ts";
import type { SemanticHit } from "../merge/symbols/semantic-hit.ts";
import type { Vault } from "../workspaces/vault.ts";
import { authorOf, landedMessage } from "./landed-commit.ts";
import type { Joined } from "./losses.ts";
import { conflictsOfMarkers, mergeOnto } from "./merge-changeset.ts";
import type { HandMerge, LandedChangeset } from "./receipt.ts";
import { SideBySide } from "./side-by-side.ts";
import type { PathConflict } from "./merge-trees.ts";
import type { RulesSource, Waiver } from "./tree-merge.ts";

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
  /** What of it may land by itself. */
  readonly rules?: RulesSource | undefined;
  /** Looks at what a changeset comes to beside what has landed since its base. Absent: nobody does. */
  readonly judge?: Judge | undefined;
}

/** What is found where two changes meet that merged as texts, and what of it keeps the changeset from landing. */
export interface Judgement {
  readonly hits: readonly SemanticHit[];
  readonly conflicts: readonly PathConflict[];
  readonly waivers: readonly Waiver[];
}

/** Judges one changeset, put onto a commit. */
export type Judge = (candidate: Pick<Candidate, "choices">, joined: Joined) => Promise<Judgement>;

/**
 * Merges changesets onto a commit, one after the other, each as a commit with one parent. Nothing is moved. One that
 * conflicts is left out, and the next goes onto what the others came to. So is one that would put conflict markers into
 * a file, and one that is judged not to fit: no such thing may land.
 *
 * Those that meet nothing are put side by side without a merge; that none of their edits is missing is checked once,
 * over all of them.
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
    const batch = new Batch(git, vault, from, composition);
    const left = candidates.filter((candidate) => !marked.some((one) => one.candidate === candidate));
    for (const candidate of left) await batch.add(candidate);
    const composed = await batch.finish();
    // Looking at all of them at once takes a fraction of looking at each in its turn, and finds nothing most times.
    const found = await batch.findMarked();
    marked.push(...found);
    if (found.length > 0) continue;
    const judged = await batch.judge();
    if (judged.unfit === undefined)
      return { ...composed, landed: judged.landed, conflicting: [...composed.conflicting, ...marked] };
    marked.push(judged.unfit);
  }
}

/** Changesets that are being put on top of each other. */
class Batch {
  readonly #git: Git;
  readonly #vault: Vault;
  readonly #from: string;
  readonly #composition: Composition;
  readonly #landed: { candidate: Candidate; changeset: LandedChangeset }[] = [];
  readonly #conflicting: Conflicting[] = [];
  readonly #steps: { candidate: Candidate; ours: string; changes: readonly PathChange[] }[] = [];
  /** What was put down without a merge, by path. */
  readonly #unmerged = new Map<string, PathChange>();
  #tip: string;
  /** For changesets of this base, as long as nothing was merged in between. */
  #beside: { readonly base: string; readonly tree: SideBySide } | undefined;

  constructor(git: Git, vault: Vault, from: string, composition: Composition) {
    this.#git = git;
    this.#vault = vault;
    this.#from = from;
    this.#tip = from;
    this.#composition = composition;
  }

  async add(candidate: Candidate): Promise<void> {
    // What a person decided is heeded by a merge only.
    if (candidate.choices !== undefined) return this.#merge(candidate);
    const { objects } = this.#vault;
    const changes = await objects.compare(candidate.base, candidate.snapshot);
    const tree = await (await this.#besideOf(candidate.base)).apply(changes);
    if (tree === undefined) return this.#merge(candidate);
    for (const change of changes) this.#unmerged.set(change.path, change);
    this.#land(candidate, { tree, changes, resolved: [], waivers: [] });
  }

  /** Writes everything, and checks what was put down without a merge. */
  async finish(): Promise<Composed> {
    await this.#vault.objects.flush();
    const reached = await this.#vault.objects.compare(this.#from, this.#tip);
    const byPath = new Map(reached.map((change) => [change.path, change]));
    for (const [path, { newOid, newMode }] of this.#unmerged) {
      const now = byPath.get(path);
      if (now?.newOid === newOid && now.newMode === newMode) continue;
      throw new AnabranchError("INTERNAL", { message: `an edit of ${path} is missing from what was put together` });
    }
    return { tip: this.#tip, landed: this.#landed, conflicting: this.#conflicting };
  }

  async #besideOf(base: string): Promise<SideBySide> {
    if (this.#beside?.base !== base) {
      const changes = await this.#vault.objects.compare(base, this.#tip);
      this.#beside = { base, tree: await SideBySide.from(this.#vault, this.#tip, changes) };
    }
    return this.#beside.tree;
  }

  async #merge(candidate: Candidate): Promise<void> {
    const merge = await mergeOnto(this.#git, this.#vault, this.#tip, candidate, this.#composition.rules);
    if (merge.status === "conflict") {
      this.#conflicting.push({ candidate, ours: this.#tip, conflicts: merge.conflicts });
      return;
    }
    this.#beside = undefined;
    for (const { path } of merge.changes) this.#unmerged.delete(path);
    this.#land(candidate, merge);
  }

  /** The changesets that would put conflict markers into a file. */
  async findMarked(): Promise<Conflicting[]> {
    const found = this.#steps.map(async ({ candidate, ours, changes }) => {
      const conflicts = await conflictsOfMarkers(this.#vault, changes);
      return conflicts.length === 0 ? [] : [{ candidate, ours, conflicts }];
    });
    return (await Promise.all(found)).flat();
  }

  /** What lands with all that is found about it, or the first that does not fit what stands before it. */
  async judge(): Promise<{ landed: Composed["landed"]; unfit?: Conflicting }> {
    const { judge } = this.#composition;
    if (judge === undefined) return { landed: this.#landed };
    const landed: { candidate: Candidate; changeset: LandedChangeset }[] = [];
    for (const [index, { candidate, changeset }] of this.#landed.entries()) {
      const ours = this.#steps[index]?.ours ?? this.#from;
      const joined = { base: candidate.base, ours, theirs: candidate.snapshot, result: changeset.commit };
      const { hits, conflicts, waivers } = await judge(candidate, joined);
      if (conflicts.length > 0) return { landed, unfit: { candidate, ours, conflicts } };
      const found = hits.length === 0 ? {} : { semantic: hits };
      landed.push({ candidate, changeset: { ...changeset, ...found, waivers: [...changeset.waivers, ...waivers] } });
    }
    return { landed };
  }

  #land(
    candidate: Candidate,
    merged: Pick<LandedChangeset, "resolved" | "waivers"> & { tree: string; changes: readonly PathChange[] },
  ): void {
    const { tree, changes, resolved } = merged;
    const { task, attempt, base, snapshot, conflict, byHand } = candidate;
    this.#steps.push({ candidate, ours: this.#tip, changes });
    // What is there already needs no commit of its own.
    if (changes.length > 0) this.#tip = this.#commit(tree, candidate);
    const waivers = [...merged.waivers, ...(candidate.waivers ?? [])];
    const landed = { task, attempt, base, snapshot, commit: this.#tip, paths: changes.length, resolved, waivers };
    const by = { ...(conflict === undefined ? {} : { conflict }), ...(byHand === undefined ? {} : { byHand }) };
    this.#landed.push({ candidate, changeset: { ...landed, ...by } });
  }

  #commit(tree: string, { run, task, attempt, intent }: Candidate): string {
    const { landing, atSeconds } = this.#composition;
    return this.#vault.commits.stage({
      tree,
      parents: [this.#tip],
      message: landedMessage({ run, task, attempt, landing, intent }),
      atSeconds,
      author: authorOf(task),
    });
  }
}
