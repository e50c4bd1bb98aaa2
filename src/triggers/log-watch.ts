/**
 * Brings the lines of log files that triggers wait for. A file has one follower, however many triggers wait for its lines.
 *
 * Invariants:
 * 1. A line that matches makes one event for each trigger, also across a kill: the place in the file moves with the events.
 * 2. A trigger gets a thousand events a second at most; how many more there were in that second is one event.
 * 3. Matching never holds up the daemon for long: only the start of a line is matched, and others get their turn between.
 */
import { groupBy } from "../base/group.ts";
import { Turns } from "../base/turns.ts";
import { forgetCursors } from "../store/cursors.ts";
import { cursorOf, LogFile, type LogWatchParts, type LogWish } from "./log-file.ts";
import type { WatchedSource } from "./source.ts";

/** See the head of this file. */
export class LogWatch implements WatchedSource<LogWish> {
  readonly #parts: LogWatchParts;
  readonly #turns = new Turns();
  #files = new Map<string, LogFile>();

  constructor(parts: LogWatchParts) {
    this.#parts = parts;
  }

  want(wishes: readonly LogWish[]): Promise<void> {
    return this.#turns.run("want", async () => {
      const wanted = groupBy(wishes, ({ file }) => file);
      const gone = [...this.#files.keys()].filter((file) => !wanted.has(file));
      for (const file of gone) await this.#files.get(file)?.close();
      // What comes while nobody wants it does not count later.
      if (gone.length > 0) await this.#parts.store.commit(gone.map((file) => forgetCursors(cursorOf(file))));
      for (const file of gone) this.#files.delete(file);
      for (const [file, ofFile] of wanted) {
        const known = this.#files.get(file) ?? new LogFile(file, this.#parts);
        this.#files.set(file, known);
        await known.want(ofFile);
      }
    });
  }

  async close(): Promise<void> {
    await this.#turns.run("want", async () => {
      await Promise.all([...this.#files.values()].map((file) => file.close()));
    });
  }
}
