import type { PieceMerge, Step } from "../resolution.ts";
import type { EntityBody, Source } from "../syntax/entity.ts";
import { mergeTrivially, type Merging, type PieceMergers, type Versions } from "./context.ts";
import { LineIndex } from "./line-index.ts";
import { mergeList } from "./merge-list.ts";

export type { PieceMergers } from "./context.ts";

/**
 * Merges three versions of a source by what is defined in it, wherever that stands: each function, class or statement
 * by itself, the members of classes likewise, and their order apart from what they are.
 *
 * @example
 * mergeEntities(base, ours, theirs, { piece: mergePiece, imports: mergeImports })
 * // { status: "merged", text: "…", steps: [{ resolver: "entities", class: "A" }], drops: [] }
 */
export function mergeEntities(base: Source, ours: Source, theirs: Source, mergers: PieceMergers): PieceMerge {
  const texts = { base: base.text, ours: ours.text, theirs: theirs.text };
  const trivial = mergeTrivially(texts);
  if (trivial !== undefined) return { status: "merged", text: trivial, steps: [stepOfTrivial(texts)], drops: [] };
  const merging: Merging = {
    language: base.language,
    texts,
    lines: {
      base: new LineIndex(base.text),
      ours: new LineIndex(ours.text),
      theirs: new LineIndex(theirs.text),
    },
    mergers,
    mergeList,
  };
  const bodies = { base: bodyOf(base), ours: bodyOf(ours), theirs: bodyOf(theirs) };
  const outcome = mergeList({ bodies, separator: undefined, isOrdered: true, scope: "" }, merging);
  if (outcome.status === "conflict") return { status: "conflict", hunks: outcome.hunks };
  return { ...outcome, steps: withoutRepeats(outcome.steps) };
}

function stepOfTrivial({ ours, theirs }: Versions<string>): Step {
  return { resolver: ours === theirs ? "identical" : "one-side", class: "A" };
}

function bodyOf({ text, entities }: Source): Pick<EntityBody, "start" | "end" | "entities"> {
  return { start: 0, end: text.length, entities };
}

function withoutRepeats(steps: readonly Step[]): Step[] {
  return [...new Map(steps.map((step) => [`${step.resolver} ${step.class}`, step])).values()];
}
