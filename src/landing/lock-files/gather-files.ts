import type { ObjectStore } from "../../git/objects.ts";
import { TREE_MODE } from "../../git/changes.ts";
import type { LockProgram } from "./program.ts";

const MOST_FILES = 20_000;
const MOST_BYTES = 64 * 1024 * 1024;

/** A file of a tree, by its path from the folder that was looked through. */
interface NeededFile {
  readonly path: string;
  readonly oid: string;
  readonly need: "content" | "name";
}

/**
 * The files of a folder that a program needs to make its lock file, as a tree has them. Of those of which only the name
 * counts, the content is empty. Links are left out.
 *
 * @param folder its path without a slash at its end; the root of the tree is ""
 * @returns nothing where there are too many of them
 */
export async function gatherFiles(
  objects: ObjectStore,
  tree: string,
  folder: string,
  program: LockProgram,
): Promise<Map<string, Buffer> | undefined> {
  const needed = await findNeeded(objects, tree, folder, program);
  if (needed.length > MOST_FILES) return undefined;
  const files = new Map<string, Buffer>();
  let sizeBytes = 0;
  for (const { path, oid, need } of needed) {
    if (need === "name") {
      files.set(path, Buffer.alloc(0));
      continue;
    }
    sizeBytes += (await objects.sizeOf(oid)) ?? 0;
    if (sizeBytes > MOST_BYTES) return undefined;
    files.set(path, await objects.readBlob(oid));
  }
  return files;
}

async function findNeeded(
  objects: ObjectStore,
  tree: string,
  folder: string,
  program: LockProgram,
): Promise<NeededFile[]> {
  const start = await findFolder(objects, tree, folder);
  const open = start === undefined ? [] : [{ path: "", oid: start }];
  const needed: NeededFile[] = [];
  for (let next = open.pop(); next !== undefined && needed.length <= MOST_FILES; next = open.pop()) {
    for (const { mode, name, oid } of await objects.readTree(next.oid)) {
      const path = next.path + Buffer.from(name, "latin1").toString("utf8");
      const need = mode.startsWith("100") ? program.needOf(path) : undefined;
      if (mode === TREE_MODE) open.push({ path: `${path}/`, oid });
      else if (need !== undefined) needed.push({ path, oid, need });
    }
  }
  return needed;
}

async function findFolder(objects: ObjectStore, tree: string, folder: string): Promise<string | undefined> {
  let found: string | undefined = await objects.treeOf(tree);
  for (const name of folder.split("/").filter((part) => part !== "")) {
    const bytes = Buffer.from(name, "utf8").toString("latin1");
    if (found === undefined) return undefined;
    found = (await objects.readTree(found)).find((entry) => entry.name === bytes && entry.mode === TREE_MODE)?.oid;
  }
  return found;
}
