import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { systemClock } from "../src/base/clock.ts";
import { createGit, type Git } from "../src/git/git.ts";
import { findRepository, readHead, readLocalConfig } from "../src/git/repository.ts";
import { takeBase } from "../src/workspaces/base.ts";
import { describeSource, surveyBase } from "../src/workspaces/source.ts";
import { openTrash, type Trash } from "../src/workspaces/trash.ts";
import { openVault, prepareVault, type Vault } from "../src/workspaces/vault.ts";
import { workspaceAt, type Workspace, type WorkspaceSource } from "../src/workspaces/workspace.ts";

/** The workspaces of one repository, made by the real modules but without a daemon around them. */
export interface Workshop {
  readonly git: Git;
  readonly vault: Vault;
  readonly source: WorkspaceSource;
  readonly base: string;
  readonly trash: Trash;
  slot(number: number): Workspace;
}

/** Prepares a vault for a repository and takes its present state as the base. */
export async function openWorkshop(folder: string, root: string): Promise<Workshop> {
  const git = createGit(process.env, systemClock);
  const repository = await findRepository(git, root);
  const [head, local] = await Promise.all([readHead(git, repository), readLocalConfig(git, repository)]);
  const directory = join(folder, "vault.git");
  await prepareVault(directory, repository, local);
  const vault = openVault(git, "bench", directory);
  const base = await takeBase(git, vault, repository, head);
  const survey = await surveyBase(git, vault.place, base.commit);
  const source = await describeSource(git, repository, head, local, survey, true);
  const trash = openTrash(join(folder, "trash"));
  return {
    git,
    vault,
    source,
    base: base.commit,
    trash,
    slot(number) {
      const slot = join(folder, "workspaces", String(number));
      mkdirSync(slot, { recursive: true });
      return workspaceAt(slot, vault);
    },
  };
}
