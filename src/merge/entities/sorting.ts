import type { PartLists, Place } from "./arrangement.ts";
import type { Part } from "./part.ts";

/** Fewer names than these can be in order by chance. */
const FEWEST_SORTED = 4;

/** Whether a list is kept in the order of its names: it is so in all three versions. */
export function isSorted({ base, ours, theirs }: PartLists): boolean {
  return base.length >= FEWEST_SORTED && [base, ours, theirs].every(isInOrderOfNames);
}

function isInOrderOfNames(parts: readonly Part[]): boolean {
  return parts.every((part, at) => {
    const [name, before] = [part.entity.name, at === 0 ? "" : parts[at - 1]?.entity.name];
    return name !== undefined && before !== undefined && compareNames(before, name) <= 0;
  });
}

function compareNames(a: string, b: string): number {
  const [lowA, lowB] = [a.toLowerCase(), b.toLowerCase()];
  return lowA < lowB ? -1 : lowA > lowB ? 1 : 0;
}

/** Sorts places by the names of what stands there. */
export function sortPlaces(places: readonly Place[], lists: PartLists): Place[] {
  const nameOf = ({ ours, theirs }: Place): string =>
    (lists.ours[ours ?? -1] ?? lists.theirs[theirs ?? -1])?.entity.name ?? "";
  return places.toSorted((a, b) => compareNames(nameOf(a), nameOf(b)));
}
