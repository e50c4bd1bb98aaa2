import { closeSync, openSync, writeFileSync, writeSync, fstatSync } from "node:fs";

import { outputPath, type OutputName } from "./output.ts";

const TAIL_BYTES = 256 * 1024;

/**
 * Writes one of an attempt's streams the way its shim would: the start up to a cap, then only the end is kept, in a
 * file of its own once the stream is closed. What was written before, by an earlier writer, stays and counts.
 */
export class OutputWriter {
  readonly #path: string;
  readonly #capBytes: number;
  readonly #file: number;
  #sizeBytes: number;
  #tail = Buffer.alloc(0);
  #wasCut = false;

  constructor(directory: string, name: OutputName, capBytes: number) {
    this.#path = outputPath(directory, name);
    this.#capBytes = capBytes;
    this.#file = openSync(this.#path, "a", 0o600);
    this.#sizeBytes = fstatSync(this.#file).size;
  }

  /** Appends text. */
  write(text: string): void {
    const bytes = Buffer.from(text);
    const fitting = bytes.subarray(0, Math.max(0, this.#capBytes - this.#sizeBytes));
    if (fitting.length > 0) writeSync(this.#file, fitting);
    this.#sizeBytes += fitting.length;
    if (fitting.length === bytes.length) return;
    const tail = Buffer.concat([this.#tail, bytes.subarray(fitting.length)]);
    this.#wasCut ||= tail.length > TAIL_BYTES;
    this.#tail = tail.subarray(-TAIL_BYTES);
  }

  /** Puts the end into its place. */
  close(): void {
    closeSync(this.#file);
    if (this.#wasCut) writeFileSync(`${this.#path}.cut`, "", { mode: 0o600 });
    if (this.#tail.length > 0 || this.#wasCut) writeFileSync(`${this.#path}.tail`, this.#tail, { mode: 0o600 });
  }
}
