import { lstatSync, readdirSync, watch, type FSWatcher } from "node:fs";
import { join } from "node:path";

/** Refs lie in folders named after them: with more than this, they are only asked for now and then. */
const MOST_FOLDERS = 500;

/** Watches the few folders of a git directory in which refs change. */
export class RefFolders {
  readonly #directory: string;
  readonly #onChange: () => void;
  readonly #watched = new Map<string, { readonly watcher: FSWatcher; readonly identity: string }>();
  #isWhole = true;

  constructor(directory: string, onChange: () => void) {
    this.#directory = directory;
    this.#onChange = onChange;
  }

  /** Whether all of them are watched; where not, somebody has to ask. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Takes up folders that are new, and lets go of those that are not there any more. */
  refresh(): void {
    const found = new Map<string, string>();
    this.#isWhole = true;
    this.#find("", found, false);
    for (const path of ["refs/heads", "refs/tags", "reftable"]) this.#find(path, found, true);
    for (const [path, { watcher, identity }] of this.#watched) {
      if (found.get(path) === identity) continue;
      watcher.close();
      this.#watched.delete(path);
    }
    for (const [path, identity] of found) if (!this.#watched.has(path)) this.#watch(path, identity);
  }

  close(): void {
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  #find(path: string, found: Map<string, string>, isDeep: boolean): void {
    try {
      const place = join(this.#directory, path);
      const stat = lstatSync(place);
      if (!stat.isDirectory()) return;
      if (found.size >= MOST_FOLDERS) this.#isWhole = false;
      else found.set(path, `${stat.ino}:${stat.birthtimeMs}`);
      if (!isDeep || !this.#isWhole) return;
      for (const entry of readdirSync(place, { withFileTypes: true })) {
        if (entry.isDirectory()) this.#find(`${path}/${entry.name}`, found, true);
      }
    } catch {
      // It is not there, or has gone meanwhile: the folder above tells.
    }
  }

  #watch(path: string, identity: string): void {
    try {
      const watcher = watch(join(this.#directory, path), (_kind, name) => {
        // Of what lies beside the refs only this bears on them.
        if (path !== "" || name === null || ["HEAD", "packed-refs", "refs"].includes(name)) this.#onChange();
      });
      watcher.on("error", () => undefined);
      this.#watched.set(path, { watcher, identity });
    } catch {
      this.#isWhole = false;
    }
  }
}
