import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";

import { delay, type Clock } from "../base/clock.ts";
import { systemCodeOf } from "../base/errors.ts";

/** Which of an attempt's streams: `log` is what people read, `output` is standard output alone. */
export type OutputName = "log" | "output";

/** How much output there is. */
export interface OutputSize {
  readonly keptBytes: number;
  /** Bytes kept from the end, after the cap. */
  readonly tailBytes: number;
  /** Whether anything was left out. */
  readonly cut: boolean;
}

const PIECE_BYTES = 64 * 1024;
const LOOK_EVERY_MS = 60;
const NEWLINE = 0x0a;
const [LONGEST_LINE_BYTES, MOST_LAST_BYTES] = [1024, 1024 * 1024];

/** The file that holds the start of a stream; where the cap cut it, `${path}.tail` holds its end. */
export function outputPath(directory: string, name: OutputName): string {
  return join(directory, name);
}

/** How much of a stream there is on disk. */
export function outputSize(directory: string, name: OutputName): OutputSize {
  const path = outputPath(directory, name);
  const tailBytes = sizeOf(`${path}.tail`);
  return { keptBytes: sizeOf(path), tailBytes, cut: tailBytes > 0 || existsSync(`${path}.cut`) };
}

/** The line that stands where output was left out. */
export function cutLine(size: OutputSize): string {
  return `\n[anabranch: output was cut here: the first ${size.keptBytes} bytes and the last ${size.tailBytes} are kept]\n`;
}

/** How far to read a stream. */
export interface ReadOptions {
  readonly fromBytes?: number;
  /** While this says `false`, reading waits at the end for more. */
  readonly hasEnded: () => boolean;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a stream piece by piece, at the reader's own pace: the file is the only buffer.
 * Where the cap cut it, one line says so, and the kept end follows.
 */
export async function* readOutput(
  directory: string,
  name: OutputName,
  options: ReadOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const path = outputPath(directory, name);
  let position = options.fromBytes ?? 0;
  for (;;) {
    // Asked before reading: what was written before the end is then surely read.
    const ended = options.hasEnded();
    for (let piece = readPiece(path, position); piece.length > 0; piece = readPiece(path, position)) {
      position += piece.length;
      yield piece;
      if (options.signal?.aborted === true) return;
    }
    if (ended || options.signal?.aborted === true) break;
    await delay(options.clock, LOOK_EVERY_MS);
  }
  const size = outputSize(directory, name);
  if (!size.cut) return;
  yield Buffer.from(cutLine(size));
  for (let at = 0, piece = readPiece(`${path}.tail`, 0); piece.length > 0; piece = readPiece(`${path}.tail`, at)) {
    at += piece.length;
    yield piece;
  }
}

/** The last `limitBytes` of a stream as it stands now, together with where they end. */
export function readEnd(directory: string, name: OutputName, limitBytes: number): { text: string; endBytes: number } {
  const path = outputPath(directory, name);
  const size = outputSize(directory, name);
  const [file, sizeBytes] = size.tailBytes > 0 ? [`${path}.tail`, size.tailBytes] : [path, size.keptBytes];
  const piece = readPiece(file, Math.max(0, sizeBytes - limitBytes), limitBytes);
  return { text: piece.toString("utf8"), endBytes: sizeBytes };
}

/** Where the last so many lines of the kept start of a stream begin, as it stands now; a long line counts as several. */
export function startOfLastLines(directory: string, name: OutputName, lines: number): number {
  const path = outputPath(directory, name);
  const sizeBytes = sizeOf(path);
  const from = Math.max(0, sizeBytes - Math.min(LONGEST_LINE_BYTES * lines, MOST_LAST_BYTES));
  const piece = readPiece(path, from, sizeBytes - from);
  // The end of the last line begins no other.
  let at = piece.length - 1;
  for (let left = lines; left > 0 && at >= 0; left -= 1) at = at === 0 ? -1 : piece.lastIndexOf(NEWLINE, at - 1);
  return lines === 0 ? sizeBytes : from + at + 1;
}

/** Some bytes of a file from a place on; none where there are none yet. */
export function readPiece(path: string, position: number, limitBytes = PIECE_BYTES): Buffer {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    if (systemCodeOf(cause) === "ENOENT") return Buffer.alloc(0);
    throw cause;
  }
  try {
    const available = Math.min(limitBytes, fstatSync(file).size - position);
    if (available <= 0) return Buffer.alloc(0);
    const piece = Buffer.allocUnsafe(available);
    return piece.subarray(0, readSync(file, piece, 0, available, position));
  } finally {
    closeSync(file);
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
