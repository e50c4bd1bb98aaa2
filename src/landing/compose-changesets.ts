import { AnabranchError } from "../base/errors.ts";
import type { Git } from "../git/git.ts";
import type { PathChange } from "../merge/change.ts";
import type { Vault } from "../workspaces/vault.ts";
import { authorOf, landedMessage } from "./landed-commit.ts";
import { mergeTrees, type PathConflict } from "./merge-trees.ts";
import type { LandedChangeset } from "./receipt.ts";
import { SideBySide } from "./side-by-side.ts";
import type { Waiver } from "./tree-merge.ts";

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

/**
 * Merges changesets onto a commit, one after the other, each as a commit with one parent. Nothing is moved. One that
 * conflicts is left out, and the next goes onto what the others came to.
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
  const batch = new Batch(git, vault, from, composition);
  for (const candidate of candidates) await batch.add(candidate);
  return batch.finish();
}

/** Changesets that are being put on top of each other. */
class Batch {
  readonly #git: Git;
  readonly #vault: Vault;
  readonly #from: string;
  readonly #composition: Composition;
  readonly #landed: { candidate: Candidate; changeset: LandedChangeset }[] = [];
  readonly #conflicting: Conflicting[] = [];
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
    const { objects } = this.#vault;
    const changes = await objects.compare(candidate.base, candidate.snapshot);
    const tree = await (await this.#besideOf(candidate.base)).apply(changes);
    if (tree === undefined) return this.#merge(candidate);
    for (const change of changes) this.#unmerged.set(change.path, change);
    this.#land(candidate, { tree, paths: changes.length, resolved: [], waivers: [] });
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
    const { base, snapshot, choices } = candidate;
    const request = { base, ours: this.#tip, theirs: snapshot, choices, isStaged: true };
    const merge = await mergeTrees(this.#git, this.#vault, request);
    if (merge.status === "conflict") {
      this.#conflicting.push({ candidate, ours: this.#tip, conflicts: merge.conflicts });
      return;
    }
    this.#beside = undefined;
    for (const { path } of merge.changes) this.#unmerged.delete(path);
    this.#land(candidate, { ...merge, paths: merge.changes.length });
  }

  #land(
    candidate: Candidate,
    merged: Pick<LandedChangeset, "paths" | "resolved" | "waivers"> & { readonly tree: string },
  ): void {
    const { tree, paths, resolved } = merged;
    const { task, attempt, base, snapshot, conflict } = candidate;
    // What is there already needs no commit of its own.
    if (paths > 0) this.#tip = this.#commit(tree, candidate);
    const waivers = [...merged.waivers, ...(candidate.waivers ?? [])];
    const changeset = { task, attempt, base, snapshot, commit: this.#tip, paths, resolved, waivers };
    this.#landed.push({ candidate, changeset: conflict === undefined ? changeset : { ...changeset, conflict } });
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
