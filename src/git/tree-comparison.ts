import { type Change, TREE_MODE } from "./changes.ts";
import { decodePath } from "./path-bytes.ts";
import { sortKey, type TreeEntry } from "./tree-format.ts";

type ReadTree = (oid: string) => Promise<readonly TreeEntry[]>;

interface Side {
  readonly mode: string;
  readonly oid: string;
}

const ABSENT_MODE = "000000";

/**
 * How one tree differs from another, as git's own comparison says it: in depth, without renames, in the order of the
 * paths' bytes. Only folders that differ are read.
 */
export async function compareInDepth(read: ReadTree, from: string, to: string): Promise<Change[]> {
  const found: Change[] = [];
  await compareFolders(read, { from, to, prefix: "" }, found);
  found.sort((a, b) => (a.path < b.path ? -1 : 1));
  return found.map((change) => ({ ...change, path: decodePath(change.path) }));
}

interface Folders {
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly prefix: string;
}

async function compareFolders(read: ReadTree, { from, to, prefix }: Folders, found: Change[]): Promise<void> {
  const [old, now] = await Promise.all([from === undefined ? [] : read(from), to === undefined ? [] : read(to)]);
  const deeper: Promise<void>[] = [];
  forEachPair(old, now, (name, a, b) => {
    const path = prefix + name;
    const change = compareLeaves(path, leafOf(a), leafOf(b));
    if (change !== undefined) found.push(change);
    const folders = { from: folderOf(a), to: folderOf(b), prefix: `${path}/` };
    if (folders.from !== folders.to) deeper.push(compareFolders(read, folders, found));
  });
  await Promise.all(deeper);
}

type OnPair = (name: string, old: TreeEntry | undefined, now: TreeEntry | undefined) => void;

/** Goes through two sorted folders at once, and stops at what differs; a file and a folder of one name are no pair. */
function forEachPair(old: readonly TreeEntry[], now: readonly TreeEntry[], onPair: OnPair): void {
  let [at, other] = [0, 0];
  for (;;) {
    const [a, b] = [old[at], now[other]];
    if (a === undefined && b === undefined) return;
    const order = orderOf(a, b);
    if (order <= 0) at += 1;
    if (order >= 0) other += 1;
    if (order === 0 && a?.oid === b?.oid && a?.mode === b?.mode) continue;
    onPair((order <= 0 ? a : b)?.name ?? "", order <= 0 ? a : undefined, order >= 0 ? b : undefined);
  }
}

function orderOf(a: TreeEntry | undefined, b: TreeEntry | undefined): number {
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  if (a.name === b.name && a.type === b.type) return 0;
  const [before, after] = [sortKey(a), sortKey(b)];
  return before === after ? 0 : before < after ? -1 : 1;
}

function leafOf(entry: TreeEntry | undefined): Side | undefined {
  return entry === undefined || entry.mode === TREE_MODE ? undefined : entry;
}

function folderOf(entry: TreeEntry | undefined): string | undefined {
  return entry?.mode === TREE_MODE ? entry.oid : undefined;
}

function compareLeaves(path: string, old: Side | undefined, now: Side | undefined): Change | undefined {
  const some = old ?? now;
  if (some === undefined) return undefined;
  const none = { mode: ABSENT_MODE, oid: "0".repeat(some.oid.length) };
  const [before, after] = [old ?? none, now ?? none];
  return {
    path,
    kind: kindOf(old, now),
    oldMode: before.mode,
    newMode: after.mode,
    oldOid: before.oid,
    newOid: after.oid,
  };
}

function kindOf(old: Side | undefined, now: Side | undefined): Change["kind"] {
  if (old === undefined) return "added";
  if (now === undefined) return "deleted";
  // The first digits tell files, links and submodules apart; the others are rights.
  return old.mode.slice(0, 2) === now.mode.slice(0, 2) ? "modified" : "type-changed";
}
