import { isAbsolute, join } from "node:path";

import type { EventSource } from "../../engine/trigger.ts";
import type { FileWish } from "../../triggers/file-watch.ts";
import type { LogWish } from "../../triggers/log-file.ts";
import type { RefWish } from "../../triggers/repository-refs.ts";
import type { WatchedSource } from "../../triggers/source.ts";
import type { TimerWish } from "../../triggers/timer.ts";
import type { HookWish } from "../../triggers/hook-book.ts";
import type { LiveSet, LiveTrigger, TriggerBook } from "./trigger-book.ts";

/** Everything outside that events come from. */
export interface Sources {
  readonly files: WatchedSource<FileWish>;
  readonly refs: WatchedSource<RefWish>;
  readonly timers: WatchedSource<TimerWish>;
  readonly hooks: WatchedSource<HookWish>;
  readonly logs: WatchedSource<LogWish>;
}

/** Lets the sources bring what the triggers that act wait for, and nothing else. */
export class TriggerSources {
  readonly #book: TriggerBook;
  readonly #sources: Sources;

  readonly #commonDirectoryOf: (repositoryId: string) => Promise<string>;

  /** @param commonDirectoryOf the git directory that all worktrees of a repository share */
  constructor(book: TriggerBook, sources: Sources, commonDirectoryOf: (repositoryId: string) => Promise<string>) {
    this.#commonDirectoryOf = commonDirectoryOf;
    this.#book = book;
    this.#sources = sources;
  }

  /** Other triggers act than before. */
  async refresh(): Promise<void> {
    const sets = this.#book.all();
    const { files, refs, timers, hooks, logs } = this.#sources;
    const refWishes = sets.filter(hasActive("ref")).map(async (set) => {
      const place = placeOf(set);
      return { ...place, commonDirectory: await this.#commonDirectoryOf(place.repositoryId) };
    });
    await Promise.all([
      refs.want(await Promise.all(refWishes)),
      files.want(sets.filter(hasActive("files")).map(placeOf)),
      timers.want(
        wishes(sets, "timer", ({ when, missed }, { id, repositoryId }) => ({
          triggerId: id,
          repositoryId,
          when,
          missed,
        })),
      ),
      hooks.want(
        wishes(sets, "webhook", ({ hook, signature }, { repositoryId }) => ({ repositoryId, hook, signature })),
      ),
      logs.want(
        wishes(sets, "log", ({ file, match }, { id, repositoryId }, { row }) => ({
          triggerId: id,
          repositoryId,
          file: isAbsolute(file) ? file : join(row.root, file),
          match,
        })),
      ),
    ]);
  }

  /** Lets go of everything outside. */
  async close(): Promise<void> {
    await Promise.all(Object.values(this.#sources).map((source) => source.close()));
  }
}

function activeTriggers({ triggers }: LiveSet): LiveTrigger[] {
  return [...triggers.values()].filter(({ state }) => state === "active");
}

function placeOf({ row }: LiveSet): { readonly repositoryId: string; readonly root: string } {
  return { repositoryId: row.repositoryId, root: row.root };
}

function hasActive(type: EventSource["type"]): (set: LiveSet) => boolean {
  return (set) => activeTriggers(set).some(({ spec }) => spec.source.type === type);
}

function wishes<Type extends EventSource["type"], Wish>(
  sets: readonly LiveSet[],
  type: Type,
  wishOf: (source: Extract<EventSource, { readonly type: Type }>, trigger: LiveTrigger, set: LiveSet) => Wish,
): Wish[] {
  return sets.flatMap((set) =>
    activeTriggers(set).flatMap((trigger) => {
      const { source } = trigger.spec;
      return source.type === type
        ? [wishOf(source as Extract<EventSource, { readonly type: Type }>, trigger, set)]
        : [];
    }),
  );
}
