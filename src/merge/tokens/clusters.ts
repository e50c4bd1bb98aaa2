import type { Edit } from "../difference.ts";
import type { Range, Region } from "../three-way.ts";

/** A part of a conflict: edits of the two sides that overlap, or an edit of one side alone. */
export interface Cluster {
  readonly type: "ours" | "theirs" | "conflict" | "same";
  readonly base: Range;
  readonly ours: Range;
  readonly theirs: Range;
}

/**
 * Parts a conflict where its edits only touch: they change different lines of the base, or one side inserts beside what
 * the other changes. What both sides insert at one place stays together.
 */
export function partClusters({ base, ours, theirs, oursEdits, theirsEdits }: Region): Cluster[] {
  const clusters: Cluster[] = [];
  let place = { base: base.start, ours: ours.start, theirs: theirs.start };
  const push = (type: Cluster["type"], baseEnd: number, oursGrowth: number, theirsGrowth: number): void => {
    const length = baseEnd - place.base;
    const next = {
      base: baseEnd,
      ours: place.ours + length + oursGrowth,
      theirs: place.theirs + length + theirsGrowth,
    };
    clusters.push({
      type,
      base: { start: place.base, end: next.base },
      ours: { start: place.ours, end: next.ours },
      theirs: { start: place.theirs, end: next.theirs },
    });
    place = next;
  };
  const open: Open = { ours: oursEdits, theirs: theirsEdits, oursAt: 0, theirsAt: 0 };
  for (let group = takeGroup(open); group !== undefined; group = takeGroup(open)) {
    if (group.start > place.base) push("same", group.start, 0, 0);
    const type = group.theirs.length === 0 ? "ours" : group.ours.length === 0 ? "theirs" : "conflict";
    push(type, group.end, growthOf(group.ours), growthOf(group.theirs));
  }
  if (place.base < base.end) push("same", base.end, 0, 0);
  return clusters;
}

interface Open {
  readonly ours: readonly Edit[];
  readonly theirs: readonly Edit[];
  oursAt: number;
  theirsAt: number;
}

interface Group {
  readonly start: number;
  readonly end: number;
  readonly ours: readonly Edit[];
  readonly theirs: readonly Edit[];
}

function takeGroup(open: Open): Group | undefined {
  const [oursFirst, theirsFirst] = [open.oursAt, open.theirsAt];
  const first = isBefore(open.ours[oursFirst], open.theirs[theirsFirst])
    ? open.ours[open.oursAt++]
    : open.theirs[open.theirsAt++];
  if (first === undefined) return undefined;
  const group = { start: first.baseStart, end: first.baseEnd };
  for (;;) {
    const [ours, theirs] = [open.ours[open.oursAt], open.theirs[open.theirsAt]];
    const next = overlaps(group, ours) ? ours : overlaps(group, theirs) ? theirs : undefined;
    if (next === undefined) break;
    if (next === ours) open.oursAt += 1;
    else open.theirsAt += 1;
    group.end = Math.max(group.end, next.baseEnd);
  }
  return {
    ...group,
    ours: open.ours.slice(oursFirst, open.oursAt),
    theirs: open.theirs.slice(theirsFirst, open.theirsAt),
  };
}

// An insertion comes before a change that begins at the same place.
function isBefore(a: Edit | undefined, b: Edit | undefined): boolean {
  if (a === undefined || b === undefined) return a !== undefined;
  return a.baseStart < b.baseStart || (a.baseStart === b.baseStart && a.baseEnd <= b.baseEnd);
}

function overlaps(group: Range, edit: Edit | undefined): boolean {
  if (edit === undefined) return false;
  if (group.start === group.end) return edit.baseStart === group.start && edit.baseEnd === group.end;
  return edit.baseStart < group.end;
}

function growthOf(edits: readonly Edit[]): number {
  return edits.reduce((sum, edit) => sum + (edit.sideEnd - edit.sideStart) - (edit.baseEnd - edit.baseStart), 0);
}
