import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, copyFile, lstat, mkdir, readdir, readlink, rename, rm, rmdir, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { systemCodeOf } from "../base/errors.ts";
import { newId, systemRandom } from "../base/ids.ts";
import type { Mark } from "./acceptance.ts";

/** What stands at a path: a mark, `null` for nothing, or `"folder"` for what is no file. */
export type Standing = Mark | "folder";

/** Looks at what stands at a path, byte for byte. */
export async function readMark(path: string): Promise<Standing> {
  const stat = await lstat(path).catch(absent);
  if (stat === undefined) return null;
  if (stat.isSymbolicLink()) {
    const target = await readlink(path, { encoding: "buffer" }).catch(absent);
    return target === undefined ? null : { kind: "link", digest: digestOf(target), executable: false };
  }
  if (!stat.isFile()) return "folder";
  const digest = await digestFile(path).catch(absent);
  return digest === undefined ? null : { kind: "file", digest, executable: (stat.mode & 0o100) !== 0 };
}

/** Whether two looks saw the same. */
export function isSameMark(one: Standing, other: Standing): boolean {
  if (one === null || other === null || one === "folder" || other === "folder") return one === other;
  return one.kind === other.kind && one.digest === other.digest && one.executable === other.executable;
}

function digestOf(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

async function digestFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) hash.update(piece);
  return hash.digest("hex");
}

/** Copies a file or a link, its rights included. */
export async function copyEntry(from: string, to: string): Promise<void> {
  const stat = await lstat(from);
  if (stat.isSymbolicLink()) await symlink(await readlink(from, { encoding: "buffer" }), to);
  else await copyFile(from, to);
}

/** Puts a copy of a file or a link in the place of whatever file stands at a path, by rename. */
export async function putEntry(from: string, root: string, path: string): Promise<void> {
  const target = join(root, path);
  await mkdir(dirname(target), { recursive: true });
  const temporary = join(dirname(target), `.${basename(target).slice(0, 60)}.${newId(systemRandom)}.tmp`);
  try {
    await copyEntry(from, temporary);
    await removeEmptyFolders(target);
    await rename(temporary, target);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw cause;
  }
}

/** Removes a file, and the folders that it leaves empty: git knows none of these. */
export async function removeEntry(root: string, path: string): Promise<void> {
  await rm(join(root, path), { force: true });
  for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) {
    const removed = await rmdir(join(root, folder)).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}

/** Removes a folder that holds nothing but folders; anything else it leaves as it is. */
async function removeEmptyFolders(path: string): Promise<void> {
  const stat = await lstat(path).catch(absent);
  if (stat?.isDirectory() !== true) return;
  for (const name of await readdir(path)) await removeEmptyFolders(join(path, name));
  await rmdir(path).catch(() => undefined);
}

/** Gives a file that takes another's place the other's rights, but for its own right to be executed. */
export async function takeOverRights(path: string, from: string): Promise<void> {
  const [own, other] = [await lstat(path), await lstat(from).catch(absent)];
  if (!own.isFile() || other?.isFile() !== true) return;
  const readable = other.mode & 0o666;
  await chmod(path, (own.mode & 0o100) === 0 ? readable : readable | ((readable & 0o444) >> 2));
}

/** Every file below a folder, by its path from there. */
export async function listFilesBelow(root: string, path: string): Promise<string[]> {
  const entries = await readdir(join(root, path), { withFileTypes: true });
  const found = await Promise.all(
    entries.map((entry) => {
      const inner = `${path}/${entry.name}`;
      return entry.isDirectory() ? listFilesBelow(root, inner) : [inner];
    }),
  );
  return found.flat();
}

/**
 * Finds a folder above a path that is no folder, but a link or a file: it would lead a write out of the working tree.
 * @param going paths that make room themselves
 */
export async function findObstacleAbove(
  root: string,
  path: string,
  going: ReadonlySet<string>,
): Promise<string | undefined> {
  const names = path.split("/").slice(0, -1);
  for (const [index] of names.entries()) {
    const above = names.slice(0, index + 1).join("/");
    const stat = await lstat(join(root, above)).catch(absent);
    if (stat === undefined) return undefined;
    if (!stat.isDirectory() && !going.has(above)) return above;
  }
  return undefined;
}

function absent(cause: unknown): undefined {
  if (["ENOENT", "ENOTDIR"].includes(systemCodeOf(cause) ?? "")) return undefined;
  throw cause;
}
