import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { systemCodeOf } from "../base/errors.ts";
import type { Git } from "../git/git.ts";
import { alternatesFile, openVault, replaceFile, type Vault } from "./vault.ts";

/** What of a vault decides how files become blobs, and how trees are merged. */
const SHARED_FILES = ["config", "info/exclude", "info/attributes", "shallow"];

/**
 * Opens a repository for what is looked at and then forgotten: it borrows all objects of a vault and has its settings,
 * and nothing that is written into it reaches the vault. Whoever opens it closes it and throws its folder away.
 */
export async function openForecastVault(git: Git, vault: Vault, directory: string): Promise<Vault> {
  for (const folder of ["objects/info", "objects/pack", "refs", "info"]) {
    await mkdir(join(directory, folder), { recursive: true, mode: 0o700 });
  }
  await replaceFile(join(directory, "HEAD"), "ref: refs/heads/none\n");
  await refreshForecastVault(vault, directory);
  return openVault(git, vault.repositoryId, directory);
}

/** Brings its settings in line with the vault's, which change when a run starts. */
export async function refreshForecastVault(vault: Vault, directory: string): Promise<void> {
  const borrowed = await readFile(join(vault.directory, "objects/info/alternates"), "utf8");
  const alternates = alternatesFile([join(vault.directory, "objects")]) + borrowed;
  await replaceFile(join(directory, "objects/info/alternates"), alternates);
  for (const name of SHARED_FILES) await mirror(join(vault.directory, name), join(directory, name));
}

async function mirror(from: string, to: string): Promise<void> {
  try {
    await replaceFile(to, await readFile(from));
  } catch (cause) {
    if (systemCodeOf(cause) !== "ENOENT") throw cause;
    await rm(to, { force: true });
  }
}
