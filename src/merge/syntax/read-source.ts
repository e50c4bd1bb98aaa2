import type { Source } from "./entity.ts";
import { countErrors } from "./errors.ts";
import { rulesOf } from "./languages/rules-of.ts";
import type { ParsedText } from "./parsers.ts";
import { readFile } from "./read-list.ts";

/**
 * Reads a parsed text as entities. What it returns holds no part of the tree.
 *
 * @example
 * readSource(parsers.parse("typescript", "function f() {}\n")!).entities[0]?.name // "f"
 */
export function readSource({ text, language, tree }: ParsedText): Source {
  const root = tree.rootNode;
  const errorCount = countErrors(tree);
  return { language, text, entities: readFile(text, root, rulesOf(language), errorCount > 0), errorCount };
}
