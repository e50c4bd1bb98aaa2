import { copyFile, lstat, mkdir, mkdtemp, readlink, rename, rm, rmdir, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { AnabranchError, systemCodeOf } from "../base/errors.ts";
import { faultPoint } from "../base/fault.ts";
import { newId, systemRandom } from "../base/ids.ts";
import { compareTrees, GITLINK_MODE, SYMLINK_MODE, type Change } from "../git/changes.ts";
import type { Git, GitPlace } from "../git/git.ts";
import type { Repository } from "../git/repository.ts";
import type { Vault } from "../workspaces/vault.ts";

/** What applying a changeset did. */
export interface Applied {
  readonly applied: readonly string[];
  /** Paths that were as the changeset wants them already. */
  readonly unchanged: readonly string[];
}

/**
 * Brings a changeset into the user's working tree, and touches nothing else: not the index, not HEAD, not a branch.
 * Every path must still be as in the base, or be as the changeset wants it; otherwise nothing at all is written.
 * Files are replaced by rename. Killed in the middle, doing it again finishes it.
 *
 * @throws {AnabranchError} `APPLY_REFUSED` with the paths that are in the way
 */
export async function applyChangeset(
  git: Git,
  vault: Vault,
  repository: Repository,
  base: string,
  snapshot: string,
): Promise<Applied> {
  const { changes } = await compareTrees(git, vault.place, base, snapshot);
  refuseStrangeNames(changes);
  // The vault has the settings that decide how files become blobs, and none that names a program.
  const place = { gitDirectory: vault.directory, workTree: repository.root };
  const present = await readPresent(git, place, repository.root, changes);
  const refused = changes.filter((change) => !isBase(change, present) && !isDone(change, present));
  const strange = changes.filter((change) => change.newMode === GITLINK_MODE || change.oldMode === GITLINK_MODE);
  if (refused.length + strange.length > 0) throw refusal(repository, refused, strange);
  const wanted = changes.filter((change) => !isDone(change, present));
  const goesItself = new Set(changes.filter((change) => change.kind !== "added").map((change) => change.path));
  for (const change of wanted) await refuseLinkedFolder(repository.root, change.path, goesItself);
  const staging = await mkdtemp(join(vault.directory, "apply-"));
  try {
    await checkOut(git, { ...place, indexFile: join(staging, "index") }, snapshot, wanted, staging);
    // Deletions first: a folder may have to make room for a file.
    const ordered = [...wanted.filter((c) => c.kind === "deleted"), ...wanted.filter((c) => c.kind !== "deleted")];
    for (const change of ordered) {
      await refuseLinkedFolder(repository.root, change.path, new Set());
      if (change.kind === "deleted") await remove(repository.root, change.path);
      else await put(join(staging, "files", change.path), repository.root, change.path);
      faultPoint("apply.path");
    }
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  const done = new Set(wanted.map((change) => change.path));
  return {
    applied: wanted.map((change) => change.path),
    unchanged: changes.map((change) => change.path).filter((path) => !done.has(path)),
  };
}

// Bytes that are not UTF-8 arrive as this character.
function refuseStrangeNames(changes: readonly Change[]): void {
  const paths = changes.map((change) => change.path).filter((path) => path.includes("\ufffd"));
  if (paths.length === 0) return;
  throw new AnabranchError("APPLY_REFUSED", {
    message: `the names of ${paths.length} files are not UTF-8: ${paths.slice(0, 5).join(", ")}; nothing was written`,
    hint: "take the change as a patch: anabranch diff ID | git apply",
    data: { paths: paths.slice(0, 1000) },
  });
}

/** What stands at a path now: its mode and the blob it would be; `undefined` for nothing. */
type Present = ReadonlyMap<string, { readonly mode: string; readonly oid: string } | undefined>;

async function readPresent(git: Git, place: GitPlace, root: string, changes: readonly Change[]): Promise<Present> {
  const present = new Map<string, { mode: string; oid: string } | undefined>();
  const files: { path: string; mode: string }[] = [];
  for (const { path } of changes) {
    const stat = await lstat(join(root, path)).catch(absent);
    if (stat === undefined) present.set(path, undefined);
    else if (stat.isSymbolicLink()) {
      const target = await readlink(join(root, path), { encoding: "buffer" });
      const oid = await git.text(place, ["hash-object", "--no-filters", "--stdin"], { input: target });
      present.set(path, { mode: SYMLINK_MODE, oid });
    } else if (stat.isFile()) files.push({ path, mode: (stat.mode & 0o100) === 0 ? "100644" : "100755" });
    else present.set(path, { mode: "folder", oid: "" });
  }
  for (const [index, oid] of (
    await hashFiles(
      git,
      place,
      files.map((file) => file.path),
    )
  ).entries()) {
    const file = files[index];
    if (file !== undefined) present.set(file.path, { mode: file.mode, oid });
  }
  return present;
}

// Hashed as git would add them, so that line ends and filters do not look like edits.
async function hashFiles(git: Git, place: GitPlace, paths: readonly string[]): Promise<string[]> {
  // Read line by line, a quote at the start and a carriage return at the end would not be taken as they are.
  const plain = paths.filter((path) => !/\n|^"|\r$/.test(path));
  const oids = new Map<string, string>();
  if (plain.length > 0) {
    const input = plain.map((path) => `${path}\n`).join("");
    const lines = (await git.text(place, ["hash-object", "--stdin-paths"], { input })).split("\n");
    for (const [index, path] of plain.entries()) oids.set(path, lines[index] ?? "");
  }
  for (const path of paths) {
    if (!oids.has(path)) oids.set(path, await git.text(place, ["hash-object", "--", path]));
  }
  return paths.map((path) => oids.get(path) ?? "");
}

function absent(cause: unknown): undefined {
  if (["ENOENT", "ENOTDIR"].includes(systemCodeOf(cause) ?? "")) return undefined;
  throw cause;
}

function isBase(change: Change, present: Present): boolean {
  const now = present.get(change.path);
  if (change.kind === "added") return now === undefined || isRoomMade(now);
  return now?.oid === change.oldOid && now.mode === change.oldMode;
}

// A folder that stands where a file is to be goes by itself once its files, checked one by one, are removed.
function isRoomMade(now: { readonly mode: string }): boolean {
  return now.mode === "folder";
}

function isDone(change: Change, present: Present): boolean {
  const now = present.get(change.path);
  if (change.kind === "deleted") return now === undefined;
  return now?.oid === change.newOid && now.mode === change.newMode;
}

function refusal(repository: Repository, refused: readonly Change[], strange: readonly Change[]): AnabranchError {
  const paths = refused.map((change) => change.path);
  const modules = strange.map((change) => change.path);
  const message =
    paths.length > 0
      ? `${paths.length} files of ${repository.root} are not as they were when the run started: ${paths.slice(0, 5).join(", ")}`
      : `the changeset moves submodules: ${modules.slice(0, 5).join(", ")}`;
  return new AnabranchError("APPLY_REFUSED", {
    message: `${message}; nothing was written`,
    hint:
      paths.length > 0
        ? "put them aside (git stash, or commit and look at the difference with anabranch diff), then apply again"
        : "take the change with: anabranch diff, and git submodule by hand",
    data: { paths: paths.slice(0, 1000), submodules: modules },
  });
}

/** Writes the files of a snapshot below `staging/files`, with the user's line ends and filters. */
async function checkOut(
  git: Git,
  place: GitPlace,
  snapshot: string,
  wanted: readonly Change[],
  staging: string,
): Promise<void> {
  const paths = wanted.filter((change) => change.kind !== "deleted").map((change) => `${change.path}\0`);
  if (paths.length === 0) return;
  await git.run(place, ["read-tree", snapshot]);
  const prefix = `--prefix=${join(staging, "files")}/`;
  await git.run(place, ["checkout-index", "-f", prefix, "-z", "--stdin"], { input: paths.join("") });
}

/**
 * A folder that is a link would lead the write out of the working tree.
 * @param goesItself paths that the changeset removes or replaces, so that they are not in the way later
 */
async function refuseLinkedFolder(root: string, path: string, goesItself: ReadonlySet<string>): Promise<void> {
  const names = dirname(path) === "." ? [] : dirname(path).split("/");
  for (const [index] of names.entries()) {
    const relative = names.slice(0, index + 1).join("/");
    const folder = join(root, relative);
    const stat = await lstat(folder).catch(absent);
    if (stat === undefined || stat.isDirectory() || goesItself.has(relative)) continue;
    throw new AnabranchError("APPLY_REFUSED", {
      message: `${folder} is not a folder, so ${path} cannot be written below it`,
      hint: "move it out of the way, then apply again",
      data: { paths: [path] },
    });
  }
}

async function remove(root: string, path: string): Promise<void> {
  await rm(join(root, path), { force: true });
  // Git knows no empty folders: one that the changeset empties goes, as with git itself.
  for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) {
    const removed = await rmdir(join(root, folder)).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}

async function put(staged: string, root: string, path: string): Promise<void> {
  const target = join(root, path);
  await mkdir(dirname(target), { recursive: true });
  const temporary = join(dirname(target), `.${basename(target).slice(0, 100)}.${newId(systemRandom)}.tmp`);
  const stat = await lstat(staged);
  if (stat.isSymbolicLink()) await symlink(await readlink(staged), temporary);
  else await copyFile(staged, temporary);
  await rename(temporary, target).catch(async (cause: unknown) => {
    await rm(temporary, { force: true });
    throw cause;
  });
}
