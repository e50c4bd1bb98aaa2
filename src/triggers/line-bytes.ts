/** A line that is longer is cut into several. */
export const LONGEST_LINE_BYTES = 64 * 1024;

/** Lines, and how many bytes they took with their ends. */
export interface CutLines {
  readonly lines: string[];
  readonly bytes: number;
}

const LINE_END = 0x0a;

/** Cuts bytes into lines. What has no end yet is left, unless it is longer than a line may be, or nothing follows. */
export function cutLines(bytes: Uint8Array, isLast: boolean): CutLines {
  const lines: string[] = [];
  let at = 0;
  for (let end = bytes.indexOf(LINE_END); end !== -1; end = bytes.indexOf(LINE_END, at)) {
    pushPieces(lines, bytes.subarray(at, end), true);
    at = end + 1;
  }
  if (at < bytes.length) at += pushPieces(lines, bytes.subarray(at), isLast);
  return { lines, bytes: at };
}

/** Adds a line in pieces that are no longer than may be; the last piece only where it ends there. */
function pushPieces(lines: string[], line: Uint8Array, ends: boolean): number {
  let at = 0;
  while (line.length - at > LONGEST_LINE_BYTES) {
    const end = characterStart(line, at + LONGEST_LINE_BYTES);
    lines.push(textOf(line.subarray(at, end)));
    at = end;
  }
  if (!ends || (at > 0 && at === line.length)) return at;
  lines.push(textOf(line.subarray(at)).replace(/\r$/, ""));
  return line.length;
}

/** Half of a character would be none. */
function characterStart(bytes: Uint8Array, end: number): number {
  for (let at = end; at > end - 4; at -= 1) {
    if (((bytes[at] ?? 0) & 0xc0) !== 0x80) return at;
  }
  return end;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
