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
  const { start, end } = commonEnds(text, wanted);
  const [from, to] = [text, wanted].map((one) => linesOf(one.slice(start, one.length - end)));
  if (from === undefined || to === undefined) return undefined;
  const edits = findEdits(from, to);
  const [fromOffsets, toOffsets] = [offsetsOf(from), offsetsOf(to)];
  const changed = edits.reduce((sum, edit) => sum + lengthOf(toOffsets, edit.sideStart, edit.sideEnd), 0);
  if (changed * 2 > wanted.length || edits.length > MOST_EDITS) return undefined;
  const firstRow = countLines(text, start);
  const copy = tree.copy();
  // From the end: what is before an edit still stands where it stood.
  for (const { baseStart, baseEnd, sideStart, sideEnd } of edits.toReversed()) {
    const startIndex = start + (fromOffsets[baseStart] as number);
    const startPosition = { row: firstRow + baseStart, column: 0 };
    copy.edit(
      new Edit({
        startIndex,
        startPosition,
        oldEndIndex: start + (fromOffsets[baseEnd] as number),
        oldEndPosition: { row: firstRow + baseEnd, column: 0 },
        newEndIndex: startIndex + lengthOf(toOffsets, sideStart, sideEnd),
        newEndPosition: { row: startPosition.row + sideEnd - sideStart, column: 0 },
      }),
    );
  }
  return copy;
}

/** How much two texts have in common at their beginnings and ends: whole lines only. */
function commonEnds(a: string, b: string): { readonly start: number; readonly end: number } {
  const shortest = Math.min(a.length, b.length);
  let same = 0;
  while (same < shortest && a.charCodeAt(same) === b.charCodeAt(same)) same += 1;
  const start = same === 0 ? 0 : a.lastIndexOf("\n", same - 1) + 1;
  let end = 0;
  while (end < shortest - start && a.charCodeAt(a.length - 1 - end) === b.charCodeAt(b.length - 1 - end)) end += 1;
  const lineEnd = a.indexOf("\n", a.length - end);
  return { start, end: lineEnd < 0 ? 0 : a.length - lineEnd - 1 };
}

function countLines(text: string, end: number): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

function lengthOf(offsets: Int32Array, start: number, end: number): number {
  return (offsets[end] as number) - (offsets[start] as number);
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
