import { isPresent, leavesSame, type PathChange } from "./change.ts";
import { findClashes, folderOf, foldersOf } from "./path-names.ts";

/** A path that one side moved. */
export interface Rename {
  readonly from: string;
  readonly to: string;
  readonly side: "ours" | "theirs";
}

/**
 * How two sets of changes can be brought together.
 *
 * - `disjoint`: nothing meets; apply theirs onto ours.
 * - `contents`: at `paths` both sides modified a regular file: merge the texts, apply the rest.
 * - `structural`: at `paths` they meet in another way, or might, had one side moved files.
 */
export type PathPlan =
  | { readonly type: "disjoint" }
  | { readonly type: "contents"; readonly paths: readonly string[] }
  | { readonly type: "structural"; readonly paths: readonly string[] };

const REGULAR_MODES = new Set(["100644", "100755"]);

/** Decides how two sets of changes of one base meet. Takes time linear in the length of their paths. */
export function planPaths(ours: readonly PathChange[], theirs: readonly PathChange[]): PathPlan {
  const contents: string[] = [];
  const structural = new Set<string>(findClashes(ours, theirs));
  const oursByPath = new Map(ours.map((change) => [change.path, change]));
  for (const change of theirs) {
    const own = oursByPath.get(change.path);
    if (own === undefined || leavesSame(own, change)) continue;
    if (areMergeable(own, change)) contents.push(change.path);
    else structural.add(change.path);
  }
  for (const path of findAdditionsToLeftFolders(ours, theirs)) structural.add(path);
  for (const path of findAdditionsToLeftFolders(theirs, ours)) structural.add(path);
  if (structural.size > 0) return { type: "structural", paths: [...structural].sort() };
  return contents.length > 0 ? { type: "contents", paths: contents.sort() } : { type: "disjoint" };
}

// There are two modes of a regular file: where both sides changed it, they agree.
function areMergeable(ours: PathChange, theirs: PathChange): boolean {
  return [ours.oldMode, ours.newMode, theirs.oldMode, theirs.newMode].every((mode) => REGULAR_MODES.has(mode));
}

// Files that one side adds to a folder of which the other left nothing that it touched: it may have moved the folder.
function findAdditionsToLeftFolders(leaving: readonly PathChange[], adding: readonly PathChange[]): string[] {
  const left = new Set(leaving.filter((change) => !isPresent(change)).map(({ path }) => folderOf(path)));
  if (left.size === 0) return [];
  for (const change of leaving) if (isPresent(change)) for (const folder of foldersOf(change.path)) left.delete(folder);
  const known = new Set(leaving.map(({ path }) => path));
  return adding
    .filter((change) => change.kind === "added" && !known.has(change.path))
    .map(({ path }) => path)
    .filter((path) => foldersOf(path).some((folder) => left.has(folder)));
}
