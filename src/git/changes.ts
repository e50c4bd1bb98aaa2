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

const KINDS: Readonly<Record<string, Change["kind"]>> = {
  A: "added",
  M: "modified",
  D: "deleted",
  T: "type-changed",
};

/** How many lines a change adds and deletes; `undefined` for binary files. */
export interface LineCount {
  readonly path: string;
  readonly added: number | undefined;
  readonly deleted: number | undefined;
}

/** How one tree differs from another. */
export interface TreeDifference {
  readonly changes: readonly Change[];
  /** One for each changed file, where they were asked for. */
  readonly lines: readonly LineCount[];
  /** Every blob and tree below the new root that the old tree does not have at the same path. */
  readonly newObjects: readonly string[];
}

/** Compares two trees or commits, without looking for renames. */
export async function compareTrees(
  git: Git,
  place: GitPlace,
  from: string,
  to: string,
  { lines }: { readonly lines: boolean } = { lines: false },
): Promise<TreeDifference> {
  if (from === to) return { changes: [], lines: [], newObjects: [] };
  const counted = lines ? ["--numstat", "--no-ext-diff", "--no-textconv"] : [];
  const format = ["--raw", ...counted, "--no-renames", "--no-abbrev", "--ignore-submodules=none"];
  return parseRawDifference(await git.records(place, ["diff-tree", "-r", "-t", "-z", ...format, from, to]));
}

/** Reads the records of git's `--raw -z` format, which those of `--numstat -z` may follow. */
function parseRawDifference(records: readonly string[]): TreeDifference {
  const changes: Change[] = [];
  const newObjects = new Set<string>();
  let index = 0;
  for (; records[index]?.startsWith(":") === true; index += 2) {
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
  return { changes, lines: records.slice(index).flatMap(parseLineCount), newObjects: [...newObjects] };
}

function parseLineCount(record: string): LineCount[] {
  const [added, deleted, ...path] = record.split("\t");
  if (path.length === 0) return [];
  const count = (text: string | undefined): number | undefined => (text === "-" ? undefined : Number(text));
  return [{ path: path.join("\t"), added: count(added), deleted: count(deleted) }];
}
