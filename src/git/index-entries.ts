import type { Git, GitPlace } from "./git.ts";

/** One entry of an index. */
export interface IndexedPath {
  readonly mode: string;
  readonly oid: string;
  /** Whether the working tree leaves it out (`skip-worktree`). */
  readonly leftOut: boolean;
  /** Whether it is one side of a conflict. */
  readonly unmerged: boolean;
}

/** Reads the entries of an index at some paths. */
export async function readIndexEntries(
  git: Git,
  place: GitPlace,
  paths: ReadonlySet<string>,
): Promise<ReadonlyMap<string, IndexedPath>> {
  const found = new Map<string, IndexedPath>();
  if (paths.size === 0) return found;
  for (const record of await git.records(place, ["ls-files", "--stage", "-v", "-z"])) {
    const at = record.indexOf("\t");
    const path = record.slice(at + 1);
    if (!paths.has(path)) continue;
    const [tag = "", mode = "", oid = "", stage] = record.slice(0, at).split(" ");
    found.set(path, { mode, oid, leftOut: tag.toUpperCase() === "S", unmerged: stage !== "0" });
  }
  return found;
}

/** An entry to be; `null` takes it out. */
export interface IndexEdit {
  readonly path: string;
  readonly entry: { readonly mode: string; readonly oid: string } | null;
}

/**
 * Changes entries of an index, under git's own lock, and takes note of the files that are as they say.
 * @param options the user's wishes for the parts of an index that only make it faster, and the id of no object
 */
export async function editIndex(
  git: Git,
  place: GitPlace,
  edits: readonly IndexEdit[],
  { config, noObject }: { readonly config: Readonly<Record<string, string>>; readonly noObject: string },
): Promise<void> {
  if (edits.length === 0) return;
  // Removals first, so that a file can take a folder's place.
  const ordered = [...edits.filter(({ entry }) => entry === null), ...edits.filter(({ entry }) => entry !== null)];
  await git.run(place, ["update-index", "--replace", "-z", "--index-info"], {
    input: ordered.map(({ path, entry }) => `${formatEntry(entry, noObject)}\t${path}\0`).join(""),
    config,
  });
  await git.run(place, ["update-index", "-q", "--refresh"], { allow: [1], config });
}

function formatEntry(entry: IndexEdit["entry"], noObject: string): string {
  return entry === null ? `0 ${noObject}` : `${entry.mode} ${entry.oid}`;
}
