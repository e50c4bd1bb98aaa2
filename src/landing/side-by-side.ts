/**
 * Puts changesets of one base onto a moving tip where they provably meet nothing that the tip has and the base has not:
 * then no merge is needed, and what it costs depends on the changeset alone.
 *
 * A changeset qualifies when it only edits regular files at which the tip still is as the base, or adds files to folders
 * in which the tip has gained and lost no names. Everything else is for a merge to find out.
 */
import { TreeEditor } from "../git/tree-editor.ts";
import type { PathChange } from "../merge/change.ts";
import { foldersOf } from "../merge/path-names.ts";
import type { Vault } from "../workspaces/vault.ts";

const REGULAR_MODES: ReadonlySet<string> = new Set(["100644", "100755"]);

/** See the head of this file. */
export class SideBySide {
  readonly #editor: TreeEditor;
  /** Paths at which the tip differs from the base. */
  readonly #touched = new Set<string>();
  /** Folders in which the tip has gained or lost names; `""` is the root. */
  readonly #renamed = new Set<string>();

  private constructor(editor: TreeEditor) {
    this.#editor = editor;
  }

  /** Starts from a tip that differs from the base by some changes. */
  static async from(vault: Vault, tip: string, changes: readonly PathChange[]): Promise<SideBySide> {
    const started = new SideBySide(new TreeEditor(vault.objects, tip));
    for (const { path, kind } of changes) {
      started.#touched.add(path);
      // Which of its folders are new is not known any more.
      if (kind !== "modified") for (const folder of [...foldersOf(path), ""]) started.#renamed.add(folder);
    }
    return started;
  }

  /** Applies a changeset and returns the tree it leads to; `undefined`, and nothing is applied, where it might meet something. */
  async apply(changes: readonly PathChange[]): Promise<string | undefined> {
    const renamed: string[] = [];
    for (const change of changes) {
      if (!REGULAR_MODES.has(change.newMode) || this.#touched.has(change.path)) return undefined;
      if (change.kind === "modified" && change.oldMode === change.newMode) continue;
      if (change.kind !== "added") return undefined;
      const gaining = await this.#gainingFolders(change.path);
      if (gaining.some((folder) => this.#renamed.has(folder))) return undefined;
      renamed.push(...gaining);
    }
    await this.#editor.apply(changes.map(({ path, newMode, newOid }) => ({ path, mode: newMode, oid: newOid })));
    for (const { path } of changes) this.#touched.add(path);
    for (const folder of renamed) this.#renamed.add(folder);
    return this.#editor.stage();
  }

  /** The folders that gain a name by a new file: those that are not there yet, and the first one that is. */
  async #gainingFolders(path: string): Promise<string[]> {
    const gaining: string[] = [];
    for (const folder of foldersOf(path)) {
      gaining.push(folder);
      if (await this.#editor.has(folder)) return gaining;
    }
    return [...gaining, ""];
  }
}
