import type { Edit } from "../difference.ts";
import type { Region } from "../three-way.ts";
import type { LineVersions } from "../versions.ts";

/**
 * Where one side did all that the other did, and more before or behind it: its edit as two, of which one is the other
 * side's. So only what it did more is left to look at.
 */
export function splitSharedEdits(lines: LineVersions, region: Region): Region {
  const { oursEdits, theirsEdits } = region;
  return {
    ...region,
    oursEdits: splitBy(oursEdits, lines.ours, theirsEdits, lines.theirs),
    theirsEdits: splitBy(theirsEdits, lines.theirs, oursEdits, lines.ours),
  };
}

function splitBy(
  edits: readonly Edit[],
  lines: readonly string[],
  others: readonly Edit[],
  otherLines: readonly string[],
): Edit[] {
  const byStart = new Map(others.map((edit) => [edit.baseStart, edit]));
  const byEnd = new Map(others.map((edit) => [edit.baseEnd, edit]));
  return edits.flatMap((edit) => {
    const ending = byEnd.get(edit.baseEnd);
    if (ending !== undefined && isWithin(ending, edit)) {
      const sideStart = edit.sideEnd - (ending.sideEnd - ending.sideStart);
      if (isSame(otherLines, ending, lines, sideStart)) {
        return [
          { ...edit, baseEnd: ending.baseStart, sideEnd: sideStart },
          { ...edit, baseStart: ending.baseStart, sideStart },
        ];
      }
    }
    const starting = byStart.get(edit.baseStart);
    if (starting !== undefined && isWithin(starting, edit) && isSame(otherLines, starting, lines, edit.sideStart)) {
      const sideEnd = edit.sideStart + starting.sideEnd - starting.sideStart;
      return [
        { ...edit, baseEnd: starting.baseEnd, sideEnd },
        { ...edit, baseStart: starting.baseEnd, sideStart: sideEnd },
      ];
    }
    return [edit];
  });
}

/** Something of the base, and not all that the larger edit takes of it. */
function isWithin(small: Edit, large: Edit): boolean {
  const [size, rest] = [small.baseEnd - small.baseStart, large.baseEnd - large.baseStart];
  const [added, room] = [small.sideEnd - small.sideStart, large.sideEnd - large.sideStart];
  return size > 0 && size < rest && added > 0 && added <= room;
}

function isSame(otherLines: readonly string[], edit: Edit, lines: readonly string[], start: number): boolean {
  let hasWord = false;
  for (let at = edit.sideStart; at < edit.sideEnd; at += 1) {
    if (otherLines[at] !== lines[start + at - edit.sideStart]) return false;
    hasWord ||= /\w/.test(otherLines[at] ?? "");
  }
  return hasWord;
}
