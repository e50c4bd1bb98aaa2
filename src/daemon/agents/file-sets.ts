import { isAbsolute, join, relative } from "node:path";

import type { FileEntry, FileSets } from "../../store/sessions.ts";

/** A set that is larger is cut; it then says so. */
const MOST_ENTRIES = 2000;

/**
 * Collects which files a session reads and writes. What its tools say is exact; what its commands read is unknown,
 * unless they are traced; what they write is found in the workspace afterwards.
 */
export class FileSetRecorder {
  readonly #tree: string;
  readonly #reads = new Map<string, FileEntry["confidence"]>();
  readonly #writes = new Map<string, FileEntry["confidence"]>();
  readonly #outside = new Set<string>();
  #hasRunCommands = false;
  #isTraced = false;
  #cut = false;

  /** @param earlier what was collected before the session was taken up again */
  constructor(tree: string, earlier?: FileSets) {
    this.#tree = tree;
    if (earlier === undefined) return;
    for (const { path, confidence } of earlier.reads) this.#reads.set(path, confidence);
    for (const { path, confidence } of earlier.writes) this.#writes.set(path, confidence);
    for (const path of earlier.outside) this.#outside.add(path);
    this.#hasRunCommands = !earlier.readsComplete;
    this.#cut = earlier.cut;
  }

  /** A tool has surely read or written a file. */
  file(access: "read" | "write", path: string, confidence: FileEntry["confidence"] = "exact"): void {
    const inside = this.locate(path);
    if (inside === undefined) this.outside(path);
    else this.#add(access === "read" ? this.#reads : this.#writes, inside, confidence);
  }

  /** A command has run: what it read is not known. */
  command(): void {
    this.#hasRunCommands = true;
  }

  /** All commands were traced, and this is what they read; git's own files are no work of anybody's. */
  traced(reads: Iterable<string>): void {
    this.#isTraced = true;
    for (const path of reads) {
      const inside = this.locate(path);
      if (inside !== undefined && !/^\.git(\/|$)/.test(inside)) this.#add(this.#reads, inside, "traced");
    }
  }

  /** Something outside of the workspace was touched, or was to be. */
  outside(path: string): void {
    if (this.#outside.size < MOST_ENTRIES) this.#outside.add(path);
    else this.#cut = true;
  }

  /** The paths in which the workspace differs from its base: where no tool said so, a command wrote them. */
  found(paths: Iterable<string>): void {
    for (const path of paths) this.#add(this.#writes, path, "found");
  }

  /** A path from the root of the workspace, or `undefined` outside of it. */
  locate(path: string): string | undefined {
    const inside = relative(this.#tree, isAbsolute(path) ? path : join(this.#tree, path));
    return inside === ".." || inside.startsWith("../") || isAbsolute(inside) ? undefined : inside;
  }

  /** What was collected. */
  sets(): FileSets {
    return {
      reads: entriesOf(this.#reads),
      readsComplete: this.#isTraced || !this.#hasRunCommands,
      writes: entriesOf(this.#writes),
      outside: [...this.#outside],
      cut: this.#cut,
    };
  }

  #add(set: Map<string, FileEntry["confidence"]>, path: string, confidence: FileEntry["confidence"]): void {
    if (set.has(path)) return;
    if (set.size < MOST_ENTRIES) set.set(path, confidence);
    else this.#cut = true;
  }
}

function entriesOf(set: ReadonlyMap<string, FileEntry["confidence"]>): FileEntry[] {
  return [...set].map(([path, confidence]) => ({ path, confidence }));
}
