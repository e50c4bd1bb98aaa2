import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import { systemCodeOf } from "../base/errors.ts";
import { newId, systemRandom } from "../base/ids.ts";
import { plainEnvironment } from "../process/own-programs.ts";
import { runProgram } from "../process/program.ts";
import { giveRightsBack } from "./rights.ts";

/** Removes folders without making anybody wait: a rename now, the removal in the background. */
export interface Trash {
  /** Takes a file or folder away at once. One that is not there is fine. */
  discard(path: string): Promise<void>;
  /** Removes everything that was discarded, also by an earlier process; resolves when it is gone. */
  empty(): Promise<void>;
}

/** Opens the trash in a folder on the same file system as what will be discarded. */
export function openTrash(directory: string): Trash {
  let emptying: Promise<void> = Promise.resolve();
  const empty = (): Promise<void> => {
    emptying = emptying.then(() => removeContent(directory));
    return emptying;
  };
  return {
    empty,
    async discard(path) {
      try {
        await mkdir(directory, { recursive: true });
        await rename(path, join(directory, newId(systemRandom)));
      } catch (cause) {
        if (systemCodeOf(cause) === "ENOENT") return;
        throw cause;
      }
      void empty();
    },
  };
}

async function removeContent(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names) {
    const path = join(directory, name);
    await rm(path, { recursive: true, force: true }).catch(() => removeUnwilling(path));
  }
}

// A task may have taken the rights from its folders, or nested them deeper than a path can name. What cannot be removed
// now is tried again at the next start.
async function removeUnwilling(path: string): Promise<void> {
  const environment = plainEnvironment();
  await giveRightsBack(path).catch(() => undefined);
  await runProgram({ program: "rm", args: ["-rf", "--", path], environment }).catch(() => undefined);
}
