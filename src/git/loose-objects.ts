import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { constants, deflate, deflateSync } from "node:zlib";

import { AnabranchError, systemCodeOf } from "../base/errors.ts";
import { newId, systemRandom } from "../base/ids.ts";

/** An object whose name is known already, while it is on its way to the disk. */
export interface StagedObject {
  readonly oid: string;
  readonly written: Promise<void>;
}

/**
 * Writes objects into a repository's own store. No git is asked: its name is the hash of its content, so that a folder
 * and all above it can be written at once, and it is in this store also where a borrowed one has it.
 */
export interface LooseWriter {
  /** @throws {AnabranchError} `DISK_FULL`, `READ_ONLY` (from `written`) */
  stage(type: "blob" | "tree" | "commit", content: Uint8Array): StagedObject;
}

const SMALL_BYTES = 64 * 1024;
const FAST = { level: constants.Z_BEST_SPEED };
const deflateLater = promisify<Uint8Array, object, Buffer>(deflate);

/** A writer into the store of one git directory. */
export function openLooseWriter(gitDirectory: string): LooseWriter {
  let format: string | undefined;
  return {
    stage(type, content) {
      format ??= readObjectFormat(gitDirectory);
      const header = Buffer.from(`${type} ${content.length}\0`, "latin1");
      const oid = createHash(format).update(header).update(content).digest("hex");
      const path = join(gitDirectory, "objects", oid.slice(0, 2), oid.slice(2));
      return { oid, written: write(path, Buffer.concat([header, content])).catch(fail) };
    },
  };
}

function readObjectFormat(gitDirectory: string): string {
  const config = readFileSync(join(gitDirectory, "config"), "utf8");
  return /^\s*objectformat\s*=\s*"?sha256/im.test(config) ? "sha256" : "sha1";
}

// By rename, over what may be there: git takes the time of an object for the time it was last needed.
async function write(path: string, object: Buffer): Promise<void> {
  const packed = object.length < SMALL_BYTES ? deflateSync(object, FAST) : await deflateLater(object, FAST);
  const temporary = join(dirname(path), `tmp_obj_${newId(systemRandom)}`);
  const put = (): Promise<void> => writeFile(temporary, packed, { mode: 0o444, flag: "wx" });
  await put().catch(async (cause: unknown) => {
    if (systemCodeOf(cause) !== "ENOENT") throw cause;
    await mkdir(dirname(path), { recursive: true });
    await put();
  });
  await rename(temporary, path).catch(async (cause: unknown) => {
    await rm(temporary, { force: true });
    throw cause;
  });
}

function fail(cause: unknown): never {
  const system = systemCodeOf(cause);
  if (system === "ENOSPC" || system === "EDQUOT") {
    throw new AnabranchError("DISK_FULL", { message: "there is no room for an object in the vault", cause });
  }
  if (system === "EROFS") throw new AnabranchError("READ_ONLY", { message: "the vault cannot be written to", cause });
  throw cause;
}
