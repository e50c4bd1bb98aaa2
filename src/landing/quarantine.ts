import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Change } from "../git/changes.ts";
import { openCommitWriter } from "../git/commits.ts";
import type { Git } from "../git/git.ts";
import { mergeCommits, type MergedTree } from "../git/merge-tree.ts";
import { readLooseObject } from "../git/object-writer.ts";
import { openObjectStore } from "../git/objects.ts";
import { compareInDepth } from "../git/tree-comparison.ts";
import { parseTree, type TreeEntry } from "../git/tree-format.ts";
import { alternatesFile, type Vault } from "../workspaces/vault.ts";
import { withScratch } from "./scratch.ts";
import type { Sides } from "./sides.ts";

/** What git made of three trees. */
export interface QuarantinedMerge extends MergedTree {
  /** From ours to git's tree, which is gone by now. */
  readonly changes: readonly Change[];
}

/**
 * Lets git merge two trees over the base they have, whatever their history. It works in a repository of its own that
 * reads the vault's objects, has no attributes, and is removed: no merge driver is known in it, and no half-merged
 * content gets into the vault.
 */
export async function mergeInQuarantine(git: Git, vault: Vault, sides: Sides): Promise<QuarantinedMerge> {
  await vault.objects.flush();
  return withScratch(vault, async (directory) => {
    await makeRepository(directory, vault);
    return mergeIn(git, directory, vault, sides);
  });
}

async function makeRepository(directory: string, vault: Vault): Promise<void> {
  for (const folder of ["objects/info", "objects/pack", "refs"]) {
    await mkdir(join(directory, folder), { recursive: true });
  }
  await writeFile(join(directory, "HEAD"), "ref: refs/heads/none\n");
  await writeFile(join(directory, "config"), configOf(await readFile(join(vault.directory, "config"), "utf8")));
  await writeFile(join(directory, "objects/info/alternates"), alternatesFile([join(vault.directory, "objects")]));
}

/** What says how the vault's objects are named, and where missing ones come from; nothing else can take effect. */
function configOf(vaultConfig: string): string {
  const sections = vaultConfig.split(/^(?=\[)/m).filter((section) => /^\[(extensions\]|remote ")/i.test(section));
  const version = sections.some((section) => /^\[extensions\]/i.test(section)) ? 1 : 0;
  return `[core]\n\tbare = true\n\trepositoryformatversion = ${version}\n${sections.join("")}`;
}

async function mergeIn(git: Git, directory: string, vault: Vault, sides: Sides): Promise<QuarantinedMerge> {
  const objects = openObjectStore(git, directory);
  const commits = openCommitWriter(objects);
  const commit = (tree: string, parents: string[], message: string): string =>
    commits.stage({ tree, parents, message, atSeconds: 0 });
  const base = commit(sides.base, [], "base");
  const [ours, theirs] = [commit(sides.ours, [base], "ours"), commit(sides.theirs, [base], "theirs")];
  await objects.flush();
  const merged = await mergeCommits(git, { gitDirectory: directory, isSealed: true }, ours, theirs);
  // Where a path is taken, git appends the name of the side to it.
  const suffix = new RegExp(`~(${ours}|${theirs})(_\\d+)?$`);
  const plain = (path: string): string => path.replace(suffix, "");
  const changes = await compareInDepth((oid) => readTree(directory, vault, oid), sides.ours, merged.tree);
  return {
    tree: merged.tree,
    stages: merged.stages.map((stage) => ({ ...stage, path: plain(stage.path) })),
    conflicts: merged.conflicts.map((note) => ({ ...note, paths: note.paths.map(plain) })),
    changes: changes.filter(({ path }) => !suffix.test(path)),
  };
}

/** Git has just written the trees that it made as files of their own; all others are the vault's. */
async function readTree(directory: string, vault: Vault, oid: string): Promise<readonly TreeEntry[]> {
  const content = await readLooseObject(directory, oid);
  return content === undefined ? vault.objects.readTree(oid) : parseTree(content, oid.length / 2);
}
