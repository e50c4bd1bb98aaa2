import { linesOf } from "../lines.ts";
import type { Language } from "../language.ts";
import type { PieceMerge, PieceVersions, PolicyDrop, Step } from "../resolution.ts";
import type { EntityKind } from "../syntax/entity.ts";
import { findRegions, type Range, type Region } from "../three-way.ts";
import type { Hunk, LineVersions } from "../versions.ts";
import { Lexer } from "./lexer.ts";
import { resolveRegion, type RegionVersions } from "./resolve-region.ts";
import { TokenLines } from "./slice.ts";
import { usesWhatIsGone } from "./taken-away.ts";

/** In larger texts, what lines leave is a conflict: cutting them into tokens takes too long. */
const MOST_CHARACTERS = 2_000_000;

/** What a piece is, as far as that is known. */
export interface PieceSetting {
  readonly language: Language | undefined;
  readonly kind: EntityKind | undefined;
  /** Whether the first place that stays open is told, and no other is looked at. */
  readonly endsAtConflict?: boolean;
}

/**
 * Merges a text that is not taken apart any further: line by line, and where lines conflict, by what touches, by token,
 * and by the declared policies for version numbers and years.
 *
 * @example
 * const versions = { base: "f(a);\n", ours: "f(a, b);\n", theirs: "g(a);\n" };
 * mergePiece(versions, { language: "typescript", kind: undefined }) // "g(a, b);\n"
 */
export function mergePiece(versions: PieceVersions, setting: PieceSetting): PieceMerge {
  const { base, ours, theirs } = versions;
  if (ours === theirs) return merged(ours, [{ resolver: "identical", class: "A" }]);
  if (ours === base) return merged(theirs, [{ resolver: "one-side", class: "A" }]);
  if (theirs === base) return merged(ours, [{ resolver: "one-side", class: "A" }]);
  const lines = { base: linesOf(base), ours: linesOf(ours), theirs: linesOf(theirs) };
  return mergeRegions(findRegions(lines), regionVersions(versions, lines, setting));
}

function mergeRegions(regions: readonly Region[], versions: RegionVersions): PieceMerge {
  const parts: string[] = [];
  const hunks: Hunk[] = [];
  const steps = new Map<string, Step>([["lines", { resolver: "lines", class: "A" }]]);
  const drops: PolicyDrop[] = [];
  for (const region of regions) {
    if (region.type !== "conflict") {
      const side = region.type === "theirs" ? "theirs" : "ours";
      parts.push(textOf(versions.lines[side], region[side]));
      continue;
    }
    const resolution = versions.isLarge ? undefined : resolveRegion(versions, region);
    if (resolution === undefined) {
      hunks.push(hunkOf(versions.lines, region));
      if (versions.endsAtConflict === true) break;
      continue;
    }
    parts.push(resolution.text);
    drops.push(...resolution.drops);
    for (const step of resolution.steps) steps.set(`${step.resolver} ${step.class}`, step);
  }
  const { base, ours, theirs } = versions;
  if (
    hunks.length === 0 &&
    steps.size > 1 &&
    usesWhatIsGone({ base: base.all(), ours: ours.all(), theirs: theirs.all() })
  ) {
    hunks.push(...regions.filter(({ type }) => type === "conflict").map((region) => hunkOf(versions.lines, region)));
  }
  if (hunks.length > 0) return { status: "conflict", hunks };
  return { status: "merged", text: parts.join(""), steps: [...steps.values()], drops };
}

function merged(text: string, steps: readonly Step[]): PieceMerge {
  return { status: "merged", text, steps, drops: [] };
}

function textOf(lines: readonly string[], { start, end }: Range): string {
  return start === end ? "" : `${lines.slice(start, end).join("\n")}\n`;
}

function regionVersions(versions: PieceVersions, lines: LineVersions, setting: PieceSetting): RegionVersions {
  const tokenLines = (side: keyof PieceVersions): TokenLines =>
    new TokenLines(lines[side], new Lexer(versions[side], setting.language));
  const isLarge = Math.max(versions.base.length, versions.ours.length, versions.theirs.length) > MOST_CHARACTERS;
  return {
    ...setting,
    isLarge,
    lines,
    base: tokenLines("base"),
    ours: tokenLines("ours"),
    theirs: tokenLines("theirs"),
  };
}

function hunkOf({ base, ours, theirs }: LineVersions, region: Region): Hunk {
  return {
    baseStart: region.base.start,
    baseLines: base.slice(region.base.start, region.base.end),
    oursStart: region.ours.start,
    ours: ours.slice(region.ours.start, region.ours.end),
    theirsStart: region.theirs.start,
    theirs: theirs.slice(region.theirs.start, region.theirs.end),
  };
}
