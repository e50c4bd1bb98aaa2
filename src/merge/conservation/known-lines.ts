import type { Language } from "../language.ts";
import { readHeader, type DefinitionHeader, type HeaderPlace } from "./definition-header.ts";

/** What is known of a line wherever it stands. */
interface KnownLine {
  readonly key: string;
  readonly hasWord: boolean;
  /** As what header it reads, by where it stands; `null` for none. */
  readonly headers: (DefinitionHeader | null | undefined)[];
}

const WORD = /[\p{L}\p{N}_$]/u;

/** Versions of one source have most lines in common: each is looked at once. */
export class KnownLines {
  readonly #lines = new Map<string, KnownLine>();

  read(text: string): KnownLine {
    let line = this.#lines.get(text);
    if (line === undefined) {
      line = { key: keyOf(text), hasWord: WORD.test(text), headers: [] };
      this.#lines.set(text, line);
    }
    return line;
  }

  readHeader(language: Language, text: string, place: HeaderPlace): DefinitionHeader | undefined {
    // A decorator or a condition before it is part of what it is called.
    if (/^(@|#\[cfg)/.test(place.before)) return readHeader(language, text, place);
    const { headers } = this.read(text);
    const at = (place.isTop ? 1 : 0) + (place.isInClass ? 2 : 0);
    if (headers[at] === undefined) headers[at] = readHeader(language, text, place) ?? null;
    return headers[at] ?? undefined;
  }
}

/** A line without white space, and without commas and semicolons at its end. */
export function keyOf(line: string): string {
  return line.replace(/\s+/g, "").replace(/[,;]+$/, "");
}
