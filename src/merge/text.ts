import { appendLines } from "./lines.ts";
import { putTogether, takeVersionsApart } from "./text-form.ts";
import { findAddedRegions, findRegions, type Region } from "./three-way.ts";
import { uniteRegion } from "./union.ts";
import type { Hunk, LineVersions, TextVersions } from "./versions.ts";
import { mergeWhiteSpace } from "./white-space.ts";

export { hasMarkers, withMarkers } from "./markers.ts";
export type { TextVersions } from "./versions.ts";

/**
 * How a path may be merged. What has a merge driver we do not know is `binary`; what a program has made is merged by
 * `lines` and nothing finer.
 */
export type MergePolicy = "text" | "lines" | "union" | "binary";

/** What became of three versions: one text, and what made it; or the places a person has to decide on. */
export type TextMerge =
  | { status: "merged"; text: string; resolver: "identical" | "one-side" | "whitespace" | "lines" | "union" }
  | { status: "conflict"; why: "lines" | "binary" | "both-added"; hunks: Hunk[] };

/**
 * Merges two versions of a text that come from one base.
 *
 * Byte order mark, line ends and the end of the last line are merged apart from the lines, so that a side which changed
 * only these meets no edit of the other. Texts with a zero byte are merged as binary: whole or not at all.
 *
 * A line that both sides moved, each elsewhere, is there twice, as with any merge by lines; and where one moved what the
 * other deleted, it stays. `findTextLosses` finds such cases: a result counts only when that finds nothing.
 */
export function mergeText(versions: TextVersions, policy: MergePolicy): TextMerge {
  const { base, ours, theirs } = versions;
  if (ours === theirs) return { status: "merged", text: ours, resolver: "identical" };
  if (ours === base) return { status: "merged", text: theirs, resolver: "one-side" };
  if (theirs === base) return { status: "merged", text: ours, resolver: "one-side" };
  if (policy === "binary" || isBinary(versions)) return { status: "conflict", why: "binary", hunks: [] };

  const { lines, form } = takeVersionsApart(versions);
  const regions = base === undefined ? findAddedRegions(lines) : findRegions(lines);
  const conflicts = regions.filter(({ type }) => type === "conflict");
  const hunks = (): Hunk[] => conflicts.map((region) => hunkOf(lines, region));
  if (base === undefined && policy !== "union") return { status: "conflict", why: "both-added", hunks: hunks() };
  if (conflicts.length === 0 || policy === "union") {
    const text = putTogether(composeLines(lines, regions), form);
    return { status: "merged", text, resolver: conflicts.length === 0 ? "lines" : "union" };
  }
  const respaced = mergeWhiteSpace(lines);
  if (respaced !== undefined) return { status: "merged", text: putTogether(respaced, form), resolver: "whitespace" };
  return { status: "conflict", why: "lines", hunks: hunks() };
}

function isBinary({ base, ours, theirs }: TextVersions): boolean {
  return ours.includes("\0") || theirs.includes("\0") || base?.includes("\0") === true;
}

function composeLines(versions: LineVersions, regions: readonly Region[]): string[] {
  const lines: string[] = [];
  for (const region of regions) {
    if (region.type === "conflict") {
      const united = uniteRegion(versions, region);
      appendLines(lines, united, 0, united.length);
    } else {
      const side = region.type === "theirs" ? "theirs" : "ours";
      appendLines(lines, versions[side], region[side].start, region[side].end);
    }
  }
  return lines;
}

function hunkOf(versions: LineVersions, { base, ours, theirs }: Region): Hunk {
  return {
    baseStart: base.start,
    baseLines: versions.base.slice(base.start, base.end),
    oursStart: ours.start,
    ours: versions.ours.slice(ours.start, ours.end),
    theirsStart: theirs.start,
    theirs: versions.theirs.slice(theirs.start, theirs.end),
  };
}
