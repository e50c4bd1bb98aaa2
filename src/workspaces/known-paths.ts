import { readlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { findStats } from "../base/file-stats.ts";
import type { Git } from "../git/git.ts";
import { TreeEditor, type TreeEdit } from "../git/tree-editor.ts";
import type { Workspace } from "./workspace.ts";

const [ABSENT_MODE, SYMLINK_MODE] = ["000000", "120000"];

/** A tree that was put together from its base and the files at some paths. */
export interface KnownTree {
  readonly tree: string;
  /** Blobs that git may have found in a borrowed store and not written. */
  readonly blobs: readonly string[];
}

/**
 * The tree of a workspace in which only some paths can differ from the base, without looking at anything else: what it
 * takes depends on those paths alone.
 *
 * @returns `undefined` where a full look is needed: ignore rules change, a folder stands at a path, names that git cannot
 * be told line by line, or a file system that knows no rights
 */
export async function composeKnownTree(
  git: Git,
  { tree, place, vault }: Workspace,
  base: string,
  paths: readonly string[],
): Promise<KnownTree | undefined> {
  if (paths.some((path) => /\n|^"|\r$|(^|\/)\.git(ignore|attributes)$/.test(path))) return undefined;
  if (/filemode = "?false/.test(await readFile(join(vault.directory, "config"), "utf8"))) return undefined;
  const edits: TreeEdit[] = [];
  const files: { readonly path: string; readonly mode: string }[] = [];
  for (const path of paths) {
    const stat = findStats(join(tree, path));
    if (stat === undefined) edits.push({ path, mode: ABSENT_MODE, oid: null });
    else if (stat.isSymbolicLink()) {
      const target = readlinkSync(join(tree, path), { encoding: "buffer" });
      edits.push({ path, mode: SYMLINK_MODE, oid: vault.objects.stageBlob(target) });
    } else if (stat.isFile()) files.push({ path, mode: (stat.mode & 0o100) === 0 ? "100644" : "100755" });
    else return undefined;
  }
  const blobs = await hashFiles(git, place, files);
  for (const [index, { path, mode }] of files.entries()) edits.push({ path, mode, oid: blobs[index] ?? null });
  const editor = new TreeEditor(vault.objects, base);
  await editor.apply(edits.filter(({ oid }) => oid === null));
  for (const { path, oid } of edits) if (oid !== null && !(await editor.isFree(path))) return undefined;
  await editor.apply(edits.filter(({ oid }) => oid !== null));
  return { tree: await editor.write(), blobs };
}

// As git would add them: with the line ends and filters that their attributes ask for.
async function hashFiles(git: Git, place: Workspace["place"], files: readonly { path: string }[]): Promise<string[]> {
  if (files.length === 0) return [];
  const input = files.map(({ path }) => `${path}\n`).join("");
  const inTree = { ...place, cwd: place.workTree };
  return (await git.text(inTree, ["hash-object", "-w", "--stdin-paths"], { input })).split("\n");
}
