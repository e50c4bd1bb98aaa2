import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

import { AnabranchError } from "../base/errors.ts";
import type { Change } from "../git/changes.ts";
import type { Git } from "../git/git.ts";
import { readEveryConfig, readHead, type Repository, type RepositoryHead } from "../git/repository.ts";
import { takeBase } from "../workspaces/base.ts";
import type { Vault } from "../workspaces/vault.ts";

/** The user's worktree as it is now. */
export interface UserState {
  readonly repository: Repository;
  readonly head: RepositoryHead;
  /** All of it, as a commit in the vault. */
  readonly commit: string;
  /** What of it is committed: the last commit, or an empty tree. */
  readonly committed: string;
  /** Whether no tracked file differs from the last commit, neither in the index nor in the working tree. */
  readonly isClean: boolean;
  /** How it differs from what is committed. */
  readonly uncommitted: readonly Change[];
  /** Who commits, as `Name <email>`; `undefined` where git does not know. */
  readonly committer: string | undefined;
  /** Hooks that a commit made with git would run. */
  readonly hooks: readonly string[];
}

/**
 * Takes the user's current state, in the vault. Nothing of the user's is written but pins.
 *
 * @param environment of whoever asks
 * @throws {AnabranchError} `REPOSITORY_BUSY`
 */
export async function takeUserState(
  git: Git,
  vault: Vault,
  repository: Repository,
  environment: Readonly<Record<string, string>>,
): Promise<UserState> {
  const [head, config] = await Promise.all([readHead(git, repository), readEveryConfig(git, repository)]);
  const place = { gitDirectory: repository.gitDirectory, workTree: repository.root };
  const [base, staged] = await Promise.all([
    takeBase(git, vault, repository, head),
    head.commit === undefined
      ? undefined
      : git.run(place, ["diff-index", "--cached", "--quiet", head.commit], { allow: [1] }),
  ]);
  const committed = head.commit ?? (await vault.objects.writeTree([]));
  const changes = await vault.objects.compare(committed, base.commit);
  return {
    repository,
    head,
    commit: base.commit,
    committed,
    // What git does not track yet is new in it, and nothing else may be.
    isClean: staged?.status === 0 && changes.every((change) => change.kind === "added"),
    uncommitted: changes,
    committer: committerFrom(config, environment),
    hooks: findHooks(repository, config.get("core.hookspath")),
  };
}

/** Refuses while another git command is at work on the user's index, or died there. */
export function refuseLockedIndex(repository: Repository): void {
  const lock = join(repository.gitDirectory, "index.lock");
  if (!isThere(lock, constants.F_OK)) return;
  throw new AnabranchError("REPOSITORY_BUSY", {
    message: `another git command is at work on the index of ${repository.root}: ${lock} is there`,
    hint: `try again when it is done; if none is running, one was killed there: rm ${lock}`,
    data: { lock },
  });
}

function committerFrom(
  config: ReadonlyMap<string, string>,
  environment: Readonly<Record<string, string>>,
): string | undefined {
  const first = (...values: (string | undefined)[]): string | undefined =>
    values.map((value) => value?.replace(/[<>\n]/g, "").trim()).find((value) => value !== undefined && value !== "");
  const name = first(environment["GIT_COMMITTER_NAME"], config.get("committer.name"), config.get("user.name"));
  const email = first(
    environment["GIT_COMMITTER_EMAIL"],
    config.get("committer.email"),
    config.get("user.email"),
    environment["EMAIL"],
  );
  return name === undefined || email === undefined ? undefined : `${name} <${email}>`;
}

const HOOKS = [
  "pre-commit",
  "prepare-commit-msg",
  "commit-msg",
  "post-commit",
  "reference-transaction",
  "post-index-change",
];

/** The hooks that a commit made with git would run. */
export function findHooks(repository: Repository, setting: string | undefined): string[] {
  const folder = hooksFolder(repository, setting);
  return HOOKS.filter((name) => isThere(join(folder, name), constants.X_OK));
}

function hooksFolder(repository: Repository, setting: string | undefined): string {
  if (setting === undefined) return join(repository.commonDirectory, "hooks");
  const path = setting.startsWith("~/") ? join(homedir(), setting.slice(2)) : setting;
  return isAbsolute(path) ? path : join(repository.root, path);
}

function isThere(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
