import { existsSync } from "node:fs";
import { join } from "node:path";

import type { Git } from "../git/git.ts";
import type { Vault } from "./vault.ts";

/**
 * Makes sure that the vault itself holds these objects. Git does not write an object again that a borrowed store has;
 * but the user's store may hold it only as something unreachable, which the user's next garbage collection removes.
 */
export async function ownObjects(git: Git, vault: Vault, oids: readonly string[]): Promise<void> {
  const borrowed = oids.filter((oid) => !existsSync(loosePath(vault.directory, oid)));
  if (borrowed.length === 0) return;
  const input = borrowed.map((oid) => `${oid}\n`).join("");
  await git.run(vault.place, ["pack-objects", "-q", join(vault.directory, "objects/pack/pack")], { input });
}

function loosePath(directory: string, oid: string): string {
  return join(directory, "objects", oid.slice(0, 2), oid.slice(2));
}
