import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { constants, deflate, deflateSync, inflate } from "node:zlib";

import { AnabranchError, systemCodeOf } from "../base/errors.ts";
import { newId, systemRandom } from "../base/ids.ts";
import type { Git } from "./git.ts";
import { formatPack } from "./pack-format.ts";

/** An object that is not on the disk yet. */
export interface StagedObject {
  readonly type: "blob" | "tree" | "commit";
  readonly content: Buffer;
}

/**
 * Writes objects into a repository's own store, also those that a borrowed one has.
 *
 * An object is `staged` (in memory, named by its hash, read by nobody else) → (flush) `written`. Where writing fails,
 * it stays staged, and the next flush tries again. Nothing may refer to an object on the disk before it is written.
 */
export interface ObjectWriter {
  /** Names the object and keeps it until the next flush. */
  stage(type: StagedObject["type"], content: Buffer): string;
  staged(oid: string): StagedObject | undefined;
  /** How much is staged. */
  readonly stagedBytes: number;
  /** Writes all that is staged. @throws {AnabranchError} `DISK_FULL`, `READ_ONLY` */
  flush(): Promise<void>;
}

/** From this number on, one pack is faster to write and to read than as many files. */
const PACKED_FROM = 48;
const SMALL_BYTES = 64 * 1024;
const FAST = { level: constants.Z_BEST_SPEED };
const deflateLater = promisify<Uint8Array, object, Buffer>(deflate);
const inflateLater = promisify<Uint8Array, Buffer>(inflate);

/** A writer into the store of one git directory. */
export function openObjectWriter(git: Git, gitDirectory: string): ObjectWriter {
  let format: "sha1" | "sha256" | undefined;
  const staged = new Map<string, StagedObject>();
  let stagedBytes = 0;
  let last: Promise<void> = Promise.resolve();

  const writeStaged = async (): Promise<void> => {
    const objects = [...staged];
    if (objects.length === 0) return;
    if (objects.length >= PACKED_FROM) {
      const pack = await formatPack(
        objects.map(([, object]) => object),
        format ?? "sha1",
      );
      await git.run({ gitDirectory }, ["index-pack", "--stdin"], { input: pack });
    } else {
      await Promise.all(objects.map(([oid, object]) => writeLoose(gitDirectory, oid, object)));
    }
    for (const [oid, object] of objects) {
      staged.delete(oid);
      stagedBytes -= object.content.length;
    }
  };

  return {
    stage(type, content) {
      format ??= readObjectFormat(gitDirectory);
      const oid = createHash(format).update(`${type} ${content.length}\0`, "latin1").update(content).digest("hex");
      if (!staged.has(oid)) stagedBytes += content.length;
      if (!staged.has(oid)) staged.set(oid, { type, content });
      return oid;
    },
    staged: (oid) => staged.get(oid),
    get stagedBytes() {
      return stagedBytes;
    },
    flush() {
      const flushed = last.then(writeStaged);
      last = flushed.catch(() => undefined);
      return flushed;
    },
  };
}

function readObjectFormat(gitDirectory: string): "sha1" | "sha256" {
  const config = readFileSync(join(gitDirectory, "config"), "utf8");
  return /^\s*objectformat\s*=\s*"?sha256/im.test(config) ? "sha256" : "sha1";
}

// By rename, over what may be there: git takes the time of an object for the time it was last needed.
async function writeLoose(gitDirectory: string, oid: string, { type, content }: StagedObject): Promise<void> {
  const path = pathOf(gitDirectory, oid);
  const temporary = join(dirname(path), `tmp_obj_${newId(systemRandom)}`);
  const object = Buffer.concat([Buffer.from(`${type} ${content.length}\0`, "latin1"), content]);
  const packed = object.length < SMALL_BYTES ? deflateSync(object, FAST) : await deflateLater(object, FAST);
  const put = (): Promise<void> => writeFile(temporary, packed, { mode: 0o444, flag: "wx" });
  try {
    await put().catch(async (cause: unknown) => {
      if (systemCodeOf(cause) !== "ENOENT") throw cause;
      await mkdir(dirname(path), { recursive: true });
      await put();
    });
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw asAnabranchError(cause);
  }
}

/** The content of an object that is a file of its own in this store; `undefined` where there is no such file. */
export async function readLooseObject(gitDirectory: string, oid: string): Promise<Buffer | undefined> {
  const packed = await readFile(pathOf(gitDirectory, oid)).catch(() => undefined);
  if (packed === undefined) return undefined;
  const object = await inflateLater(packed);
  return object.subarray(object.indexOf(0) + 1);
}

function pathOf(gitDirectory: string, oid: string): string {
  return join(gitDirectory, "objects", oid.slice(0, 2), oid.slice(2));
}

function asAnabranchError(cause: unknown): unknown {
  const system = systemCodeOf(cause);
  if (system === "ENOSPC" || system === "EDQUOT") {
    return new AnabranchError("DISK_FULL", { message: "there is no room for an object in the vault", cause });
  }
  if (system === "EROFS") {
    return new AnabranchError("READ_ONLY", { message: "the vault cannot be written to", cause });
  }
  return cause;
}
