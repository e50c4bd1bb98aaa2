import { appendLines } from "./lines.ts";
import { putTogether, takeApart, takeVersionsApart } from "./text-form.ts";
import { findRegions, type Region } from "./three-way.ts";
import type { LineVersions, TextVersions } from "./versions.ts";

/** A place that both sides changed differently: its lines in each version, without their ends. */
export interface ContestedPlace {
  readonly base: readonly string[];
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}

/** A place that both sides changed differently, and what somebody made of it. */
export interface Resolution extends ContestedPlace {
  readonly lines: readonly string[];
}

/**
 * Reads out of a file that somebody has merged what became of each place that both sides changed. Where it cannot be
 * told without a doubt, because the rest of the file is not as it would merge or stands there twice, nothing is read.
 *
 * @example
 * readResolutions({ base: "a\nb\n", ours: "a\nx\n", theirs: "a\ny\n" }, "a\nx\ny\n")
 * // [{ base: ["b"], ours: ["x"], theirs: ["y"], lines: ["x", "y"] }]
 */
export function readResolutions(versions: TextVersions, result: string): Resolution[] {
  if (versions.base === undefined) return [];
  const { lines } = takeVersionsApart(versions);
  const found = takeApart(result, false).lines;
  const resolutions: Resolution[] = [];
  let at = 0;
  let open: ContestedPlace | undefined;
  for (const stretch of stretchesOf(lines)) {
    if (stretch.place !== undefined) {
      // Nothing stands between two places: where one ends nobody can tell.
      if (open !== undefined) return [];
      open = stretch.place;
      continue;
    }
    const start = placeOf(found, stretch.lines, at, open === undefined);
    if (start === undefined) return [];
    if (open !== undefined) resolutions.push({ ...open, lines: found.slice(at, start) });
    [at, open] = [start + stretch.lines.length, undefined];
  }
  if (open !== undefined) resolutions.push({ ...open, lines: found.slice(at) });
  else if (at < found.length) return [];
  return resolutions;
}

/**
 * Merges a file of which every place that both sides changed is known.
 *
 * @param find what was made of such a place before
 * @returns nothing where one is not known
 */
export function applyResolutions(
  versions: TextVersions,
  find: (place: ContestedPlace) => readonly string[] | undefined,
): string | undefined {
  if (versions.base === undefined) return undefined;
  const { lines, form } = takeVersionsApart(versions);
  const merged: string[] = [];
  for (const stretch of stretchesOf(lines)) {
    const known = stretch.place === undefined ? stretch.lines : find(stretch.place);
    if (known === undefined) return undefined;
    appendLines(merged, known, 0, known.length);
  }
  return putTogether(merged, form);
}

/** Lines that merge, or a place that does not. */
type Stretch = { readonly lines: readonly string[]; readonly place?: undefined } | { readonly place: ContestedPlace };

/** A file as stretches in order; no two that merge are neighbours, and none of them is empty. */
function stretchesOf(versions: LineVersions): Stretch[] {
  const stretches: Stretch[] = [];
  let merging: string[] = [];
  const close = (): void => {
    if (merging.length > 0) stretches.push({ lines: merging });
    merging = [];
  };
  for (const region of findRegions(versions)) {
    if (region.type === "conflict") {
      close();
      stretches.push({ place: placeIn(versions, region) });
      continue;
    }
    const side = region.type === "theirs" ? "theirs" : "ours";
    appendLines(merging, versions[side], region[side].start, region[side].end);
  }
  close();
  return stretches;
}

function placeIn(versions: LineVersions, { base, ours, theirs }: Region): ContestedPlace {
  return {
    base: versions.base.slice(base.start, base.end),
    ours: versions.ours.slice(ours.start, ours.end),
    theirs: versions.theirs.slice(theirs.start, theirs.end),
  };
}

/** Where some lines stand from a place on: right there, or at the only place there is. */
function placeOf(all: readonly string[], wanted: readonly string[], from: number, isHere: boolean): number | undefined {
  if (isHere) return standsAt(all, wanted, from) ? from : undefined;
  const [first] = wanted;
  let found: number | undefined;
  for (let at = all.indexOf(first ?? "", from); at >= 0; at = all.indexOf(first ?? "", at + 1)) {
    if (!standsAt(all, wanted, at)) continue;
    if (found !== undefined) return undefined;
    found = at;
  }
  return found;
}

function standsAt(all: readonly string[], wanted: readonly string[], at: number): boolean {
  return wanted.every((line, index) => all[at + index] === line);
}
