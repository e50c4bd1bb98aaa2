import { mkdirSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { Change } from "../git/changes.ts";
import type { Git, GitPlace } from "../git/git.ts";
import { packNewObjects } from "../git/packs.ts";
import { readHead } from "../git/repository.ts";
import { TreeEditor } from "../git/tree-editor.ts";
import type { Vault } from "../workspaces/vault.ts";
import { refusal, sample, type AcceptPlan } from "./accept-plan.ts";
import type { AcceptanceRecord, AcceptedEntry, AcceptedPath, PathNote } from "./acceptance.ts";
import { refuseLockedIndex, type UserState } from "./user-state.ts";
import {
  copyEntry,
  forMany,
  isSameMark,
  listFilesBelow,
  ObstacleFinder,
  readMark,
  takeOverRights,
  type Standing,
} from "./working-tree.ts";

/** What of an acceptance lies in its folder. */
export const STAGED = { new: "new", old: "old", packs: "packs", done: "done" } as const;

/**
 * Gets an acceptance ready to be written: checks out what is to be, keeps what it replaces, packs its commits. The
 * user's files must still be as they were when it was planned.
 *
 * @returns its journal, or `undefined` when HEAD has moved since, so that it has to be planned anew
 * @throws {AnabranchError} `ACCEPT_REFUSED` with the paths that are in the way, `REPOSITORY_BUSY`
 */
export async function stageAcceptance(
  git: Git,
  vault: Vault,
  plan: AcceptPlan,
  folder: string,
  notices: readonly string[],
): Promise<AcceptanceRecord | undefined> {
  const { state, run, given, lane } = plan.request;
  const { repository, head } = state;
  refuseLockedIndex(repository);
  const now = await readHead(git, repository);
  if (now.commit !== head.commit || now.branch !== head.branch) return undefined;
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, STAGED.new), { recursive: true, mode: 0o700 });
  const tip = plan.replayed.commits.at(-1)?.oid;
  const [paths, entries] = await Promise.all([
    stagePaths(git, vault, plan, folder),
    tip === undefined ? [] : entriesOf(vault, state, tip),
    tip === undefined || head.commit === undefined
      ? undefined
      : packNewObjects(git, vault.place, { tip, known: head.commit }, join(folder, STAGED.packs)),
  ]);
  return {
    run,
    repository,
    branch: head.branch,
    head: head.commit,
    tip,
    base: given.base,
    lane,
    before: state.commit,
    after: plan.after,
    paths,
    entries,
    commits: plan.replayed.commits,
    unchanged: plan.unchanged,
    uncommitted: plan.uncommitted,
    resolved: plan.resolved,
    waivers: plan.waivers,
    notices,
    folder,
  };
}

async function entriesOf(vault: Vault, state: UserState, tip: string): Promise<AcceptedEntry[]> {
  const changes = await vault.objects.compare(state.committed, tip);
  return changes.map(({ path, kind, oldMode, oldOid, newMode, newOid }) => ({
    path,
    before: kind === "added" ? null : { mode: oldMode, oid: oldOid },
    after: kind === "deleted" ? null : { mode: newMode, oid: newOid },
  }));
}

async function stagePaths(git: Git, vault: Vault, plan: AcceptPlan, folder: string): Promise<AcceptedPath[]> {
  const { changes, request } = plan;
  const { state } = request;
  const { root } = state.repository;
  if (changes.length === 0) return [];
  const [standing] = await Promise.all([
    forMany(changes, (change) => keepOld(root, change.path, folder)),
    checkOutNew(git, vault, plan, folder),
  ]);
  const inTheWay = await findObstacles(root, changes, standing, folder);
  const edited = await findEdited(git, vault, root, changes, folder);
  const refused = [...inTheWay, ...edited.filter(({ path }) => !inTheWay.some((one) => one.path === path))];
  if (refused.length > 0) {
    throw refusal(state, refused, {
      message: `${refused.length} files are in the way: ${sample(refused.map(({ path }) => path))}`,
      hint: `move them out of the way, or commit or stash your edits, then accept again (${refused[0]?.path}: ${refused[0]?.why})`,
    });
  }
  return forMany(changes, async (change, index): Promise<AcceptedPath> => {
    const before = standing[index] ?? null;
    const staged = join(folder, STAGED.new, change.path);
    if (change.kind !== "deleted") await takeOverRights(staged, join(root, change.path));
    const after = change.kind === "deleted" ? null : await readMark(staged);
    return { path: change.path, before: before === "folder" ? null : before, after: after === "folder" ? null : after };
  });
}

/** Writes what is to be, with the line ends and filters of the attributes that are to hold. */
async function checkOutNew(git: Git, vault: Vault, { after, changes }: AcceptPlan, folder: string): Promise<void> {
  const files = changes.filter(({ kind }) => kind !== "deleted");
  if (files.length === 0) return;
  const tree = new TreeEditor(vault.objects, after);
  const entries = files.map(({ path, newMode, newOid }) => ({ path, mode: newMode, oid: newOid }));
  const chosen = new Set(files.map(({ path }) => path));
  for (const path of attributeFiles(chosen)) {
    const entry = await tree.entryAt(path);
    if (entry !== undefined && !chosen.has(path)) entries.push({ path, ...entry });
  }
  const indexFile = join(folder, "new-index");
  const place = { gitDirectory: vault.directory, workTree: join(folder, STAGED.new), indexFile };
  const input = entries.map(({ path, mode, oid }) => `${mode} ${oid}\t${path}\0`).join("");
  await git.run(place, ["update-index", "-z", "--index-info"], { input });
  await git.run(place, ["checkout-index", "-f", "-z", "--stdin"], {
    input: [...chosen].map((path) => `${path}\0`).join(""),
  });
  await rm(indexFile, { force: true });
}

/** Where the attributes of some paths may be. */
function attributeFiles(paths: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set<string>([".gitattributes"]);
  for (const path of paths) {
    for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) {
      if (found.has(`${folder}/.gitattributes`)) break;
      found.add(`${folder}/.gitattributes`);
    }
  }
  return found;
}

/** Keeps a copy of what stands at a path, and says what that is. */
async function keepOld(root: string, path: string, folder: string): Promise<Standing> {
  const source = join(root, path);
  const before = await readMark(source);
  if (before === null || before === "folder") return before;
  const kept = join(folder, STAGED.old, path);
  mkdirSync(dirname(kept), { recursive: true });
  await copyEntry(source, kept);
  return readMark(kept);
}

/** What stands where something new is to be, or above it, without being part of the user's state as it was taken. */
async function findObstacles(
  root: string,
  changes: readonly Change[],
  standing: readonly Standing[],
  folder: string,
): Promise<PathNote[]> {
  const leaving = new Set(changes.filter(({ kind }) => kind === "deleted").map(({ path }) => path));
  const going = new Set(changes.filter(({ kind }) => kind !== "added").map(({ path }) => path));
  const finder = new ObstacleFinder(root, going);
  const refused = await forMany(changes, async ({ path, kind }, index): Promise<PathNote | undefined> => {
    const above = finder.above(path);
    if (above !== undefined) return { path, why: `${above} is not a folder` };
    const found = standing[index] ?? null;
    if (kind !== "added" || found === null) return undefined;
    if (found === "folder") {
      const others = (await listFilesBelow(root, path)).filter((file) => !leaving.has(file));
      return others.length === 0 ? undefined : { path, why: `it is a folder with ${sample(others)} in it` };
    }
    if (isSameMark(found, await readMark(join(folder, STAGED.new, path)))) return undefined;
    // Where names that differ in case are one, it is the file that is renamed.
    const isRenamed = [...leaving].some((other) => other.toLowerCase() === path.toLowerCase());
    return isRenamed ? undefined : { path, why: "a file that git ignores or has not seen is there" };
  });
  return refused.filter((note) => note !== undefined);
}

/** Those paths that are not as the user's state has them any more, as git itself sees it. */
async function findEdited(
  git: Git,
  vault: Vault,
  root: string,
  changes: readonly Change[],
  folder: string,
): Promise<PathNote[]> {
  const old = changes.filter(({ kind }) => kind !== "added");
  if (old.length === 0) return [];
  const place: GitPlace = { gitDirectory: vault.directory, workTree: root, indexFile: join(folder, "old-index") };
  const input = old.map(({ path, oldMode, oldOid }) => `${oldMode} ${oldOid}\t${path}\0`).join("");
  await git.run(place, ["update-index", "-z", "--index-info"], { input });
  const args = ["diff", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff", "--no-textconv"];
  const records = await git.records(place, args);
  await rm(join(folder, "old-index"), { force: true });
  return records.filter((_, index) => index % 2 === 1).map((path) => ({ path, why: "you have edited it meanwhile" }));
}
