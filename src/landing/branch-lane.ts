import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

import { AnabranchError } from "../base/errors.ts";
import type { Git, GitPlace } from "../git/git.ts";
import { installPacks, packNewObjects } from "../git/packs.ts";
import { moveRef } from "../git/refs.ts";
import { readEveryConfig, type Repository } from "../git/repository.ts";
import type { Vault } from "../workspaces/vault.ts";
import { isOnRef, type Lane } from "./lane.ts";
import { findHooks } from "./user-state.ts";

/** A worktree of the user's that stands on a branch. */
interface Worktree {
  readonly place: GitPlace;
  readonly root: string;
}

/**
 * A lane that is a branch of the user's. Only what is committed lands on it, and the user's hooks do not run.
 *
 * Where the branch is checked out, that worktree must hold no changes; it follows once the branch has moved.
 */
export function branchLane(git: Git, vault: Vault, repository: Repository, branch: string): Lane {
  const ref = `refs/heads/${branch}`;
  const place = { gitDirectory: repository.commonDirectory };
  const tip = async (): Promise<string> => {
    const found = await git.run(place, ["rev-parse", "--verify", "--quiet", `${ref}^{commit}`], { allow: [1, 128] });
    if (found.status === 0) return found.stdout.toString("utf8").trim();
    throw new AnabranchError("TARGET_GONE", {
      message: `the branch ${branch}, on which the work was to land, is not there`,
      hint: `make it (git branch ${branch}), then land what is kept: anabranch land ID`,
      data: { branch },
    });
  };
  return {
    kind: "branch",
    name: branch,
    tip,
    async notices() {
      const hooks = findHooks(repository, (await readEveryConfig(git, repository)).get("core.hookspath"));
      return hooks.length === 0 ? [] : [`hooks of the repository did not run: ${hooks.join(", ")}`];
    },
    async move(from, to, receipts) {
      const before = from ?? (await tip());
      const worktrees = await worktreesOn(git, place, ref);
      for (const worktree of worktrees) await requireUnchanged(git, worktree, branch);
      await giveObjects(git, vault, repository, to, before);
      for (const worktree of worktrees) await requireRoom(git, worktree, branch, before, to);
      await vault.refs.update(receipts.map((receipt) => ({ name: receipt.ref, to: receipt.commit })));
      const message = "anabranch: landing";
      const moved = await moveRef(git, repository.commonDirectory, { name: ref, from: before, to, message });
      if (!moved) await vault.refs.update(receipts.map((receipt) => ({ name: receipt.ref, to: null })));
      return moved;
    },
    async settle(from, to) {
      for (const { place: worktree } of await worktreesOn(git, place, ref)) {
        await refreshIndex(git, worktree);
        await git.run(worktree, ["read-tree", "-m", "-u", "--no-recurse-submodules", from, to], { allow: [1, 128] });
      }
    },
    async holds(commit, landing, since) {
      return isOnRef(git, place, await tip(), commit, landing, since);
    },
  };
}

/** The worktrees that have a branch checked out. */
async function worktreesOn(git: Git, place: GitPlace, ref: string): Promise<Worktree[]> {
  const records = await git.records(place, ["worktree", "list", "--porcelain", "-z"]);
  const found: Worktree[] = [];
  let root = "";
  for (const record of records) {
    if (record.startsWith("worktree ")) root = record.slice("worktree ".length);
    if (record !== `branch ${ref}`) continue;
    const gitDirectory = await git.text({ cwd: root }, ["rev-parse", "--absolute-git-dir"]);
    found.push({ root, place: { gitDirectory, workTree: root } });
  }
  return found;
}

/** Refuses while a worktree holds changes that are not committed. */
async function requireUnchanged(git: Git, { place, root }: Worktree, branch: string): Promise<void> {
  const changed = await git.records(place, ["status", "--porcelain", "-z", "--untracked-files=no", "--no-renames"]);
  if (changed.length === 0) return;
  const paths = changed.slice(0, 100).map((record) => record.slice(3));
  throw busy(branch, root, `${changed.length} changes in it are not committed`, paths);
}

/** Refuses while something that git does not track is in the way of what comes. */
async function requireRoom(
  git: Git,
  { place, root }: Worktree,
  branch: string,
  from: string,
  to: string,
): Promise<void> {
  await refreshIndex(git, place);
  const trial = await git.run(place, ["read-tree", "-n", "-m", "-u", from, to], { allow: [1, 128] });
  if (trial.status !== 0) throw busy(branch, root, trial.stderr.trim().replace(/^(error|fatal): /, ""), []);
}

function busy(branch: string, root: string, why: string, paths: readonly string[]): AnabranchError {
  return new AnabranchError("TARGET_BUSY", {
    message: `the branch ${branch} is checked out in ${root}, and ${why}`,
    hint: "commit or stash what is there, then land what is kept: anabranch land ID",
    data: { branch, worktree: root, paths },
  });
}

// A file as young as the index would be taken for changed.
async function refreshIndex(git: Git, place: GitPlace): Promise<void> {
  await git.run(place, ["update-index", "-q", "--refresh"], { allow: [1] });
}

async function giveObjects(git: Git, vault: Vault, repository: Repository, tip: string, known: string): Promise<void> {
  const folder = await mkdtemp(join(vault.directory, "packs-"));
  try {
    await packNewObjects(git, vault.place, { tip, known }, folder);
    await installPacks(folder, repository.objectsDirectory);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
