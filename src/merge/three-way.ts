import { findEdits, findNumberedEdits, type Edit } from "./difference.ts";
import { numberLines } from "./lines.ts";
import type { LineVersions } from "./versions.ts";

const NONE = new Int32Array();

/** A range of lines, from `start` up to and without `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A stretch of the three versions. `both`: both sides made the same edit. `conflict`: they made different ones. */
export interface Region {
  readonly type: "same" | "ours" | "theirs" | "both" | "conflict";
  readonly base: Range;
  readonly ours: Range;
  readonly theirs: Range;
  readonly oursEdits: readonly Edit[];
  readonly theirsEdits: readonly Edit[];
}

/**
 * Cuts three versions into regions, in order, that together cover each of them.
 *
 * Edits of the two sides belong together when no common line stands between them: where they overlap, and where they
 * touch. Such a region is a conflict unless both sides made the same of it.
 */
export function findRegions(versions: LineVersions): Region[] {
  const [base = NONE, inOurs = NONE, inTheirs = NONE] = numberLines(versions.base, versions.ours, versions.theirs);
  return regionsOfEdits(versions, findNumberedEdits(base, inOurs), findNumberedEdits(base, inTheirs));
}

/** {@link findRegions}, of edits that have been found already: those of each side in order, and apart from each other. */
export function regionsOfEdits(versions: LineVersions, ours: readonly Edit[], theirs: readonly Edit[]): Region[] {
  const regions: Region[] = [];
  let before: Place = { base: 0, ours: 0, theirs: 0 };
  let [oursAt, theirsAt] = [0, 0];
  while (oursAt < ours.length || theirsAt < theirs.length) {
    const [oursFirst, theirsFirst] = [oursAt, theirsAt];
    const start = Math.min(startOf(ours[oursAt]), startOf(theirs[theirsAt]));
    for (let end = start; ;) {
      if (startOf(ours[oursAt]) <= end) end = Math.max(end, ours[oursAt++]?.baseEnd ?? 0);
      else if (startOf(theirs[theirsAt]) <= end) end = Math.max(end, theirs[theirsAt++]?.baseEnd ?? 0);
      else break;
    }
    const oursEdits = ours.slice(oursFirst, oursAt);
    const theirsEdits = theirs.slice(theirsFirst, theirsAt);
    const from = placeAt(before, start - before.base);
    if (start > before.base) regions.push(sameRegion(before, from));
    const region = changedRegion(versions, from, oursEdits, theirsEdits);
    regions.push(region);
    before = { base: region.base.end, ours: region.ours.end, theirs: region.theirs.end };
  }
  if (before.base < versions.base.length) {
    regions.push(sameRegion(before, placeAt(before, versions.base.length - before.base)));
  }
  return regions;
}

/** Cuts two versions that have no base into regions: what they have in common, and what they have not. */
export function findAddedRegions({ ours, theirs }: LineVersions): Region[] {
  const regions: Region[] = [];
  let before: Place = { base: 0, ours: 0, theirs: 0 };
  const nothing = { start: 0, end: 0 };
  const pushSame = (to: Place): void => {
    if (to.ours > before.ours) regions.push({ ...sameRegion(before, to), base: nothing });
  };
  for (const edit of findEdits(ours, theirs)) {
    pushSame({ base: 0, ours: edit.baseStart, theirs: edit.sideStart });
    const inOurs = { start: edit.baseStart, end: edit.baseEnd };
    const inTheirs = { start: edit.sideStart, end: edit.sideEnd };
    regions.push({
      type: "conflict",
      base: nothing,
      ours: inOurs,
      theirs: inTheirs,
      oursEdits: [insertion(inOurs)],
      theirsEdits: [insertion(inTheirs)],
    });
    before = { base: 0, ours: inOurs.end, theirs: inTheirs.end };
  }
  pushSame({ base: 0, ours: ours.length, theirs: theirs.length });
  return regions;
}

interface Place {
  readonly base: number;
  readonly ours: number;
  readonly theirs: number;
}

function startOf(edit: Edit | undefined): number {
  return edit?.baseStart ?? Infinity;
}

function placeAt(place: Place, by: number): Place {
  return { base: place.base + by, ours: place.ours + by, theirs: place.theirs + by };
}

function sameRegion(from: Place, to: Place): Region {
  return {
    type: "same",
    base: { start: from.base, end: to.base },
    ours: { start: from.ours, end: to.ours },
    theirs: { start: from.theirs, end: to.theirs },
    oursEdits: [],
    theirsEdits: [],
  };
}

function changedRegion(
  versions: LineVersions,
  from: Place,
  oursEdits: readonly Edit[],
  theirsEdits: readonly Edit[],
): Region {
  const end = Math.max(oursEdits.at(-1)?.baseEnd ?? 0, theirsEdits.at(-1)?.baseEnd ?? 0);
  const ours = { start: from.ours, end: from.ours + (end - from.base) + growthOf(oursEdits) };
  const theirs = { start: from.theirs, end: from.theirs + (end - from.base) + growthOf(theirsEdits) };
  const type =
    theirsEdits.length === 0
      ? "ours"
      : oursEdits.length === 0
        ? "theirs"
        : areEqual(versions.ours, ours, versions.theirs, theirs)
          ? "both"
          : "conflict";
  return { type, base: { start: from.base, end }, ours, theirs, oursEdits, theirsEdits };
}

function insertion({ start, end }: Range): Edit {
  return { baseStart: 0, baseEnd: 0, sideStart: start, sideEnd: end };
}

function growthOf(edits: readonly Edit[]): number {
  return edits.reduce((sum, edit) => sum + (edit.sideEnd - edit.sideStart) - (edit.baseEnd - edit.baseStart), 0);
}

/** Whether two ranges of lines hold the same. */
function areEqual(a: readonly string[], inA: Range, b: readonly string[], inB: Range): boolean {
  if (inA.end - inA.start !== inB.end - inB.start) return false;
  for (let at = inA.start; at < inA.end; at += 1) if (a[at] !== b[at - inA.start + inB.start]) return false;
  return true;
}
