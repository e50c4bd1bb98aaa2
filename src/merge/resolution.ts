import type { Hunk } from "./versions.ts";

/**
 * How far a resolution can be trusted. A: the edits are disjoint. B: both sides inserted named things at one place.
 * C: tokens of one statement come from both. D: a declared policy dropped one of two contradicting edits.
 */
export type ResolutionClass = "A" | "B" | "C" | "D";

/** What resolved a file, or a part of it. Policies are named `policy:…`. */
export type ResolverName =
  | "identical"
  | "one-side"
  | "whitespace"
  | "lines"
  | "union"
  | "data"
  | "header"
  | "imports"
  | "entities"
  | "adjacent"
  | "tokens"
  | "cache"
  | `policy:${string}`;

/** One step of a resolution. */
export interface Step {
  readonly resolver: ResolverName;
  readonly class: ResolutionClass;
}

/** An edit that a policy dropped on purpose: a line of a receipt. */
export interface PolicyDrop {
  /** Such as `policy:semver-max`. */
  readonly policy: `policy:${string}`;
  /** Whose edit was dropped. */
  readonly side: "ours" | "theirs";
  /** What that side had written, as it stands in its version: a line, or a key with its value. */
  readonly dropped: string;
  /** What stands there instead. */
  readonly kept: string;
}

/** What became of three versions of a piece of text. */
export type PieceMerge =
  | {
      readonly status: "merged";
      readonly text: string;
      readonly steps: readonly Step[];
      readonly drops: readonly PolicyDrop[];
    }
  | { readonly status: "conflict"; readonly hunks: readonly Hunk[] };

/** Three versions of a piece of text: lines end with a line feed, there is no byte order mark. */
export interface PieceVersions {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}

const CLASSES: readonly ResolutionClass[] = ["A", "B", "C", "D"];

/** The class of a whole: that of its least certain step. */
export function classOf(steps: readonly Step[]): ResolutionClass {
  return CLASSES[Math.max(0, ...steps.map((step) => CLASSES.indexOf(step.class)))] ?? "A";
}
