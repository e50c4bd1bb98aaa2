import { StringDecoder } from "node:string_decoder";

const LONGEST_LINE = 64 * 1024;

/**
 * Cuts a stream of bytes into lines without their ends.
 * A line longer than 64 Ki characters is cut into several, so that no line can fill the memory.
 */
export class LineCutter {
  #decoder = new StringDecoder("utf8");
  #rest = "";

  /** The lines that `piece` completes. */
  push(piece: Uint8Array): string[] {
    return this.#cut(this.#rest + this.#decoder.write(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)));
  }

  /** The last line, where the stream did not end with a line end. */
  end(): string[] {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = "";
    return rest === "" ? [] : [rest];
  }

  #cut(text: string): string[] {
    const lines = text.split("\n");
    this.#rest = lines.pop() ?? "";
    while (this.#rest.length > LONGEST_LINE) {
      lines.push(this.#rest.slice(0, LONGEST_LINE));
      this.#rest = this.#rest.slice(LONGEST_LINE);
    }
    return lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  }
}
