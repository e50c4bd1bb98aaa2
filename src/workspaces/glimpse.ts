import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { lstat, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

import type { Change } from "../git/changes.ts";
import type { Git, GitPlace } from "../git/git.ts";
import { copyIndex } from "../git/index-file.ts";
import { restoreBaseRules } from "./base-rules.ts";
import { adminOf } from "./layout.ts";
import { isRealFolder, type Workspace } from "./workspace.ts";

/** What a workspace holds at a moment while something is at work in it. */
export interface Glimpse {
  readonly tree: string;
  /** The paths that differ from the base. */
  readonly changes: readonly Change[];
  /** Tells whether anything has changed since. */
  readonly stamp: string;
  /** How much was read, and written at most. */
  readonly sizeBytes: number;
}

/** How to look. */
export interface GlimpseRequest {
  readonly base: string;
  /** Folders that stay out whatever the ignore rules say. */
  readonly kept: readonly string[];
  /** The stamp of the last look. */
  readonly stamp: string | undefined;
  /** Aborts when the workspace is about to be used by ourselves. */
  readonly signal: AbortSignal;
}

/** Where more has changed, a look would cost more than a warning is worth. */
const [MOST_PATHS, MOST_BYTES] = [20_000, 128 * 1024 * 1024];
/** A changed file that is larger is taken as unchanged. */
const LARGEST_FILE_BYTES = 16 * 1024 * 1024;

/**
 * Looks at a workspace while something is at work in it. Nothing in it is touched, no lock is taken, no rights are
 * changed; whatever is in the way makes the look fail.
 *
 * @param workspace whose vault is the one that gets the objects
 * @returns `gone` where its folder was removed, `unchanged` since the last look, `too-much` where it holds too much
 */
export async function glimpseWorkspace(
  git: Git,
  workspace: Workspace,
  request: GlimpseRequest,
): Promise<Glimpse | "gone" | "unchanged" | "too-much"> {
  const index = join(adminOf(workspace.slot), "index");
  if (!isRealFolder(workspace.tree) || !existsSync(index)) return "gone";
  const scratch = await mkdtemp(join(workspace.vault.directory, "glimpse-"));
  try {
    const indexFile = join(scratch, "index");
    await copyIndex(index, indexFile);
    return await glimpse(git, workspace, { ...workspace.place, indexFile }, scratch, request);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function glimpse(
  git: Git,
  workspace: Workspace,
  place: GitPlace,
  scratch: string,
  request: GlimpseRequest,
): Promise<Glimpse | "unchanged" | "too-much"> {
  const { base, kept, signal } = request;
  const differing = await listDifferingPaths(git, place, signal);
  if (differing.length > MOST_PATHS) return "too-much";
  const { stamp, small, sizeBytes } = await weigh(workspace.tree, differing);
  if (stamp === request.stamp) return "unchanged";
  if (sizeBytes > MOST_BYTES) return "too-much";
  await stage(git, place, small, signal);
  signal.throwIfAborted();
  if (small.some(({ path }) => /(^|\/)\.gitignore$/.test(path))) {
    await restoreBaseRules(git, place, scratch, { base, kept });
  }
  const tree = await git.text(place, ["write-tree", "--missing-ok"], { signal });
  return { tree, changes: await workspace.vault.objects.compare(base, tree), stamp, sizeBytes };
}

/**
 * The paths in which a workspace differs from its base at a moment while something is at work in it; none where its
 * folder is gone.
 */
export async function listChangedPaths(git: Git, workspace: Workspace, signal: AbortSignal): Promise<string[]> {
  const index = join(adminOf(workspace.slot), "index");
  if (!isRealFolder(workspace.tree) || !existsSync(index)) return [];
  const scratch = await mkdtemp(join(workspace.vault.directory, "glimpse-"));
  try {
    const indexFile = join(scratch, "index");
    await copyIndex(index, indexFile);
    const differing = await listDifferingPaths(git, { ...workspace.place, indexFile }, signal);
    return differing.map(({ path }) => bytesOf(path).toString("utf8"));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A path that differs from the index; its bytes as the characters of a latin1 string. */
interface DifferingPath {
  readonly path: string;
  readonly isGone: boolean;
}

async function listDifferingPaths(git: Git, place: GitPlace, signal: AbortSignal): Promise<DifferingPath[]> {
  const args = ["status", "--porcelain", "-z", "--no-renames", "--ignore-submodules=all", "--untracked-files=all"];
  const { stdout } = await git.run(place, args, { signal, config: { "core.sparseCheckout": "true" } });
  const records = stdout.toString("latin1").split("\0").slice(0, -1);
  return records
    .map((record) => ({ path: record.slice(3), isGone: record[1] === "D" }))
    .filter(({ path }) => !path.endsWith("/"));
}

interface Weighed {
  readonly small: readonly DifferingPath[];
  readonly sizeBytes: number;
  /** Tells them from what they will be after a change. */
  readonly stamp: string;
}

async function weigh(tree: string, differing: readonly DifferingPath[]): Promise<Weighed> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  const small: DifferingPath[] = [];
  for (const one of differing) {
    hash.update(`${one.path}\0${one.isGone ? "gone" : ""}\0`);
    if (!one.isGone) {
      const { ino, size, mtimeMs, ctimeMs } = await lstat(Buffer.concat([Buffer.from(`${tree}/`), bytesOf(one.path)]));
      hash.update(`${ino} ${size} ${mtimeMs} ${ctimeMs}\0`);
      if (size > LARGEST_FILE_BYTES) continue;
      sizeBytes += size;
    }
    small.push(one);
  }
  return { small, sizeBytes, stamp: hash.digest("hex") };
}

async function stage(git: Git, place: GitPlace, paths: readonly DifferingPath[], signal: AbortSignal): Promise<void> {
  const gone = paths.filter(({ isGone }) => isGone);
  const there = paths.filter(({ isGone }) => !isGone);
  // What went has to go first: a folder may stand where a file was, or the other way round.
  for (const [how, some] of [
    [["--force-remove"], gone],
    [["--add", "--replace"], there],
  ] as const) {
    if (some.length === 0) continue;
    const input = bytesOf(some.map(({ path }) => `${path}\0`).join(""));
    await git.run(place, ["update-index", ...how, "-z", "--stdin"], { input, signal });
  }
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, "latin1");
}
