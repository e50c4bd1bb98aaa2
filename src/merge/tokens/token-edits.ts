import { findNumberedEdits, type Edit } from "../difference.ts";
import { numberLines } from "../lines.ts";
import { regionsOfEdits, type Region } from "../three-way.ts";
import type { LineVersions } from "../versions.ts";

const NONE = new Int32Array();

/** {@link findRegions}, of tokens: a few tokens that are common by chance do not part two large edits. */
export function findTokenRegions(versions: LineVersions): Region[] {
  const [base = NONE, ours = NONE, theirs = NONE] = numberLines(versions.base, versions.ours, versions.theirs);
  return regionsOfEdits(versions, joinEdits(findNumberedEdits(base, ours)), joinEdits(findNumberedEdits(base, theirs)));
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
