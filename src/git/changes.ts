import type { Git, GitPlace } from "./git.ts";

/** One path that differs between two trees. */
export interface Change {
  readonly path: string;
  readonly kind: "added" | "modified" | "deleted" | "type-changed";
  readonly oldMode: string;
  readonly newMode: string;
  readonly oldOid: string;
  readonly newOid: string;
}

/** The mode of a path that is a commit of another repository. */
export const GITLINK_MODE = "160000";
/** The mode of a folder. */
export const TREE_MODE = "040000";
/** The mode of a symbolic link. */
export const SYMLINK_MODE = "120000";

const KINDS: Readonly<Record<string, Change["kind"]>> = {
  A: "added",
  M: "modified",
  D: "deleted",
  T: "type-changed",
};

/** How one tree differs from another. */
export interface TreeDifference {
  readonly changes: readonly Change[];
  /** Every blob and tree below the new root that the old tree does not have at the same path. */
  readonly newObjects: readonly string[];
}

/** Compares two trees or commits, without looking for renames. */
export async function compareTrees(git: Git, place: GitPlace, from: string, to: string): Promise<TreeDifference> {
  if (from === to) return { changes: [], newObjects: [] };
  const args = [
    "diff-tree",
    "-r",
    "-t",
    "-z",
    "--raw",
    "--no-renames",
    "--no-abbrev",
    "--ignore-submodules=none",
    from,
    to,
  ];
  return parseRawDifference(await git.records(place, args));
}

/** Reads the records of git's `--raw -z` format. */
function parseRawDifference(records: readonly string[]): TreeDifference {
  const changes: Change[] = [];
  const newObjects = new Set<string>();
  for (let index = 0; index + 1 < records.length; index += 2) {
    const [oldMode = "", newMode = "", oldOid = "", newOid = "", status = ""] = (records[index] ?? "")
      .replace(/^:/, "")
      .split(" ");
    const path = records[index + 1] ?? "";
    const kind = KINDS[status[0] ?? ""];
    if (kind === undefined) continue;
    if (kind !== "deleted" && newMode !== GITLINK_MODE) newObjects.add(newOid);
    if (oldMode === TREE_MODE || newMode === TREE_MODE) continue;
    changes.push({ path, kind, oldMode, newMode, oldOid, newOid });
  }
  return { changes, newObjects: [...newObjects] };
}

/** How many lines a change adds and deletes; `undefined` for binary files. */
export interface LineCount {
  readonly path: string;
  readonly added: number | undefined;
  readonly deleted: number | undefined;
}

/** Counts added and deleted lines per path between two trees or commits. */
export async function countLines(git: Git, place: GitPlace, from: string, to: string): Promise<LineCount[]> {
  if (from === to) return [];
  const records = await git.records(place, [
    "diff",
    "--numstat",
    "-z",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
    from,
    to,
  ]);
  return records.flatMap((record) => {
    const [added, deleted, ...path] = record.split("\t");
    if (path.length === 0) return [];
    const count = (text: string | undefined): number | undefined => (text === "-" ? undefined : Number(text));
    return [{ path: path.join("\t"), added: count(added), deleted: count(deleted) }];
  });
}
