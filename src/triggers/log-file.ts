import { createHash } from "node:crypto";

import type { CancelTimer, Clock } from "../base/clock.ts";
import { faultPoint } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { Turns } from "../base/turns.ts";
import type { Cause } from "../engine/cause.ts";
import { EVENT_TYPES } from "../engine/trigger.ts";
import { loadCursor, moveCursor } from "../store/cursors.ts";
import type { NewEvent } from "../store/events.ts";
import type { Statement, Store } from "../store/port.ts";
import type { FilePlace } from "./file-place.ts";
import { LineFollower } from "./line-follower.ts";
import type { EventSink } from "./source.ts";

/** A trigger that waits for lines of a file. */
export interface LogWish {
  readonly triggerId: string;
  readonly repositoryId: string;
  /** An absolute path. */
  readonly file: string;
  /** The source of a regular expression that is safe to match. */
  readonly match: string;
}

/** What the watch works with. */
export interface LogWatchParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly sink: EventSink;
  /** What has led to the lines that come now for a trigger, as far as can be told. */
  readonly causeOf?: (wish: LogWish) => Cause | undefined;
}

/** More matches of a trigger in a second are counted only. */
export const MOST_MATCHES = 1000;
/** So much of a line is matched, and kept. */
export const MATCHED_CHARACTERS = 4096;
const KEPT_GROUP_CHARACTERS = 1024;
const SAVE_EVERY_MS = 5000;
const LONGEST_TURN_MS = 10;

interface Matcher {
  readonly wish: LogWish;
  readonly pattern: RegExp;
  /** How many have matched in the present second. */
  count: number;
}

interface LogCursor {
  readonly place: FilePlace;
  /** By trigger: how many lines were more than a second takes, of which no event tells yet. */
  readonly skipped: Readonly<Record<string, number>>;
}

/** One file, and the triggers that wait for its lines. */
export class LogFile {
  readonly #file: string;
  readonly #parts: LogWatchParts;
  readonly #turns = new Turns();
  #matchers: Matcher[] = [];
  #follower: LineFollower | undefined;
  #place: FilePlace | undefined;
  #skipped: Record<string, number> = {};
  #second = 0;
  #savedMs = 0;
  #savedInode: string | undefined;
  #cancel: CancelTimer | undefined;

  constructor(file: string, parts: LogWatchParts) {
    this.#file = file;
    this.#parts = parts;
  }

  async want(wishes: readonly LogWish[]): Promise<void> {
    const known = new Map(this.#matchers.map((matcher) => [matcher.wish.triggerId, matcher]));
    this.#matchers = wishes.flatMap((wish) => {
      const pattern = this.#readPattern(wish);
      return pattern === undefined ? [] : [{ wish, pattern, count: known.get(wish.triggerId)?.count ?? 0 }];
    });
    if (this.#follower !== undefined) return;
    const cursor = await loadCursor<LogCursor>(this.#parts.store, cursorOf(this.#file));
    this.#skipped = { ...cursor?.data?.skipped };
    this.#place = cursor?.data?.place;
    if (Object.keys(this.#skipped).length > 0) this.#tellSkippedLater();
    const { clock, log } = this.#parts;
    this.#follower = new LineFollower({
      clock,
      log,
      path: this.#file,
      from: this.#place ?? "end",
      take: (lines, place) => this.#turns.run("take", () => this.#take(lines, place)),
    });
    const look = this.#follower.look();
    // Where it is seen first, what comes from now on counts; where there may be much to read, nobody waits for that.
    if (cursor === undefined) await look;
  }

  async close(): Promise<void> {
    this.#cancel?.();
    await this.#follower?.close();
    await this.#turns.run("take", () => Promise.resolve());
  }

  // What could not be read was refused when the trigger was settled; by another version perhaps it was not.
  #readPattern({ match, triggerId }: LogWish): RegExp | undefined {
    try {
      return new RegExp(match, "u");
    } catch (cause) {
      this.#parts.log("warn", "the pattern of a trigger cannot be read", { trigger: triggerId, cause: String(cause) });
      return undefined;
    }
  }

  async #take(lines: readonly string[], place: FilePlace): Promise<void> {
    const nowMs = this.#parts.clock.monotonicMs();
    this.#beginSecond(nowMs);
    const skipped = { ...this.#skipped };
    const counts = this.#matchers.map(({ count }) => count);
    const events = await this.#match(lines, skipped);
    const isOld = nowMs - this.#savedMs >= SAVE_EVERY_MS || this.#savedInode !== place.inode;
    if (events.length > 0 || isOld || Object.keys(skipped).length > 0) {
      try {
        await this.#keep(events, place, skipped);
      } catch (cause) {
        // The same lines come again.
        this.#matchers.forEach((matcher, index) => (matcher.count = counts[index] ?? 0));
        throw cause;
      }
    }
    this.#place = place;
  }

  async #keep(events: readonly NewEvent[], place: FilePlace, skipped: Record<string, number>): Promise<void> {
    faultPoint("log.matched");
    await this.#parts.sink(events, [this.#moveTo(place, skipped)]);
    faultPoint("log.kept");
    this.#skipped = skipped;
    this.#savedMs = this.#parts.clock.monotonicMs();
    this.#savedInode = place.inode;
    if (Object.keys(skipped).length > 0) this.#tellSkippedLater();
  }

  #beginSecond(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (second === this.#second) return;
    this.#second = second;
    for (const matcher of this.#matchers) matcher.count = 0;
  }

  async #match(lines: readonly string[], skipped: Record<string, number>): Promise<NewEvent[]> {
    const events: NewEvent[] = [];
    const { clock } = this.#parts;
    const causes = new Map(this.#matchers.map(({ wish }) => [wish, this.#parts.causeOf?.(wish)]));
    let sinceMs = clock.monotonicMs();
    for (const line of lines) {
      const start = line.slice(0, MATCHED_CHARACTERS);
      for (const matcher of this.#matchers) {
        const found = matcher.pattern.exec(start);
        if (found === null) continue;
        matcher.count += 1;
        const { triggerId } = matcher.wish;
        if (matcher.count <= MOST_MATCHES)
          events.push(this.#eventOf(matcher.wish, causes.get(matcher.wish), { line: start, groups: groupsOf(found) }));
        else skipped[triggerId] = (skipped[triggerId] ?? 0) + 1;
      }
      if (clock.monotonicMs() - sinceMs < LONGEST_TURN_MS) continue;
      await new Promise((resolve) => setImmediate(resolve));
      sinceMs = clock.monotonicMs();
    }
    return events;
  }

  #tellSkippedLater(): void {
    this.#cancel ??= this.#parts.clock.after(1000, () => {
      this.#cancel = undefined;
      void this.#turns.run("take", () => this.#tellSkipped());
    });
  }

  async #tellSkipped(): Promise<void> {
    const events = Object.entries(this.#skipped).flatMap(([triggerId, skipped]) => {
      const wish = this.#matchers.find((matcher) => matcher.wish.triggerId === triggerId)?.wish;
      return wish === undefined ? [] : [this.#eventOf(wish, this.#parts.causeOf?.(wish), { skipped })];
    });
    if (this.#place === undefined) return;
    try {
      await this.#parts.sink(events, [this.#moveTo(this.#place, {})]);
      this.#skipped = {};
    } catch (cause) {
      this.#parts.log("error", "an event of a log file could not be kept; it is tried again", { cause: String(cause) });
      this.#tellSkippedLater();
    }
  }

  #moveTo(place: FilePlace, skipped: Readonly<Record<string, number>>): Statement {
    return moveCursor(cursorOf(this.#file), place.offset, { place, skipped } satisfies LogCursor);
  }

  #eventOf(wish: LogWish, cause: Cause | undefined, data: Readonly<Record<string, unknown>>): NewEvent {
    return {
      atMs: this.#parts.clock.wallMs(),
      type: EVENT_TYPES.log,
      run: undefined,
      task: undefined,
      repositoryId: wish.repositoryId,
      cause,
      data: { trigger: wish.triggerId, file: wish.file, ...data },
    };
  }
}

function groupsOf({ groups = {} }: RegExpExecArray): Record<string, string> {
  return Object.fromEntries(
    Object.entries(groups).flatMap(([name, text]) =>
      (text as string | undefined) === undefined ? [] : [[name, text.slice(0, KEPT_GROUP_CHARACTERS)]],
    ),
  );
}

/** The name of the cursor of a file. */
export function cursorOf(file: string): string {
  return `log:${createHash("sha256").update(file).digest("base64url").slice(0, 22)}`;
}
