import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { constants, deflate, deflateSync } from "node:zlib";

import type { StagedObject } from "./object-writer.ts";

const TYPES = { commit: 1, tree: 2, blob: 3 } as const;
const SMALL_BYTES = 64 * 1024;
const FAST = { level: constants.Z_BEST_SPEED };
const deflateLater = promisify<Uint8Array, object, Buffer>(deflate);

/** A pack file of these objects, each whole. */
export async function formatPack(objects: readonly StagedObject[], format: "sha1" | "sha256"): Promise<Buffer> {
  const header = Buffer.alloc(12);
  header.write("PACK", "latin1");
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(objects.length, 8);
  const pieces: Uint8Array[] = [header];
  for (const { type, content } of objects) {
    pieces.push(formatSize(TYPES[type], content.length));
    pieces.push(content.length < SMALL_BYTES ? deflateSync(content, FAST) : await deflateLater(content, FAST));
  }
  const body = Buffer.concat(pieces);
  return Buffer.concat([body, createHash(format).update(body).digest()]);
}

// The type and the four low bits of the size first, then seven bits a byte; the highest bit says that more follow.
function formatSize(type: number, sizeBytes: number): Buffer {
  const bytes = [(type << 4) | (sizeBytes & 15)];
  for (let rest = Math.floor(sizeBytes / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push((bytes.pop() ?? 0) | 128, rest & 127);
  }
  return Buffer.from(bytes);
}
