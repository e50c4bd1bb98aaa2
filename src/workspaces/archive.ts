import { existsSync, readdirSync, readFileSync } from "node:fs";
import { lstat, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import type { Git, GitPlace } from "../git/git.ts";
import type { RefUpdate } from "../git/refs.ts";
import { addEverything } from "./capture.ts";
import { ownObjects } from "./own-objects.ts";
import type { Vault } from "./vault.ts";
import { isKept } from "./untracked.ts";
import { isRealFolder, stampOf, type Workspace } from "./workspace.ts";

/** What is kept of an attempt besides its snapshot. */
export interface Archive {
  /** Commits the agent made itself, kept under refs of the vault. */
  readonly commits: number;
  /** Repositories inside the workspace whose files and commits are kept. */
  readonly nested: number;
  /** Ignored files that are newer than the lease and are kept. */
  readonly ignoredFiles: number;
  /** Ignored files that were too large or too many to be kept. */
  readonly ignoredFilesLeftOut: number;
}

/** What to archive. */
export interface ArchiveRequest {
  /** `RUN/TASK/NUMBER`: the refs are `refs/commits/…`, `refs/nested/…` and `refs/ignored/…` of this name. */
  readonly name: string;
  readonly base: string;
  /** What the private repository's refs stood at when it was made. */
  readonly knownOids: ReadonlySet<string>;
  /** Nested repositories, from the snapshot. */
  readonly nested: readonly string[];
  /** Ignored folders and files that are ours: carried dependencies and files. */
  readonly kept: readonly string[];
  readonly atSeconds: number;
}

/** The most that is kept of ignored files. */
export const IGNORED_CAP_BYTES = 32 * 1024 * 1024;
const IGNORED_CAP_FILES = 2000;

/**
 * Puts everything of an attempt that its snapshot does not hold into the vault: the agent's own commits (also those
 * only a reflog names), repositories inside the workspace, and ignored files newer than the lease.
 */
export async function archiveWorkspace(git: Git, workspace: Workspace, request: ArchiveRequest): Promise<Archive> {
  const { vault, tree } = workspace;
  if (!isRealFolder(tree)) return { commits: 0, nested: 0, ignoredFiles: 0, ignoredFilesLeftOut: 0 };
  const own = join(tree, ".git");
  const commits = await archiveCommits(
    git,
    vault,
    own,
    `refs/commits/${request.name}`,
    [request.base],
    request.knownOids,
  );
  for (const [index, path] of request.nested.entries()) {
    await archiveNested(git, workspace, join(tree, path), `refs/nested/${request.name}/${index}`, request);
  }
  return { commits, nested: request.nested.length, ...(await archiveIgnored(git, workspace, request)) };
}

/** Keeps the commits that a repository's refs and reflogs name and the vault does not know; returns how many tips. */
async function archiveCommits(
  git: Git,
  vault: Vault,
  gitDirectory: string,
  prefix: string,
  known: readonly string[],
  knownOids: ReadonlySet<string>,
): Promise<number> {
  if (!existsSync(join(gitDirectory, "HEAD"))) return 0;
  const named = [...new Set(namedOids(gitDirectory))].filter((oid) => !knownOids.has(oid) && !known.includes(oid));
  if (named.length === 0) return 0;
  const place = { ...vault.place, alternates: [join(gitDirectory, "objects")] };
  const checked = await git.text(place, ["cat-file", "--batch-check"], { input: `${named.join("\n")}\n` });
  const tips = checked.split("\n").flatMap((line) => /^(\w+) commit \d+$/.exec(line)?.[1] ?? []);
  if (tips.length === 0) return 0;
  const pack = join(vault.directory, "objects/pack/pack");
  const input = [...tips, "--not", ...known].map((line) => `${line}\n`).join("");
  await git.run(place, ["pack-objects", "--revs", "-q", pack], { input });
  await vault.refs.update(tips.map((oid, index): RefUpdate => ({ name: `${prefix}/${index}`, to: oid })));
  return tips.length;
}

// Read as files: nothing of a repository that an agent may have configured is run.
function namedOids(gitDirectory: string): string[] {
  const read = (path: string): string => (existsSync(path) ? readFileSync(path, "latin1") : "");
  const texts = [read(join(gitDirectory, "HEAD")), read(join(gitDirectory, "packed-refs"))];
  for (const folder of ["refs", "logs"]) {
    const root = join(gitDirectory, folder);
    if (!existsSync(root)) continue;
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) texts.push(read(join(entry.parentPath, entry.name)));
    }
  }
  return texts
    .flatMap((text) => text.match(/\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b/g) ?? [])
    .filter((oid) => !/^0+$/.test(oid));
}

async function archiveNested(
  git: Git,
  workspace: Workspace,
  directory: string,
  prefix: string,
  request: ArchiveRequest,
): Promise<void> {
  await archiveCommits(git, workspace.vault, join(directory, ".git"), `${prefix}/commits`, [], new Set());
  const scratch = await mkdtemp(join(workspace.slot, "nested-"));
  try {
    const place = { ...workspace.place, workTree: directory, indexFile: join(scratch, "index") };
    await addEverything(git, { ...place, cwd: directory });
    await keepIndex(git, workspace.vault, place, `${prefix}/files`, "Files of a nested repository", request.atSeconds);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function archiveIgnored(
  git: Git,
  workspace: Workspace,
  request: ArchiveRequest,
): Promise<Pick<Archive, "ignoredFiles" | "ignoredFilesLeftOut">> {
  const { place, tree, slot, vault } = workspace;
  const listed = await git.records(place, [
    "ls-files",
    "--others",
    "--ignored",
    "--exclude-standard",
    "--directory",
    "-z",
  ]);
  const entries = listed.filter((path) => !isKept(path, request.kept));
  if (entries.length === 0) return { ignoredFiles: 0, ignoredFilesLeftOut: 0 };
  const since = (await lstat(stampOf(slot))).mtimeMs;
  const chosen = await chooseNewFiles(tree, entries, since, request.kept);
  if (chosen.paths.length > 0) {
    const scratch = await mkdtemp(join(slot, "ignored-"));
    try {
      const staged = { ...place, indexFile: join(scratch, "index") };
      const input = chosen.paths.map((path) => `${path}\0`).join("");
      await git.run(staged, ["update-index", "--add", "-z", "--stdin"], { input });
      const ref = `refs/ignored/${request.name}`;
      await keepIndex(git, vault, staged, ref, "Ignored files that were new", request.atSeconds);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
  return { ignoredFiles: chosen.paths.length, ignoredFilesLeftOut: chosen.leftOut };
}

/** Walks ignored files and folders, without following links, and chooses what is new and fits under the caps. */
async function chooseNewFiles(
  tree: string,
  entries: readonly string[],
  sinceMs: number,
  kept: readonly string[],
): Promise<{ paths: string[]; leftOut: number }> {
  const paths: string[] = [];
  let [sizeBytes, leftOut] = [0, 0];
  const queue = [...entries];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const stat = await lstat(join(tree, path)).catch(() => undefined);
    if (stat === undefined || isKept(path, kept)) continue;
    if (stat.isDirectory()) {
      // A repository among ignored files is left alone here: its folder cannot be staged.
      const names = await readdir(join(tree, path)).catch((): string[] => []);
      if (!names.includes(".git")) queue.push(...names.map((name) => join(path ?? "", name)));
      continue;
    }
    if (stat.ctimeMs <= sinceMs || !(stat.isFile() || stat.isSymbolicLink())) continue;
    if (paths.length >= IGNORED_CAP_FILES || sizeBytes + stat.size > IGNORED_CAP_BYTES) {
      leftOut += 1;
      continue;
    }
    sizeBytes += stat.size;
    paths.push(path);
  }
  return { paths, leftOut };
}

async function keepIndex(
  git: Git,
  vault: Vault,
  place: GitPlace,
  ref: string,
  message: string,
  atSeconds: number,
): Promise<void> {
  const tree = await git.text(place, ["write-tree", "--missing-ok"]);
  const listing = await git.records(place, ["ls-tree", "-r", "-t", "-z", tree]);
  const oids = listing.flatMap((record) => {
    const [, type, oid] = record.slice(0, record.indexOf("\t")).split(" ");
    return oid === undefined || type === "commit" ? [] : [oid];
  });
  await ownObjects(git, vault, [tree, ...oids]);
  const commit = await vault.commits.write({ tree, parents: [], message, atSeconds });
  await vault.refs.update([{ name: ref, to: commit }]);
}

/** The paths that a task which should write nothing has changed all the same. */
export async function listChangedPaths(git: Git, workspace: Workspace): Promise<string[]> {
  if (!isRealFolder(workspace.tree)) return [];
  const records = await git.records(workspace.place, [
    "status",
    "--porcelain",
    "-z",
    "--no-renames",
    "--ignore-submodules=all",
  ]);
  return records.map((record) => record.slice(3));
}
