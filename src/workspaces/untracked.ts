import { readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";

import type { Git, GitPlace } from "../git/git.ts";
import type { Trash } from "./trash.ts";

/** Whether an ignored path is one that workspaces keep: `a/b` names that path, `b` every path that ends so. */
export function isKept(path: string, kept: readonly string[]): boolean {
  const plain = path.replace(/\/$/, "");
  return kept.some((name) => (name.includes("/") ? plain === name : basename(plain) === name));
}

// More folders than this are looked for all over the tree, rather than each by its name.
const MOST_NAMED_FOLDERS = 50;

/**
 * Takes everything out of a tree that its base does not track. A kept folder stays only where the base ignores it:
 * another one is nobody's but the last task's.
 */
export async function removeUntracked(git: Git, place: GitPlace, kept: readonly string[], trash: Trash): Promise<void> {
  const tree = place.workTree ?? "";
  // Each a whole folder, with a slash at its end, where nothing in it is tracked.
  const entries = await git.records(place, ["ls-files", "--others", "--directory", "-z"]);
  const staying = await keptFolders(git, place, entries, kept);
  for (const path of entries) {
    if (staying.includes(path)) continue;
    if (staying.some((folder) => folder.startsWith(path))) {
      const children = await readdir(join(tree, path), { withFileTypes: true });
      entries.push(...children.map((child) => path + child.name + (child.isDirectory() ? "/" : "")));
    } else if (path.endsWith("/")) await trash.discard(join(tree, path.slice(0, -1)));
    else await rm(join(tree, path), { force: true });
  }
}

/** The ignored folders among untracked entries, or deeper in them, that are kept. */
async function keptFolders(
  git: Git,
  place: GitPlace,
  entries: readonly string[],
  kept: readonly string[],
): Promise<string[]> {
  const folders = entries.filter((path) => path.endsWith("/"));
  if (kept.length === 0 || folders.length === 0) return [];
  const named = folders.length > MOST_NAMED_FOLDERS ? [] : folders.map((path) => `:(literal)${path}`);
  const ignored = await git.records(place, [
    "ls-files",
    "--others",
    "--ignored",
    "--exclude-standard",
    "--directory",
    "-z",
    "--",
    ...named,
  ]);
  return ignored.filter((path) => path.endsWith("/") && isKept(path, kept));
}
