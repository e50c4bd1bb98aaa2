import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { AnabranchError } from "../base/errors.ts";
import { GITLINK_MODE } from "../git/changes.ts";
import type { Git, GitPlace } from "../git/git.ts";
import { updateRefs } from "../git/refs.ts";
import { findRepository, readHead, readLocalConfig, type Repository, type RepositoryHead } from "../git/repository.ts";
import { copiedRefs } from "./base.ts";
import { digest, isLockFile } from "./dependencies.ts";
import { workspaceConfig } from "./vault.ts";
import type { SubmoduleSource, WorkspaceSource } from "./workspace.ts";

/** What a look through a base's tree brings. */
export interface BaseSurvey {
  /** A digest of all lock files: what setup and dependencies depend on. */
  readonly lockKey: string;
  /** Paths that are commits of other repositories. */
  readonly gitlinks: readonly { readonly path: string; readonly commit: string }[];
}

/** Looks through a base's tree once. */
export async function surveyBase(git: Git, place: GitPlace, commit: string): Promise<BaseSurvey> {
  const locks: string[] = [];
  const gitlinks: { path: string; commit: string }[] = [];
  for (const record of await git.records(place, ["ls-tree", "-r", "-z", commit])) {
    const at = record.indexOf("\t");
    const path = record.slice(at + 1);
    if (isLockFile(path)) locks.push(record);
    const [mode, , oid = ""] = record.slice(0, at).split(" ");
    if (mode === GITLINK_MODE) gitlinks.push({ path, commit: oid });
  }
  return { lockKey: digest(locks), gitlinks };
}

/**
 * Settles what workspaces need to know of the user's repository.
 *
 * @throws {AnabranchError} `REPOSITORY_UNSUPPORTED` when a submodule has uncommitted changes, which no base can hold
 */
export async function describeSource(
  git: Git,
  repository: Repository,
  head: RepositoryHead,
  local: readonly (readonly [string, string])[],
  survey: BaseSurvey,
  withUncommitted: boolean,
): Promise<WorkspaceSource> {
  const sparse = local.some(([key, value]) => key === "core.sparsecheckout" && value === "true")
    ? await textOf(join(repository.gitDirectory, "info/sparse-checkout"))
    : undefined;
  const isThere = ({ path }: { readonly path: string }): boolean => existsSync(join(repository.root, path, ".git"));
  const submodules: SubmoduleSource[] = [];
  for (const { path, commit } of survey.gitlinks.filter(isThere)) {
    submodules.push(await describeSubmodule(git, join(repository.root, path), path, commit, withUncommitted));
  }
  return {
    objectsDirectory: repository.objectsDirectory,
    config: workspaceConfig(repository, local, sparse !== undefined),
    refs: copiedRefs(head),
    sparse,
    shallow: repository.shallow ? await textOf(join(repository.commonDirectory, "shallow")) : undefined,
    submodules,
    absentSubmodules: survey.gitlinks.filter((gitlink) => !isThere(gitlink)).map(({ path }) => path),
  };
}

async function describeSubmodule(
  git: Git,
  directory: string,
  path: string,
  commit: string,
  withUncommitted: boolean,
): Promise<SubmoduleSource> {
  const repository = await findRepository(git, directory);
  const [head, local] = await Promise.all([readHead(git, repository), readLocalConfig(git, repository)]);
  await refuseLocalFilters(git, repository, local);
  if (withUncommitted) await refuseUncommitted(git, repository, path);
  const place = { gitDirectory: repository.gitDirectory };
  const survey = await surveyBase(git, place, commit);
  await updateRefs(git, repository.commonDirectory, [{ name: `refs/anabranch/pins/${commit}`, to: commit }]);
  const source = await describeSource(git, repository, head, local, survey, withUncommitted);
  return { path, commit, source };
}

async function refuseUncommitted(git: Git, repository: Repository, path: string): Promise<void> {
  const changed = await git.records({ gitDirectory: repository.gitDirectory, workTree: repository.root }, [
    "status",
    "--porcelain",
    "-z",
    "--ignore-submodules=all",
  ]);
  if (changed.length === 0) return;
  throw new AnabranchError("REPOSITORY_UNSUPPORTED", {
    message: `the submodule ${path} has ${changed.length} uncommitted changes, which a snapshot of the repository cannot hold`,
    hint: `commit them in the submodule, or start from what is committed: --base HEAD`,
    data: { submodule: path },
  });
}

/**
 * Refuses filters that only the repository's own configuration defines: making a workspace would run their commands.
 * Filters of the user's own configuration are the user's wish; git LFS is known.
 *
 * @throws {AnabranchError} `REPOSITORY_UNSUPPORTED`
 */
export async function refuseLocalFilters(
  git: Git,
  repository: Repository,
  local: readonly (readonly [string, string])[],
): Promise<void> {
  const filters = new Set(
    local.flatMap(([key, value]) => {
      const name = /^filter\.(.+)\.(?:clean|smudge|process)$/.exec(key)?.[1];
      return name === undefined || (name === "lfs" && LFS_COMMAND.test(value)) ? [] : [name];
    }),
  );
  if (filters.size === 0) return;
  const place = { gitDirectory: repository.gitDirectory, workTree: repository.root };
  const files = await git.run(place, ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
  const attributes = await git.records(place, ["check-attr", "-z", "--stdin", "filter"], { input: files.stdout });
  // Each answer is a path, the attribute's name and its value.
  const used = attributes.find((value, index) => index % 3 === 2 && filters.has(value));
  if (used === undefined) return;
  throw new AnabranchError("REPOSITORY_UNSUPPORTED", {
    message: `the filter "${used}" is defined by this repository's own configuration, which Anabranch never runs`,
    hint: `if you trust it, define it for yourself: git config --global filter.${used}.clean … (and smudge)`,
    data: { filter: used },
  });
}

const LFS_COMMAND = /^git[- ]lfs (clean|smudge|filter-process)( --skip)?( --)?( %f)?$/;

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}
