import { existsSync } from "node:fs";
import { cp, lstat, readdir, readFile, rm } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";

import { plainEnvironment } from "../process/own-programs.ts";
import { runProgram } from "../process/program.ts";
import { installStamp, originOf, type DependencyOrigin } from "./dependencies.ts";
import type { Trash } from "./trash.ts";
import { isRealFolder, stampOf, type Workspace } from "./workspace.ts";

/** Folders that builds fill: what a task leaves in them is a cache, and stays. */
const BUILD_CACHES: ReadonlySet<string> = new Set(["target", "build", "dist", ".gradle", ".next", ".turbo", ".cache"]);

/** More changes than this are not worth repairing one by one. */
const MOST_REPAIRS = 5000;

/**
 * Undoes what a task did to the installed dependencies in its workspace: what it changed is copied from where they came
 * from, what it added is removed. A change cannot hide: the kernel, not the writer, sets the time that is compared.
 *
 * @returns `dropped` when they could not be repaired (their origin is gone or different now) and were removed
 */
export async function repairDependencies(
  workspace: Workspace,
  kept: readonly string[],
  trash: Trash,
): Promise<"intact" | "repaired" | "dropped"> {
  const found = (await findKept(workspace, kept)).filter((path) => !BUILD_CACHES.has(basename(path)));
  const folders = found.filter(isRealFolder);
  // Through a link that one task leaves, the next would write somewhere else.
  for (const path of found) if (!isRealFolder(path)) await trash.discard(path);
  const origin = await loadOrigin(workspace);
  const gone = Object.keys(origin?.stamps ?? {}).filter((path) => !isRealFolder(join(workspace.tree, path)));
  const changed = await changedSince(workspace, folders);
  if (gone.length + changed.length === 0) return "intact";
  const few = changed.length <= MOST_REPAIRS && gone.length === 0;
  const repairable = origin !== undefined && few && (await isUnchanged(origin));
  if (repairable && (await repair(workspace, origin, changed))) return "repaired";
  for (const folder of folders) await trash.discard(folder);
  return "dropped";
}

/** What a workspace has under one of these names or paths. */
async function findKept({ tree }: Workspace, kept: readonly string[]): Promise<string[]> {
  if (kept.length === 0) return [];
  const tests = kept.flatMap((name) => [
    "-o",
    ...(name.includes("/") ? ["-path", literal(join(tree, name))] : ["-name", literal(name)]),
  ]);
  const end = await find([tree, "-name", ".git", "-prune", "-o", "(", ...tests.slice(1), ")", "-prune", "-print0"]);
  return records(end.stdout);
}

function literal(text: string): string {
  return text.replace(/[\\*?[\]]/g, "\\$&");
}

async function changedSince(workspace: Workspace, folders: readonly string[]): Promise<string[]> {
  if (folders.length === 0) return [];
  const stamp = stampOf(workspace.slot);
  const since = existsSync(stamp) ? ["-cnewer", stamp] : [];
  const end = await find([...folders, ...since, "-print0"]);
  return records(end.stdout);
}

function find(args: readonly string[]): ReturnType<typeof runProgram> {
  return runProgram({ program: "find", args, environment: plainEnvironment() });
}

function records(output: Buffer): string[] {
  return output
    .toString("utf8")
    .split("\0")
    .filter((path) => path !== "");
}

async function loadOrigin(workspace: Workspace): Promise<DependencyOrigin | undefined> {
  const text = await readFile(originOf(workspace), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as DependencyOrigin);
}

async function isUnchanged({ from, stamps }: DependencyOrigin): Promise<boolean> {
  for (const [path, stamp] of Object.entries(stamps)) {
    if ((await installStamp(join(from, path))) !== stamp) return false;
  }
  return true;
}

async function repair({ tree }: Workspace, origin: DependencyOrigin, changed: readonly string[]): Promise<boolean> {
  const roots = Object.keys(origin.stamps).map((path) => join(tree, path));
  for (const path of changed) {
    if (!roots.some((root) => path === root || path.startsWith(root + sep))) return false;
    await repairPath(join(origin.from, relative(tree, path)), path);
  }
  return true;
}

async function repairPath(source: string, target: string): Promise<void> {
  const [wanted, present] = await Promise.all([statOf(source), statOf(target)]);
  if (wanted?.isDirectory() === true && present?.isDirectory() === true) {
    const [sourceNames, targetNames] = await Promise.all([readdir(source), readdir(target)]);
    const here = new Set(targetNames);
    const there = new Set(sourceNames);
    for (const name of targetNames)
      if (!there.has(name)) await rm(join(target, name), { recursive: true, force: true });
    for (const name of sourceNames) if (!here.has(name)) await copyEntry(join(source, name), join(target, name));
    return;
  }
  await rm(target, { recursive: true, force: true });
  if (wanted !== undefined && (await statOf(dirname(target))) !== undefined) await copyEntry(source, target);
}

function statOf(path: string): Promise<Awaited<ReturnType<typeof lstat>> | undefined> {
  return lstat(path).catch(() => undefined);
}

async function copyEntry(source: string, target: string): Promise<void> {
  await cp(source, target, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true, errorOnExist: false });
}
