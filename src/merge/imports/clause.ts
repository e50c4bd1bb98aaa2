import { editList } from "./edit-list.ts";
import { readList } from "./name-list.ts";
import type { Lexis } from "./scan.ts";
import type { ImportedName, Layout, NameEdit } from "./statement.ts";

/** The parts of a statement whose names stand in braces, perhaps after one that does not. */
export interface Clause {
  readonly before: string;
  readonly defaultName: ImportedName | undefined;
  /** All names of the module. */
  readonly wildcard: ImportedName | undefined;
  /** What stands between the braces. */
  readonly inner: string | undefined;
  readonly listed: readonly ImportedName[];
  readonly after: string;
  readonly layout: Layout;
}

/** Writes a statement with other names. A list that has become too long for its line gets a line for each name. */
export function rewriteClause(clause: Clause, edit: NameEdit, lexis: Lexis): string | undefined {
  const defaultName = editDefault(clause, edit);
  if (defaultName === "two") return undefined;
  const added = edit.added.filter(({ isBefore }) => isBefore !== true);
  const inner = clause.inner ?? "";
  const edited = editList(inner, clause.listed, { ...edit, added }, lexis);
  if (edited === undefined) return undefined;
  const list = edited.trim() === "" ? undefined : `{${edited}}`;
  if (defaultName === undefined && list === undefined) return undefined;
  const text = writeClause(clause, defaultName, list);
  const isTooLong = text.split("\n").some((line) => line.length > clause.layout.width);
  if (list === undefined || !isTooLong || edited.includes("\n")) return text;
  return writeClause(clause, defaultName, breakList(edited, clause.layout, lexis));
}

function editDefault({ defaultName }: Clause, { removed, added }: NameEdit): ImportedName | "two" | undefined {
  const kept = defaultName !== undefined && removed.has(defaultName.key) ? undefined : defaultName;
  const [first, second] = added.filter(({ isBefore }) => isBefore === true);
  if (first === undefined) return kept;
  return kept === undefined && second === undefined ? first : "two";
}

function writeClause({ before, after }: Clause, defaultName: ImportedName | undefined, list?: string): string {
  const names = [defaultName?.item.spec, list].filter((part) => part !== undefined).join(", ");
  const space = /\w$/.test(before) ? " " : "";
  return before + space + names + (/^[;\n]|^$/.test(after) ? "" : " ") + after;
}

function breakList(inner: string, { indent, hasLastComma }: Layout, lexis: Lexis): string {
  const specs = readList(inner, lexis).items.map(({ spec }) => indent + spec);
  return `{\n${specs.join(",\n")}${hasLastComma ? "," : ""}\n}`;
}
