import type { Language } from "../language.ts";
import type { ParsedText, Parsers } from "../syntax/parsers.ts";
import { readEcmaScript } from "./languages/ecmascript.ts";
import { readGo } from "./languages/go.ts";
import { readJava } from "./languages/java.ts";
import { readPython } from "./languages/python.ts";
import { readRust } from "./languages/rust.ts";
import { SymbolCollector } from "./symbol-collector.ts";
import type { SymbolTable } from "./symbol-table.ts";
import { copySyntax, type SyntaxNode } from "./syntax-node.ts";

type Reader = (root: SyntaxNode, into: SymbolCollector) => void;

const READERS: Readonly<Record<Language, Reader>> = {
  typescript: readEcmaScript,
  tsx: readEcmaScript,
  javascript: readEcmaScript,
  python: readPython,
  go: readGo,
  rust: readRust,
  java: readJava,
};

/** Texts above this are made by programs most times, and cost more than they tell. */
const LONGEST_TEXT = 400_000;

/** Reads what a parsed text defines and uses. */
function readSymbols(parsed: ParsedText): SymbolTable {
  const { root, isPartial } = copySyntax(parsed);
  const into = new SymbolCollector(parsed.text);
  READERS[parsed.language](root, into);
  return into.finish(parsed.language, isPartial);
}

/**
 * Parses a text and reads its symbols.
 *
 * @returns nothing where it is too long, or cannot be parsed
 * @example
 * parseSymbols(grammars, "python", "def f(a): pass\n")?.definitions[0]?.name // "f"
 */
export function parseSymbols(parsers: Parsers, language: Language, text: string): SymbolTable | undefined {
  if (text.length > LONGEST_TEXT) return undefined;
  const parsed = parsers.parse(language, text);
  if (parsed === undefined) return undefined;
  try {
    return readSymbols(parsed);
  } finally {
    parsed.tree.delete();
  }
}
