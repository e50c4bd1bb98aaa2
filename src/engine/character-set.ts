/** Characters, as ranges of code points, each in the order of its first one and apart from the others. */
export type CharacterSet = readonly (readonly [first: number, last: number])[];

const LAST = 0x10_ff_ff;
/** Every character there is. */
export const EVERYTHING: CharacterSet = [[0, LAST]];

/** The characters of any of some sets. */
export function union(sets: readonly CharacterSet[]): CharacterSet {
  const sorted = sets.flat().sort(([a], [b]) => a - b);
  const merged: [number, number][] = [];
  for (const [first, last] of sorted) {
    const before = merged.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

/** All other characters. */
export function complement(set: CharacterSet): CharacterSet {
  const starts = [0, ...set.map(([, last]) => last + 1)];
  const ends = [...set.map(([first]) => first - 1), LAST];
  return starts.flatMap((first, index) => {
    const last = ends[index] ?? LAST;
    return first <= last ? [[first, last] as const] : [];
  });
}

/** Whether two sets have a character in common. */
export function overlaps(one: CharacterSet, other: CharacterSet): boolean {
  return one.some(([first, last]) => other.some(([from, to]) => first <= to && from <= last));
}
