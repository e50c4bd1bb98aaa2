import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Git } from "../git/git.ts";
import type { RefUpdate } from "../git/refs.ts";
import { rememberShallow, type Vault } from "./vault.ts";

/** More of one file than this is nobody's list of refs. */
const LARGEST_READ_BYTES = 64 * 1024 * 1024;

/**
 * Keeps the commits that a repository's refs and reflogs name and the vault does not know; returns how many tips.
 *
 * @param prefix of the refs that will hold them
 * @param known commits whose history the vault has
 * @param knownOids what the refs stood at when the repository was made
 */
export async function keepCommits(
  git: Git,
  vault: Vault,
  gitDirectory: string,
  prefix: string,
  known: readonly string[],
  knownOids: ReadonlySet<string>,
): Promise<number> {
  const named = [...new Set(namedOids(gitDirectory))].filter((oid) => !knownOids.has(oid) && !known.includes(oid));
  if (named.length === 0) return 0;
  const place = { ...vault.place, alternates: [join(gitDirectory, "objects")] };
  const checked = await git.text(place, ["cat-file", "--batch-check"], { input: `${named.join("\n")}\n` });
  const tips = checked.split("\n").flatMap((line) => /^(\w+) commit \d+$/.exec(line)?.[1] ?? []);
  if (tips.length === 0) return 0;
  const shallow = oidsIn(join(gitDirectory, "shallow"));
  const lines = [...shallow.map((oid) => `--shallow ${oid}`), ...tips, "--not", ...known];
  const pack = join(vault.directory, "objects/pack/pack");
  await git.run(place, ["pack-objects", "--revs", "-q", pack], { input: lines.map((line) => `${line}\n`).join("") });
  await rememberShallow(vault.directory, shallow);
  await vault.refs.update(tips.map((oid, index): RefUpdate => ({ name: `${prefix}/${index}`, to: oid })));
  return tips.length;
}

// Read as files: nothing of a repository that an agent may have configured is run.
function namedOids(gitDirectory: string): string[] {
  const worktrees = readFolder(join(gitDirectory, "worktrees")).map((name) => join(gitDirectory, "worktrees", name));
  const paths = [gitDirectory, ...worktrees].flatMap((folder) => [
    ...["HEAD", "ORIG_HEAD", "packed-refs"].map((name) => join(folder, name)),
    ...["refs", "logs"].flatMap((name) => filesBelow(join(folder, name))),
  ]);
  return paths.flatMap(oidsIn).filter((oid) => !/^0+$/.test(oid));
}

function oidsIn(path: string): string[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  // A pipe would never end.
  if (stat?.isFile() !== true || stat.size > LARGEST_READ_BYTES) return [];
  return readFileSync(path, "latin1").match(/\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b/g) ?? [];
}

function filesBelow(folder: string): string[] {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function readFolder(folder: string): string[] {
  return lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() === true ? readdirSync(folder) : [];
}
