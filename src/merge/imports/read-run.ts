import type { Language } from "../language.ts";
import { readGo } from "./languages/go.ts";
import { readJava } from "./languages/java.ts";
import { readJavaScript } from "./languages/javascript.ts";
import { lexisOf } from "./languages/lexis.ts";
import { readPython } from "./languages/python.ts";
import { readRust } from "./languages/rust.ts";
import { bareItem } from "./name-list.ts";
import { blankComments, blankEnd, lineEnd, statementEnd, type IsOpen, type Lexis } from "./scan.ts";
import {
  REPEATED,
  UNKNOWN,
  type ImportRun,
  type ImportStatement,
  type Layout,
  type ReadStatement,
} from "./statement.ts";

type Reader = (text: string, code: string, layout: Layout) => ReadStatement | undefined;

const READERS: Readonly<Record<Language, Reader>> = {
  typescript: readJavaScript,
  tsx: readJavaScript,
  javascript: readJavaScript,
  python: readPython,
  go: readGo,
  rust: readRust,
  java: readJava,
};

const WIDTHS: Readonly<Record<Language, number>> = {
  typescript: 80,
  tsx: 80,
  javascript: 80,
  python: 88,
  go: 1000,
  rust: 100,
  java: 1000,
};

/** Reads a run of import statements. What is none of those it knows is one as a whole. */
export function readRun(language: Language, text: string): ImportRun {
  const lexis = lexisOf(language);
  const code = blankComments(text, lexis);
  const layout = layoutOf(language, text);
  const statements: ImportStatement[] = [];
  const counts = new Map<string, number>();
  for (let from = 0; ;) {
    const start = blankEnd(text, from, lexis);
    if (start >= text.length) return { statements, tail: text.slice(from) };
    const end = Math.min(endOf(language, code, start, lexis), text.length);
    const read = readStatement(language, text.slice(start, end), code.slice(start, end), layout);
    const names = read.names.map((name) => ({ ...name, key: countedKey(name.key, counts) }));
    statements.push({ ...read, names, lead: text.slice(from, start), text: text.slice(start, end) });
    from = end;
  }
}

function endOf(language: Language, code: string, start: number, lexis: Lexis): number {
  if (language === "go") return lineEnd(code, start) + 1;
  return statementEnd(code, start, lexis, language === "python" ? pythonGoesOn(start, code) : javaScriptGoesOn);
}

// A block goes on with lines that stand deeper, and with its other branches.
function pythonGoesOn(start: number, code: string): IsOpen {
  const indent = start - (code.lastIndexOf("\n", start - 1) + 1);
  return (soFar, _code, next) => {
    if (soFar.endsWith("\\")) return true;
    if (/^(?:from|import)\b/.test(soFar)) return false;
    const [, space = "", word = ""] = /^(?:[ \t]*\n)*([ \t]*)(\S*)/.exec(code.slice(next, next + 2000)) ?? [];
    if (word === "") return false;
    return space.length > indent || (space.length === indent && /^(?:except|else|elif|finally)\b/.test(word));
  };
}

function javaScriptGoesOn(soFar: string, code: string, next: number): boolean {
  if (/(?:[,=+({]|\b(?:from|import|export|as))\s*$/.test(soFar)) return true;
  const isSource = /^(?:import|export)\b/.test(soFar);
  if (isSource && /["']\s*$/.test(soFar)) return false;
  return (isSource ? /^\s*(?:[*,{}]|(?:from|as)\b)/ : /^\s*[.,=+?)\]}([]/).test(code.slice(next, next + 200));
}

function readStatement(language: Language, text: string, code: string, layout: Layout): ReadStatement {
  const read = READERS[language](text, code, layout) ?? readOther(code);
  return { ...read, frame: read.frame + commentsIn(text, code) };
}

function readOther(code: string): ReadStatement {
  const key = `${UNKNOWN}${code.replace(/\s+/g, " ").trim()}`;
  const name = { key, target: key, local: undefined, item: bareItem(key) };
  return { form: key, joins: false, names: [name], frame: "", sortKey: "", hasEffect: true };
}

function commentsIn(text: string, code: string): string {
  let comments = "";
  for (let at = 0; at < text.length; at += 1) if (text[at] !== code[at]) comments += text[at] as string;
  return comments.replace(/\s+/g, "");
}

function countedKey(key: string, counts: Map<string, number>): string {
  const count = counts.get(key) ?? 0;
  counts.set(key, count + 1);
  return count === 0 ? key : `${key}${REPEATED}${count}`;
}

function layoutOf(language: Language, text: string): Layout {
  const [, indent = language === "go" ? "\t" : WIDTHS[language] === 80 ? "  " : "    "] =
    /[({]\s*\n([ \t]+)[\w]/.exec(text) ?? [];
  const hasLastComma = /,\s*\n\s*[)}]/.test(text) || !/\w\s*\n\s*[)}]/.test(text);
  const longest = Math.max(
    0,
    ...text.split("\n").map((line) => (/^\s*(?:import|from|use|export)\b/.test(line) ? line.length : 0)),
  );
  return { indent, hasLastComma, width: Math.max(WIDTHS[language], longest) };
}
