import type { ImportedName, ImportRun } from "./statement.ts";
import type { LeftOut, Runs } from "./wanted-names.ts";

/** So much of two imports must be alike for one to be the other's new version. */
const LEAST_LIKENESS = 0.5;

/** Whether an import stands where the base has the one it came from, and is like it: then it is a change of that line. */
export function isInPlace(runs: Runs, { name, before, side }: LeftOut): boolean {
  if (likeness(wordsOf(name), wordsOf(before)) < LEAST_LIKENESS) return false;
  const [inBase, inSide] = [keysOf(runs.base), keysOf(runs[side])];
  const [known, kept] = [new Set(inBase), new Set(inSide)];
  const [at, place] = [inBase.indexOf(before.key), inSide.indexOf(name.key)];
  return (
    inBase.slice(0, at).findLast((key) => kept.has(key)) === inSide.slice(0, place).findLast((key) => known.has(key)) &&
    inBase.slice(at).find((key) => kept.has(key)) === inSide.slice(place).find((key) => known.has(key))
  );
}

function keysOf({ statements }: ImportRun): string[] {
  return statements.flatMap(({ names }) => names.map(({ key }) => key));
}

// From 0 for what has no word in common to 1 for the same words.
function likeness(first: readonly string[], second: readonly string[]): number {
  const left = [...second];
  for (const word of first) {
    const at = left.indexOf(word);
    if (at >= 0) left.splice(at, 1);
  }
  const size = first.length + second.length;
  return size === 0 ? 0 : (2 * (second.length - left.length)) / size;
}

function wordsOf({ target, local }: ImportedName): string[] {
  return `${target.replace(/ default$/, "")} ${local ?? ""}`.match(/[\p{L}\p{N}_$]+/gu) ?? [];
}
