/** A `use` of Rust: a path, and what stands in braces after it. */
export interface UseTree {
  readonly path: string;
  readonly alias: string | undefined;
  readonly children: readonly UseTree[] | undefined;
}

/** One name that a tree imports, by its whole path. */
interface UseLeaf {
  readonly path: string;
  readonly alias: string | undefined;
}

/** Reads what stands between `use` and the semicolon. */
export function readUseTree(text: string): UseTree | undefined {
  const open = text.indexOf("{");
  if (open < 0) {
    const [, path, alias] = /^([\w:*#\s]+?)(?:\s+as\s+(\w+))?$/.exec(text.trim()) ?? [];
    if (path === undefined) return undefined;
    return { path: path.replace(/\s+/g, ""), alias, children: undefined };
  }
  const head = text.slice(0, open).replace(/\s+/g, "");
  const trimmed = text.trimEnd();
  if (!/^(?:[\w:#]*::)?$/.test(head) || !trimmed.endsWith("}")) return undefined;
  const children: UseTree[] = [];
  for (const part of splitAtCommas(trimmed.slice(open + 1, -1))) {
    const child = readUseTree(part);
    if (child === undefined) return undefined;
    children.push(child);
  }
  return { path: head.replace(/::$/, ""), alias: undefined, children };
}

function splitAtCommas(text: string): string[] {
  const parts: string[] = [];
  let [depth, from] = [0, 0];
  for (let at = 0; at <= text.length; at += 1) {
    const character = text[at];
    if (character === "{") depth += 1;
    else if (character === "}") depth -= 1;
    else if (character === undefined || (character === "," && depth === 0)) {
      const part = text.slice(from, at).trim();
      if (part !== "") parts.push(part);
      from = at + 1;
    }
  }
  return parts;
}

/** All that a tree imports. */
export function leavesOf(tree: UseTree, prefix = ""): UseLeaf[] {
  const path = joined(prefix, tree.path);
  if (tree.children === undefined) return [{ path: path.replace(/(.)::self$/, "$1"), alias: tree.alias }];
  return tree.children.flatMap((child) => leavesOf(child, path));
}

/** The tree without some of its leaves, written as `path` or `path as alias`. */
export function removePaths(tree: UseTree, gone: ReadonlySet<string>, prefix = ""): UseTree | undefined {
  const path = joined(prefix, tree.path);
  if (tree.children === undefined) {
    const [leaf] = leavesOf(tree, prefix);
    return leaf !== undefined && gone.has(writtenLeaf(leaf)) ? undefined : tree;
  }
  const children = tree.children.map((child) => removePaths(child, gone, path)).filter((child) => child !== undefined);
  if (children.length === 0) return undefined;
  const [only] = children;
  const isAlone = children.length === 1 && tree.children.length > 1 && only !== undefined && tree.path !== "";
  if (!isAlone) return { ...tree, children };
  return { ...only, path: only.path === "self" ? tree.path : joined(tree.path, only.path) };
}

/** The tree with one more leaf, in the group that has most of its path. Nothing: it has no path in common with it. */
export function insertPath(tree: UseTree, spec: string): UseTree | undefined {
  const [path = "", alias] = spec.split(" as ");
  const [mine, its] = [tree.path === "" ? [] : tree.path.split("::"), path.split("::")];
  let shared = 0;
  while (shared < mine.length && shared < its.length && mine[shared] === its[shared]) shared += 1;
  if (shared === 0 && tree.path !== "") return undefined;
  const rest = its.slice(shared).join("::");
  const leaf: UseTree = { path: rest === "" ? "self" : rest, alias, children: undefined };
  if (shared === mine.length && tree.children !== undefined) {
    const at = tree.children.findIndex((child) => firstOf(child) === firstOf(leaf) && firstOf(leaf) !== "self");
    const merged = at < 0 ? undefined : insertPath(tree.children[at] as UseTree, written(leaf));
    const children = merged === undefined ? placed(tree.children, leaf) : tree.children.with(at, merged);
    return { ...tree, children };
  }
  const own = mine.slice(shared).join("::");
  const ownPart: UseTree = { ...tree, path: own === "" ? "self" : own };
  return { path: mine.slice(0, shared).join("::"), alias: undefined, children: placed([ownPart], leaf) };
}

function placed(children: readonly UseTree[], leaf: UseTree): UseTree[] {
  const next = [...children];
  const at = next.findIndex((child) => compareTrees(child, leaf) > 0);
  const isSorted = next.every((child, place) => place === 0 || compareTrees(next[place - 1] as UseTree, child) <= 0);
  next.splice(isSorted && at >= 0 ? at : next.length, 0, leaf);
  return next;
}

// The order that formatters give: the module itself, functions and modules, types, constants.
function compareTrees(a: UseTree, b: UseTree): number {
  return rankOf(a) - rankOf(b) || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
}

function rankOf(tree: UseTree): number {
  const name = firstOf(tree);
  const fixed = ["self", "super", "crate"].indexOf(name);
  if (fixed >= 0) return fixed;
  if (name === "*") return 6;
  if (/^[A-Z][A-Z0-9_]+$/.test(name)) return 5;
  return /^[A-Z]/.test(name) ? 4 : 3;
}

/**
 * Writes a tree as the usual formatter does: on one line if it fits, else with as many names a line as fit, or a line
 * for each where there are groups among them.
 */
export function writeUseTree(tree: UseTree, depth: number, column: number, width: number): string {
  const line = written(tree);
  if (tree.children === undefined || column + line.length + 1 <= width) return line;
  const indent = "    ".repeat(depth + 1);
  const head = tree.path === "" ? "" : `${tree.path}::`;
  const parts = tree.children.map((child) => writeUseTree(child, depth + 1, indent.length, width));
  const isEachOnALine = tree.children.some(({ children }) => children !== undefined);
  const lines = isEachOnALine ? parts : filled(parts, width - indent.length);
  return `${head}{\n${lines.map((each) => `${indent}${each},\n`).join("")}${"    ".repeat(depth)}}`;
}

function filled(parts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + part.length + 3 <= width) lines[lines.length - 1] = `${last}, ${part}`;
    else lines.push(part);
  }
  return lines;
}

function written({ path, alias, children }: UseTree): string {
  if (children === undefined) return alias === undefined ? path : `${path} as ${alias}`;
  return `${path === "" ? "" : `${path}::`}{${children.map(written).join(", ")}}`;
}

function writtenLeaf({ path, alias }: UseLeaf): string {
  return alias === undefined ? path : `${path} as ${alias}`;
}

function firstOf({ path }: UseTree): string {
  return path.split("::")[0] ?? "";
}

function joined(prefix: string, path: string): string {
  return prefix === "" ? path : path === "" ? prefix : `${prefix}::${path}`;
}
