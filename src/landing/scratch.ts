import { mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import type { Vault } from "../workspaces/vault.ts";

const PREFIX = "scratch-";
const swept = new WeakSet<Vault>();

/** Gives an action a folder of its own in the vault, which is removed after it, however it ends. */
export async function withScratch<Result>(vault: Vault, action: (folder: string) => Promise<Result>): Promise<Result> {
  await sweep(vault);
  const folder = await mkdtemp(join(vault.directory, `${PREFIX}${process.pid}-`));
  try {
    return await action(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Removes what a process that was killed has left. Only one process at a time works in a vault. */
async function sweep(vault: Vault): Promise<void> {
  if (swept.has(vault)) return;
  swept.add(vault);
  for (const name of await readdir(vault.directory)) {
    if (!name.startsWith(PREFIX) || name.startsWith(`${PREFIX}${process.pid}-`)) continue;
    await rm(join(vault.directory, name), { recursive: true, force: true });
  }
}
