import { existsSync, lstatSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { AnabranchError } from "../base/errors.ts";
import type { Git, GitPlace } from "../git/git.ts";
import { copyIndex } from "../git/index-file.ts";
import { formatPackedRefs } from "../git/refs.ts";
import type { Ref } from "../git/repository.ts";
import { adminOf, treeOf } from "./layout.ts";
import type { Trash } from "./trash.ts";
import { removeUntracked } from "./untracked.ts";
import { alternatesFile, replaceFile, type Vault } from "./vault.ts";

/** What a run knows of the user's repository that its workspaces need: settled once, when the run starts. */
export interface WorkspaceSource {
  readonly objectsDirectory: string;
  /** The text of the private repository's configuration file. */
  readonly config: string;
  /** The user's branches, remote branches and tags. */
  readonly refs: readonly Ref[];
  /** The user's sparse patterns, where the worktree is sparse. */
  readonly sparse: string | undefined;
  /** The text of the `shallow` file, where the clone is shallow. */
  readonly shallow: string | undefined;
  /** The submodules that are checked out in the user's tree. */
  readonly submodules: readonly SubmoduleSource[];
  /** The paths of those that are not. */
  readonly absentSubmodules: readonly string[];
}

/** A submodule that workspaces have checked out, as the user's tree has. */
export interface SubmoduleSource {
  readonly path: string;
  /** The commit the base names. */
  readonly commit: string;
  readonly source: WorkspaceSource;
}

/** One workspace on disk. */
export interface Workspace {
  /** Its folder. */
  readonly slot: string;
  /** The files in it. */
  readonly tree: string;
  /** For our own git: the vault's objects and refs, this workspace's files, an index only we have. */
  readonly place: GitPlace;
  readonly vault: Vault;
}

/** The workspace in a folder. */
export function workspaceAt(slot: string, vault: Vault): Workspace {
  return { slot, tree: treeOf(slot), place: placeOf(slot, treeOf(slot), vault), vault };
}

/** The place of one submodule in a workspace: a workspace of its own, whose objects are the submodule's. */
export function submoduleAt(workspace: Workspace, index: number, submodule: SubmoduleSource): Workspace {
  const slot = join(workspace.slot, "submodules", String(index));
  const tree = join(workspace.tree, submodule.path);
  const place = { ...placeOf(slot, tree, workspace.vault), alternates: [submodule.source.objectsDirectory] };
  return { slot, tree, place, vault: workspace.vault };
}

function placeOf(slot: string, tree: string, vault: Vault): GitPlace {
  return { gitDirectory: adminOf(slot), commonDirectory: vault.directory, workTree: tree, cwd: vault.directory };
}

/**
 * Brings a workspace to a base, whatever it holds: tracked files as in the base, everything else gone but the kept
 * folders, and a private repository around it. Also how an empty one is filled.
 *
 * What it held must have been made safe before.
 */
export async function resetWorkspace(
  git: Git,
  workspace: Workspace,
  base: string,
  source: WorkspaceSource,
  kept: readonly string[],
  trash: Trash,
): Promise<void> {
  const { place, slot, tree } = workspace;
  if (!isRealFolder(tree)) await trash.discard(tree);
  const fresh = !existsSync(tree);
  await mkdir(tree, { recursive: true, mode: 0o700 });
  await prepareAdmin(workspace, base, source.sparse);
  const config = { "core.sparseCheckout": String(source.sparse !== undefined) };
  await trash.discard(join(tree, ".git"));
  await git.run(place, ["reset", "--hard", "--quiet", "--no-recurse-submodules", base, "--"], { config });
  await Promise.all([
    fresh ? undefined : removeUntracked(git, place, kept, trash),
    makePrivateRepository(workspace, base, source),
  ]);
  for (const [index, submodule] of source.submodules.entries()) {
    const inner = submoduleAt(workspace, index, submodule);
    await trash.discard(inner.tree);
    await resetWorkspace(git, inner, submodule.commit, submodule.source, [], trash);
  }
  await stampWorkspace(slot);
}

/** Whether a path is a folder itself, not a link to one. */
export function isRealFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

async function prepareAdmin({ slot }: Workspace, base: string, sparse: string | undefined): Promise<void> {
  const admin = adminOf(slot);
  await mkdir(join(admin, "info"), { recursive: true, mode: 0o700 });
  await replaceFile(join(admin, "HEAD"), `${base}\n`);
  await replaceFile(join(admin, "info/sparse-checkout"), sparse ?? "/*\n");
}

/**
 * Makes our own git directory of a workspace anew where a task has removed it: then everything is looked at.
 *
 * @throws {AnabranchError} `WORKSPACE_GONE` where the tree is sparse: what was left out cannot be told from what is gone
 */
export async function restoreAdmin(git: Git, workspace: Workspace, base: string): Promise<void> {
  const { slot, place, tree } = workspace;
  if (existsSync(join(adminOf(slot), "index"))) return;
  if (existsSync(join(tree, ".git/info/sparse-checkout"))) {
    throw new AnabranchError("WORKSPACE_GONE", {
      message: `${adminOf(slot)}, which belongs to the workspace, was removed while its task ran`,
      hint: `what is left of the work is in ${tree}`,
    });
  }
  await prepareAdmin(workspace, base, undefined);
  await git.run(place, ["read-tree", "--reset", base]);
}

/** A kept folder as a line of an ignore file: `a/b` is that path, `b` is every folder of that name. */
export function ignorePattern(name: string): string {
  const path = name.replace(/\/+$/, "").replace(/[\\*?[!#]/g, "\\$&");
  return path.includes("/") ? `/${path}` : path;
}

/**
 * Makes the repository that git commands in the workspace see: its own refs, index, configuration, hooks and stash;
 * the objects borrowed. It appears by rename, so there is never half of one.
 */
async function makePrivateRepository(workspace: Workspace, base: string, source: WorkspaceSource): Promise<void> {
  const { slot, tree, vault } = workspace;
  const made = join(slot, "private.tmp");
  for (const folder of ["objects/info", "objects/pack", "refs/heads", "refs/tags", "info", "hooks"]) {
    await mkdir(join(made, folder), { recursive: true, mode: 0o700 });
  }
  const borrowed = [join(vault.directory, "objects"), source.objectsDirectory];
  await Promise.all([
    writeFile(join(made, "HEAD"), `${base}\n`),
    writeFile(join(made, "config"), source.config, { mode: 0o600 }),
    writeFile(join(made, "packed-refs"), formatPackedRefs(source.refs)),
    writeFile(join(made, "objects/info/alternates"), alternatesFile(borrowed)),
    writeFile(join(made, "info/exclude"), ""),
    copyIndex(join(adminOf(slot), "index"), join(made, "index")),
    ...(source.shallow === undefined ? [] : [writeFile(join(made, "shallow"), source.shallow)]),
    ...(source.sparse === undefined ? [] : [writeFile(join(made, "info/sparse-checkout"), source.sparse)]),
  ]);
  await rename(made, join(tree, ".git"));
}

/** The file whose time tells from when on changes in the workspace are somebody's work. */
export function stampOf(slot: string): string {
  return join(slot, "stamp");
}

/** Says that what is in the workspace by now is nobody's work: called when it was reset, and after each further step. */
export async function stampWorkspace(slot: string): Promise<void> {
  await writeFile(stampOf(slot), "\n");
}
