import type { Git } from "../git/git.ts";
import type { Vault } from "../workspaces/vault.ts";
import { authorOf, landedMessage } from "./landed-commit.ts";
import { mergeTrees, type PathConflict } from "./merge-trees.ts";
import type { LandedChangeset, Waiver } from "./receipt.ts";

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
 */
export async function composeChangesets(
  git: Git,
  vault: Vault,
  from: string,
  candidates: readonly Candidate[],
  composition: Composition,
): Promise<Composed> {
  const landed: { candidate: Candidate; changeset: LandedChangeset }[] = [];
  const conflicting: Conflicting[] = [];
  let tip = from;
  for (const candidate of candidates) {
    const { base, snapshot, choices } = candidate;
    const merge = await mergeTrees(git, vault, {
      base,
      ours: tip,
      theirs: snapshot,
      ...(choices === undefined ? {} : { choices }),
    });
    if (merge.status === "conflict") {
      conflicting.push({ candidate, ours: tip, conflicts: merge.conflicts });
      continue;
    }
    // What is there already needs no commit of its own.
    if (merge.changes.length > 0) tip = await writeLanded(vault, tip, merge.tree, candidate, composition);
    const { task, attempt, conflict } = candidate;
    const waivers = [...merge.waivers, ...(candidate.waivers ?? [])];
    const paths = merge.changes.length;
    landed.push({
      candidate,
      changeset: {
        task,
        attempt,
        base,
        snapshot,
        commit: tip,
        paths,
        resolved: merge.resolved,
        waivers,
        ...(conflict === undefined ? {} : { conflict }),
      },
    });
  }
  return { tip, landed, conflicting };
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
