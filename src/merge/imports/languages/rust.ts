import { bareItem } from "../name-list.ts";
import type { ImportedName, Layout, NameEdit, ReadStatement } from "../statement.ts";
import { insertPath, leavesOf, readUseTree, removePaths, writeUseTree, type UseTree } from "./use-tree.ts";

const ATTRIBUTES = /^((?:#\[(?:[^[\]]|\[[^\]]*\])*\]\s*)*)((?:pub(?:\s*\([^)]*\))?\s+)?)([\s\S]*)$/;
const USE = /^use\s+([\s\S]+?)\s*;\s*$/;
const CRATE = /^extern\s+crate\s+(\w+)(?:\s+as\s+(\w+))?\s*;\s*$/;
const MOD = /^mod\s+(\w+)\s*;\s*$/;

/** Reads a `use`, an `extern crate` or a `mod` of Rust, with its attributes. */
export function readRust(text: string, code: string, layout: Layout): ReadStatement | undefined {
  const [, attributes = "", visibility = "", rest = ""] = ATTRIBUTES.exec(code) ?? [];
  const conditions = [...attributes.matchAll(/#\[cfg[^\n]*\]/g)].map(([attribute]) => attribute).join("");
  const source: Source = { conditions, visibility: visibility.replace(/\s+/g, ""), attributes };
  return (
    readUse(source, rest, text, code, layout) ??
    readNamed(source, "extern crate", CRATE.exec(rest)) ??
    readNamed(source, "mod", MOD.exec(rest))
  );
}

interface Source {
  /** What has to hold for it to be compiled. */
  readonly conditions: string;
  readonly visibility: string;
  readonly attributes: string;
}

function readUse(source: Source, rest: string, text: string, code: string, layout: Layout): ReadStatement | undefined {
  const [, written] = USE.exec(rest) ?? [];
  const tree = written === undefined ? undefined : readUseTree(written);
  if (written === undefined || tree === undefined) return undefined;
  const names = leavesOf(tree).map((leaf) => {
    const target = `${source.conditions}${source.visibility} use ${leaf.path}`;
    const last = leaf.path.slice(leaf.path.lastIndexOf(":") + 1);
    const local = leaf.alias ?? (last === "*" ? undefined : last);
    const key = leaf.alias === undefined ? target : `${target} as ${leaf.alias}`;
    const item = bareItem(leaf.alias === undefined ? leaf.path : `${leaf.path} as ${leaf.alias}`);
    return { key, target, local: local === "_" ? undefined : local, item };
  });
  if (names.length === 0) return undefined;
  const start = code.length - rest.length + rest.indexOf(written, 3);
  const isPlain = text.slice(start, start + written.length) === written;
  const [root = ""] = tree.path.split("::");
  const parts = { before: text.slice(0, start), after: text.slice(start + written.length), tree, names, layout };
  return {
    form: `${source.conditions}${source.visibility} use ${root}`,
    joins: false,
    names,
    frame: source.attributes.replace(/\s+/g, ""),
    sortKey: tree.path,
    hasEffect: false,
    ...(isPlain ? { rewrite: (edit) => rewriteUse({ ...parts, written }, edit) } : {}),
  };
}

interface UseParts {
  readonly before: string;
  readonly written: string;
  readonly after: string;
  readonly tree: UseTree;
  readonly names: readonly ImportedName[];
  readonly layout: Layout;
}

function rewriteUse({ before, written, after, tree, names, layout }: UseParts, edit: NameEdit): string | undefined {
  const gone = new Set(names.filter(({ key }) => edit.removed.has(key)).map(({ item }) => item.spec));
  let next = gone.size === 0 ? tree : removePaths(tree, gone);
  if (next === undefined) return undefined;
  for (const { item } of edit.added) {
    next = insertPath(next, item.spec);
    if (next === undefined) return undefined;
  }
  const lines = written.split("\n");
  const wasNarrow = lines.length > 1 && writeUseTree(tree, 0, before.length, 100) === written;
  const longest = Math.max(before.length, ...lines.map((line) => line.length));
  const width = wasNarrow ? 100 : Math.max(100, longest, layout.width);
  return before + writeUseTree(next, 0, before.length - before.lastIndexOf("\n"), width) + after;
}

function readNamed(source: Source, word: string, match: RegExpExecArray | null): ReadStatement | undefined {
  const [, path, alias] = match ?? [];
  if (path === undefined) return undefined;
  const target = `${source.conditions}${word} ${path}`;
  const name = {
    key: alias === undefined ? target : `${target} as ${alias}`,
    target,
    local: alias === "_" ? undefined : `${word === "mod" ? "mod " : ""}${alias ?? path}`,
    item: bareItem(path),
  };
  const frame = (source.attributes + source.visibility).replace(/\s+/g, "");
  const hasEffect = source.attributes.includes("macro_use");
  return { form: name.key, joins: false, names: [name], frame, sortKey: path, hasEffect };
}
