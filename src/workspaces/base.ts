import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { AnabranchError } from "../base/errors.ts";
import { faultPoint } from "../base/fault.ts";
import { compareTrees, GITLINK_MODE, type Change } from "../git/changes.ts";
import type { Git, GitPlace } from "../git/git.ts";
import { copyIndex } from "../git/index-file.ts";
import { updateRefs } from "../git/refs.ts";
import {
  operationInProgress,
  resolveCommit,
  type Ref,
  type Repository,
  type RepositoryHead,
} from "../git/repository.ts";
import { addEverything } from "./capture.ts";
import { isLockFile } from "./dependencies.ts";
import { ownObjects } from "./own-objects.ts";
import type { Vault } from "./vault.ts";

/** The exact state a run starts from. */
export interface Base {
  /** The user's commit itself where the tree is clean, else a snapshot on top of it. */
  readonly commit: string;
  /** How many paths of the user's tree are not as committed. */
  readonly uncommittedPaths: number;
  /** How many of them git does not track yet. */
  readonly untrackedPaths: number;
  /** Repositories inside the tree that are not submodules: they do not come along. */
  readonly nested: readonly string[];
  /** An older commit with the same lock files and submodules, where there is one: what is known of it holds here. */
  readonly alike?: string | undefined;
}

/** The ref in the vault that keeps a base. */
export function baseRef(commit: string): string {
  return `refs/bases/${commit}`;
}

/** Where the pins in the user's repository are. */
export const PINS = "refs/anabranch/pins/";

/**
 * Takes the user's current state (committed, uncommitted, and untracked but not ignored) as one commit in the vault.
 * It reads the user's tree and index and writes neither; only pins are added to the user's repository.
 *
 * @throws {AnabranchError} `REPOSITORY_BUSY` during a merge, a rebase or with unsettled conflicts
 */
export async function takeBase(git: Git, vault: Vault, repository: Repository, head: RepositoryHead): Promise<Base> {
  refuseUnfinished(repository);
  const scratch = await mkdtemp(join(vault.directory, "base-"));
  try {
    const place = await privateView(repository, vault, scratch);
    const [unborn, commit] = await Promise.all([
      addEverything(git, place, { sparse: await isSparse(git, repository) }),
      describeCommit(git, vault.place, head.commit),
      refuseConflicts(git, repository),
    ]);
    let tree = await git.text(place, ["write-tree", "--missing-ok"]);
    let difference = await compareTrees(git, place, commit.tree, tree);
    const nested = difference.changes.filter((c) => c.newMode === GITLINK_MODE && c.oldMode !== GITLINK_MODE);
    const strangers = await withoutSubmodules(
      git,
      place,
      nested.map((change) => change.path),
    );
    if (strangers.length > 0) {
      const input = strangers.map((path) => `${path}\0`).join("");
      await git.run(place, ["update-index", "--force-remove", "-z", "--stdin"], { input });
      tree = await git.text(place, ["write-tree", "--missing-ok"]);
      difference = await compareTrees(git, place, commit.tree, tree);
    }
    const isAlike = !difference.changes.some(bearsOnSurvey);
    const clean = difference.changes.length === 0 && head.commit !== undefined;
    if (!clean) await ownObjects(git, vault, [tree, ...difference.newObjects]);
    const base = clean && head.commit !== undefined ? head.commit : await writeBase(vault, head.commit, tree, commit);
    await keepBase(git, vault, repository, head, base);
    return {
      commit: base,
      uncommittedPaths: difference.changes.length,
      untrackedPaths: difference.changes.filter((change) => change.kind === "added").length,
      nested: [...strangers, ...unborn],
      alike: isAlike ? head.commit : undefined,
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function bearsOnSurvey({ path, oldMode, newMode }: Change): boolean {
  return isLockFile(path) || oldMode === GITLINK_MODE || newMode === GITLINK_MODE;
}

/** Takes a commit the user names as the base; nothing uncommitted comes along. */
export async function takeNamedBase(
  git: Git,
  vault: Vault,
  repository: Repository,
  head: RepositoryHead,
  word: string,
): Promise<Base> {
  const commit = await resolveCommit(git, repository, word);
  await keepBase(git, vault, repository, { ...head, commit }, commit);
  return { commit, uncommittedPaths: 0, untrackedPaths: 0, nested: [] };
}

/** Takes a commit of the vault as the base. */
export async function takeKeptBase(vault: Vault, commit: string): Promise<Base> {
  await vault.refs.update([{ name: baseRef(commit), to: commit }]);
  return { commit, uncommittedPaths: 0, untrackedPaths: 0, nested: [] };
}

function refuseUnfinished(repository: Repository): void {
  const operation = operationInProgress(repository);
  if (operation === undefined) return;
  throw new AnabranchError("REPOSITORY_BUSY", {
    message: `${operation} is in progress in ${repository.root}, so its files are between two states`,
    hint: "finish or abort it, or start from the last commit: --base HEAD",
    data: { operation },
  });
}

// The user's own index is read: in the copy, adding everything is settling everything.
async function refuseConflicts(git: Git, repository: Repository): Promise<void> {
  const place = { gitDirectory: repository.gitDirectory, workTree: repository.root, isSealed: true };
  const unmerged = await git.records(place, ["ls-files", "--unmerged", "-z"]);
  if (unmerged.length === 0) return;
  const paths = [...new Set(unmerged.map((record) => record.slice(record.indexOf("\t") + 1)))];
  throw new AnabranchError("REPOSITORY_BUSY", {
    message: `${paths.length} files of ${repository.root} have conflicts that are not settled: ${paths.slice(0, 3).join(", ")}`,
    hint: "settle them and git add them, or start from the last commit: --base HEAD",
    data: { paths: paths.slice(0, 100) },
  });
}

/**
 * The user's files with a copy of the user's index, seen through the vault: it has the settings that decide how files
 * become blobs, and none that names a program.
 */
async function privateView(repository: Repository, vault: Vault, scratch: string): Promise<GitPlace> {
  const gitDirectory = join(scratch, "git");
  await mkdir(gitDirectory);
  await writeFile(join(gitDirectory, "HEAD"), "ref: refs/heads/none\n");
  // An index that is kept in two parts names its other part.
  const parts = (await readdir(repository.gitDirectory)).filter((name) =>
    /^(index|sharedindex\.[0-9a-f]+)$/.test(name),
  );
  for (const name of parts) await copyIndex(join(repository.gitDirectory, name), join(gitDirectory, name));
  return { gitDirectory, commonDirectory: vault.directory, workTree: repository.root };
}

/** Whether the user's worktree leaves files out: then one that is there all the same is looked at. */
async function isSparse(git: Git, repository: Repository): Promise<boolean> {
  if (!existsSync(join(repository.gitDirectory, "info/sparse-checkout"))) return false;
  const place = { gitDirectory: repository.gitDirectory };
  const end = await git.run(place, ["config", "--type=bool", "--get", "core.sparseCheckout"], { allow: [1] });
  return end.stdout.toString("utf8").trim() === "true";
}

interface CommitFacts {
  readonly tree: string;
  readonly atSeconds: number;
}

const EMPTY_TREE = {
  sha1: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
  sha256: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
};

async function describeCommit(git: Git, place: GitPlace, commit: string | undefined): Promise<CommitFacts> {
  if (commit === undefined) {
    const format = await git.text(place, ["rev-parse", "--show-object-format"]);
    return { tree: format === "sha256" ? EMPTY_TREE.sha256 : EMPTY_TREE.sha1, atSeconds: 0 };
  }
  const [tree = "", at = "0"] = (await git.text(place, ["log", "-1", "--format=%T %ct", commit])).split(" ");
  return { tree, atSeconds: Number(at) };
}

// The same state on the same commit always becomes the same base, so that workspaces standing at it are found warm.
function writeBase(
  vault: Vault,
  parent: string | undefined,
  tree: string,
  { atSeconds }: CommitFacts,
): Promise<string> {
  const parents = parent === undefined ? [] : [parent];
  return vault.commits.write({ tree, parents, message: "The working tree, as it was when the run started", atSeconds });
}

async function keepBase(
  git: Git,
  vault: Vault,
  repository: Repository,
  head: RepositoryHead,
  base: string,
): Promise<void> {
  faultPoint("base.keep");
  await pinBorrowed(git, repository, head);
  await vault.refs.update([{ name: baseRef(base), to: base }]);
}

/** Holds everything that workspaces borrow in the user's repository, so that its garbage collection keeps it. */
async function pinBorrowed(git: Git, repository: Repository, head: RepositoryHead): Promise<void> {
  const pinned = new Set(head.refs.filter((ref) => ref.name.startsWith(PINS)).map((ref) => ref.oid));
  const borrowed = new Set(copiedRefs(head).map((ref) => ref.oid));
  if (head.commit !== undefined) borrowed.add(head.commit);
  const missing = [...borrowed].filter((oid) => !pinned.has(oid));
  const updates = missing.map((oid) => ({ name: PINS + oid, to: oid }));
  await updateRefs(git, repository.commonDirectory, updates);
}

/** The user's refs that workspaces show: branches, remote branches and tags. */
export function copiedRefs(head: RepositoryHead): Ref[] {
  return head.refs.filter((ref) => /^refs\/(heads|remotes|tags)\//.test(ref.name));
}

// A repository that .gitmodules names is a submodule the user is about to add; the others merely lie there.
async function withoutSubmodules(git: Git, place: GitPlace, paths: readonly string[]): Promise<string[]> {
  if (paths.length === 0) return [];
  const listing = await git.run(
    place,
    ["config", "-z", "--file", join(place.workTree ?? "", ".gitmodules"), "--get-regexp", "^submodule\\..*\\.path$"],
    { allow: [1] },
  );
  const known = new Set(
    listing.stdout
      .toString("utf8")
      .split("\0")
      .map((entry) => entry.slice(entry.indexOf("\n") + 1)),
  );
  return paths.filter((path) => !known.has(path));
}
