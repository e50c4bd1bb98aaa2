import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, lstat, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { AnabranchError } from "../base/errors.ts";
import { newId, systemRandom } from "../base/ids.ts";
import { LineCutter } from "../base/lines.ts";
import type { Git, GitPlace } from "../git/git.ts";
import { plainEnvironment } from "../process/own-programs.ts";
import { runProgram } from "../process/program.ts";
import type { Trash } from "./trash.ts";
import type { Workspace } from "./workspace.ts";

/** The ignored folders of the user's tree that workspaces get a copy of. */
export interface Dependencies {
  /** Paths from the root of the repository. */
  readonly paths: readonly string[];
  /** Changes when what they hold has changed, as far as lock files and install stamps tell. */
  readonly key: string;
}

/** Finds the folders in the user's tree that are ignored and have one of the names. */
export async function findDependencies(git: Git, userTree: GitPlace, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return [];
  const listed = await git.records(userTree, [
    "ls-files",
    "--others",
    "--ignored",
    "--exclude-standard",
    "--directory",
    "-z",
  ]);
  return listed
    .filter((path) => path.endsWith("/"))
    .map((path) => path.slice(0, -1))
    .filter((path) => names.some((name) => (name.includes("/") ? name === path : name === basename(path))));
}

/** Makes a key for such folders: it changes with what they hold, as far as lock files and install stamps tell. */
export async function describeDependencies(
  paths: readonly string[],
  root: string,
  lockKey: string,
): Promise<Dependencies> {
  if (paths.length === 0) return { paths, key: "" };
  const stamps = await Promise.all(paths.map((path) => installStamp(join(root, path))));
  return { paths, key: digest([lockKey, ...paths, ...stamps]) };
}

// What package managers write last: it tells a new install apart without looking at every file.
const INSTALL_STAMPS = [".package-lock.json", ".yarn-state.yml", ".yarn-integrity", ".modules.yaml"];

/** What tells a folder's present install from an earlier one; empty where nothing does. */
export async function installStamp(directory: string): Promise<string> {
  for (const name of INSTALL_STAMPS) {
    const found = await stat(join(directory, name)).catch(() => undefined);
    if (found !== undefined) return `${name} ${found.mtimeMs} ${found.size}`;
  }
  return "";
}

const LOCK_FILES =
  /(^|\/)(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|deno\.lock|Cargo\.lock|go\.sum|poetry\.lock|uv\.lock|pdm\.lock|Pipfile\.lock|requirements[^/]*\.txt|Gemfile\.lock|composer\.lock|mix\.lock|gradle\.lockfile|packages\.lock\.json)$/;

/** Whether a path is a lock file of a package manager. */
export function isLockFile(path: string): boolean {
  return LOCK_FILES.test(path);
}

/** A short digest of some texts. */
export function digest(texts: readonly string[]): string {
  return createHash("sha256").update(texts.join("\0")).digest("hex").slice(0, 24);
}

/** Told now and then while dependencies are copied. */
export type CopyProgress = (path: string, files: number) => void;

/**
 * Copies dependencies from the user's tree into a workspace, in place of what it has there. Where the file system can
 * share blocks until one side writes, the copy costs no space. Never hard links: a write would reach the user's files.
 */
export async function copyDependencies(
  from: string,
  workspace: Workspace,
  paths: readonly string[],
  trash: Trash,
  progress: CopyProgress,
): Promise<void> {
  const stamps: Record<string, string> = {};
  for (const path of paths) {
    const target = join(workspace.tree, path);
    await trash.discard(target);
    await mkdir(dirname(target), { recursive: true });
    stamps[path] = await installStamp(join(from, path));
    await copyFolder(join(from, path), target, (files) => progress(path, files));
  }
  const origin: DependencyOrigin = { from, stamps };
  await writeFile(originOf(workspace), JSON.stringify(origin));
}

/** Where a workspace's dependencies came from, so that what a task did to them can be undone. */
export interface DependencyOrigin {
  readonly from: string;
  /** The install stamp of each folder when it was copied. */
  readonly stamps: Readonly<Record<string, string>>;
}

/** The file that holds the {@link DependencyOrigin}. */
export function originOf({ slot }: Workspace): string {
  return join(slot, "dependencies.json");
}

async function copyFolder(from: string, to: string, progress: (files: number) => void): Promise<void> {
  const clone = process.platform === "darwin" ? ["-c"] : ["--reflink=auto"];
  const lines = new LineCutter();
  let files = 0;
  const end = await runProgram({
    program: "cp",
    args: ["-a", "-v", ...clone, "--", from, to],
    environment: plainEnvironment(),
    onOutput: (piece) => {
      const before = files;
      files += lines.push(piece).length;
      if (Math.floor(before / 500) !== Math.floor(files / 500)) progress(files);
    },
  });
  if (end.status === 0) return;
  const full = /No space left|quota exceeded/i.test(end.stderr);
  throw new AnabranchError(full ? "DISK_FULL" : "UNREADABLE_FILES", {
    message: `${from} cannot be copied: ${end.stderr.trim().split("\n")[0]}`,
    hint: full
      ? "free some disk space, or leave it out of dependencies:"
      : "make it readable, or leave it out of dependencies:",
  });
}

/** Whether the file system below a folder can share blocks between copies; found out by doing. */
export async function canShareBlocks(directory: string): Promise<boolean> {
  const from = join(directory, `${newId(systemRandom)}.probe`);
  const to = `${from}.copy`;
  try {
    await writeFile(from, "probe");
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    return false;
  } finally {
    await Promise.all([rm(from, { force: true }), rm(to, { force: true })]);
  }
}

/** Whether a folder on the way to a path, or the path itself, is a link, so that it may lie somewhere else. */
async function leadsThroughLink(root: string, path: string): Promise<boolean> {
  const names = path.split("/");
  for (const [index] of names.entries()) {
    const found = await lstat(join(root, ...names.slice(0, index + 1))).catch(() => undefined);
    if (found?.isSymbolicLink() === true) return true;
  }
  return false;
}

/**
 * Copies the files that `carry:` names from one folder to another, never through a link; returns those that are not
 * there as plain files.
 */
export async function copyCarried(from: string, to: string, paths: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const path of paths) {
    const found = await lstat(join(from, path)).catch(() => undefined);
    if (found?.isFile() !== true || (await leadsThroughLink(from, path)) || (await leadsThroughLink(to, path))) {
      missing.push(path);
      continue;
    }
    await mkdir(dirname(join(to, path)), { recursive: true, mode: 0o700 });
    await copyFile(join(from, path), join(to, path));
  }
  return missing;
}
