import { linesOf } from "../lines.ts";
import type { PieceVersions } from "../resolution.ts";
import { findRegions, type Region } from "../three-way.ts";
import type { Hunk, LineVersions } from "../versions.ts";
import { isAlignedKey } from "./list-keys.ts";
import type { DataConflict } from "./merge-nodes.ts";

/**
 * The places of a data file that a person has to decide on, as lines: the items that contradict each other, where any are
 * known, and else all lines that both sides changed.
 */
export function findDataHunks(versions: PieceVersions, conflicts: readonly DataConflict[]): Hunk[] {
  const lines = { base: linesOf(versions.base), ours: linesOf(versions.ours), theirs: linesOf(versions.theirs) };
  const regions = findRegions(lines);
  if (conflicts.length === 0) {
    return regions.filter(({ type }) => type === "conflict").map((region) => hunkOf(lines, region));
  }
  const starts = { base: startsOf(versions.base), ours: startsOf(versions.ours), theirs: startsOf(versions.theirs) };
  return conflicts.map(({ place, items }) => {
    const at = (side: keyof LineVersions): Range | undefined => {
      const item = items[side];
      return item && { start: lineAt(starts[side], item.start), end: lineAt(starts[side], item.end - 1) + 1 };
    };
    const [base, ours, theirs] = [at("base"), at("ours"), at("theirs")];
    const absent = (side: "base" | "ours" | "theirs"): Range => placeIn(regions, { base, ours, theirs }, side);
    const entity = place.filter((key) => !isAlignedKey(key)).join(" > ");
    return {
      ...hunkOf(lines, {
        base: base ?? absent("base"),
        ours: ours ?? absent("ours"),
        theirs: theirs ?? absent("theirs"),
      }),
      ...(entity === "" ? {} : { entity }),
    };
  });
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function hunkOf(lines: LineVersions, { base, ours, theirs }: Pick<Region, "base" | "ours" | "theirs">): Hunk {
  return {
    baseStart: base.start,
    baseLines: lines.base.slice(base.start, base.end),
    oursStart: ours.start,
    ours: lines.ours.slice(ours.start, ours.end),
    theirsStart: theirs.start,
    theirs: lines.theirs.slice(theirs.start, theirs.end),
  };
}

/** Where an item would be that a version lacks. */
function placeIn(
  regions: readonly Region[],
  known: Readonly<Record<"base" | "ours" | "theirs", Range | undefined>>,
  side: "base" | "ours" | "theirs",
): Range {
  const from = (["base", "ours", "theirs"] as const).find((other) => known[other] !== undefined) ?? "base";
  const line = known[from]?.start ?? 0;
  const start = regions.find((region) => region[from].end > line)?.[side].start ?? 0;
  return { start, end: start };
}

/** Where each line of a text begins. */
function startsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** The line of an offset. */
function lineAt(starts: readonly number[], offset: number): number {
  let [low, high] = [0, starts.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return low;
}
