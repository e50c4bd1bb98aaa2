/** What is put among others, in the order of the list it comes from. */
export interface Placing<Item> {
  /** Those that stand there already. */
  readonly placed: readonly Item[];
  /** The list that the new one comes from. */
  readonly from: readonly Item[];
  /** Where in that list it stands. */
  readonly at: number;
  readonly keyOf: (item: Item) => unknown;
  readonly compare: ((a: Item, b: Item) => number) | undefined;
  /** Whether it goes before those that only the other list has, at the same place. */
  readonly isFirst: boolean;
  /** Whether a group begins with it: what is in the group of what it follows stays there. */
  readonly opensGroup?: (item: Item) => boolean;
}

/** Where it belongs: after what it follows in its own list; among what only the other list has there, in order. */
export function placeOf<Item>({ placed, from, at, keyOf, compare, isFirst, opensGroup }: Placing<Item>): number {
  const places = new Map(placed.map((item, place) => [keyOf(item), place]));
  let start = 0;
  for (let before = at - 1; before >= 0 && start === 0; before -= 1) {
    const place = places.get(keyOf(from[before] as Item));
    if (place !== undefined) start = place + 1;
  }
  const own = new Set(from.map(keyOf));
  let end = start;
  while (end < placed.length && !own.has(keyOf(placed[end] as Item))) end += 1;
  if (opensGroup !== undefined) {
    let group = start;
    while (group < end && !opensGroup(placed[group] as Item)) group += 1;
    if (opensGroup(from[at] as Item)) start = group;
    else end = group;
  }
  if (compare !== undefined) {
    for (let place = start; place < end; place += 1) {
      if (compare(placed[place] as Item, from[at] as Item) > 0) return place;
    }
    return end;
  }
  return isFirst ? start : end;
}

type Compare = (a: string, b: string) => number;

const ORDERS: readonly Compare[] = [
  byCodePoint,
  (a, b) => byCodePoint(a.toLowerCase(), b.toLowerCase()),
  (a, b) => byCodePoint(a.replaceAll("_", "").toLowerCase(), b.replaceAll("_", "").toLowerCase()),
  (a, b) => rankOf(a) - rankOf(b) || byCodePoint(a, b),
];

/** The order that all of these lists are visibly in. One or two names show none. */
export function commonOrder(...lists: readonly (readonly string[])[]): Compare | undefined {
  if (lists.every((list) => list.length < 3)) return undefined;
  return ORDERS.find((order) => lists.every((list) => isSorted(list, order)));
}

function isSorted(list: readonly string[], compare: Compare): boolean {
  return list.every((item, at) => at === 0 || compare(list[at - 1] as string, item) <= 0);
}

function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

// Formatters put constants, types and functions apart, and a module's own name first.
function rankOf(name: string): number {
  if (/^(self|super|crate)\b/.test(name)) return 0;
  if (/^[A-Z][A-Z0-9_]+$/.test(name)) return 3;
  return /^[A-Z]/.test(name) ? 2 : 1;
}
