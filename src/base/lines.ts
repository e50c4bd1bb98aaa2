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
    const [rest = "", ...pieces] = shorten(lines.pop() ?? "").reverse();
    this.#rest = rest;
    const whole = lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
    return [...whole.flatMap(shorten), ...pieces.reverse()];
  }
}

function shorten(line: string): string[] {
  const pieces: string[] = [];
  let at = 0;
  while (line.length - at > LONGEST_LINE) {
    // Half of a character would be none.
    const isSplit = /[\ud800-\udbff]/.test(line.charAt(at + LONGEST_LINE - 1));
    const end = at + LONGEST_LINE - (isSplit ? 1 : 0);
    pieces.push(line.slice(at, end));
    at = end;
  }
  return [...pieces, line.slice(at)];
}
