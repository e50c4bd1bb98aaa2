import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { delay, type Clock } from "../base/clock.ts";
import { isAnabranchError, systemCodeOf } from "../base/errors.ts";
import { faultPoint } from "../base/fault.ts";
import type { Git, GitPlace } from "../git/git.ts";
import { editIndex, readIndexEntries } from "../git/index-entries.ts";
import { installPacks } from "../git/packs.ts";
import { isAncestor, moveRef } from "../git/refs.ts";
import { readEveryConfig, readHead } from "../git/repository.ts";
import { STAGED } from "./accept-staging.ts";
import type { AcceptanceRecord, AcceptedPath, IndexEntry, Mark, PathNote } from "./acceptance.ts";
import { forMany, isSameMark, moveEntry, ObstacleFinder, readMark, removeCopy, removeEntry } from "./working-tree.ts";

/** What the steps work with. */
export interface StepTools {
  readonly git: Git;
  readonly clock: Clock;
}

/**
 * Writes an acceptance, from wherever an earlier try was stopped: objects, files, index, then the branch.
 *
 * @returns what somebody else has changed since it was journalled; then it is to be taken back
 */
export async function writeAcceptance(tools: StepTools, record: AcceptanceRecord): Promise<PathNote[]> {
  if (await isWritten(tools.git, record)) return [];
  const { repository, tip } = record;
  if (tip !== undefined) {
    await installPacks(join(record.folder, STAGED.packs), repository.objectsDirectory);
    faultPoint("accept.objects");
  }
  const stopped = await movePaths(record, "before", "after", "accept.path");
  if (stopped.length > 0) return stopped;
  if (tip !== undefined) {
    const stale = await moveEntries(tools, record, "before", "after");
    if (stale.length > 0) return stale;
    faultPoint("accept.index");
    const moved = await moveBranch(tools.git, record, record.head, tip, `anabranch accept ${record.run}`);
    if (!moved) return [{ path: record.branch ?? "HEAD", why: "another commit came first" }];
    faultPoint("accept.ref");
  }
  await writeFile(join(record.folder, STAGED.done), "");
  return [];
}

/** Whether all of it is written, whatever the user has done since. */
async function isWritten(git: Git, record: AcceptanceRecord): Promise<boolean> {
  if (existsSync(join(record.folder, STAGED.done))) return true;
  const { tip, repository } = record;
  if (tip === undefined) return false;
  const stands = await branchTip(git, record);
  return stands !== undefined && (await isAncestor(git, repository.gitDirectory, tip, stands));
}

/** What keeps an acceptance from being taken back: everything of it must be as it was written. */
export async function findUndoObstacles(git: Git, record: AcceptanceRecord): Promise<PathNote[]> {
  const notes: PathNote[] = [];
  if (record.tip !== undefined) {
    const head = await readHead(git, record.repository);
    if (head.branch !== record.branch || head.commit !== record.tip) {
      notes.push({ path: "HEAD", why: "it is not at the commits of the acceptance any more" });
    }
    notes.push(...(await findOtherEntries(git, record, "after")));
  }
  await forMany(record.paths, async ({ path, after }) => {
    if (!isSameMark(await readMark(join(record.repository.root, path)), after)) {
      notes.push({ path, why: "it has been changed since it was accepted" });
    }
  });
  return notes;
}

/**
 * Takes an acceptance back, from wherever an earlier try was stopped: the branch, the index, then files.
 *
 * @returns paths that were left alone since somebody has changed them; `undefined` when the branch has gone on, so that
 * nothing was or can be taken back
 */
export async function restoreAcceptance(
  { git, clock }: StepTools,
  record: AcceptanceRecord,
): Promise<PathNote[] | undefined> {
  const { tip, head, repository } = record;
  if (tip !== undefined) {
    const stands = await branchTip(git, record);
    if (stands === tip) {
      if (!(await moveBranch(git, record, tip, head, `anabranch accept --undo ${record.run}`))) return undefined;
    } else if (stands !== undefined && (await isAncestor(git, repository.gitDirectory, tip, stands))) return undefined;
    faultPoint("accept.unref");
  }
  const left = tip === undefined ? [] : await moveEntries({ git, clock }, record, "after", "before");
  faultPoint("accept.unindex");
  return [...left, ...(await movePaths(record, "after", "before", "accept.unpath"))];
}

/** Removes what an acceptance needs no more. What it replaced stays as long as it can be undone. */
export async function tidyAcceptance(record: AcceptanceRecord, canBeUndone: boolean): Promise<void> {
  const names = canBeUndone ? [STAGED.new, STAGED.packs] : ["."];
  for (const name of names) await rm(join(record.folder, name), { recursive: true, force: true });
}

type Side = "before" | "after";

/** Brings all paths from one side to the other. Going forward it stops where somebody was faster. */
async function movePaths(record: AcceptanceRecord, from: Side, to: Side, fault: string): Promise<PathNote[]> {
  const notes: PathNote[] = [];
  const { repository, folder } = record;
  for (const { path } of record.paths) removeCopy(repository.root, path, basename(folder));
  // Removals first: a folder may have to make room for a file.
  const isRemoved = (path: AcceptedPath): boolean => path[to] === null;
  for (const paths of [record.paths.filter(isRemoved), record.paths.filter((path) => !isRemoved(path))]) {
    const finder = new ObstacleFinder(repository.root);
    await forMany(paths, async (path) => {
      if (to === "after" && notes.length > 0) return;
      const note = await movePath(record, finder, path, from, to);
      if (note !== undefined) notes.push(note);
      faultPoint(fault);
    });
  }
  return notes;
}

async function movePath(
  { repository: { root }, folder }: AcceptanceRecord,
  finder: ObstacleFinder,
  { path, ...marks }: AcceptedPath,
  from: Side,
  to: Side,
): Promise<PathNote | undefined> {
  const above = finder.above(path);
  const standing = above === undefined ? await readMark(join(root, path)) : null;
  if (isSameMark(standing, marks[to])) return undefined;
  if (above !== undefined) return { path, why: `${above} is not a folder` };
  if (!isSameMark(standing, marks[from]) && !isRoom(standing, marks[from])) {
    return { path, why: "somebody has changed it in the meantime" };
  }
  try {
    if (marks[to] === null) removeEntry(root, path);
    else await moveEntry(join(folder, to === "after" ? STAGED.new : STAGED.old, path), root, path, basename(folder));
    return undefined;
  } catch (cause) {
    const code = systemCodeOf(cause);
    if (!["EISDIR", "ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(code ?? "")) throw cause;
    return { path, why: `it cannot be replaced (${code})` };
  }
}

// A folder whose files went before makes room, once it holds nothing.
function isRoom(standing: Mark | "folder", expected: Mark): boolean {
  return standing === "folder" && expected === null;
}

async function branchTip(git: Git, record: AcceptanceRecord): Promise<string | undefined> {
  const head = await readHead(git, record.repository);
  if (record.branch === undefined) return head.branch === undefined ? head.commit : undefined;
  return head.refs.find(({ name }) => name === `refs/heads/${record.branch}`)?.oid;
}

async function moveBranch(
  git: Git,
  record: AcceptanceRecord,
  from: string | undefined,
  to: string | undefined,
  message: string,
): Promise<boolean> {
  const { repository, branch } = record;
  const head = await readHead(git, repository);
  if (head.branch !== branch || from === undefined || to === undefined) return false;
  const name = branch === undefined ? "HEAD" : `refs/heads/${branch}`;
  return moveRef(git, repository.gitDirectory, { name, from, to, message });
}

function userPlace({ repository }: AcceptanceRecord): GitPlace {
  return { gitDirectory: repository.gitDirectory, workTree: repository.root };
}

const LOCK_PATIENCE_MS = 3000;
const LOCK_LOOK_MS = 50;

/** Brings the entries of the user's index from one side to the other. Returns those that are neither. */
async function moveEntries(
  { git, clock }: StepTools,
  record: AcceptanceRecord,
  from: Side,
  to: Side,
): Promise<PathNote[]> {
  const place = userPlace(record);
  const config = indexWishes(await readEveryConfig(git, record.repository));
  const noObject = "0".repeat(record.after.length);
  const endMs = clock.monotonicMs() + LOCK_PATIENCE_MS;
  for (;;) {
    const present = await readIndexEntries(git, place, new Set(record.entries.map(({ path }) => path)));
    const stale = record.entries.filter((entry) => {
      const now = present.get(entry.path);
      return now?.unmerged === true || (!isSameEntry(now, entry[from]) && !isSameEntry(now, entry[to]));
    });
    const notes = stale.map(({ path }) => ({ path, why: "it has been staged meanwhile" }));
    if (notes.length > 0 && to === "after") return notes;
    const edits = record.entries
      .filter((entry) => !stale.includes(entry) && !isSameEntry(present.get(entry.path), entry[to]))
      .map((entry) => ({ path: entry.path, entry: entry[to] }));
    try {
      await editIndex(git, place, edits, { config, noObject });
      return notes;
    } catch (cause) {
      if (!isAnabranchError(cause) || !cause.message.includes("index.lock")) throw cause;
      if (clock.monotonicMs() > endMs) {
        if (to === "after") return [{ path: "index", why: "another git command holds it" }];
        throw cause;
      }
      await delay(clock, LOCK_LOOK_MS);
    }
  }
}

async function findOtherEntries(git: Git, record: AcceptanceRecord, side: Side): Promise<PathNote[]> {
  const paths = new Set(record.entries.map(({ path }) => path));
  const present = await readIndexEntries(git, userPlace(record), paths);
  return record.entries
    .filter((entry) => !isSameEntry(present.get(entry.path), entry[side]))
    .map(({ path }) => ({ path, why: "it has been staged since" }));
}

function isSameEntry(one: IndexEntry | undefined, other: IndexEntry): boolean {
  return one?.oid === other?.oid && one?.mode === other?.mode;
}

/** The parts of an index that only make it faster stay as the user has them. */
function indexWishes(config: ReadonlyMap<string, string>): Record<string, string> {
  return {
    "core.untrackedCache": config.get("core.untrackedcache") ?? "keep",
    "core.splitIndex": config.get("core.splitindex") ?? "false",
    "index.sparse": config.get("index.sparse") ?? "false",
  };
}
