import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

import type { Git, GitPlace } from "../git/git.ts";
import { addEverything } from "./capture.ts";
import { keepCommits } from "./own-commits.ts";
import { ownObjects } from "./own-objects.ts";
import type { Vault } from "./vault.ts";
import type { Workspace } from "./workspace.ts";

/**
 * Keeps a repository inside a workspace: its commits under `PREFIX/commits/…`, its files under `PREFIX/files`, and in
 * turn the repositories inside of it. Returns how many repositories that were.
 */
export async function keepNested(
  git: Git,
  workspace: Workspace,
  path: string,
  prefix: string,
  atSeconds: number,
): Promise<number> {
  const directory = join(workspace.tree, path);
  await keepCommits(git, workspace.vault, join(directory, ".git"), `${prefix}/commits`, [], new Set());
  const scratch = await mkdtemp(join(workspace.slot, "nested-"));
  let inner: string[];
  try {
    const place = { ...workspace.place, workTree: directory, cwd: directory, indexFile: join(scratch, "index") };
    const unborn = await addEverything(git, place, { sparse: false });
    const message = "Files of a nested repository";
    inner = [...unborn, ...(await keepIndex(git, workspace.vault, place, `${prefix}/files`, message, atSeconds))];
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  let count = 1;
  for (const [index, name] of inner.entries()) {
    count += await keepNested(git, workspace, join(path, name), `${prefix}/${index}`, atSeconds);
  }
  return count;
}

/** Keeps the files of an index as a commit under a ref of the vault; returns the repositories among them. */
export async function keepIndex(
  git: Git,
  vault: Vault,
  place: GitPlace,
  ref: string,
  message: string,
  atSeconds: number,
): Promise<string[]> {
  const tree = await git.text(place, ["write-tree", "--missing-ok"]);
  const repositories: string[] = [];
  const oids: string[] = [tree];
  for (const record of await git.records(place, ["ls-tree", "-r", "-t", "-z", tree])) {
    const at = record.indexOf("\t");
    const [, type, oid = ""] = record.slice(0, at).split(" ");
    if (type === "commit") repositories.push(record.slice(at + 1));
    else oids.push(oid);
  }
  await ownObjects(git, vault, oids);
  const commit = await vault.commits.write({ tree, parents: [], message, atSeconds });
  await vault.refs.update([{ name: ref, to: commit }]);
  return repositories;
}
