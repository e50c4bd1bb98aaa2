/**
 * A tree of folders, each watched by itself: the kernel tells of one folder only what happens directly in it.
 *
 * opening    folders are being watched, from the top down
 * watching   every folder that is not skipped is watched
 * closed     nothing is watched; a tree that could not be watched, or whose root has gone, closes itself
 *
 * Invariants:
 * 1. A folder is watched before it is read: what comes into it afterwards is told, what was there is found.
 * 2. A folder that has become another one (by its identity) is let go with all below it, and taken up anew.
 */
import { lstatSync, readdirSync, watch, type FSWatcher } from "node:fs";

import { systemCodeOf } from "../../base/errors.ts";
import { NEVER_WATCHED } from "./wire.ts";

/** What a tree tells. */
export interface FolderTreeListener {
  readonly changed: (path: string) => void;
  readonly gone: () => void;
  readonly failed: (code: string, message: string) => void;
}

/** How one folder is watched; as `fs.watch` with names as bytes. */
export type WatchFolder = (path: Buffer, onChange: (kind: string, name: string | null) => void) => FSWatcher;

interface Folder {
  readonly name: string;
  readonly parent: Folder | undefined;
  readonly identity: string;
  readonly watcher: FSWatcher;
  children: Map<string, Folder> | undefined;
}

const HIDDEN: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "EACCES", "EPERM", "ELOOP"]);

/** Watches one tree of folders. Paths are bytes as text (latin1). */
export class FolderTree {
  readonly #root: string;
  readonly #listener: FolderTreeListener;
  readonly #watchFolder: WatchFolder;
  #skip: ReadonlySet<string> = new Set();
  #top: Folder | undefined;
  #count = 0;
  #isClosed = false;

  constructor(root: string, listener: FolderTreeListener, watchFolder: WatchFolder = watchWithSystem) {
    this.#root = root;
    this.#listener = listener;
    this.#watchFolder = watchFolder;
  }

  /** How many folders are watched. */
  get count(): number {
    return this.#count;
  }

  /** Watches everything. @returns whether it is watched now; where not, the listener was told why */
  open(skip: readonly string[]): boolean {
    this.#skip = new Set(skip);
    try {
      this.#take(undefined, "", () => undefined);
    } catch (cause) {
      this.#fail(cause);
    }
    if (!this.#isClosed && this.#top === undefined) this.#lose();
    return !this.#isClosed;
  }

  /** Lets go of what is to be skipped now, and takes up what is not any more. */
  skip(skip: readonly string[]): void {
    this.#skip = new Set(skip);
    if (this.#top === undefined) return;
    const settle = (folder: Folder): void => {
      for (const child of folder.children?.values() ?? []) {
        if (this.#isSkipped(pathOf(child), child.name)) this.#drop(child);
        else settle(child);
      }
    };
    settle(this.#top);
    this.#guard(() => this.#readAll(this.#top));
  }

  close(): void {
    this.#isClosed = true;
    if (this.#top !== undefined) this.#drop(this.#top);
    this.#top = undefined;
  }

  /** Watches a folder and all below it, and tells of every file in there. */
  #take(parent: Folder | undefined, name: string, tell: (path: string) => void): Folder | undefined {
    const path = parent === undefined ? "" : below(pathOf(parent), name);
    const identity = folderIdentity(this.#absolute(path));
    if (identity === undefined) return undefined;
    const watcher = this.#watch(path, (kind, changed) => this.#happened(folder, kind, changed));
    if (watcher === undefined) return undefined;
    const folder: Folder = { name, parent, identity, watcher, children: undefined };
    this.#count += 1;
    // Known before it is read, so that all of it is let go where that fails.
    if (parent === undefined) this.#top = folder;
    else (parent.children ??= new Map()).set(name, folder);
    this.#read(folder, tell);
    return folder;
  }

  #watch(path: string, onChange: (kind: string, name: string | null) => void): FSWatcher | undefined {
    try {
      const watcher = this.#watchFolder(this.#absolute(path), onChange);
      // A folder that vanishes is told of by the one above.
      watcher.on("error", () => undefined);
      return watcher;
    } catch (cause) {
      if (HIDDEN.has(systemCodeOf(cause) ?? "")) return undefined;
      throw cause;
    }
  }

  #read(folder: Folder, tell: (path: string) => void): void {
    const path = pathOf(folder);
    const entries = readFolder(this.#absolute(path));
    // Another repository: what happens in it is its own.
    if (folder.parent !== undefined && entries.some(({ name }) => name === ".git")) {
      this.#drop(folder);
      return;
    }
    for (const entry of entries) {
      const inner = below(path, entry.name);
      if (!entry.isDirectory()) tell(inner);
      else if (!this.#isSkipped(inner, entry.name) && folder.children?.has(entry.name) !== true) {
        this.#take(folder, entry.name, tell);
      }
    }
  }

  /** Takes up what is below a folder and not watched yet. */
  #readAll(folder: Folder | undefined): void {
    if (folder === undefined) return;
    for (const child of folder.children?.values() ?? []) this.#readAll(child);
    this.#read(folder, () => undefined);
  }

  #happened(folder: Folder, kind: string, name: string | null): void {
    if (this.#isClosed) return;
    if (folder === this.#top && (name === null || kind === "rename")) this.#checkRoot();
    if (name === null || this.#isClosed || this.#isLost(folder)) return;
    const path = below(pathOf(folder), name);
    if (name === ".git" && folder !== this.#top) this.#guard(() => this.#read(folder, () => undefined));
    if (this.#isSkipped(path, name)) return;
    const identity = folderIdentity(this.#absolute(path));
    const known = folder.children?.get(name);
    if (known !== undefined && known.identity === identity) return;
    if (known !== undefined) {
      this.#drop(known);
      this.#listener.changed(`${path}/`);
    }
    // Also where there is a folder now: a file may have made room for it.
    this.#listener.changed(path);
    if (identity !== undefined) this.#guard(() => this.#take(folder, name, this.#listener.changed));
  }

  #checkRoot(): void {
    if (folderIdentity(this.#absolute("")) !== this.#top?.identity) this.#lose();
  }

  #lose(): void {
    this.close();
    this.#listener.gone();
  }

  #isLost(folder: Folder): boolean {
    let at: Folder | undefined = folder;
    while (at.parent !== undefined) {
      if (at.parent.children?.get(at.name) !== at) return true;
      at = at.parent;
    }
    return at !== this.#top;
  }

  #guard(action: () => unknown): void {
    try {
      action();
    } catch (cause) {
      this.#fail(cause);
    }
  }

  #fail(cause: unknown): void {
    this.close();
    this.#listener.failed(systemCodeOf(cause) ?? "UNKNOWN", cause instanceof Error ? cause.message : String(cause));
  }

  #drop(folder: Folder): void {
    folder.parent?.children?.delete(folder.name);
    this.#release(folder);
  }

  #release(folder: Folder): void {
    folder.watcher.close();
    this.#count -= 1;
    for (const child of folder.children?.values() ?? []) this.#release(child);
    folder.children = undefined;
  }

  #isSkipped(path: string, name: string): boolean {
    return NEVER_WATCHED.has(name) || this.#skip.has(path);
  }

  #absolute(path: string): Buffer {
    return Buffer.from(path === "" ? this.#root : `${this.#root}/${path}`, "latin1");
  }
}

function watchWithSystem(path: Buffer, onChange: (kind: string, name: string | null) => void): FSWatcher {
  return watch(path, { encoding: "latin1" as BufferEncoding, persistent: true }, onChange);
}

function pathOf(folder: Folder): string {
  return folder.parent === undefined ? "" : below(pathOf(folder.parent), folder.name);
}

function below(path: string, name: string): string {
  return path === "" ? name : `${path}/${name}`;
}

/** That by which a folder is told apart from another of its name; `undefined` where there is no folder. */
function folderIdentity(path: Buffer): string | undefined {
  try {
    const stat = lstatSync(path);
    // A number alone is soon given to another folder.
    return stat.isDirectory() ? `${stat.ino}:${stat.birthtimeMs}` : undefined;
  } catch {
    return undefined;
  }
}

function readFolder(path: Buffer): { readonly name: string; isDirectory(): boolean }[] {
  try {
    return readdirSync(path, { withFileTypes: true, encoding: "latin1" });
  } catch (cause) {
    // It has gone again, which the folder above tells, or nobody may read it.
    if (HIDDEN.has(systemCodeOf(cause) ?? "")) return [];
    throw cause;
  }
}
