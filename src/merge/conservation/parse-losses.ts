import type { Node } from "web-tree-sitter";

import type { Language } from "../language.ts";
import type { ParsedText } from "../syntax/parsers.ts";
import type { TextLoss } from "./loss.ts";
import type { SourceCheck } from "./source-losses.ts";

/**
 * Finds places of a result that do not parse and that no version has. Says nothing where the grammar is not loaded, nor
 * where a version does not parse either and every edit stands where it was made.
 */
export function findParseLosses(
  { versions, result, parsed, parsers }: SourceCheck,
  language: Language,
  arePlaced: () => boolean,
): TextLoss[] {
  const tree = parsers.parse(language, result, parsed?.ours);
  if (tree === undefined) return [];
  const errors = takeErrors(tree);
  if (errors.length === 0) return [];
  const known = new Set<string>();
  for (const side of ["base", "ours", "theirs"] as const) {
    const version = parsed?.[side];
    const found = version === undefined ? takeErrors(parsers.parse(language, versions[side])) : errorsIn(version);
    for (const error of found) known.add(error);
  }
  if (known.size > 0 && arePlaced()) return [];
  return errors.filter((error) => !known.has(error)).map((detail) => ({ kind: "parse-error", detail, count: 1 }));
}

function takeErrors(parsed: ParsedText | undefined): string[] {
  if (parsed === undefined) return [];
  try {
    return errorsIn(parsed);
  } finally {
    parsed.tree.delete();
  }
}

// Each place by the line it begins on: what both have in common is told from what is new.
function errorsIn({ tree, text }: ParsedText): string[] {
  const errors: string[] = [];
  const open: Node[] = [tree.rootNode];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.isError || node.isMissing) errors.push(lineAt(text, node.startIndex));
    else if (node.hasError) for (const child of node.children) if (child !== null) open.push(child);
  }
  return errors;
}

function lineAt(text: string, index: number): string {
  const end = text.indexOf("\n", index);
  return text.slice(text.lastIndexOf("\n", index - 1) + 1, end < 0 ? text.length : end).replace(/\s+/g, "");
}
