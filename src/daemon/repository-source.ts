import { readHead, readLocalConfig, type Repository, type RepositoryHead } from "../git/repository.ts";
import { describeSource, refuseLocalFilters, surveyBase, type BaseSurvey } from "../workspaces/source.ts";
import { prepareVault, type Vault } from "../workspaces/vault.ts";
import type { WorkspaceSource } from "../workspaces/workspace.ts";
import type { Parts } from "./parts.ts";

/** A user's repository whose vault is in line with it. */
export interface OpenedRepository {
  readonly repository: Repository;
  readonly vault: Vault;
  readonly head: RepositoryHead;
  readonly local: readonly (readonly [string, string])[];
}

/**
 * Reads what the user's repository is like now and brings its vault in line with that.
 *
 * @throws {AnabranchError} `REPOSITORY_UNSUPPORTED` where its own configuration names filters that its files use
 */
export async function openRepository(
  parts: Parts,
  repositoryId: string,
  repository: Repository,
): Promise<OpenedRepository> {
  const { git } = parts;
  const vault = parts.vaultOf(repositoryId);
  const [head, local] = await Promise.all([readHead(git, repository), readLocalConfig(git, repository)]);
  await refuseLocalFilters(git, repository, local);
  await prepareVault(vault.directory, repository, local, parts.layout.state);
  return { repository, vault, head, local };
}

/**
 * Settles what workspaces that start from a commit need to know of the user's repository.
 * @param commit or another one with the same lock files and submodules
 */
export async function settleSource(
  { git, surveys }: Parts,
  { repository, vault, head, local }: OpenedRepository,
  commit: string,
  withUncommitted: boolean,
): Promise<{ readonly survey: BaseSurvey; readonly source: WorkspaceSource }> {
  const key = `${vault.directory} ${commit}`;
  const survey = surveys.get(key) ?? (await surveyBase(git, vault.place, commit));
  surveys.set(key, survey);
  const source = await describeSource(git, repository, head, local, survey, withUncommitted);
  return { survey, source };
}
