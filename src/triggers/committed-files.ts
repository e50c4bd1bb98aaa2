import { TREE_MODE, GITLINK_MODE } from "../git/changes.ts";
import type { ObjectStore } from "../git/objects.ts";
import { decodePath, encodePath } from "../git/path-bytes.ts";
import type { TreeEntry } from "../git/tree-format.ts";
import { entryState, NOTHING } from "./file-state.ts";

/** The files of one commit, looked up path by path. */
export class CommittedFiles {
  readonly #objects: ObjectStore;
  readonly #commit: string | undefined;
  readonly #folders = new Map<string, Promise<ReadonlyMap<string, TreeEntry>>>();

  /** @param commit `undefined` on a branch without commits */
  constructor(objects: ObjectStore, commit: string | undefined) {
    this.#objects = objects;
    this.#commit = commit;
  }

  /** What a path is like in it. */
  async stateOf(path: string): Promise<string> {
    const entry = await this.#find(path);
    return entry === undefined || entry.mode === TREE_MODE || entry.mode === GITLINK_MODE
      ? NOTHING
      : entryState(entry.mode, entry.oid);
  }

  /** The paths of the files below a folder; none where it is no folder. */
  async below(folder: string): Promise<string[]> {
    const entry = await this.#find(folder);
    return entry?.mode === TREE_MODE ? this.#list(entry.oid, encodePath(folder)) : [];
  }

  async #list(tree: string, prefix: string): Promise<string[]> {
    const paths: string[] = [];
    for (const entry of await this.#objects.readTree(tree)) {
      const path = `${prefix}/${entry.name}`;
      if (entry.mode === TREE_MODE) paths.push(...(await this.#list(entry.oid, path)));
      else if (entry.mode !== GITLINK_MODE) paths.push(decodePath(path));
    }
    return paths;
  }

  async #find(path: string): Promise<TreeEntry | undefined> {
    const names = encodePath(path).split("/");
    let tree = this.#commit;
    let entry: TreeEntry | undefined;
    for (const name of names) {
      if (tree === undefined) return undefined;
      entry = (await this.#folder(tree)).get(name);
      tree = entry?.mode === TREE_MODE ? entry.oid : undefined;
    }
    return entry;
  }

  #folder(tree: string): Promise<ReadonlyMap<string, TreeEntry>> {
    const known =
      this.#folders.get(tree) ??
      this.#objects.readTree(tree).then((entries) => new Map(entries.map((entry) => [entry.name, entry])));
    this.#folders.set(tree, known);
    return known;
  }
}
