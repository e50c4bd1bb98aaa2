import type { Git, GitPlace } from "./git.ts";
import { decodePath } from "./path-bytes.ts";

/** What git makes of two commits without touching a working tree. */
export interface MergedTree {
  /** With conflict markers in it, where there are conflicts. */
  readonly tree: string;
  /** What stands at each path that is not merged. */
  readonly stages: readonly Stage[];
  readonly conflicts: readonly ConflictNote[];
}

/** One of the versions at a path that is not merged: 1 is the base's, 2 ours, 3 theirs. */
export interface Stage {
  readonly path: string;
  readonly stage: 1 | 2 | 3;
  readonly mode: string;
  readonly oid: string;
}

/** A conflict as git tells of it. */
interface ConflictNote {
  readonly paths: readonly string[];
  /** A stable short name, such as `CONFLICT (modify/delete)`. */
  readonly type: string;
}

/** Merges two commits. @throws {AnabranchError} `GIT_FAILED` where that cannot be done at all */
export async function mergeCommits(git: Git, place: GitPlace, ours: string, theirs: string): Promise<MergedTree> {
  const args = ["merge-tree", "--write-tree", "-z", "--messages", ours, theirs];
  const config = { "merge.directoryRenames": "conflict", "merge.renames": "true" };
  const { stdout } = await git.run(place, args, { allow: [1], config });
  return parseMergedTree(stdout.toString("latin1").split("\0"));
}

/** Reads the records of `merge-tree -z`: the tree, its stages, an empty record, and the messages. */
function parseMergedTree(records: readonly string[]): MergedTree {
  const [tree = "", ...rest] = records;
  const split = rest.indexOf("");
  const stages = rest.slice(0, split).flatMap((record) => {
    const [, mode, oid, stage, path] = /^(\d{6}) ([0-9a-f]+) ([123])\t(.*)$/s.exec(record) ?? [];
    if (mode === undefined || oid === undefined || path === undefined) return [];
    return [{ path: decodePath(path), stage: Number(stage) as Stage["stage"], mode, oid }];
  });
  return { tree, stages, conflicts: parseNotes(rest.slice(split + 1)) };
}

// A count, as many paths, the type, the message.
function parseNotes(records: readonly string[]): ConflictNote[] {
  const notes: ConflictNote[] = [];
  for (let at = 0; at + 1 < records.length;) {
    const count = Number(records[at]);
    const paths = records.slice(at + 1, at + 1 + count).map(decodePath);
    const type = records[at + 1 + count] ?? "";
    if (type.startsWith("CONFLICT")) notes.push({ paths, type });
    at += count + 3;
  }
  return notes;
}

/** The files that git takes for moved between two trees, by the likeness of their contents, with git's own limits. */
export async function findRenames(
  git: Git,
  place: GitPlace,
  from: string,
  to: string,
): Promise<{ from: string; to: string }[]> {
  const args = ["-r", "-z", "-M50%", "-l7000", "--no-rename-empty", "--diff-filter=R", "--name-status"];
  const { stdout } = await git.run(place, ["diff-tree", ...args, "--ignore-submodules=none", from, to]);
  const records = stdout.toString("latin1").split("\0");
  const renames: { from: string; to: string }[] = [];
  for (let at = 0; at + 2 < records.length; at += 3) {
    renames.push({ from: decodePath(records[at + 1] ?? ""), to: decodePath(records[at + 2] ?? "") });
  }
  return renames;
}
