/**
 * The files of one repository, as long as somebody wants to know of them.
 *
 * | state    | what is true                                               | goes on to |
 * | -------- | ---------------------------------------------------------- | ---------- |
 * | opening  | nothing is known yet                                       | polling, gone |
 * | watching | the watcher tells where something happened                 | polling, gone |
 * | polling  | it does not, or not yet: git is asked every few seconds    | watching, gone |
 * | gone     | there is no such repository; it is looked for              | polling |
 * | closed   | nobody wants to know                                       | |
 *
 * Invariants:
 * 1. One look at a time; what happens meanwhile is looked at next.
 * 2. After every time without a watcher all files are looked at, once it is there.
 * 3. What is known changes only with the events that tell of it, in one transaction.
 */
import type { CancelTimer, Clock } from "../base/clock.ts";
import { systemCodeOf, toAnabranchError } from "../base/errors.ts";
import { faultPoint } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { createSignal } from "../base/signal.ts";
import type { Git } from "../git/git.ts";
import { decodePath } from "../git/path-bytes.ts";
import { EVENT_TYPES } from "../engine/trigger.ts";
import type { NewEvent } from "../store/events.ts";
import { forgetOldOwnChanges, forgetOwnChange, loadOwnChanges, OWN_CHANGE_MS } from "../store/own-changes.ts";
import type { Store } from "../store/port.ts";
import { attribute, type Share } from "./attribution.ts";
import { findChanges, type ChangedFile, type FoundChanges } from "./file-changes.ts";
import { IgnoreRules } from "./ignore-rules.ts";
import { KnownFiles } from "./known-files.ts";
import { OpenFiles } from "./open-files.ts";
import type { EventSink } from "./source.ts";
import type { WatcherNews } from "./watcher/wire.ts";
import type { WatcherProgram } from "./watcher-program.ts";

/** Why the files of a repository are not watched as they should be. */
export interface WatchTrouble {
  readonly repositoryId: string;
  readonly root: string;
  readonly message: string;
  readonly hint: string;
}

/** What the watching of files is made of. */
export interface FileTools {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly sink: EventSink;
  readonly git: Git;
  /** Folders of Anabranch's own: what happens in them is no event, wherever they lie. */
  readonly ownFolders: readonly string[];
  /** Told once when files can only be polled, for a person to mend that. */
  readonly onTrouble: (trouble: WatchTrouble) => void;
}

type State = "opening" | "watching" | "polling" | "gone" | "closed";

/** How it stands with the watching of one repository. */
export interface WatchView {
  readonly repositoryId: string;
  readonly root: string;
  readonly state: State;
  /** How many folders are watched. */
  readonly folders: number;
  /** Why it is not watched. */
  readonly why: string | undefined;
}

const POLL_MS = 3000;
/** A limit of the system may be raised, or others may let go. */
const TRY_AGAIN_MS = 5 * 60_000;
const FAILED_MS = 1000;
/** So many paths are looked at at once; of more, the end is waited for, since they belong together. */
const FEW_PATHS = 50;
const [QUIET_MS, LONGEST_GATHER_MS] = [60, 2000];
/** For so long a git command may hold the index before files are looked at all the same. */
const [LOOK_AT_LOCK_MS, AFTER_LOCK_MS, LONGEST_LOCK_MS] = [20, 40, 10_000];
/** More paths are not remembered: then all files are looked at. */
const MOST_PATHS = 20_000;
const BULK_PATHS = 500;
const TOLD_PATHS = 1000;

/** Watches the files of one repository. */
export class RepositoryFiles {
  readonly #id: string;
  readonly #root: string;
  readonly #tools: FileTools;
  readonly #watcher: WatcherProgram;
  readonly #signal = createSignal(() => this.#look());
  readonly #firstLook: Promise<void>;
  #hasLooked: () => void = () => undefined;
  #state: State = "opening";
  #why: string | undefined;
  #folders = 0;
  #open: OpenFiles | undefined;
  #known: KnownFiles | undefined;
  #paths = new Set<string>();
  #everything = true;
  #mustReopen = false;
  /** Whether what changed while nobody watched has been told. */
  #hasCompared = false;
  #lastLockMs = Number.NEGATIVE_INFINITY;
  #firstPathMs = 0;
  #lastPathMs = 0;
  #failures = 0;
  #cancelPoll: CancelTimer | undefined;
  readonly #timers = new Set<CancelTimer>();
  #current: Promise<void> = Promise.resolve();

  constructor(id: string, root: string, watcher: WatcherProgram, tools: FileTools) {
    this.#id = id;
    this.#root = root;
    this.#tools = tools;
    this.#watcher = watcher;
    this.#firstLook = new Promise((resolve) => (this.#hasLooked = resolve));
    watcher.wake();
    this.#signal.raise();
  }

  get root(): string {
    return this.#root;
  }

  /** Resolves once it is known what the files are like, or that there are none. */
  looked(): Promise<void> {
    return this.#firstLook;
  }

  view(): WatchView {
    return { repositoryId: this.#id, root: this.#root, state: this.#state, folders: this.#folders, why: this.#why };
  }

  async close(): Promise<void> {
    this.#state = "closed";
    this.#watcher.unwatch(this.#id);
    for (const cancel of this.#timers) cancel();
    this.#hasLooked();
    await this.#current;
    await this.#open?.close();
  }

  #look(): Promise<void> {
    this.#current = this.#lookNow().catch((cause: unknown) => this.#fail(cause));
    return this.#current;
  }

  async #lookNow(): Promise<void> {
    if (this.#state === "closed") return;
    if (this.#mustReopen || this.#open?.isThere !== true) await this.#reopen();
    const { open, known } = { open: this.#open, known: this.#known };
    if (open === undefined || this.#mustWait(open)) return;
    const everything = this.#everything;
    if (!everything && this.#paths.size === 0) return;
    const paths = [...this.#paths];
    this.#paths.clear();
    this.#everything = false;
    try {
      if (known === undefined) await this.#begin(open);
      else await this.#tell(open, known, paths, everything);
    } catch (cause) {
      this.#everything = true;
      throw cause;
    }
    this.#failures = 0;
    this.#hasLooked();
    if (this.#state === "polling") this.#pollLater();
  }

  async #reopen(): Promise<void> {
    this.#mustReopen = false;
    const last = this.#open;
    this.#open = undefined;
    this.#known = undefined;
    await last?.close();
    try {
      const open = await OpenFiles.open(this.#tools.git, this.#root, this.#tools.ownFolders);
      this.#known = await KnownFiles.load(this.#tools.store, this.#id, open.place);
      await open.rules.refresh();
      this.#open = open;
    } catch (cause) {
      this.#lose(toAnabranchError(cause).message);
      return;
    }
    this.#everything = true;
    if (this.#isClosed()) return;
    this.#state = "polling";
    this.#watch();
  }

  // Whoever waits may have closed it meanwhile.
  #isClosed(): boolean {
    return this.#state === "closed";
  }

  #pollLater(): void {
    this.#cancelPoll?.();
    this.#cancelPoll = this.#later(POLL_MS, () => {
      if (this.#state === "polling") this.#lookEverywhere();
    });
  }

  #watch(): void {
    if (this.#open === undefined || this.#state === "closed") return;
    const skip = this.#open.rules.folders.map((path) => Buffer.from(path).toString("latin1"));
    this.#watcher.watch(this.#id, this.#root, skip, {
      news: (news) => this.#heard(news),
      lost: () => this.#poll("the watcher has died"),
    });
  }

  #heard(news: WatcherNews): void {
    if (this.#state === "closed") return;
    switch (news.news) {
      case "ready":
        this.#state = "watching";
        [this.#folders, this.#why] = [news.folders, undefined];
        this.#lookEverywhere();
        return;
      case "changed":
        this.#gather(news.paths);
        return;
      case "missed":
        this.#lookEverywhere();
        return;
      case "gone":
        this.#mustReopen = true;
        this.#lookEverywhere();
        return;
      case "failed":
        this.#cannotWatch(news.code, news.message);
    }
  }

  #gather(paths: readonly string[]): void {
    this.#noteTime();
    for (const path of paths) this.#paths.add(decodePath(path));
    if (this.#paths.size > MOST_PATHS) this.#lookEverywhere();
    else this.#signal.raise();
  }

  #lookEverywhere(): void {
    this.#noteTime();
    this.#everything = true;
    this.#paths.clear();
    this.#signal.raise();
  }

  #noteTime(): void {
    this.#lastPathMs = this.#tools.clock.monotonicMs();
    if (this.#paths.size === 0 && !this.#everything) this.#firstPathMs = this.#lastPathMs;
  }

  /** What belongs together is looked at together: all that a git command does, and a burst until it ends. */
  #mustWait(open: OpenFiles): boolean {
    if (this.#paths.size === 0 && !this.#everything) return false;
    const nowMs = this.#tools.clock.monotonicMs();
    const waitedMs = nowMs - this.#firstPathMs;
    if (open.isBusy) this.#lastLockMs = nowMs;
    // HEAD moves once the index is written.
    const isLocked = nowMs - this.#lastLockMs < AFTER_LOCK_MS && waitedMs < LONGEST_LOCK_MS;
    const isBurst = this.#paths.size > FEW_PATHS && waitedMs < LONGEST_GATHER_MS;
    const waitMs = isLocked ? LOOK_AT_LOCK_MS : isBurst ? QUIET_MS - (nowMs - this.#lastPathMs) : 0;
    if (waitMs > 0) this.#later(waitMs, () => this.#signal.raise());
    return waitMs > 0;
  }

  /** Takes what there is as known. */
  async #begin(open: OpenFiles): Promise<void> {
    const { clock, sink } = this.#tools;
    const head = await open.head();
    const { known, statements } = KnownFiles.begin(this.#id, open.place, head, clock.wallMs());
    const { draft } = await findChanges(open, known, await open.survey(head), []);
    await sink([], [...statements, ...known.statementsFor(draft)]);
    known.take(draft);
    this.#known = known;
  }

  async #tell(open: OpenFiles, known: KnownFiles, paths: readonly string[], everything: boolean): Promise<void> {
    const { clock, sink, store } = this.#tools;
    const rulesChanged = everything || paths.some((path) => IgnoreRules.isRule(path));
    if (rulesChanged) await open.rules.refresh();
    const foldersBefore = open.rules.folders.length;
    const candidates = rulesChanged
      ? [...paths, ...(await open.survey(await open.head())), ...known.differentPaths]
      : paths;
    const sinceMs = this.#hasCompared ? clock.wallMs() - OWN_CHANGE_MS : 0;
    const own = await loadOwnChanges(store, this.#id, "file", sinceMs);
    const found = await findChanges(open, known, candidates, own);
    if (!open.isThere) {
      this.#signal.raise();
      return;
    }
    const shares = attribute(
      found.files,
      own,
      ({ path }) => path,
      ({ look }) => [look.state, look.stored, look.mark],
    );
    const events = shares.map((share, index) => this.#event(known, found, share, index));
    if (known.differsFrom(found.draft)) {
      faultPoint("watch.files");
      await sink(events, [
        ...known.statementsFor(found.draft),
        ...shares.flatMap(({ seen }) => seen.map((change) => forgetOwnChange(this.#id, "file", change))),
        ...(own.length > 0 ? [forgetOldOwnChanges(this.#id, "file", clock.wallMs() - OWN_CHANGE_MS)] : []),
      ]);
      faultPoint("watch.told");
      known.take(found.draft);
    }
    this.#hasCompared = true;
    if (this.#state === "watching" && (rulesChanged || open.rules.folders.length !== foldersBefore)) this.#watch();
  }

  #event(known: KnownFiles, found: FoundChanges, share: Share<ChangedFile>, index: number): NewEvent {
    const { run, cause, items } = share;
    const bulk = found.files.length > BULK_PATHS || (found.hasMoved && found.files.every((file) => file.isCheckedOut));
    return {
      atMs: this.#tools.clock.wallMs(),
      type: EVENT_TYPES.files,
      run,
      task: undefined,
      repositoryId: this.#id,
      cause,
      key: `${known.nextKey}:${index}`,
      data: {
        paths: items.slice(0, TOLD_PATHS).map(({ path, change }) => ({ path, change })),
        count: items.length,
        bulk,
        ...(run === undefined ? {} : { by: { run } }),
      },
    };
  }

  #cannotWatch(code: string, message: string): void {
    this.#poll(message);
    const { log, onTrouble } = this.#tools;
    log("warn", "files cannot be watched, so they are polled", { repository: this.#id, code, message });
    const isLimit = ["ENOSPC", "EMFILE", "ENFILE"].includes(code);
    onTrouble({
      repositoryId: this.#id,
      root: this.#root,
      message: `${this.#root} cannot be watched (${code}), so its files are compared every ${POLL_MS / 1000} s`,
      hint: isLimit
        ? "raise the limits: sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512"
        : "anabranch doctor",
    });
    this.#later(TRY_AGAIN_MS, () => this.#watch());
  }

  #poll(why: string): void {
    if (this.#state === "closed" || this.#state === "gone") return;
    this.#state = "polling";
    [this.#folders, this.#why] = [0, why];
    this.#lookEverywhere();
  }

  #lose(why: string): void {
    if (this.#state === "closed") return;
    this.#state = "gone";
    [this.#folders, this.#why] = [0, why];
    this.#paths.clear();
    this.#watcher.unwatch(this.#id);
    this.#hasLooked();
    this.#later(POLL_MS, () => this.#signal.raise());
  }

  #fail(cause: unknown): void {
    if (this.#state === "closed") return;
    this.#failures += 1;
    this.#hasLooked();
    const waitMs = Math.min(FAILED_MS * 2 ** (this.#failures - 1), 60_000);
    const { log } = this.#tools;
    log("error", "files could not be compared", {
      repository: this.#id,
      cause: String(cause),
      code: systemCodeOf(cause),
    });
    this.#later(waitMs, () => this.#signal.raise());
  }

  #later(waitMs: number, action: () => void): CancelTimer {
    const cancel = this.#tools.clock.after(waitMs, () => {
      this.#timers.delete(cancel);
      if (this.#state !== "closed") action();
    });
    this.#timers.add(cancel);
    return cancel;
  }
}
