import { createHash } from "node:crypto";
import {
  createReadStream,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
} from "node:fs";
import { chmod, copyFile, readdir, rename, rm, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";

import { systemCodeOf } from "../base/errors.ts";
import { findStats } from "../base/file-stats.ts";
import type { Mark } from "./acceptance.ts";

/** What stands at a path: a mark, `null` for nothing, or `"folder"` for what is no file. */
export type Standing = Mark | "folder";

/** Up to this size it is faster to read a file at once than to wait for it in pieces. */
const SMALL_BYTES = 128 * 1024;
const AT_ONCE = 32;

/** Looks at what stands at a path, byte for byte. */
export async function readMark(path: string): Promise<Standing> {
  const stat = findStats(path);
  if (stat === undefined) return null;
  if (stat.isSymbolicLink()) {
    return { kind: "link", digest: digestOf(readlinkSync(path, { encoding: "buffer" })), executable: false };
  }
  if (!stat.isFile()) return "folder";
  const digest = stat.size <= SMALL_BYTES ? digestOf(readFileSync(path)) : await digestFile(path);
  return { kind: "file", digest, executable: (stat.mode & 0o100) !== 0 };
}

/** Whether two looks saw the same. */
export function isSameMark(one: Standing, other: Standing): boolean {
  if (one === null || other === null || one === "folder" || other === "folder") return one === other;
  return one.kind === other.kind && one.digest === other.digest && one.executable === other.executable;
}

/** Does something for many files, some at once, and lets others have their turn in between. */
export async function forMany<Item, Result>(
  items: readonly Item[],
  action: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    const batch = items.slice(start, start + AT_ONCE);
    results.push(...(await Promise.all(batch.map((item, index) => action(item, start + index)))));
    await nextTurn();
  }
  return results;
}

/** Copies a file or a link, its rights included. */
export async function copyEntry(from: string, to: string): Promise<void> {
  if (lstatSync(from).isSymbolicLink()) await symlink(readlinkSync(from, { encoding: "buffer" }), to);
  else await copyFile(from, to);
}

/**
 * Moves a file or a link to where another may stand, by rename. Where it lies on another disk, it is copied first.
 * @param id names the copy, so that {@link removeCopy} finds one that was left by a kill
 */
export async function moveEntry(from: string, root: string, path: string, id: string): Promise<void> {
  const target = join(root, path);
  mkdirSync(dirname(target), { recursive: true });
  removeEmptyFolders(target);
  try {
    renameSync(from, target);
  } catch (cause) {
    if (systemCodeOf(cause) !== "EXDEV") throw cause;
    await moveAcross(from, target, copyOf(target, id));
  }
}

/** Removes the copy that a move from another disk may have left. */
export function removeCopy(root: string, path: string, id: string): void {
  const copy = copyOf(join(root, path), id);
  if (findStats(copy) !== undefined) rmSync(copy);
}

function copyOf(target: string, id: string): string {
  return join(dirname(target), `.${digestOf(Buffer.from(basename(target))).slice(0, 16)}.${id}.tmp`);
}

async function moveAcross(from: string, target: string, temporary: string): Promise<void> {
  try {
    rmSync(temporary, { force: true });
    await copyEntry(from, temporary);
    await rename(temporary, target);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw cause;
  }
}

/** Removes a file, and the folders that it leaves empty: git knows none of these. */
export function removeEntry(root: string, path: string): void {
  rmSync(join(root, path), { force: true });
  for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) {
    try {
      rmdirSync(join(root, folder));
    } catch {
      return;
    }
  }
}

/** Removes a folder that holds nothing but folders; anything else it leaves as it is. */
function removeEmptyFolders(path: string): void {
  if (findStats(path)?.isDirectory() !== true) return;
  for (const name of readdirSync(path)) removeEmptyFolders(join(path, name));
  try {
    rmdirSync(path);
  } catch {
    // Something is in it: the rename says so.
  }
}

/** Gives a file that takes another's place the other's rights, but for its own right to be executed. */
export async function takeOverRights(path: string, from: string): Promise<void> {
  const [own, other] = [lstatSync(path), findStats(from)];
  if (!own.isFile() || other?.isFile() !== true) return;
  const readable = other.mode & 0o666;
  const mode = (own.mode & 0o100) === 0 ? readable : readable | ((readable & 0o444) >> 2);
  if (mode !== (own.mode & 0o777)) await chmod(path, mode);
}

/** Every file below a folder, by its path from the root. */
export async function listFilesBelow(root: string, path: string): Promise<string[]> {
  const entries = await readdir(join(root, path), { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry) => {
      const inner = `${path}/${entry.name}`;
      return entry.isDirectory() ? listFilesBelow(root, inner) : [inner];
    }),
  );
  return found.flat();
}

/** Finds what is no folder above paths, but a link or a file: it would lead a write out of the working tree. */
export class ObstacleFinder {
  readonly #root: string;
  readonly #going: ReadonlySet<string>;
  readonly #known = new Map<string, string | undefined>();

  /** @param going paths that make room themselves */
  constructor(root: string, going: ReadonlySet<string> = new Set()) {
    this.#root = root;
    this.#going = going;
  }

  /** The obstacle above a path, if there is one. */
  above(path: string): string | undefined {
    const folder = dirname(path);
    if (folder === ".") return undefined;
    if (!this.#known.has(folder)) this.#known.set(folder, this.above(folder) ?? this.#at(folder));
    return this.#known.get(folder);
  }

  #at(folder: string): string | undefined {
    const stat = findStats(join(this.#root, folder));
    return stat === undefined || stat.isDirectory() || this.#going.has(folder) ? undefined : folder;
  }
}

function digestOf(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

async function digestFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    hash.update(piece);
  }
  return hash.digest("hex");
}
