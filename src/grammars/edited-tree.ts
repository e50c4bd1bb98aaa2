import { Edit, type Tree } from "web-tree-sitter";

import { findEdits } from "../merge/difference.ts";
import type { ParsedText } from "../merge/syntax/parsers.ts";

/** Of so many changed places, parsing all again is faster. */
const MOST_EDITS = 200;

/**
 * The tree of a parsed text, told what has to change to make another text of it: with it, only that is parsed.
 *
 * @returns nothing where so much changes that it does not pay; whoever gets a tree deletes it
 */
export function editedTree({ text, tree }: ParsedText, wanted: string): Tree | undefined {
  if (!text.endsWith("\n") || !wanted.endsWith("\n")) return undefined;
  const [from, to] = [linesOf(text), linesOf(wanted)];
  const edits = findEdits(from, to);
  const changed = edits.reduce((sum, { sideStart, sideEnd }) => sum + sideEnd - sideStart, 0);
  if (changed * 2 > to.length || edits.length > MOST_EDITS) return undefined;
  const [fromOffsets, toOffsets] = [offsetsOf(from), offsetsOf(to)];
  const copy = tree.copy();
  // From the end: what is before an edit still stands where it stood.
  for (const { baseStart, baseEnd, sideStart, sideEnd } of edits.toReversed()) {
    const startIndex = fromOffsets[baseStart] as number;
    const added = (toOffsets[sideEnd] as number) - (toOffsets[sideStart] as number);
    copy.edit(
      new Edit({
        startIndex,
        startPosition: { row: baseStart, column: 0 },
        oldEndIndex: fromOffsets[baseEnd] as number,
        oldEndPosition: { row: baseEnd, column: 0 },
        newEndIndex: startIndex + added,
        newEndPosition: { row: baseStart + sideEnd - sideStart, column: 0 },
      }),
    );
  }
  return copy;
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  lines.pop();
  return lines;
}

/** Where each line begins, and where the last one ends. */
function offsetsOf(lines: readonly string[]): Int32Array {
  const offsets = new Int32Array(lines.length + 1);
  for (let at = 0; at < lines.length; at += 1) {
    offsets[at + 1] = (offsets[at] as number) + (lines[at] as string).length + 1;
  }
  return offsets;
}
