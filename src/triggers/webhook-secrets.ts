import { constants } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import { systemCodeOf } from "../base/errors.ts";
import { newId, type RandomBytes } from "../base/ids.ts";

/** Whose secret it is. */
export interface HookName {
  readonly repositoryId: string;
  readonly hook: string;
}

const SECRET_BYTES = 32;

/** The secrets of hooks: one for each hook of a repository, in files that only the user can read. */
export class WebhookSecrets {
  readonly #folder: string;
  readonly #random: RandomBytes;

  constructor({ folder, random }: { readonly folder: string; readonly random: RandomBytes }) {
    this.#folder = folder;
    this.#random = random;
  }

  /** The secret of a hook, which is made when it is first asked for. */
  async load(name: HookName): Promise<string> {
    return (await this.#read(name)) ?? this.renew(name);
  }

  /** Makes another secret; the one before is worth nothing from then on. */
  async renew(name: HookName): Promise<string> {
    const secret = Buffer.from(this.#random(SECRET_BYTES)).toString("base64url");
    const path = this.#pathOf(name);
    await mkdir(join(this.#folder, name.repositoryId), { recursive: true, mode: 0o700 });
    const draft = `${path}.${newId(this.#random)}`;
    try {
      const file = await open(draft, "wx", 0o600);
      try {
        await file.writeFile(`${secret}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    } catch (cause) {
      await rm(draft, { force: true });
      throw cause;
    }
    return secret;
  }

  async #read(name: HookName): Promise<string | undefined> {
    try {
      const file = await open(this.#pathOf(name), constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        // Whoever could read it before cannot be told to forget it; from now on nobody can.
        if (((await file.stat()).mode & 0o077) !== 0) await file.chmod(0o600);
        const secret = (await file.readFile("utf8")).trim();
        return secret === "" ? undefined : secret;
      } finally {
        await file.close();
      }
    } catch (cause) {
      if (systemCodeOf(cause) === "ENOENT") return undefined;
      throw cause;
    }
  }

  // Both are names that cannot leave the folder: an id, and what a trigger's schema lets be called a hook.
  #pathOf({ repositoryId, hook }: HookName): string {
    return join(this.#folder, repositoryId, hook);
  }
}
