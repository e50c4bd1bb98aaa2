import { editList } from "../edit-list.ts";
import { readList } from "../name-list.ts";
import { blankComments } from "../scan.ts";
import type { ImportedName, Layout, NameEdit, ReadStatement } from "../statement.ts";
import { lexisOf } from "./lexis.ts";

const LEXIS = lexisOf("python");
const FROM = /^(from\s+([\w.]+)\s+import\s*)(\([^()]*\)|[^()\s][^();]*?)\s*;?\s*$/;
const IMPORT = /^(import\s+)()([^();]+?)\s*;?\s*$/;
const SPEC = /^([\w.]+|\*)(?:\s+as\s+(\w+))?$/;

/** The parts of a statement that names are taken out of and put into. */
interface Parts {
  readonly before: string;
  /** What names stand in, without brackets. */
  readonly inner: string;
  readonly isBracketed: boolean;
  /** Whether brackets may stand around the names. */
  readonly mayBeBracketed: boolean;
  readonly names: readonly ImportedName[];
  readonly after: string;
  readonly layout: Layout;
}

/** Reads an import of Python. */
export function readPython(text: string, code: string, layout: Layout): ReadStatement | undefined {
  const joined = code.replaceAll("\\\n", " \n");
  const from = FROM.exec(joined);
  const [, before = "", module = "", list] = from ?? IMPORT.exec(joined) ?? [];
  if (list === undefined) return undefined;
  const [start, end] = [before.length, before.length + list.length];
  const isBracketed = list.startsWith("(");
  const written = text.slice(start, end).replaceAll("\\\n", " \n");
  const inner = isBracketed ? written.slice(1, -1) : written;
  const names = readNames(inner, from === null ? undefined : module);
  const [first] = names ?? [];
  if (names === undefined || first === undefined) return undefined;
  const parts: Parts = {
    before: text.slice(0, start),
    inner,
    isBracketed,
    mayBeBracketed: from !== null,
    names,
    after: text.slice(end),
    layout,
  };
  return {
    form: from === null ? first.key : `from ${module}`,
    joins: from !== null,
    names,
    frame: "",
    sortKey: from === null ? first.target : module,
    hasEffect: false,
    rewrite: (edit) => rewriteNames(parts, edit),
  };
}

function readNames(inner: string, module: string | undefined): ImportedName[] | undefined {
  const names: ImportedName[] = [];
  for (const item of readList(inner, LEXIS).items) {
    const [, name, alias] = SPEC.exec(blankComments(item.spec, LEXIS).trim()) ?? [];
    if (name === undefined) return undefined;
    const target = module === undefined ? `import ${name}` : `from ${module} import ${name}`;
    const key = alias === undefined ? target : `${target} as ${alias}`;
    // Without an alias a module's first part is bound, which others with that part bind as well.
    const plain = module === undefined || name === "*" ? undefined : name;
    names.push({ key, target, local: alias ?? plain, item });
  }
  return names;
}

function rewriteNames(parts: Parts, edit: NameEdit): string | undefined {
  const { before, inner, isBracketed, mayBeBracketed, names, after, layout } = parts;
  const edited = editList(inner, names, edit, LEXIS);
  if (edited === undefined || edited.trim() === "") return undefined;
  const text = before + (isBracketed ? `(${edited})` : edited.trim()) + after;
  if (!mayBeBracketed || (isBracketed && edited.includes("\n"))) return text;
  const isTooLong = edited.includes("\n") || (text.split("\n")[0] ?? "").length > layout.width;
  if (!isTooLong) return text;
  const lines = readList(edited, LEXIS).items.map(({ spec }) => `${layout.indent}${spec}`);
  return `${before}(\n${lines.join(",\n")}${layout.hasLastComma ? "," : ""}\n)${after}`;
}
