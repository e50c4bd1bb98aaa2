import { LineCutter } from "../base/lines.ts";
import { printable, printableWithColour } from "../base/printable.ts";
import type { Terminal } from "./terminal.ts";

/** Where bytes go that somebody else has written: files, logs, what git shows of them. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
}

/** Standard output: a file or program gets every byte as it is, a screen only what cannot forge anything on it. */
export function openByteSink(terminal: Terminal): ByteSink {
  if (process.stdout.isTTY !== true) return { write: writeOut, end: () => Promise.resolve() };
  const cutter = new LineCutter();
  const safe = terminal.colour.isColorSupported ? printableWithColour : printable;
  const print = (lines: readonly string[]): Promise<void> =>
    lines.length === 0 ? Promise.resolve() : writeOut(`${lines.map(safe).join("\n")}\n`);
  return { write: (bytes) => print(cutter.push(bytes)), end: () => print(cutter.end()) };
}

/** Writes to standard output at the pace of whoever reads it, so that nothing piles up here. */
export function writeOut(bytes: Uint8Array | string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(bytes, () => resolve()));
}
