/**
 * What the files of a repository were like when they were last told of: as in a commit, but for some. Kept in the
 * store, and changed in the same transaction as the events that tell of it.
 *
 * Invariant: a change is told once, also when nobody was there to see it, since it is the difference between what is
 * known and what is found.
 */
import type { Change } from "../git/changes.ts";
import { loadCursor, moveCursor } from "../store/cursors.ts";
import { forgetKnownStates, keepKnownState, loadKnownStates } from "../store/known-states.ts";
import { watchCursor } from "../store/own-changes.ts";
import type { Statement, Store } from "../store/port.ts";
import type { CommittedFiles } from "./committed-files.ts";
import { entryState, NOTHING } from "./file-state.ts";

/** Which repository is known, told apart from another that stands at the same place. */
export interface KnownPlace {
  readonly root: string;
  /** Names the git directory as the file system does, since when it was made. */
  readonly identity: string;
}

interface KnownData extends KnownPlace {
  readonly head: string | undefined;
  /** When watching began; it makes the keys of events differ from those of an earlier time. */
  readonly sinceMs: number;
}

/** What is known of one repository's files. */
export class KnownFiles {
  readonly #repositoryId: string;
  #data: KnownData;
  #position: number;
  /** Files that are not as in the commit. */
  readonly #different: Map<string, string>;

  private constructor(repositoryId: string, data: KnownData, position: number, different: Map<string, string>) {
    this.#repositoryId = repositoryId;
    this.#data = data;
    this.#position = position;
    this.#different = different;
  }

  /** What was kept; `undefined` where nothing was, or of another repository. */
  static async load(store: Store, repositoryId: string, place: KnownPlace): Promise<KnownFiles | undefined> {
    const cursor = await loadCursor<KnownData>(store, watchCursor("file", repositoryId));
    const data = cursor?.data;
    if (data === undefined || data.root !== place.root || data.identity !== place.identity) return undefined;
    const states = await loadKnownStates(store, repositoryId, "file");
    const different = new Map(states.map(({ name, state }) => [name, state]));
    return new KnownFiles(repositoryId, data, cursor?.position ?? 0, different);
  }

  /** Begins anew: what there is now is known, and none of it is told. */
  static begin(
    repositoryId: string,
    place: KnownPlace,
    head: string | undefined,
    sinceMs: number,
  ): { known: KnownFiles; statements: Statement[] } {
    const known = new KnownFiles(repositoryId, { ...place, head, sinceMs }, 0, new Map());
    return { known, statements: [forgetKnownStates(repositoryId, "file")] };
  }

  get head(): string | undefined {
    return this.#data.head;
  }

  /** The beginning of the key of what is told next. */
  get nextKey(): string {
    return `files:${this.#repositoryId}:${this.#data.sinceMs}:${this.#position + 1}`;
  }

  /** The files that are known to differ from the commit. */
  get differentPaths(): string[] {
    return [...this.#different.keys()];
  }

  /** What a file was like, by what it is like in the commit that is known. */
  async stateOf(path: string, committed: CommittedFiles): Promise<string> {
    return this.#different.get(path) ?? committed.stateOf(path);
  }

  /** Those below some folders that differ from the commit. */
  differentBelow(folders: ReadonlySet<string>): string[] {
    if (folders.size === 0) return [];
    return this.differentPaths.filter((path) => {
      for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
        if (folders.has(path.slice(0, at))) return true;
      }
      return false;
    });
  }

  /** What is to be kept once HEAD has moved and some files have another state; nothing changes before it is kept. */
  draft(head: string | undefined, moved: readonly Change[]): KnownDraft {
    const edits = new Map<string, string | undefined>();
    for (const { path, oldMode, oldOid, newMode, newOid } of moved) {
      const before = this.#different.get(path) ?? stateOfSide(oldMode, oldOid);
      edits.set(path, before === stateOfSide(newMode, newOid) ? undefined : before);
    }
    return new KnownDraft(this, head, edits);
  }

  /** Whether a draft says anything that is not known. */
  differsFrom(draft: KnownDraft): boolean {
    return draft.head !== this.head || [...draft.edits].some(([path, state]) => this.#different.get(path) !== state);
  }

  /** The statements that keep a draft. */
  statementsFor(draft: KnownDraft): Statement[] {
    return [
      ...[...draft.edits]
        .filter(([path, state]) => this.#different.get(path) !== state)
        .map(([path, state]) => keepKnownState(this.#repositoryId, "file", path, state)),
      moveCursor(watchCursor("file", this.#repositoryId), this.#position + 1, { ...this.#data, head: draft.head }),
    ];
  }

  /** They are kept. */
  take(draft: KnownDraft): void {
    for (const [path, state] of draft.edits) {
      if (state === undefined) this.#different.delete(path);
      else this.#different.set(path, state);
    }
    this.#data = { ...this.#data, head: draft.head };
    this.#position += 1;
  }
}

/** What is known, with changes that are not kept yet. */
export class KnownDraft {
  readonly head: string | undefined;
  readonly edits: Map<string, string | undefined>;
  readonly #known: KnownFiles;

  constructor(known: KnownFiles, head: string | undefined, edits: Map<string, string | undefined>) {
    this.#known = known;
    this.head = head;
    this.edits = edits;
  }

  /** @param committed the commit of the draft */
  async stateOf(path: string, committed: CommittedFiles): Promise<string> {
    if (this.edits.has(path)) return this.edits.get(path) ?? committed.stateOf(path);
    return this.#known.stateOf(path, committed);
  }

  /** The file is like this now. */
  set(path: string, state: string, inCommit: string): void {
    this.edits.set(path, state === inCommit ? undefined : state);
  }
}

function stateOfSide(mode: string, oid: string): string {
  return /^0*$/.test(oid) || mode === "160000" ? NOTHING : entryState(mode, oid);
}
