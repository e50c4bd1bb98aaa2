import type { Language } from "../../language.ts";
import type { Lexis } from "../scan.ts";

const BRACES: Lexis = { lineComment: "//", hasBlockComments: true, quotes: "\"'`", endsWithLine: true };
const RUST: Lexis = { ...BRACES, quotes: '"', endsWithLine: false };
const JAVA: Lexis = { ...BRACES, quotes: "\"'", endsWithLine: false };
const PYTHON: Lexis = { lineComment: "#", hasBlockComments: false, quotes: "\"'", endsWithLine: true };

const LEXIS: Readonly<Record<Language, Lexis>> = {
  typescript: BRACES,
  tsx: BRACES,
  javascript: BRACES,
  python: PYTHON,
  go: BRACES,
  rust: RUST,
  java: JAVA,
};

/** How comments, strings and statements of a language look. */
export function lexisOf(language: Language): Lexis {
  return LEXIS[language];
}
