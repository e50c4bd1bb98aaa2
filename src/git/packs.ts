import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, readdir, rename } from "node:fs/promises";
import { extname, join } from "node:path";

import { newId, systemRandom } from "../base/ids.ts";
import type { Git, GitPlace } from "./git.ts";

/** Writes a pack with everything that can be reached from one commit and not from another into a folder. */
export async function packNewObjects(
  git: Git,
  place: GitPlace,
  range: { readonly tip: string; readonly known: string },
  folder: string,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const input = `${range.tip}\n^${range.known}\n`;
  const args = ["pack-objects", "-q", "--revs", "--window=0", "--threads=1", join(folder, "pack")];
  // As durable as what `git commit` writes: git itself waits for the disk only where it packs what was loose.
  await git.run(place, args, { input, config: { "core.fsync": "none" } });
}

/** Puts the packs of a folder into an object store. Doing it again does nothing. */
export async function installPacks(folder: string, objectsDirectory: string): Promise<void> {
  const target = join(objectsDirectory, "pack");
  await mkdir(target, { recursive: true });
  const names = existsSync(folder) ? await readdir(folder) : [];
  // A pack counts once its index is there, so that comes last.
  for (const extension of [".pack", ".rev", ".idx"]) {
    for (const name of names.filter((one) => extname(one) === extension)) {
      if (existsSync(join(target, name))) continue;
      const temporary = join(target, `tmp_${newId(systemRandom)}${extension}`);
      await copyFile(join(folder, name), temporary);
      await chmod(temporary, 0o444);
      await rename(temporary, join(target, name));
    }
  }
}
