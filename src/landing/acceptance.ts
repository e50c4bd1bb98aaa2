/**
 * An acceptance brings what a run has landed on its lane into the user's working tree, and onto the user's branch where
 * no tracked file had uncommitted changes. Its record is its journal: it is durable before anything is written.
 *
 * | state    | what stands                                        | goes on to |
 * | -------- | -------------------------------------------------- | ---------- |
 * | writing  | any part of it may be written                      | accepted, or undoing where somebody was faster |
 * | accepted | all of it is written                               | undoing, when the user asks for it |
 * | undoing  | any part of it may be taken back                   | undone, or accepted where it was not begun and no longer can be |
 * | undone   | everything is as it was                            | |
 *
 * Invariants:
 * 1. A file is replaced only while it is exactly what the journal says stood there, and taken back only while it is
 *    exactly what was written. Whatever else stands at a path is left alone.
 * 2. All of an acceptance is written, or none of it; both ways it can be killed and begun again.
 * 3. The branch moves last and goes back first: where it has moved, everything is written.
 * 4. What was replaced is kept byte for byte until the acceptance cannot be undone any more.
 */
import type { Repository } from "../git/repository.ts";
import type { ResolvedPath, Waiver } from "./tree-merge.ts";

/** What stands at a path of a working tree, by its bytes; `null`: nothing. */
export type Mark = { readonly kind: "file" | "link"; readonly digest: string; readonly executable: boolean } | null;

/** What an index says of a path; `null`: nothing. */
export type IndexEntry = { readonly mode: string; readonly oid: string } | null;

/** One path that an acceptance writes. */
export interface AcceptedPath {
  readonly path: string;
  readonly before: Mark;
  readonly after: Mark;
}

/** One path whose entry in the user's index changes with the branch. */
export interface AcceptedEntry {
  readonly path: string;
  readonly before: IndexEntry;
  readonly after: IndexEntry;
}

/** One commit that an acceptance makes. */
export interface AcceptedCommit {
  readonly oid: string;
  readonly subject: string;
  /** The commit of the lane it stands for. */
  readonly source: string;
  readonly paths: number;
}

/** A path and what is the matter with it. */
export interface PathNote {
  readonly path: string;
  readonly why: string;
}

/** The journal of an acceptance. */
export interface AcceptanceRecord {
  readonly run: string;
  readonly repository: Repository;
  /** The branch of the worktree; `undefined` when HEAD is detached. */
  readonly branch: string | undefined;
  /** What HEAD stood at; `undefined` on a branch without commits. */
  readonly head: string | undefined;
  /** What HEAD stands at since; `undefined` where no commit is made. */
  readonly tip: string | undefined;
  /** The state that the lane's work starts from, and the lane's tip: both commits in the vault. */
  readonly base: string;
  readonly lane: string;
  /** The user's state before, and the whole state that comes of it: both commits in the vault. */
  readonly before: string;
  readonly after: string;
  readonly paths: readonly AcceptedPath[];
  readonly entries: readonly AcceptedEntry[];
  readonly commits: readonly AcceptedCommit[];
  /** Paths of the lane that were as they should be already. */
  readonly unchanged: readonly string[];
  /** Paths that are in the working tree only, though commits were made. */
  readonly uncommitted: readonly PathNote[];
  readonly resolved: readonly ResolvedPath[];
  readonly waivers: readonly Waiver[];
  readonly notices: readonly string[];
  /** Where what is to be written lies, what it replaces, and the mark that all is written. */
  readonly folder: string;
}
