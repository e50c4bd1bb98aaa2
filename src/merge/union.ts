import { findEdits, type Edit } from "./difference.ts";
import { appendLines } from "./lines.ts";
import type { Region } from "./three-way.ts";
import type { LineVersions } from "./versions.ts";

/**
 * The lines of a conflict with the edits of both sides: what either deleted is gone, what either added is there, ours
 * first where both added at one place, and once what both added there.
 */
export function uniteRegion(versions: LineVersions, region: Region): string[] {
  const { oursEdits, theirsEdits } = region;
  const lines: string[] = [];
  let [oursAt, theirsAt, keptFrom] = [0, 0, region.base.start];
  for (let at = region.base.start; at <= region.base.end; at += 1) {
    const ours = oursEdits[oursAt]?.baseStart === at ? oursEdits[oursAt++] : undefined;
    const theirs = theirsEdits[theirsAt]?.baseStart === at ? theirsEdits[theirsAt++] : undefined;
    appendUnited(lines, sideLines(versions.ours, ours), sideLines(versions.theirs, theirs));
    keptFrom = Math.max(keptFrom, ours?.baseEnd ?? 0, theirs?.baseEnd ?? 0);
    if (at >= keptFrom && at < region.base.end) lines.push(versions.base[at] as string);
  }
  return lines;
}

function sideLines(side: readonly string[], edit: Edit | undefined): readonly string[] {
  return edit === undefined ? [] : side.slice(edit.sideStart, edit.sideEnd);
}

function appendUnited(to: string[], ours: readonly string[], theirs: readonly string[]): void {
  let at = 0;
  for (const edit of ours.length > 0 && theirs.length > 0 ? findEdits(ours, theirs) : []) {
    appendLines(to, ours, at, edit.baseEnd);
    appendLines(to, theirs, edit.sideStart, edit.sideEnd);
    at = edit.baseEnd;
  }
  appendLines(to, ours, at, ours.length);
  if (ours.length === 0) appendLines(to, theirs, 0, theirs.length);
}
