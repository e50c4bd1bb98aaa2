import { existsSync, lstatSync, readdirSync, watch, type FSWatcher } from "node:fs";

import { systemCodeOf } from "../../base/errors.ts";
import type { FolderTreeListener } from "./folder-tree.ts";
import { NEVER_WATCHED } from "./wire.ts";

/** Watches a tree where the system itself watches whole trees, as macOS does. Paths are text as it gives it. */
export class RecursiveTree {
  readonly #root: string;
  readonly #listener: FolderTreeListener;
  #skip: ReadonlySet<string> = new Set();
  #watcher: FSWatcher | undefined;

  constructor(root: string, listener: FolderTreeListener) {
    this.#root = root;
    this.#listener = listener;
  }

  /** One for the whole tree. */
  get count(): number {
    return this.#watcher === undefined ? 0 : 1;
  }

  /** Watches everything. @returns whether it is watched now; where not, the listener was told why */
  open(skip: readonly string[]): boolean {
    this.#skip = new Set(skip);
    try {
      this.#watcher = watch(this.#root, { recursive: true }, (_kind, name) => this.#happened(name));
      this.#watcher.on("error", (cause) => this.#fail(cause));
      return true;
    } catch (cause) {
      if (!existsSync(this.#root)) this.#listener.gone();
      else this.#fail(cause);
      return false;
    }
  }

  /** What is to be skipped from now on. */
  skip(skip: readonly string[]): void {
    this.#skip = new Set(skip);
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #happened(name: string | null): void {
    if (!existsSync(this.#root)) {
      this.close();
      this.#listener.gone();
    } else if (name !== null && !this.#isSkipped(name)) this.#tell(name);
  }

  /** Tells of a path and of all below it: a folder that was moved is told of once. */
  #tell(path: string): void {
    const stat = lstatSync(`${this.#root}/${path}`, { throwIfNoEntry: false });
    this.#listener.changed(bytesOf(path));
    if (stat === undefined) this.#listener.changed(bytesOf(`${path}/`));
    if (stat?.isDirectory() !== true || existsSync(`${this.#root}/${path}/.git`)) return;
    for (const { name } of readdirSync(`${this.#root}/${path}`, { withFileTypes: true })) {
      const inner = `${path}/${name}`;
      if (!NEVER_WATCHED.has(name) && !this.#skip.has(inner)) this.#tell(inner);
    }
  }

  #isSkipped(path: string): boolean {
    const names = path.split("/");
    return names.some((name, index) => {
      const above = names.slice(0, index + 1).join("/");
      if (NEVER_WATCHED.has(name) || this.#skip.has(bytesOf(above))) return true;
      return index < names.length - 1 && existsSync(`${this.#root}/${above}/.git`);
    });
  }

  #fail(cause: unknown): void {
    this.close();
    this.#listener.failed(systemCodeOf(cause) ?? "UNKNOWN", cause instanceof Error ? cause.message : String(cause));
  }
}

function bytesOf(path: string): string {
  return Buffer.from(path, "utf8").toString("latin1");
}
