import { findNumberedEdits, type Edit } from "../difference.ts";
import { numberLines } from "../lines.ts";
import { regionsOfEdits, type Region } from "../three-way.ts";
import type { SliceVersions } from "./pick.ts";
import { alignWithLines } from "./whole-lines.ts";

const NONE = new Int32Array();

/** {@link findRegions}, of tokens: a few tokens that are common by chance do not part two large edits. */
export function findTokenRegions(slices: SliceVersions): Region[] {
  const texts = { base: slices.base.texts, ours: slices.ours.texts, theirs: slices.theirs.texts };
  const [base = NONE, ours = NONE, theirs = NONE] = numberLines(texts.base, texts.ours, texts.theirs);
  const editsOf = (side: "ours" | "theirs", numbers: Int32Array): Edit[] =>
    alignWithLines(joinEdits(findNumberedEdits(base, numbers)), slices.base, slices[side]);
  return regionsOfEdits(texts, editsOf("ours", ours), editsOf("theirs", theirs));
}

function joinEdits(edits: readonly Edit[]): Edit[] {
  const joined: Edit[] = [];
  for (const edit of edits) {
    let last = edit;
    for (let before = joined.at(-1); before !== undefined && isByChance(before, last); before = joined.at(-1)) {
      joined.pop();
      last = { ...before, baseEnd: last.baseEnd, sideEnd: last.sideEnd };
    }
    joined.push(last);
  }
  return joined;
}

function isByChance(before: Edit, after: Edit): boolean {
  return after.baseStart - before.baseEnd <= Math.min(sizeOf(before), sizeOf(after));
}

function sizeOf({ baseStart, baseEnd, sideStart, sideEnd }: Edit): number {
  return Math.max(baseEnd - baseStart, sideEnd - sideStart);
}
