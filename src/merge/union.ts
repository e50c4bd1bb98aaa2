import { findEdits, type Edit } from "./difference.ts";
import type { Region } from "./three-way.ts";
import type { LineVersions } from "./versions.ts";

/**
 * The lines of a conflict with the edits of both sides: what either deleted is gone, what either added is there, ours
 * first where both added at one place, and once what both added there.
 */
export function uniteRegion(versions: LineVersions, region: Region): string[] {
  const lines: string[] = [];
  const ours = [...region.oursEdits];
  const theirs = [...region.theirsEdits];
  let keptFrom = region.base.start;
  for (let at = region.base.start; at <= region.base.end; at += 1) {
    const added = ours[0]?.baseStart === at ? ours.shift() : undefined;
    const addedToo = theirs[0]?.baseStart === at ? theirs.shift() : undefined;
    lines.push(...uniteLines(sideLines(versions.ours, added), sideLines(versions.theirs, addedToo)));
    keptFrom = Math.max(keptFrom, added?.baseEnd ?? 0, addedToo?.baseEnd ?? 0);
    if (at >= keptFrom && at < region.base.end) lines.push(versions.base[at] as string);
  }
  return lines;
}

function sideLines(side: readonly string[], edit: Edit | undefined): readonly string[] {
  return edit === undefined ? [] : side.slice(edit.sideStart, edit.sideEnd);
}

function uniteLines(ours: readonly string[], theirs: readonly string[]): string[] {
  const lines: string[] = [];
  let at = 0;
  for (const edit of findEdits(ours, theirs)) {
    lines.push(...ours.slice(at, edit.baseEnd), ...theirs.slice(edit.sideStart, edit.sideEnd));
    at = edit.baseEnd;
  }
  return [...lines, ...ours.slice(at)];
}
