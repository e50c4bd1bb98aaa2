import { bareItem } from "../name-list.ts";
import type { ReadStatement } from "../statement.ts";

const IMPORT = /^import\s+(static\s+)?([\w.*$\s]+?)\s*;\s*$/;

/** Reads an import of Java. */
export function readJava(_text: string, code: string): ReadStatement | undefined {
  const [, word, written] = IMPORT.exec(code) ?? [];
  if (written === undefined) return undefined;
  const path = written.replace(/\s+/g, "");
  const kind = word === undefined ? "" : "static ";
  const last = path.slice(path.lastIndexOf(".") + 1);
  const name = {
    key: `${kind}${path}`,
    target: `${kind}${path}`,
    local: last === "*" ? undefined : `${kind}${last}`,
    item: bareItem(path),
  };
  return { form: name.key, joins: false, names: [name], frame: "", sortKey: path, hasEffect: false };
}
