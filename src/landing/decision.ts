import type { TreeEdit } from "../git/tree-editor.ts";
import { ABSENT_MODE, type Entry, type PathChange } from "../merge/change.ts";
import type { PathConflict, ResolvedPath } from "./tree-merge.ts";

/** What is to become of one path at which both sides meet. */
export type Decision = MergedPath | OpenPath;

/** A path that was merged, its content checked: the edits of ours that make it so. */
export interface MergedPath {
  readonly type: "merged";
  readonly path: string;
  readonly edits: readonly TreeEdit[];
  readonly resolved: ResolvedPath;
}

/** A path that needs a person's choice, and the edits of ours that each choice means. */
export interface OpenPath {
  readonly type: "open";
  readonly conflict: PathConflict;
  /** At these paths, and below these folders, nothing but a choice changes ours. */
  readonly held: readonly string[];
  /** A choice that is not there cannot be made. */
  readonly choices: { readonly ours?: readonly TreeEdit[]; readonly theirs?: readonly TreeEdit[] };
}

/** The edit by which a path comes to hold an entry, or nothing. */
export function editTo(path: string, entry: Entry | undefined): TreeEdit {
  return entry === undefined ? { path, mode: ABSENT_MODE, oid: null } : { path, ...entry };
}

/** The edit that does to a tree what a change did to another. */
export function editOf({ path, kind, newMode, newOid }: PathChange): TreeEdit {
  return { path, mode: newMode, oid: kind === "deleted" ? null : newOid };
}

/** An open path at which each choice takes a side's entry as it is. */
export function openPath(conflict: PathConflict): OpenPath {
  const { path, ours, theirs } = conflict;
  return {
    type: "open",
    conflict,
    held: [path],
    choices: { ours: [editTo(path, ours)], theirs: [editTo(path, theirs)] },
  };
}
