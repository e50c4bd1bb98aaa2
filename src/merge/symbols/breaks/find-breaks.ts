import type { SemanticHit } from "../semantic-hit.ts";
import type { World } from "../world.ts";
import type { BreakFinder, Worlds } from "./break.ts";
import { findMisfits } from "./calls.ts";
import { findDuplicates } from "./duplicates.ts";
import { findBrokenImports } from "./imports.ts";
import { findMissingMembers } from "./members.ts";
import { findDanglingNames } from "./names.ts";

const FINDERS: readonly BreakFinder[] = [
  findBrokenImports,
  findDanglingNames,
  findMisfits,
  findDuplicates,
  findMissingMembers,
];

/**
 * Finds what is broken in the merged version and whole in both sides: it is the merge that broke it. What this takes
 * for broken by mistake it takes for broken in a side as well, and so says nothing.
 */
export function findBreaks(worlds: Worlds): SemanticHit[] {
  return FINDERS.flatMap((find) => {
    const merged = find(worlds.merged, worlds);
    if (merged.length === 0) return [];
    const known = new Set(
      [worlds.ours, worlds.theirs].flatMap((side: World) => find(side, worlds).map(({ key }) => key)),
    );
    return merged.filter(({ key }) => !known.has(key)).map(({ hit }) => hit);
  });
}
