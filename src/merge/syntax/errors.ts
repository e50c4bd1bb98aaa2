import type { Tree } from "web-tree-sitter";

import { present } from "./language-rules.ts";

/**
 * Counts the places of a text that do not parse.
 *
 * @example
 * countErrors(parsers.parse("python", "def f(:\n")!.tree) // 1
 */
export function countErrors(tree: Tree): number {
  let count = 0;
  const waiting = [tree.rootNode];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node.isError || node.isMissing) count += 1;
    // Only where the errors are.
    if (node.hasError) for (const child of present(node.children)) waiting.push(child);
  }
  return count;
}
