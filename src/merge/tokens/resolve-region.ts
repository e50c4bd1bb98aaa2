import type { Language } from "../language.ts";
import type { PolicyDrop, Step } from "../resolution.ts";
import type { EntityKind } from "../syntax/entity.ts";
import type { Range, Region } from "../three-way.ts";
import type { LineVersions } from "../versions.ts";
import { uniteLikeLines } from "./like-lines.ts";
import { partClusters, type Cluster } from "./clusters.ts";
import { nameTwice } from "./named-lines.ts";
import { applyPolicies } from "./policies.ts";
import { splitSharedEdits } from "./shared-edits.ts";
import type { TokenLines } from "./slice.ts";
import { areIndependent } from "./statements.ts";
import { mergeTokens } from "./token-merge.ts";
import { addsLineTwice, addsTwice } from "./twice.ts";
import type { SliceVersions } from "./pick.ts";

/** Three versions of a piece, as lines and as tokens. */
export interface RegionVersions {
  readonly language: Language | undefined;
  readonly kind: EntityKind | undefined;
  readonly endsAtConflict?: boolean;
  /** Too large to be cut into tokens. */
  readonly isLarge: boolean;
  readonly lines: LineVersions;
  readonly base: TokenLines;
  readonly ours: TokenLines;
  readonly theirs: TokenLines;
}

/** What became of a region that both sides changed. */
export interface RegionMerge {
  readonly text: string;
  readonly steps: readonly Step[];
  readonly drops: readonly PolicyDrop[];
}

/** Resolves a conflict of lines by the first rule that is sound for it. `undefined`: it stays a conflict. */
export function resolveRegion(versions: RegionVersions, region: Region): RegionMerge | undefined {
  const clusters = partClusters(splitSharedEdits(versions.lines, region));
  const isPlain = clusters.length > 1 && !isReindented(versions.lines, region);
  if (nameTwice(versions.lines, region)) return undefined;
  const resolution = (isPlain ? resolveApart(versions, clusters) : undefined) ?? resolveWhole(versions, region);
  if (resolution === undefined || isInserted(resolution)) return resolution;
  const isTwice =
    addsLineTwice(versions.lines, region, resolution.text) ||
    addsTwice(slicesOf(versions, region), resolution.text, versions.language);
  return isTwice ? undefined : resolution;
}

// Whole lines of both sides, put behind each other, may well have words in common.
function isInserted({ steps }: RegionMerge): boolean {
  return steps.some((step) => step.resolver === "adjacent" && step.class !== "A");
}

function resolveApart(versions: RegionVersions, clusters: readonly Cluster[]): RegionMerge | undefined {
  const parts: string[] = [];
  const steps: Step[] = [{ resolver: "adjacent", class: "A" }];
  const drops: PolicyDrop[] = [];
  for (const cluster of clusters) {
    if (cluster.type !== "conflict") {
      const side = cluster.type === "theirs" ? "theirs" : "ours";
      parts.push(linesOf(versions.lines[side], cluster[side]));
      continue;
    }
    const byBoth = linesOf(versions.lines.ours, cluster.ours);
    if (byBoth === linesOf(versions.lines.theirs, cluster.theirs)) {
      parts.push(byBoth);
      continue;
    }
    const resolution = resolveWhole(versions, cluster);
    if (resolution === undefined) return undefined;
    parts.push(resolution.text);
    steps.push(...resolution.steps);
    drops.push(...resolution.drops);
  }
  return { text: parts.join(""), steps, drops };
}

type Place = Pick<Cluster, "base" | "ours" | "theirs">;

function resolveWhole(versions: RegionVersions, place: Place): RegionMerge | undefined {
  const { lines, language } = versions;
  return applyPolicies(lines, place) ?? uniteLikeLines(lines, place, language) ?? resolveTokens(versions, place);
}

function resolveTokens(versions: RegionVersions, place: Place): RegionMerge | undefined {
  const { language, lines } = versions;
  const slices = slicesOf(versions, place);
  const parted = slices.base.texts.length === 0 ? partParagraphs(lines, place) : undefined;
  if (parted !== undefined) return { text: parted, steps: [{ resolver: "adjacent", class: "C" }], drops: [] };
  const merge = mergeTokens(slices, language);
  if (merge !== undefined) return { text: merge.text, steps: [{ resolver: "tokens", class: merge.class }], drops: [] };
  if (slices.base.texts.length > 0 || !areIndependent(slices.ours, slices.theirs, language)) return undefined;
  const text = linesOf(lines.ours, place.ours) + linesOf(lines.theirs, place.theirs);
  return { text, steps: [{ resolver: "adjacent", class: "C" }], drops: [] };
}

/** An empty line of a comment that one side added, above what the other wrote below the same lines. */
function partParagraphs(lines: LineVersions, { ours, theirs }: Place): string | undefined {
  const isEmpty = (line: string | undefined): boolean => line !== undefined && EMPTY_COMMENT.test(line);
  const added = { ours: lines.ours.slice(ours.start, ours.end), theirs: lines.theirs.slice(theirs.start, theirs.end) };
  const empty = added.ours.every(isEmpty) ? added.ours : added.theirs;
  const written = empty === added.ours ? added.theirs : added.ours;
  if (!empty.every(isEmpty) || empty.length === 0 || written.length === 0 || isEmpty(written[0])) return undefined;
  return `${[...empty, ...written].join("\n")}\n`;
}

const EMPTY_COMMENT = /^\s*(?:\/\/+!?|\*|#+)$/;

function slicesOf(versions: RegionVersions, { base, ours, theirs }: Place): SliceVersions {
  return {
    base: versions.base.slice(base.start, base.end),
    ours: versions.ours.slice(ours.start, ours.end),
    theirs: versions.theirs.slice(theirs.start, theirs.end),
  };
}

// Where a side moved a block to another indentation, what the other put beside it may belong inside.
function isReindented(lines: LineVersions, region: Region): boolean {
  const isOf = (side: "ours" | "theirs"): boolean => {
    const indentations = new Map<string, string>();
    for (const line of lines.base.slice(region.base.start, region.base.end)) {
      if (/\w/.test(line)) indentations.set(line.trim(), indentationOf(line));
    }
    return lines[side].slice(region[side].start, region[side].end).some((line) => {
      const before = indentations.get(line.trim());
      return before !== undefined && before !== indentationOf(line);
    });
  };
  return isOf("ours") || isOf("theirs");
}

function indentationOf(line: string): string {
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

function linesOf(lines: readonly string[], { start, end }: Range): string {
  return start === end ? "" : `${lines.slice(start, end).join("\n")}\n`;
}
