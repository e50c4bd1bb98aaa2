import { isUtf8 } from "node:buffer";

/** How the bytes of a file are read as text: as characters where that can be undone exactly, else one for each byte. */
export type TextEncoding = "utf8" | "latin1";

/**
 * How some versions of a file are read: all of them in one way.
 *
 * @example
 * encodingOf([Buffer.from("é"), Buffer.from([0xe9])]) // "latin1"
 */
export function encodingOf(versions: readonly Buffer[]): TextEncoding {
  return versions.every((bytes) => isUtf8(bytes)) ? "utf8" : "latin1";
}
