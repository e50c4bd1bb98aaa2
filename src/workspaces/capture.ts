import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

import { AnabranchError } from "../base/errors.ts";
import { faultPoint } from "../base/fault.ts";
import { compareTrees, GITLINK_MODE, type Change, type LineCount, type TreeDifference } from "../git/changes.ts";
import type { Git, GitPlace } from "../git/git.ts";
import { copyIndex } from "../git/index-file.ts";
import { restoreBaseRules, type RuleDifference } from "./base-rules.ts";
import { composeKnownTree } from "./known-paths.ts";
import { adminOf } from "./layout.ts";
import { ownObjects } from "./own-objects.ts";
import { withRights } from "./rights.ts";
import { isRealFolder, restoreAdmin, type Workspace } from "./workspace.ts";

/** What a workspace holds, safe in the vault. */
export interface Snapshot {
  /** The base itself when nothing differs. */
  readonly commit: string;
  /** The paths that differ from the base. */
  readonly changes: readonly Change[];
  /** How many lines differ, where that was asked for. */
  readonly lines: readonly LineCount[];
  /** Folders in it that are repositories of their own; their files are not in the commit. */
  readonly nested: readonly string[];
  /** Where the base's ignore rules and the present ones differ, and the base's decided. */
  readonly rules: RuleDifference;
}

/** How to take a snapshot. */
export interface SnapshotRequest {
  readonly base: string;
  /** The ref in the vault that will hold it. */
  readonly ref: string;
  readonly message: string;
  readonly atSeconds: number;
  /** Folders that stay out whatever the ignore rules say. */
  readonly kept: readonly string[];
  /** Whether the snapshot names the base as its parent; not where the vault does not have it. */
  readonly withoutParent?: boolean | undefined;
  /** Whether to count the lines that differ. */
  readonly countLines?: boolean | undefined;
  /** The paths that can differ from the base, where they are known: then only those are looked at. */
  readonly paths?: readonly string[] | undefined;
}

/**
 * Takes a snapshot of a workspace: everything in it but what the *base* ignores. Neither the workspace's own
 * repository, which whatever ran there may have changed or removed, nor its configuration is looked at.
 *
 * @throws {AnabranchError} `WORKSPACE_GONE` when its folder was removed, `UNREADABLE_FILES`, `DISK_FULL`
 */
export async function captureWorkspace(git: Git, workspace: Workspace, request: SnapshotRequest): Promise<Snapshot> {
  requireTree(workspace);
  return withRights(workspace, () => capture(git, workspace, request));
}

async function capture(git: Git, workspace: Workspace, request: SnapshotRequest): Promise<Snapshot> {
  await restoreAdmin(git, workspace, request.base);
  const known = await stageKnown(git, workspace, request);
  if (known !== undefined) return snapshotOf(known, await keepTree(git, workspace, known, request));
  const scratch = await mkdtemp(join(workspace.slot, "capture-"));
  try {
    const indexFile = join(scratch, "index");
    await copyIndex(join(adminOf(workspace.slot), "index"), indexFile);
    const place = { ...workspace.place, indexFile };
    const staged = await stageChanges(git, place, scratch, request);
    return snapshotOf(staged, await keepTree(git, workspace, staged, request));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function snapshotOf({ difference: { changes, lines }, nested, rules }: Staged, commit: string): Snapshot {
  return { commit, changes, lines, nested, rules };
}

/** Where the paths are known that can differ: without an index. `undefined` where that is not enough. */
async function stageKnown(
  git: Git,
  workspace: Workspace,
  { base, paths, countLines }: SnapshotRequest,
): Promise<Staged | undefined> {
  if (paths === undefined || countLines === true) return undefined;
  const known = await composeKnownTree(git, workspace, base, paths);
  if (known === undefined) return undefined;
  const changes = await workspace.vault.objects.compare(base, known.tree);
  const difference = { changes, lines: [], newObjects: known.blobs };
  return { tree: known.tree, difference, nested: [], rules: { hidden: [], revealed: [] } };
}

function requireTree({ tree }: Workspace): void {
  if (isRealFolder(tree)) return;
  throw new AnabranchError("WORKSPACE_GONE", {
    message: `the workspace ${tree} was removed or replaced while its task ran`,
    hint: "look into the task's log for what removed it; the work of earlier attempts is in the vault",
  });
}

interface Staged {
  readonly tree: string;
  readonly difference: TreeDifference;
  readonly nested: readonly string[];
  readonly rules: RuleDifference;
}

async function stageChanges(git: Git, place: GitPlace, scratch: string, request: SnapshotRequest): Promise<Staged> {
  const unborn =
    request.paths === undefined
      ? await addEverything(git, place, { sparse: true })
      : await addPaths(git, place, request.paths);
  let tree = await writeTree(git, place);
  const lines = { lines: request.countLines === true };
  let difference = await compareTrees(git, place, request.base, tree, lines);
  const nested = difference.changes.filter(isNewRepository).map((change) => change.path);
  let restaged = nested.length > 0;
  let rules: RuleDifference = { hidden: [], revealed: [] };
  if (restaged) await removeFromIndex(git, place, nested);
  if (difference.changes.some((change) => /(^|\/)\.gitignore$/.test(change.path))) {
    rules = await restoreBaseRules(git, place, scratch, request);
    restaged ||= rules.hidden.length + rules.revealed.length > 0;
  }
  if (restaged) {
    tree = await writeTree(git, place);
    difference = await compareTrees(git, place, request.base, tree, lines);
  }
  return { tree, difference, nested: [...nested, ...unborn], rules };
}

/**
 * Stages everything that is not ignored; returns the nested repositories that have no commit yet.
 * @param options `sparse`: files are left out of the tree on purpose; one that is there all the same counts
 */
export async function addEverything(
  git: Git,
  place: GitPlace,
  { sparse }: { readonly sparse: boolean },
): Promise<string[]> {
  const end = await git.run(place, ["add", "--all", "--sparse", "--ignore-errors", "--", "."], {
    allow: [1, 128],
    config: { "advice.addEmbeddedRepo": "false", "core.sparseCheckout": String(sparse) },
  });
  const isWhole = end.status === 0 && !UNOPENED.test(end.stderr);
  return isWhole ? [] : unbornRepositories(end.stderr, place.workTree ?? "");
}

// Git goes on without what is in such a folder, and calls that a success.
const UNOPENED = /^warning: could not open directory /m;

// A nested repository without a commit is left out by git; whatever else it leaves out would be work unseen.
function unbornRepositories(words: string, tree: string): string[] {
  const unborn: string[] = [];
  const problems: string[] = [];
  for (const line of words.split("\n")) {
    const path = /^error: '(.*)\/' does not have a commit checked out$/.exec(line)?.[1];
    if (path !== undefined) unborn.push(path);
    else if (UNOPENED.test(line)) problems.push(line);
    else if (/^(error|fatal): /.test(line) && !/adding files failed/.test(line)) problems.push(line);
  }
  const [first] = problems;
  if (first === undefined && unborn.length > 0) return unborn;
  const full = /No space left|quota exceeded/i.test(words);
  throw new AnabranchError(full ? "DISK_FULL" : "UNREADABLE_FILES", {
    message: `some files of ${tree} cannot be kept: ${shorten((first ?? words).replace(/^\w+: /, ""))}`,
    hint: full ? "free some disk space" : "make them readable, remove them or ignore them",
    data: { problems: problems.slice(0, 20).map(shorten) },
  });
}

const LONGEST_PROBLEM = 300;

// The place and the reason stand at its ends.
function shorten(text: string): string {
  return text.length <= LONGEST_PROBLEM ? text : `${text.slice(0, 150)} … ${text.slice(-100)}`;
}

async function addPaths(git: Git, place: GitPlace, paths: readonly string[]): Promise<string[]> {
  if (paths.length === 0) return [];
  const input = paths.map((path) => `${path}\0`).join("");
  await git.run(place, ["update-index", "--add", "--remove", "-z", "--stdin"], { input });
  return [];
}

function isNewRepository(change: Change): boolean {
  return change.newMode === GITLINK_MODE && change.oldMode !== GITLINK_MODE;
}

async function removeFromIndex(git: Git, place: GitPlace, paths: readonly string[]): Promise<void> {
  const input = paths.map((path) => `${path}\0`).join("");
  await git.run(place, ["update-index", "--force-remove", "-z", "--stdin"], { input });
}

// Objects that a sparse or partial clone does not have need not be there to be named.
function writeTree(git: Git, place: GitPlace): Promise<string> {
  return git.text(place, ["write-tree", "--missing-ok"]);
}

async function keepTree(
  git: Git,
  { vault }: Workspace,
  { tree, difference }: Staged,
  request: SnapshotRequest,
): Promise<string> {
  faultPoint("snapshot.keep");
  if (difference.changes.length === 0) {
    if (request.withoutParent !== true) await vault.refs.update([{ name: request.ref, to: request.base }]);
    return request.base;
  }
  await ownObjects(git, vault, [tree, ...difference.newObjects]);
  const { message, atSeconds } = request;
  const parents = request.withoutParent === true ? [] : [request.base];
  const commit = await vault.commits.write({ tree, parents, message, atSeconds });
  await vault.refs.update([{ name: request.ref, to: commit }]);
  return commit;
}
