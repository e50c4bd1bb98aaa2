/**
 * Follows a file that grows, line by line.
 *
 * nowhere → following → leaving → following …
 * - `nowhere`: there is no file; the next one is read from its start.
 * - `following`: what is added is read; a file that has become shorter, or begins otherwise, is read from its start.
 * - `leaving`: another file has taken the name. What is left of the old one is read first, and its last line counts even
 *   without an end; once nothing more is written to it, the new one is followed from its start.
 *
 * Invariants:
 * 1. Lines are given in order, and the place moves only once whoever takes them has them; what was not taken comes again.
 * 2. No more than a piece of the file is in memory, however long its lines are and however much there is to read.
 * 3. Begun at a place, it finds the file there again under a name that starts like the old one, as rotation leaves it.
 */
import { constants } from "node:fs";
import { open, readdir, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import type { CancelTimer, Clock } from "../base/clock.ts";
import { systemCodeOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { createSignal } from "../base/signal.ts";
import { Turns } from "../base/turns.ts";
import { isMarked, markOf, NOWHERE, readAt, type FilePlace } from "./file-place.ts";
import { cutLines, LONGEST_LINE_BYTES } from "./line-bytes.ts";

/** Takes lines, in order, with the place after them; without lines, when there is another place. */
type TakeLines = (lines: readonly string[], place: FilePlace) => Promise<void>;

/** What a follower works with. */
export interface LineFollowerParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly path: string;
  /** `end`: what is in the file already does not count. */
  readonly from: FilePlace | "start" | "end";
  readonly take: TakeLines;
}

const PIECE_BYTES = 4 * LONGEST_LINE_BYTES;
const [SOON_MS, LATE_MS] = [200, 1000];
/** How often an old file that is gone or has a successor is looked at without anything new in it. */
const [QUIET_LOOKS, QUIET_LOOKS_GONE] = [1, 20];
const MOST_NAMES = 1000;

/** See the head of this file. */
export class LineFollower {
  readonly #parts: LineFollowerParts;
  readonly #turns = new Turns();
  readonly #signal = createSignal(() => this.look());
  #place: FilePlace | undefined;
  #file: FileHandle | undefined;
  #seenBytes = -1;
  #quietLooks = 0;
  #waitMs = SOON_MS;
  #complaint = "";
  #cancel: CancelTimer | undefined;
  #isClosed = false;

  constructor(parts: LineFollowerParts) {
    this.#parts = parts;
  }

  /** Reads what there is now; afterwards it looks by itself, several times a second while there is something new. */
  look(): Promise<void> {
    return this.#turns.run("look", async () => {
      if (this.#isClosed) return;
      this.#cancel?.();
      try {
        const isNew = await this.#readNew();
        this.#complaint = "";
        this.#waitMs = isNew ? SOON_MS : Math.min(2 * this.#waitMs, LATE_MS);
      } catch (cause) {
        this.#complain(cause);
        this.#waitMs = LATE_MS;
      }
      this.#cancel = this.#parts.clock.after(this.#waitMs, () => this.#signal.raise());
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await this.#turns.run("look", () => this.#leave());
  }

  /** Says once what is wrong. */
  #complain(cause: unknown): void {
    const complaint = String(cause);
    if (complaint === this.#complaint) return;
    this.#complaint = complaint;
    this.#parts.log("warn", "a log file cannot be followed; it is tried again", {
      file: this.#parts.path,
      cause: complaint,
    });
  }

  async #readNew(): Promise<boolean> {
    this.#place ??= await this.#begin();
    const before = this.#place;
    for (;;) {
      this.#file ??= await this.#openNext();
      if (this.#file === undefined) break;
      await this.#noticeShorter(this.#file);
      const isNew = await this.#readOn(this.#file);
      if (!(await this.#isLeft(this.#file, isNew))) break;
      await this.#readOn(this.#file, true);
      await this.#leave();
      await this.#move([], NOWHERE);
    }
    return this.#place !== before;
  }

  /** Finds where to begin, and opens the file there, if there is one. */
  async #begin(): Promise<FilePlace> {
    const { from, path } = this.#parts;
    if (typeof from === "object") {
      if (from.inode === "") return from;
      this.#file = await this.#findFile(from);
      return this.#file === undefined ? NOWHERE : from;
    }
    const file = from === "start" ? undefined : await openFile(path);
    try {
      const place = file === undefined ? NOWHERE : await lastLineOf(file);
      await this.#parts.take([], place);
      this.#file = file;
      return place;
    } finally {
      if (this.#file === undefined) await file?.close();
    }
  }

  /** The file of a place: under its own name, or one that rotation has given it. */
  async #findFile(place: FilePlace): Promise<FileHandle | undefined> {
    const { path } = this.#parts;
    const others = (await readdir(dirname(path)).catch(() => []))
      .filter((name) => name.startsWith(basename(path)) && name !== basename(path))
      .slice(0, MOST_NAMES);
    for (const name of [basename(path), ...others]) {
      const candidate = join(dirname(path), name);
      if (String((await stat(candidate).catch(() => undefined))?.ino) !== place.inode) continue;
      const file = await openFile(candidate);
      if (file === undefined) continue;
      if ((await file.stat()).size >= place.offset && (await isMarked(file, place.mark))) return file;
      await file.close();
    }
    return undefined;
  }

  async #openNext(): Promise<FileHandle | undefined> {
    const file = await openFile(this.#parts.path);
    if (file === undefined) return undefined;
    const { ino } = await file.stat();
    this.#seenBytes = -1;
    this.#quietLooks = 0;
    await this.#move([], { inode: String(ino), offset: 0, mark: await markOf(file, 0) });
    return file;
  }

  /** A file that has become shorter, or that begins otherwise than what was read, was written anew. */
  async #noticeShorter(file: FileHandle): Promise<void> {
    const place = this.#place ?? NOWHERE;
    const { size, ino } = await file.stat();
    if (size === this.#seenBytes || (size >= place.offset && (await isMarked(file, place.mark)))) return;
    this.#seenBytes = -1;
    await this.#move([], { inode: String(ino), offset: 0, mark: await markOf(file, 0) });
  }

  /** Reads what has been added, as far as it is whole lines. */
  async #readOn(file: FileHandle, isLast = false): Promise<boolean> {
    const { size, ino } = await file.stat();
    if (size === this.#seenBytes && !isLast) return false;
    let isNew = false;
    for (;;) {
      const { offset } = this.#place ?? NOWHERE;
      const piece = await readAt(file, offset, Math.min(PIECE_BYTES, Math.max(size - offset, 0)));
      const isEnd = offset + piece.length >= size;
      const { lines, bytes } = cutLines(piece, isLast && isEnd);
      if (bytes > 0) {
        const next = offset + bytes;
        await this.#move(lines, { inode: String(ino), offset: next, mark: await markOf(file, next) });
        isNew = true;
      }
      if (isEnd || bytes === 0 || this.#isClosed) break;
    }
    this.#seenBytes = size;
    return isNew;
  }

  /** Whether the file has lost its name, and nothing more is written to it. */
  async #isLeft(file: FileHandle, isNew: boolean): Promise<boolean> {
    const [{ ino }, named] = await Promise.all([file.stat(), stat(this.#parts.path).catch(() => undefined)]);
    if (named?.ino === ino) {
      this.#quietLooks = 0;
      return false;
    }
    this.#quietLooks = isNew ? 0 : this.#quietLooks + 1;
    return this.#quietLooks > (named === undefined ? QUIET_LOOKS_GONE : QUIET_LOOKS);
  }

  async #move(lines: readonly string[], place: FilePlace): Promise<void> {
    await this.#parts.take(lines, place);
    this.#place = place;
  }

  async #leave(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}

/** Opens a file for reading; what is none, such as a pipe, would never end. */
async function openFile(path: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (["ENOENT", "ENOTDIR"].includes(systemCodeOf(cause) ?? "")) return undefined;
    throw cause;
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error(`${path} is not a file`);
}

/** The place where the last line of a file begins that has no end yet; its end, where all have. */
async function lastLineOf(file: FileHandle): Promise<FilePlace> {
  const { size, ino } = await file.stat();
  const start = Math.max(0, size - LONGEST_LINE_BYTES);
  const tail = await readAt(file, start, size - start);
  const end = tail.lastIndexOf(0x0a);
  const offset = end !== -1 ? start + end + 1 : start === 0 ? 0 : size;
  return { inode: String(ino), offset, mark: await markOf(file, offset) };
}
