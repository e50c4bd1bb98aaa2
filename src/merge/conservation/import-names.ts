import type { Language } from "../language.ts";

/** What one import statement imports. */
export interface ImportStatement {
  /** Each imported name by itself, written in one way however the statement is laid out. */
  readonly names: readonly string[];
  /** The names it binds, where binding one twice would be a mistake. */
  readonly bindings: readonly string[];
  /** The first line behind it. */
  readonly end: number;
}

/** More lines than this are no import. */
const MOST_LINES = 200;

type Reader = (statement: string) => Omit<ImportStatement, "end"> | undefined;

interface Style {
  readonly start: RegExp;
  isWhole(statement: string): boolean;
  readonly read: Reader;
}

/** Whether a line begins as an import statement does. */
export function mayBeImport(line: string, language: Language): boolean {
  return STYLES[language]?.start.test(line) === true;
}

/**
 * Reads the import statement that begins on a line, if one does. What is imported is then compared name by name, so
 * that neither order nor layout matters.
 *
 * @example
 * readImport(["import { a,", "  b } from 'm';"], 0, "javascript") // names: "import m {a}", "import m {b}"; end: 2
 */
export function readImport(lines: readonly string[], at: number, language: Language): ImportStatement | undefined {
  const style = STYLES[language];
  const first = lines[at] ?? "";
  if (style === undefined || !style.start.test(first)) return undefined;
  let statement = first;
  let end = at + 1;
  while (!style.isWhole(statement)) {
    if (end >= lines.length || end - at >= MOST_LINES) return undefined;
    statement += `\n${lines[end] ?? ""}`;
    end += 1;
  }
  const read = style.read(statement);
  return read === undefined || read.names.length === 0 ? undefined : { ...read, end };
}

const SCRIPT: Style = {
  start: /^\s*(import[\s{*"']|export\s*(type\s*)?[{*])/,
  isWhole: (statement) => /\bfrom\s*(["'])[^"'\n]+\1|^\s*import\s*["']/.test(statement) || /[;}]\s*$/.test(statement),
  read: readScriptImport,
};
const PYTHON: Style = {
  start: /^\s*(import\s|from\s+\S+\s+import\b)/,
  isWhole: (statement) => {
    const code = statement.replace(/#.*/g, "").trimEnd();
    return !code.endsWith("\\") && code.split("(").length <= code.split(")").length;
  },
  read: readPythonImport,
};
const RUST: Style = {
  start: /^\s*(pub(\([^)]*\))?\s+)?use\s/,
  isWhole: (statement) => /;\s*(\/\/.*)?$/.test(statement),
  read: readRustUse,
};
const JAVA: Style = {
  start: /^\s*import\s/,
  isWhole: (statement) => /;\s*(\/\/.*)?$/.test(statement),
  read: readJavaImport,
};
const STYLES: Readonly<Record<Language, Style | undefined>> = {
  typescript: SCRIPT,
  tsx: SCRIPT,
  javascript: SCRIPT,
  python: PYTHON,
  rust: RUST,
  java: JAVA,
  go: undefined,
};

function readScriptImport(statement: string): Omit<ImportStatement, "end"> | undefined {
  const code = withoutComments(statement).replace(/\s+/g, " ").trim();
  const bare = /^import ?(["'])([^"']+)\1( (with|assert) [^;]*)? ?;?$/.exec(code);
  if (bare !== null) return { names: [`import ${bare[2] ?? ""}`], bindings: [] };
  const match =
    /^(import|export) ?((?:type|typeof)(?=[ {*]) ?)?(.*?) ?from ?(["'])([^"']+)\4( (with|assert) [^;]*)? ?;?$/.exec(
      code,
    );
  if (match === null) return undefined;
  const [, keyword = "", , clause = "", , source = ""] = match;
  const braces = /\{([^}]*)\}/.exec(clause);
  const named = namesIn(braces?.[1] ?? "").map((name) => name.replace(/^(type|typeof) /, ""));
  const others = namesIn(clause.replace(/\{[^}]*\}/, ""));
  const names = [
    ...named.map((name) => `${keyword} ${source} {${name}}`),
    ...others.map((name) => `${keyword} ${source} ${name}`),
  ];
  const bindings = keyword === "import" ? [...named, ...others].map(localNameOf) : [];
  return { names: names.length === 0 ? [`${keyword} ${source}`] : names, bindings };
}

function readPythonImport(statement: string): Omit<ImportStatement, "end"> | undefined {
  const code = statement.replace(/#.*/g, " ").replace(/\\\n/g, " ").replace(/\s+/g, " ").trim();
  const from = /^from (\S+) import ?\(?(.*?)\)?$/.exec(code);
  if (from !== null) {
    const names = namesIn(from[2] ?? "");
    return { names: names.map((name) => `from ${from[1] ?? ""} import ${name}`), bindings: names.map(localNameOf) };
  }
  const plain = namesIn(/^import (.+)$/.exec(code)?.[1] ?? "");
  return { names: plain.map((name) => `import ${name}`), bindings: plain.map(localNameOf) };
}

function readJavaImport(statement: string): Omit<ImportStatement, "end"> | undefined {
  const match = /^import\s+(static\s+)?([\w.*]+)\s*;$/.exec(statement.trim());
  if (match === null) return undefined;
  const path = match[2] ?? "";
  const isStatic = match[1] !== undefined;
  const bindings = isStatic || path.endsWith("*") ? [] : [path.slice(path.lastIndexOf(".") + 1)];
  return { names: [`import ${isStatic ? "static " : ""}${path}`], bindings };
}

function readRustUse(statement: string): Omit<ImportStatement, "end"> | undefined {
  const code = withoutComments(statement).replace(/\s+/g, " ").trim();
  const match = /^(pub(?: ?\([^)]*\))? )?use (.*);$/.exec(code);
  if (match === null) return undefined;
  const paths = expandUse(match[2] ?? "", "");
  const bindings = paths.map((path) => / as (\w+)$/.exec(path)?.[1] ?? path.slice(path.lastIndexOf(":") + 1));
  return {
    names: paths.map((path) => `${match[1] ?? ""}use ${path}`),
    bindings: bindings.filter((name) => name !== "*" && name !== "_"),
  };
}

// `a::{b, c::{self, d}}` is `a::b`, `a::c` and `a::c::d`.
function expandUse(tree: string, prefix: string): string[] {
  const paths: string[] = [];
  let [depth, start] = [0, 0];
  for (let at = 0; at <= tree.length; at += 1) {
    const sign = at === tree.length ? "," : tree[at];
    if (sign === "{") depth += 1;
    if (sign === "}") depth -= 1;
    if (sign !== "," || depth > 0) continue;
    const part = tree.slice(start, at).trim();
    start = at + 1;
    const open = part.indexOf("{");
    const path = (text: string): string => prefix + text.replace(/ ?:: ?/g, "::").trim();
    if (open >= 0) paths.push(...expandUse(part.slice(open + 1, part.lastIndexOf("}")), path(part.slice(0, open))));
    else if (part !== "")
      paths.push(
        path(part)
          .replace(/::self$/, "")
          .replace(/::self as /, " as "),
      );
  }
  return paths;
}

function namesIn(list: string): string[] {
  return list
    .split(",")
    .map((name) => name.replace(/\s+/g, " ").trim())
    .filter((name) => name !== "");
}

function localNameOf(name: string): string {
  return name.slice(name.lastIndexOf(" ") + 1);
}

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, " ").replace(/(^|[\s,;{(])\/\/.*/g, "$1");
}
