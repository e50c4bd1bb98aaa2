import { forgetCursors } from "../store/cursors.ts";
import { forgetKnownStates } from "../store/known-states.ts";
import { forgetOldOwnChanges, watchCursor } from "../store/own-changes.ts";
import { RepositoryRefs, type RefTools, type RefWish } from "./repository-refs.ts";
import type { WatchedSource } from "./source.ts";

/** The moves of branches and tags, as events. */
export class RefWatch implements WatchedSource<RefWish> {
  readonly #tools: RefTools;
  readonly #repositories = new Map<string, RepositoryRefs>();

  constructor(tools: RefTools) {
    this.#tools = tools;
  }

  /** Resolves once it is known what the refs of all of them stand at: what moves from then on is told. */
  async want(wishes: readonly RefWish[]): Promise<void> {
    const wanted = new Map(wishes.map((wish) => [wish.repositoryId, wish]));
    for (const [id, repository] of this.#repositories) {
      if (wanted.get(id)?.commonDirectory === repository.wish.commonDirectory) continue;
      this.#repositories.delete(id);
      await repository.close();
      if (!wanted.has(id)) await this.#forget(id);
    }
    for (const [id, wish] of wanted) {
      if (!this.#repositories.has(id)) this.#repositories.set(id, new RepositoryRefs(wish, this.#tools));
    }
    await Promise.all([...this.#repositories.values()].map((repository) => repository.looked()));
  }

  /** Stops watching. What moves from now on is told by whoever watches next. */
  async close(): Promise<void> {
    await Promise.all([...this.#repositories.values()].map((repository) => repository.close()));
    this.#repositories.clear();
  }

  // What moves while nobody wants to know is nobody's event.
  async #forget(id: string): Promise<void> {
    await this.#tools.store.commit([
      forgetCursors(watchCursor("ref", id)),
      forgetKnownStates(id, "ref"),
      forgetOldOwnChanges(id, "ref", Number.MAX_SAFE_INTEGER),
    ]);
  }
}
