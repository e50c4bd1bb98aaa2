import { rewriteClause, type Clause } from "../clause.ts";
import { bareItem, readList } from "../name-list.ts";
import { blankComments } from "../scan.ts";
import type { ImportedName, Layout, ReadStatement } from "../statement.ts";
import { lexisOf } from "./lexis.ts";

const LEXIS = lexisOf("javascript");
const FROM =
  /^(import|export)\b\s*(?:(type|typeof)\b\s*(?=[{*\w$])(?!from\b\s*["']))?([^"';]*?)\s*\bfrom\s*(["'])([^"'\n]+)\4\s*((?:with|assert)\s*\{[^}]*\})?\s*;?\s*$/;
const CLAUSE = /^(?:([\w$]+)\s*(?:,\s*|$))?(?:(\*(?:\s*as\s+[\w$]+)?)|(\{[^}]*\}))?$/;
const EFFECT = /^import\s*(["'])([^"'\n]+)\1\s*((?:with|assert)\s*\{[^}]*\})?\s*;?\s*$/;
const REQUIRE =
  /^(const|let|var)\s+(?:([\w$]+)|(\{[^{}]*\}))\s*=\s*require\(\s*(["'])([^"'\n]+)\4\s*\)((?:\.[\w$]+)*)\s*;?\s*$/;
const EXPORT = /^export\s+(?:(type)\s+)?(\{[^}]*\})\s*;?\s*$/;
const SPEC = /^(?:(type|typeof)\s+(?!as\b(?!\s+as\b)))?([\w$]+|"[^"]*"|'[^']*')(?:\s+as\s+([\w$]+|"[^"]*"))?$/;
const REQUIRED_SPEC = /^()([\w$]+)(?:\s*:\s*([\w$]+))?$/;

/** Reads an import, a re-export, a list of exports or a `require` of JavaScript or TypeScript. */
export function readJavaScript(text: string, code: string, layout: Layout): ReadStatement | undefined {
  return (
    readFrom(text, code, layout) ??
    readEffect(code) ??
    readRequire(text, code, layout) ??
    readExportList(text, code, layout)
  );
}

function readFrom(text: string, code: string, layout: Layout): ReadStatement | undefined {
  const match = FROM.exec(code);
  const [, word = "", only = "", inside = "", , module = "", options = ""] = match ?? [];
  const parts = CLAUSE.exec(inside.trim());
  if (match === null || parts === null || inside === "") return undefined;
  const [, bound, wildcard, braces] = parts;
  if (word === "export" && bound !== undefined) return undefined;
  const source = { word, only, module };
  const start = code.indexOf(inside, only === "" ? word.length : code.indexOf(only, word.length) + only.length);
  const inner = braces === undefined ? undefined : innerOf(text, code, start);
  const listed = inner === undefined ? [] : readSpecs(inner, SPEC, source);
  if (listed === undefined) return undefined;
  const defaultName = bound === undefined ? undefined : { ...nameOf(source, "default", bound), isBefore: true };
  const all = wildcard === undefined ? undefined : wildcardOf(source, wildcard);
  const names = [defaultName, all, ...listed].filter((name) => name !== undefined);
  if (names.length === 0) return undefined;
  // Only types: a default import and a list cannot stand in one statement.
  const isOwnForm = all !== undefined || (only !== "" && defaultName !== undefined);
  const after = text.slice(start + inside.length).trimStart();
  const clause: Clause = { before: text.slice(0, start), defaultName, wildcard: all, inner, listed, after, layout };
  return {
    form: `${word} ${only} ${module}${isOwnForm ? ` ${inside}` : ""}`,
    joins: true,
    names,
    frame: options.replace(/\s+/g, ""),
    sortKey: module,
    hasEffect: false,
    ...(isOwnForm ? {} : { rewrite: (edit) => rewriteClause(clause, edit, LEXIS) }),
  };
}

interface NameSource {
  readonly word: string;
  readonly only: string;
  readonly module: string;
}

function nameOf({ word, only, module }: NameSource, name: string, local: string, item = bareItem(local)): ImportedName {
  const target = `${word} ${module} ${name}`;
  const plain = `${target} as ${local}`;
  return {
    key: only === "" ? plain : `${only} ${plain}`,
    target,
    local: word === "export" ? `export ${local}` : local,
    item,
    ...(only === "type" ? { coveredBy: plain } : {}),
  };
}

function wildcardOf(source: NameSource, wildcard: string): ImportedName {
  const [, local] = /\bas\s+([\w$]+)/.exec(wildcard) ?? [];
  if (local !== undefined) return nameOf(source, "*", local, bareItem(wildcard));
  const key = `${source.word} ${source.only} ${source.module} *`;
  return { key, target: key, local: undefined, item: bareItem(wildcard) };
}

function readSpecs(inner: string, pattern: RegExp, source: NameSource): ImportedName[] | undefined {
  const names: ImportedName[] = [];
  for (const item of readList(inner, LEXIS).items) {
    const match = pattern.exec(blankComments(item.spec, LEXIS).trim());
    if (match === null) return undefined;
    const [, inline = "", name = "", local = name] = match;
    names.push(nameOf({ ...source, only: inline === "" ? source.only : inline }, name, local, item));
  }
  return names;
}

function readEffect(code: string): ReadStatement | undefined {
  const [, , module, options = ""] = EFFECT.exec(code) ?? [];
  if (module === undefined) return undefined;
  const key = `effect ${module}`;
  const name: ImportedName = { key, target: key, local: undefined, item: bareItem(module) };
  const frame = options.replace(/\s+/g, "");
  return { form: key, joins: false, names: [name], frame, sortKey: module, hasEffect: true };
}

function readRequire(text: string, code: string, layout: Layout): ReadStatement | undefined {
  const match = REQUIRE.exec(code);
  if (match === null) return undefined;
  const [, word = "", local, braces, , path = "", members = ""] = match;
  const source: NameSource = { word: "require", only: "", module: `${path}${members}` };
  const common = { frame: word, sortKey: path, hasEffect: false };
  if (local !== undefined) {
    const name = nameOf(source, "*", local);
    return { ...common, form: name.key, joins: false, names: [name] };
  }
  const start = code.indexOf("{");
  const inner = innerOf(text, code, start);
  const listed = readSpecs(inner, REQUIRED_SPEC, source);
  if (listed === undefined || listed.length === 0 || braces === undefined) return undefined;
  const after = text.slice(start + braces.length).trimStart();
  const clause = listClause(text.slice(0, start), inner, listed, after, layout);
  return {
    ...common,
    form: `require ${source.module} {}`,
    joins: true,
    names: listed,
    rewrite: (edit) => rewriteClause(clause, edit, LEXIS),
  };
}

function readExportList(text: string, code: string, layout: Layout): ReadStatement | undefined {
  const [, only = "", braces] = EXPORT.exec(code) ?? [];
  if (braces === undefined) return undefined;
  const start = code.indexOf("{");
  const inner = innerOf(text, code, start);
  const listed = readSpecs(inner, SPEC, { word: "export", only, module: "" });
  if (listed === undefined || listed.length === 0) return undefined;
  const clause = listClause(text.slice(0, start), inner, listed, text.slice(start + braces.length), layout);
  return {
    form: `export ${only}`,
    joins: true,
    names: listed,
    frame: "",
    sortKey: "",
    hasEffect: false,
    rewrite: (edit) => rewriteClause(clause, edit, LEXIS),
  };
}

function listClause(
  before: string,
  inner: string,
  listed: readonly ImportedName[],
  after: string,
  layout: Layout,
): Clause {
  return { before, defaultName: undefined, wildcard: undefined, inner, listed, after, layout };
}

function innerOf(text: string, code: string, start: number): string {
  const open = code.indexOf("{", start);
  return text.slice(open + 1, code.indexOf("}", open));
}
