import type { Language } from "../language.ts";
import type { PolicyDrop, Step } from "../resolution.ts";
import type { EntityKind } from "../syntax/entity.ts";
import type { Range, Region } from "../three-way.ts";
import type { LineVersions } from "../versions.ts";
import { uniteLikeLines } from "./like-lines.ts";
import { partClusters, type Cluster } from "./clusters.ts";
import { applyPolicies } from "./policies.ts";
import type { TokenLines } from "./slice.ts";
import { mergeTokens } from "./token-merge.ts";

/** Three versions of a piece, as lines and as tokens. */
export interface RegionVersions {
  readonly language: Language | undefined;
  readonly kind: EntityKind | undefined;
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
  const clusters = partClusters(region);
  if (clusters.length > 1 && !isReindented(versions.lines, region)) {
    const apart = resolveApart(versions, clusters);
    if (apart !== undefined) return apart;
  }
  return resolveWhole(versions, region);
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

function resolveTokens(versions: RegionVersions, { base, ours, theirs }: Place): RegionMerge | undefined {
  const slices = {
    base: versions.base.slice(base.start, base.end),
    ours: versions.ours.slice(ours.start, ours.end),
    theirs: versions.theirs.slice(theirs.start, theirs.end),
  };
  const merge = mergeTokens(slices, versions.language);
  if (merge === undefined) return undefined;
  return { text: merge.text, steps: [{ resolver: "tokens", class: merge.class }], drops: [] };
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
