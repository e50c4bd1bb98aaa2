import { bareItem } from "../name-list.ts";
import type { ReadStatement } from "../statement.ts";

const SPEC = /^(?:import\s+)?(?:([\w.]+)\s+)?(["`])([^"`\n]+)\2\s*;?\s*$/;
const BRACKET = /^(?:import\s*\(|\))\s*$/;

/** Reads a line of an import of Go: one import, or a line that opens or closes a group of them. */
export function readGo(_text: string, code: string): ReadStatement | undefined {
  const line = code.trim();
  if (BRACKET.test(line)) {
    const name = { key: line.replace(/\s+/g, ""), target: line, local: undefined, item: bareItem(line) };
    return { form: name.key, joins: false, names: [name], frame: "", sortKey: "", hasEffect: false };
  }
  const [, alias = "", , path] = SPEC.exec(line) ?? [];
  if (path === undefined) return undefined;
  const name = { key: `${alias} ${path}`, target: path, local: localOf(alias, path), item: bareItem(line) };
  return { form: name.key, joins: false, names: [name], frame: "", sortKey: path, hasEffect: false };
}

// The last part of the path is the name by custom; a version at its end is not.
function localOf(alias: string, path: string): string | undefined {
  if (alias === "_" || alias === ".") return undefined;
  return alias === "" ? /([^/]+?)(?:\/v\d+|\.v\d+)?$/.exec(path)?.[1] : alias;
}
