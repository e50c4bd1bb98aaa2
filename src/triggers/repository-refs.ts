/**
 * The branches and tags of one repository, as long as somebody wants to know of them.
 *
 * opening    nothing is known yet
 * watching   folders tell that something happened; then all refs are read and compared with what is known
 * gone       there is no such repository; it is looked for
 * closed     nobody wants to know
 *
 * Invariant: what is known of refs is in the store, and changes in the transaction that tells of it: a move is told once,
 * also one that was made while nobody was there. Refs of Anabranch's own are never looked at.
 */
import { existsSync } from "node:fs";

import type { CancelTimer, Clock } from "../base/clock.ts";
import { faultPoint } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { createSignal } from "../base/signal.ts";
import { EVENT_TYPES } from "../engine/trigger.ts";
import type { Git } from "../git/git.ts";
import { openObjectStore, type ObjectStore } from "../git/objects.ts";
import { loadCursor, moveCursor } from "../store/cursors.ts";
import type { NewEvent } from "../store/events.ts";
import { forgetKnownStates, keepKnownState, loadKnownStates } from "../store/known-states.ts";
import {
  forgetOldOwnChanges,
  forgetOwnChange,
  loadOwnChanges,
  OWN_CHANGE_MS,
  watchCursor,
} from "../store/own-changes.ts";
import type { Statement, Store } from "../store/port.ts";
import { attribute, type Share } from "./attribution.ts";
import { identityOf } from "./open-files.ts";
import { RefFolders } from "./ref-folders.ts";
import { readMovedPaths, readRefs, readTips, type TipWords } from "./ref-reading.ts";
import type { EventSink } from "./source.ts";

/** What the watching of refs is made of. */
export interface RefTools {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly sink: EventSink;
  readonly git: Git;
}

/** A repository whose refs are to be watched. */
export interface RefWish {
  readonly repositoryId: string;
  readonly root: string;
  /** The git directory that all its worktrees share. */
  readonly commonDirectory: string;
}

interface RefMove {
  readonly ref: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

interface KnownData {
  readonly identity: string;
  readonly sinceMs: number;
}

/** What one git command does to refs is looked at together. */
const QUIET_MS = 20;
const [POLL_MS, FAILED_MS] = [3000, 1000];

/** Watches the refs of one repository. */
export class RepositoryRefs {
  readonly #wish: RefWish;
  readonly #tools: RefTools;
  readonly #signal = createSignal(() => this.#look());
  readonly #firstLook: Promise<void>;
  readonly #folders: RefFolders;
  readonly #objects: ObjectStore;
  readonly #timers = new Set<CancelTimer>();
  #hasLooked: () => void = () => undefined;
  #known: Map<string, string> | undefined;
  #data: KnownData | undefined;
  #position = 0;
  #hasCompared = false;
  #isClosed = false;
  #isQuieting = false;
  #current: Promise<void> = Promise.resolve();

  constructor(wish: RefWish, tools: RefTools) {
    this.#wish = wish;
    this.#tools = tools;
    this.#firstLook = new Promise((resolve) => (this.#hasLooked = resolve));
    this.#folders = new RefFolders(wish.commonDirectory, () => this.#happened());
    this.#objects = openObjectStore(tools.git, wish.commonDirectory);
    this.#signal.raise();
  }

  get wish(): RefWish {
    return this.#wish;
  }

  /** Resolves once it is known what the refs stand at, or that there is no repository. */
  looked(): Promise<void> {
    return this.#firstLook;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#folders.close();
    for (const cancel of this.#timers) cancel();
    this.#hasLooked();
    await this.#current;
    await this.#objects.close();
  }

  #happened(): void {
    if (this.#isQuieting) return;
    this.#isQuieting = true;
    this.#later(QUIET_MS, () => {
      this.#isQuieting = false;
      this.#signal.raise();
    });
  }

  #look(): Promise<void> {
    this.#current = this.#lookNow().catch((cause: unknown) => {
      this.#hasLooked();
      this.#tools.log("error", "refs could not be read", {
        repository: this.#wish.repositoryId,
        cause: String(cause),
      });
      this.#later(FAILED_MS, () => this.#signal.raise());
    });
    return this.#current;
  }

  async #lookNow(): Promise<void> {
    if (this.#isClosed) return;
    const { commonDirectory, repositoryId } = this.#wish;
    const { git, store, clock } = this.#tools;
    if (!existsSync(commonDirectory)) {
      this.#known = undefined;
      this.#later(POLL_MS, () => this.#signal.raise());
      this.#hasLooked();
      return;
    }
    // Watched first and read then: what moves in between is looked at again.
    this.#folders.refresh();
    if (!this.#folders.isWhole) this.#later(POLL_MS, () => this.#signal.raise());
    const identity = identityOf(commonDirectory);
    if (this.#known === undefined || this.#data?.identity !== identity) await this.#load(identity);
    const now = await readRefs(git, commonDirectory);
    if (this.#known === undefined) await this.#begin(identity, now);
    else {
      const sinceMs = this.#hasCompared ? clock.wallMs() - OWN_CHANGE_MS : 0;
      const own = await loadOwnChanges(store, repositoryId, "ref", sinceMs);
      const moves = movesBetween(this.#known, now);
      if (moves.length > 0) await this.#tell(moves, attribute(moves, own, nameOf, statesOf), own.length > 0);
    }
    this.#hasCompared = true;
    this.#hasLooked();
  }

  async #load(identity: string): Promise<void> {
    const { store } = this.#tools;
    const { repositoryId } = this.#wish;
    const cursor = await loadCursor<KnownData>(store, watchCursor("ref", repositoryId));
    this.#known = undefined;
    if (cursor?.data?.identity !== identity) return;
    const states = await loadKnownStates(store, repositoryId, "ref");
    this.#known = new Map(states.map(({ name, state }) => [name, state]));
    this.#data = cursor.data;
    this.#position = cursor.position;
  }

  /** Takes what there is as known, and tells nothing of it. */
  async #begin(identity: string, now: Map<string, string>): Promise<void> {
    const { clock, sink } = this.#tools;
    const { repositoryId } = this.#wish;
    const data = { identity, sinceMs: clock.wallMs() };
    await sink(
      [],
      [
        forgetKnownStates(repositoryId, "ref"),
        ...[...now].map(([name, oid]) => keepKnownState(repositoryId, "ref", name, oid)),
        moveCursor(watchCursor("ref", repositoryId), 0, data),
      ],
    );
    [this.#known, this.#data, this.#position] = [now, data, 0];
  }

  async #tell(moves: readonly RefMove[], shares: readonly Share<RefMove>[], isExpecting: boolean): Promise<void> {
    const { clock, git, sink } = this.#tools;
    const { commonDirectory, repositoryId } = this.#wish;
    const tips = await readTips(
      git,
      commonDirectory,
      moves.flatMap(({ from, to }) => to ?? from ?? []),
    );
    const events: NewEvent[] = [];
    for (const share of shares) for (const move of share.items) events.push(await this.#event(move, share, tips));
    const kept: Statement[] = moves.map(({ ref, to }) => keepKnownState(repositoryId, "ref", ref, to));
    faultPoint("watch.refs");
    await sink(events, [
      ...kept,
      ...shares.flatMap(({ seen }) => seen.map((change) => forgetOwnChange(repositoryId, "ref", change))),
      ...(isExpecting ? [forgetOldOwnChanges(repositoryId, "ref", clock.wallMs() - OWN_CHANGE_MS)] : []),
      moveCursor(watchCursor("ref", repositoryId), this.#position + 1, this.#data),
    ]);
    faultPoint("watch.refs-told");
    this.#position += 1;
    for (const { ref, to } of moves) {
      if (to === undefined) this.#known?.delete(ref);
      else this.#known?.set(ref, to);
    }
  }

  async #event(move: RefMove, share: Share<RefMove>, tips: ReadonlyMap<string, TipWords>): Promise<NewEvent> {
    const { ref, from, to } = move;
    const { clock, git } = this.#tools;
    const { commonDirectory, repositoryId } = this.#wish;
    const paths = to === undefined ? undefined : await readMovedPaths(git, commonDirectory, this.#objects, from, to);
    return {
      atMs: clock.wallMs(),
      type: EVENT_TYPES.ref,
      run: share.run,
      task: undefined,
      repositoryId,
      cause: share.cause,
      // A branch can go back and forth between the same commits.
      key: `ref:${repositoryId}:${ref}:${from ?? ""}:${to ?? ""}:${this.#data?.sinceMs}:${this.#position + 1}`,
      data: {
        ref,
        kind: ref.startsWith("refs/tags/") ? "tag" : "branch",
        name: ref.replace(/^refs\/(heads|tags)\//, ""),
        change: from === undefined ? "created" : to === undefined ? "deleted" : "moved",
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        ...tips.get(to ?? from ?? ""),
        ...(paths === undefined ? {} : { paths }),
        ...(share.run === undefined ? {} : { by: { run: share.run } }),
      },
    };
  }

  #later(waitMs: number, action: () => void): void {
    const cancel = this.#tools.clock.after(waitMs, () => {
      this.#timers.delete(cancel);
      if (!this.#isClosed) action();
    });
    this.#timers.add(cancel);
  }
}

function movesBetween(known: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): RefMove[] {
  const gone = [...known].filter(([ref]) => !now.has(ref)).map(([ref, from]) => ({ ref, from, to: undefined }));
  const moved = [...now].flatMap(([ref, to]) => {
    const from = known.get(ref);
    return from === to ? [] : [{ ref, from, to }];
  });
  return [...gone, ...moved];
}

function nameOf({ ref }: RefMove): string {
  return ref;
}

function statesOf({ to }: RefMove): (string | undefined)[] {
  return [to];
}
