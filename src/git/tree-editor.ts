import { AnabranchError } from "../base/errors.ts";
import { TREE_MODE } from "./changes.ts";
import type { ObjectStore } from "./objects.ts";
import { encodePath } from "./path-bytes.ts";
import { typeOf, type TreeEntry } from "./tree-format.ts";

/** What is to stand at a path. */
export interface TreeEdit {
  readonly path: string;
  readonly mode: string;
  /** `null` removes what is there: a file, or a folder with all that is in it. */
  readonly oid: string | null;
}

/** More than this is not kept in memory until somebody asks for it to be written. */
const MOST_STAGED_BYTES = 32 * 1024 * 1024;

interface Folder {
  /** Of the tree object that is like this folder; `undefined` while there is none. */
  oid: string | undefined;
  /** By the bytes of their names; `undefined` until the folder is looked into. */
  entries: Map<string, TreeEntry | Folder> | undefined;
}

/**
 * A tree that is changed in memory. Folders are read when they are first looked into; folders that were changed are
 * written by `write`, deepest first; everything else keeps its bytes. It can be changed further after that.
 *
 * A folder is `unread` (oid, no entries) → `read` (oid, entries) → `changed` (entries, no oid) → (write) `read`.
 * Invariant: a folder above a changed one is changed.
 */
export class TreeEditor {
  readonly #objects: ObjectStore;
  readonly #root: Folder;

  /** @param root a tree or commit */
  constructor(objects: ObjectStore, root: string) {
    this.#objects = objects;
    this.#root = { oid: root, entries: undefined };
  }

  /**
   * Changes what stands at these paths: all removals first, so that a file can take a folder's place and the reverse.
   * @throws {AnabranchError} `INTERNAL` where something that is not removed would be overwritten by it
   */
  async apply(edits: readonly TreeEdit[]): Promise<void> {
    for (const { path, oid } of edits) if (oid === null) await this.#remove(namesOf(path));
    for (const { path, mode, oid } of edits) if (oid !== null) await this.#put(path, { mode, oid });
  }

  /** Stages the folders that were changed, and returns the root's tree: it is on the disk after the objects' flush. */
  async stage(): Promise<string> {
    const oid = this.#stage(this.#root);
    await this.#objects.flush(MOST_STAGED_BYTES);
    // The root may have been given as a commit, and not changed.
    return this.#objects.treeOf(oid);
  }

  /** As `stage`, and the tree is on the disk then. */
  async write(): Promise<string> {
    const oid = await this.stage();
    await this.#objects.flush();
    return oid;
  }

  /** The file, link or submodule at a path. */
  async entryAt(path: string): Promise<{ mode: string; oid: string } | undefined> {
    const found = await this.#find(namesOf(path));
    return found === undefined || isFolder(found) ? undefined : { mode: found.mode, oid: found.oid };
  }

  /** Whether there is a file or a folder at a path. */
  async has(path: string): Promise<boolean> {
    return (await this.#find(namesOf(path))) !== undefined;
  }

  /** Whether a file can be put at a path: no folder is there, and no file where a folder would have to be. */
  async isFree(path: string): Promise<boolean> {
    let found: TreeEntry | Folder = this.#root;
    for (const name of namesOf(path)) {
      if (!isFolder(found)) return false;
      const next = (await this.#entriesOf(found)).get(name);
      if (next === undefined) return true;
      found = next;
    }
    return !isFolder(found);
  }

  async #find(names: readonly string[]): Promise<TreeEntry | Folder | undefined> {
    let found: TreeEntry | Folder | undefined = this.#root;
    for (const name of names) {
      if (found === undefined || !isFolder(found)) return undefined;
      found = (await this.#entriesOf(found)).get(name);
    }
    return found;
  }

  async #remove(names: readonly string[]): Promise<void> {
    const above: Folder[] = [];
    let folder = this.#root;
    for (const name of names.slice(0, -1)) {
      above.push(folder);
      const next = (await this.#entriesOf(folder)).get(name);
      if (next === undefined || !isFolder(next)) return;
      folder = next;
    }
    above.push(folder);
    if ((await this.#entriesOf(folder)).delete(names.at(-1) ?? "")) this.#vanish(above, names);
  }

  /** Marks folders as changed, and removes those that became empty: git knows no empty folders. */
  #vanish(above: readonly Folder[], names: readonly string[]): void {
    for (let depth = above.length - 1; depth >= 0; depth -= 1) {
      const folder = above[depth];
      if (folder === undefined) return;
      folder.oid = undefined;
      if (folder.entries?.size === 0) above[depth - 1]?.entries?.delete(names[depth - 1] ?? "");
    }
  }

  async #put(path: string, entry: { readonly mode: string; readonly oid: string }): Promise<void> {
    const names = namesOf(path);
    const name = names.pop() ?? "";
    let folder = this.#root;
    for (const part of names) {
      const entries = await this.#entriesOf(folder);
      let next = entries.get(part);
      if (next !== undefined && !isFolder(next)) throw inTheWay(path);
      if (next === undefined) entries.set(part, (next = { oid: undefined, entries: new Map() }));
      folder.oid = undefined;
      folder = next;
    }
    const entries = await this.#entriesOf(folder);
    const present = entries.get(name);
    if (present !== undefined && isFolder(present)) throw inTheWay(path);
    entries.set(name, { ...entry, type: typeOf(entry.mode), name });
    folder.oid = undefined;
  }

  async #entriesOf(folder: Folder): Promise<Map<string, TreeEntry | Folder>> {
    if (folder.entries !== undefined) return folder.entries;
    const entries = new Map<string, TreeEntry | Folder>();
    for (const entry of folder.oid === undefined ? [] : await this.#objects.readTree(folder.oid)) {
      entries.set(entry.name, entry.type === "tree" ? { oid: entry.oid, entries: undefined } : entry);
    }
    folder.entries = entries;
    return entries;
  }

  #stage(folder: Folder): string {
    if (folder.oid !== undefined) return folder.oid;
    const entries: TreeEntry[] = [];
    for (const [name, entry] of folder.entries ?? []) {
      entries.push(isFolder(entry) ? { mode: TREE_MODE, type: "tree", oid: this.#stage(entry), name } : entry);
    }
    folder.oid = this.#objects.stageTree(entries);
    return folder.oid;
  }
}

function namesOf(path: string): string[] {
  return encodePath(path).split("/");
}

function isFolder(entry: TreeEntry | Folder): entry is Folder {
  return "entries" in entry;
}

function inTheWay(path: string): AnabranchError {
  return new AnabranchError("INTERNAL", { message: `something else stands where ${path} is to be, and was to stay` });
}
