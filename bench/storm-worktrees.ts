import { execFile } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { git } from "./repositories.ts";

/** What became of a storm of worktrees. */
export interface WorktreeStorm {
  /** Worktrees that were made. */
  readonly made: number;
  /** Branches that stand there without a worktree. */
  readonly orphans: number;
  /** Commits that were made in them. */
  readonly commits: number;
  readonly wallMs: number;
}

/** Makes so many worktrees of a clone at the same moment, each for a new branch from the remote's, then five commits in each. */
export async function stormWorktrees(folder: string, origin: string, size: number): Promise<WorktreeStorm> {
  mkdirSync(folder, { recursive: true });
  const root = join(folder, "clone");
  git(folder, "clone", "--quiet", "--no-hardlinks", origin, root);
  git(root, "config", "user.name", "Ada");
  git(root, "config", "user.email", "ada@example.org");
  const beganMs = performance.now();
  const names = Array.from({ length: size }, (_, index) => `task-${index}`);
  const add = (name: string): Promise<boolean> =>
    succeeds(root, ["worktree", "add", "--quiet", "-b", name, join(folder, name), "origin/main"]);
  const made = await Promise.all(names.map(add));
  const trees = names.filter((_name, index) => made[index] === true).map((name) => join(folder, name));
  const commits = await Promise.all(trees.map(commitFive));
  const branches = git(root, "for-each-ref", "--format=%(refname:short)", "refs/heads/task-*").split("\n");
  return {
    made: trees.length,
    orphans: branches.filter((branch) => branch !== "" && !trees.includes(join(folder, branch))).length,
    commits: commits.reduce((sum, count) => sum + count, 0),
    wallMs: performance.now() - beganMs,
  };
}

async function commitFive(tree: string): Promise<number> {
  let commits = 0;
  if (!existsSync(tree)) return commits;
  for (let index = 1; index <= 5; index += 1) {
    writeFileSync(join(tree, "committed.txt"), `${index}\n`);
    const isStaged = await succeeds(tree, ["add", "--all"]);
    if (isStaged && (await succeeds(tree, ["commit", "--quiet", "-m", String(index)]))) commits += 1;
  }
  return commits;
}

function succeeds(cwd: string, args: readonly string[]): Promise<boolean> {
  return new Promise((done) => {
    execFile("git", [...args], { cwd }, (error) => done(error === null));
  });
}
