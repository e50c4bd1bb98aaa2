import { forgetCursors } from "../store/cursors.ts";
import { forgetKnownStates } from "../store/known-states.ts";
import { forgetOldOwnChanges, watchCursor } from "../store/own-changes.ts";
import { RepositoryFiles, type FileTools, type WatchView } from "./repository-files.ts";
import type { WatchedSource } from "./source.ts";
import { WatcherProgram } from "./watcher-program.ts";

/** A repository whose files are to be watched. */
export interface FileWish {
  readonly repositoryId: string;
  /** The top of its working tree. */
  readonly root: string;
}

/**
 * The changes of files, as events. One watcher serves all repositories; what changed while none was there is told when
 * it is, since files are compared with what is known of them.
 */
export class FileWatch implements WatchedSource<FileWish> {
  readonly #tools: FileTools;
  readonly #watcher: WatcherProgram;
  readonly #repositories = new Map<string, RepositoryFiles>();

  /** @param tools `watcherFile`: the watcher's own program, `watcher.js` beside the daemon's */
  constructor(tools: FileTools & { readonly watcherFile: string }) {
    this.#tools = tools;
    this.#watcher = new WatcherProgram({ file: tools.watcherFile, clock: tools.clock, log: tools.log });
  }

  /** The watcher's process number while it runs. */
  get watcherPid(): number | undefined {
    return this.#watcher.pid;
  }

  /** Resolves once it is known what the files of all of them are like: what changes from then on is told. */
  async want(wishes: readonly FileWish[]): Promise<void> {
    const wanted = new Map(wishes.map(({ repositoryId, root }) => [repositoryId, root]));
    for (const [id, repository] of this.#repositories) {
      if (wanted.get(id) === repository.root) continue;
      this.#repositories.delete(id);
      await repository.close();
      if (!wanted.has(id)) await this.#forget(id);
    }
    for (const [id, root] of wanted) {
      if (this.#repositories.has(id)) continue;
      this.#repositories.set(id, new RepositoryFiles(id, root, this.#watcher, this.#tools));
    }
    await Promise.all([...this.#repositories.values()].map((repository) => repository.looked()));
  }

  /** How it stands with each repository. */
  views(): WatchView[] {
    return [...this.#repositories.values()].map((repository) => repository.view());
  }

  /** Stops watching. What changes from now on is told by whoever watches next. */
  async close(): Promise<void> {
    await Promise.all([...this.#repositories.values()].map((repository) => repository.close()));
    this.#repositories.clear();
    await this.#watcher.close();
  }

  // What changes while nobody wants to know is nobody's event.
  async #forget(id: string): Promise<void> {
    await this.#tools.store.commit([
      forgetCursors(watchCursor("file", id)),
      forgetKnownStates(id, "file"),
      forgetOldOwnChanges(id, "file", Number.MAX_SAFE_INTEGER),
    ]);
  }
}
