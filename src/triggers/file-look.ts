import { createHash } from "node:crypto";
import { createReadStream, lstatSync, readFileSync, readlinkSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";

import { encodePath } from "../git/path-bytes.ts";
import { LINK_MODE, markState, NOTHING } from "./file-state.ts";

/** What stands at a path now. */
export interface FileLook {
  readonly state: string;
  /** The same with the line ends that git would store, where the file has others. */
  readonly stored?: string | undefined;
  /** The same as journals of Anabranch name it, where that was asked for. */
  readonly mark?: string | undefined;
}

/** A larger file is told apart by its size and times instead of its content. */
const LARGEST_BYTES = 64 * 1024 * 1024;
const SMALL_BYTES = 1024 * 1024;
const AT_ONCE = 32;

/** Looks at files of one working tree, byte for byte. Links are looked at themselves, and none is followed. */
export class FileLooker {
  readonly #root: string;
  readonly #format: "sha1" | "sha256";

  constructor(root: string, format: "sha1" | "sha256") {
    this.#root = root;
    this.#format = format;
  }

  /**
   * Looks at many, and lets others have their turn in between.
   * @param marked those whose marks are asked for
   */
  async lookAll(paths: readonly string[], marked: ReadonlySet<string>): Promise<Map<string, FileLook>> {
    const isFolder = new Map<string, boolean>([[".", true]]);
    const looks = new Map<string, FileLook>();
    for (let at = 0; at < paths.length; at += AT_ONCE) {
      const some = paths.slice(at, at + AT_ONCE);
      const found = await Promise.all(some.map((path) => this.#look(path, isFolder, marked.has(path))));
      for (const [index, path] of some.entries()) looks.set(path, found[index] ?? { state: NOTHING });
      await nextTurn();
    }
    return looks;
  }

  async #look(path: string, isFolder: Map<string, boolean>, isMarked: boolean): Promise<FileLook> {
    try {
      const place = this.#absolute(path);
      const stat = this.#isBelowFolders(path, isFolder) ? statOf(place) : undefined;
      if (stat?.isSymbolicLink() === true) return this.#lookAtLink(place, isMarked);
      if (stat?.isFile() !== true) return { state: NOTHING, mark: markState(null) };
      const executable = (stat.mode & 0o100) !== 0;
      const mode = executable ? "100755" : "100644";
      const content = stat.size <= SMALL_BYTES ? readFileSync(place) : undefined;
      const ids = content === undefined ? await this.#longIds(place, stat, isMarked) : this.#ids(content, isMarked);
      const state = `${mode}:${ids.oid}`;
      return {
        state,
        stored:
          content?.includes("\r\n") === true ? `${mode}:${this.#ids(withoutReturns(content), false).oid}` : undefined,
        mark: isMarked ? markState({ kind: "file", digest: ids.digest, executable }) : undefined,
      };
    } catch {
      // It has gone in between, or nobody may read it.
      return { state: NOTHING, mark: markState(null) };
    }
  }

  #lookAtLink(place: Buffer, isMarked: boolean): FileLook {
    const { oid, digest } = this.#ids(readlinkSync(place, { encoding: "buffer" }), isMarked);
    return { state: `${LINK_MODE}:${oid}`, mark: markState({ kind: "link", digest, executable: false }) };
  }

  /** Behind a link is nothing of this working tree. */
  #isBelowFolders(path: string, isFolder: Map<string, boolean>): boolean {
    const folder = dirname(path);
    const known = isFolder.get(folder);
    if (known !== undefined) return known;
    const found = this.#isBelowFolders(folder, isFolder) && statOf(this.#absolute(folder))?.isDirectory() === true;
    isFolder.set(folder, found);
    return found;
  }

  #absolute(path: string): Buffer {
    return Buffer.concat([Buffer.from(`${this.#root}/`), Buffer.from(encodePath(path), "latin1")]);
  }

  #ids(content: Uint8Array, isMarked: boolean): { oid: string; digest: string } {
    return {
      oid: createHash(this.#format).update(`blob ${content.length}\0`).update(content).digest("hex"),
      digest: isMarked ? createHash("sha256").update(content).digest("hex") : "",
    };
  }

  async #longIds(place: Buffer, stat: Stats, isMarked: boolean): Promise<{ oid: string; digest: string }> {
    const isNamed = stat.size <= LARGEST_BYTES;
    const named = createHash(this.#format).update(`blob ${stat.size}\0`);
    const marked = createHash("sha256");
    if (isNamed || isMarked) {
      for await (const piece of createReadStream(place) as AsyncIterable<Buffer>) {
        if (isNamed) named.update(piece);
        if (isMarked) marked.update(piece);
      }
    }
    const oid = isNamed ? named.digest("hex") : `~${stat.size}:${stat.mtimeMs}`;
    return { oid, digest: isMarked ? marked.digest("hex") : "" };
  }
}

function statOf(path: Buffer): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function withoutReturns(content: Buffer): Buffer {
  return Buffer.from(content.toString("latin1").replaceAll("\r\n", "\n"), "latin1");
}
