import type { Tree } from "web-tree-sitter";

import type { Language } from "../language.ts";

/** A text and its syntax tree. Who parsed it deletes the tree: its memory is not the garbage collector's. */
export interface ParsedText {
  readonly text: string;
  readonly language: Language;
  readonly tree: Tree;
}

/** Parses languages whose grammars are loaded, at once. */
export interface Parsers {
  /**
   * Parses a text.
   *
   * @param near a parsed text that is like this one: what both have in common is not parsed again
   * @returns nothing where the grammar is not loaded, or time is over
   */
  parse(language: Language, text: string, near?: ParsedText): ParsedText | undefined;
}
