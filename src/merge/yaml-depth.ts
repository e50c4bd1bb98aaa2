import type { CST } from "yaml";

/** No person nests deeper than this. */
const DEEPEST = 64;

/**
 * Whether tokens of YAML nest more deeply than they should be read. Reading what nests deeply can run out of stack within
 * a regular expression, which ends the whole process: so this is asked before.
 */
export function nestsDeeply(tokens: readonly CST.Token[]): boolean {
  const open = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > DEEPEST) return true;
    const inner = token.type === "document" ? [token] : "items" in token ? token.items : [];
    for (const { key, value } of inner as Iterable<{ readonly key?: CST.Token | null; readonly value?: CST.Token }>) {
      if (key !== undefined && key !== null) open.push({ token: key, depth: depth + 1 });
      if (value !== undefined) open.push({ token: value, depth: depth + 1 });
    }
  }
  return false;
}
