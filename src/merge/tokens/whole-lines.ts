import type { Edit } from "../difference.ts";
import type { Slice } from "./slice.ts";

/**
 * Edits that could stand in several places, because tokens repeat, put where they insert or delete whole lines. There
 * they do not meet what the other side changed in the lines beside them.
 *
 * @example
 * // `f(1);\nf(2);` became `f(1);\nf(3);\nf(2);`: the edit inserts `f(3);`, not `3);\nf(`
 */
export function alignWithLines(edits: readonly Edit[], base: Slice, side: Slice): Edit[] {
  return edits.map((edit, at) => {
    const limit = at === 0 ? 0 : (edits[at - 1] as Edit).baseEnd + 1;
    if (edit.baseStart === edit.baseEnd) return raised(edit, edit.sideStart, edit.sideEnd, side, limit);
    return edit.sideStart === edit.sideEnd ? raised(edit, edit.baseStart, edit.baseEnd, base, limit) : edit;
  });
}

function raised(edit: Edit, start: number, end: number, slice: Slice, limit: number): Edit {
  const { texts } = slice;
  for (let by = 0; edit.baseStart - by >= limit; by += 1) {
    if (isLineStart(slice, start - by) && isLineStart(slice, end - by)) return moved(edit, by);
    if (texts[start - by - 1] !== texts[end - by - 1]) return edit;
  }
  return edit;
}

function isLineStart({ texts, gaps }: Slice, at: number): boolean {
  return at === 0 || at === texts.length || (gaps[at] ?? "").includes("\n");
}

function moved({ baseStart, baseEnd, sideStart, sideEnd }: Edit, by: number): Edit {
  return { baseStart: baseStart - by, baseEnd: baseEnd - by, sideStart: sideStart - by, sideEnd: sideEnd - by };
}
