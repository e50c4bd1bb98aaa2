import type { SemanticHit } from "../semantic-hit.ts";
import type { World } from "../world.ts";

/** Something that is broken in one version. Its key is the same in every version in which it is. */
export interface Break {
  readonly key: string;
  readonly hit: SemanticHit;
}

/** All versions of what was changed, to tell what was there once. */
export interface Worlds {
  readonly base: World;
  readonly ours: World;
  readonly theirs: World;
  readonly merged: World;
}

/** Finds what is broken in one of the versions. */
export type BreakFinder = (world: World, worlds: Worlds) => Break[];

/** A place in a file. */
export function placeOf(path: string, line: number): string {
  return `${path}:${line}`;
}
