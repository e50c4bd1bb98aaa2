import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";

/** How far a file has been read, and how to know it again. */
export interface FilePlace {
  /** The file's number in its file system; empty, where there was no file. */
  readonly inode: string;
  /** The bytes that have been read, up to the end of a line. */
  readonly offset: number;
  /** What the file begins with, of what has been read. */
  readonly mark: string;
}

/** The place in a file that does not exist yet. */
export const NOWHERE: FilePlace = { inode: "", offset: 0, mark: "" };

const MARK_BYTES = 1024;

/** The mark of a file that has been read so far. */
export async function markOf(file: FileHandle, offset: number): Promise<string> {
  const start = await readAt(file, 0, Math.min(offset, MARK_BYTES));
  return `${start.length}:${createHash("sha256").update(start).digest("base64url").slice(0, 22)}`;
}

/** Whether a file still begins with what had been read of it. */
export async function isMarked(file: FileHandle, mark: string): Promise<boolean> {
  return (await markOf(file, Number.parseInt(mark, 10) || 0)) === mark;
}

/** Reads some bytes, fewer where the file ends. */
export async function readAt(file: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  let at = 0;
  while (at < bytes) {
    const { bytesRead } = await file.read(buffer, at, bytes - at, offset + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return buffer.subarray(0, at);
}
