import type { Language } from "../language.ts";
import { readHeader, type DefinitionHeader, type HeaderPlace } from "./definition-header.ts";
import { mayBeImport } from "./import-names.ts";

/** What is known of a line wherever it stands. */
export interface KnownLine {
  /** As it stands, without white space at its ends. */
  readonly text: string;
  readonly key: string;
  readonly hasWord: boolean;
  readonly indentation: number;
  readonly mayBeImport: boolean;
  /** As what header it reads, by where it stands; `null` for none. */
  readonly headers: (DefinitionHeader | null | undefined)[];
}

const WORD = /[\p{L}\p{N}_$]/u;

/** Versions of one source have most lines in common: each is looked at once. */
export class KnownLines {
  readonly #language: Language;
  readonly #lines = new Map<string, KnownLine>();

  constructor(language: Language) {
    this.#language = language;
  }

  read(line: string): KnownLine {
    let known = this.#lines.get(line);
    if (known === undefined) this.#lines.set(line, (known = readLine(line, this.#language)));
    return known;
  }

  readHeader({ text, headers }: KnownLine, place: HeaderPlace): DefinitionHeader | undefined {
    // A decorator or a condition before it is part of what it is called.
    const { before } = place;
    if (before.startsWith("@") || before.startsWith("#[cfg")) return readHeader(this.#language, text, place);
    const at = (place.isTop ? 1 : 0) + (place.isInClass ? 2 : 0);
    if (headers[at] === undefined) headers[at] = readHeader(this.#language, text, place) ?? null;
    return headers[at] ?? undefined;
  }
}

function readLine(line: string, language: Language): KnownLine {
  const text = line.trim();
  return {
    text,
    key: keyOf(text),
    hasWord: WORD.test(text),
    indentation: indentationOf(line),
    mayBeImport: mayBeImport(line, language),
    headers: [],
  };
}

function indentationOf(line: string): number {
  let width = 0;
  for (let at = 0; at < line.length; at += 1) {
    if (line[at] === "\t") width += 4;
    else if (line[at] === " ") width += 1;
    else break;
  }
  return width;
}

/** A line without white space, and without commas and semicolons at its end. */
export function keyOf(line: string): string {
  return line.replace(/\s+/g, "").replace(/[,;]+$/, "");
}
