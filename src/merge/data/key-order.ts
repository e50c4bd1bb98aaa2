/** The keys of three versions of a table, each in its order. */
export interface KeyVersions {
  readonly base: readonly string[];
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}

/** An order for the keys of a merged table. */
export interface KeyOrder {
  readonly keys: readonly string[];
  /** Whether both sides added keys at one place, so that only the choice of an order parts them. */
  readonly isInsertedTogether: boolean;
  /** Whether both sides moved keys, each to an order of its own: the order is that of ours. */
  readonly isMovedTwice: boolean;
}

const FEWEST_SORTED = 3;

/**
 * Puts the keys of two sides in one order: that of ours, or of theirs where only theirs moved keys. What the other side
 * added stands behind what it stands behind there, or at its place in the alphabet where both sides keep to that.
 */
export function orderKeys(versions: KeyVersions): KeyOrder {
  const { ours, theirs } = versions;
  const isSorted = ours.length >= FEWEST_SORTED && SORTERS.find((sorter) => areSorted(sorter, ours, theirs));
  if (isSorted) return { keys: mergeSorted(isSorted, ours, theirs), isInsertedTogether: false, isMovedTwice: false };
  const [isOursMoved, isTheirsMoved] = [isMoved(versions.base, ours), isMoved(versions.base, theirs)];
  const [first, second] = !isOursMoved && isTheirsMoved ? [theirs, ours] : [ours, theirs];
  const isMovedTwice = isOursMoved && isTheirsMoved && isMoved(ours, theirs);
  return { ...insertKeys(versions.base, first, second), isMovedTwice };
}

const SORTERS: readonly ((a: string, b: string) => number)[] = [
  compareCodes,
  (a, b) => compareCodes(a.toLowerCase(), b.toLowerCase()) || compareCodes(a, b),
];

function compareCodes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function areSorted(sorter: (a: string, b: string) => number, ...lists: (readonly string[])[]): boolean {
  return lists.every((keys) => keys.every((key, at) => at === 0 || sorter(keys[at - 1] ?? "", key) < 0));
}

function mergeSorted(
  sorter: (a: string, b: string) => number,
  ours: readonly string[],
  theirs: readonly string[],
): string[] {
  return [...new Set([...ours, ...theirs])].sort(sorter);
}

// Whether the keys that both lists have stand in another order.
function isMoved(base: readonly string[], side: readonly string[]): boolean {
  const places = new Map(base.map((key, at) => [key, at]));
  let last = -1;
  for (const key of side) {
    const place = places.get(key);
    if (place === undefined) continue;
    if (place < last) return true;
    last = place;
  }
  return false;
}

function insertKeys(
  base: readonly string[],
  first: readonly string[],
  second: readonly string[],
): Pick<KeyOrder, "keys" | "isInsertedTogether"> {
  const [inBase, inFirst] = [new Set(base), new Set(first)];
  const behind = new Map<string | undefined, string[]>();
  let anchor: string | undefined;
  for (const key of second) {
    if (inFirst.has(key)) anchor = key;
    else behind.set(anchor, [...(behind.get(anchor) ?? []), key]);
  }
  const keys: string[] = [];
  let isInsertedTogether = false;
  let waiting = behind.get(undefined) ?? [];
  for (const key of first) {
    const isOwn = !inBase.has(key) && !behind.has(key);
    if (isOwn) isInsertedTogether ||= waiting.length > 0;
    else {
      for (const inserted of waiting) keys.push(inserted);
      waiting = [];
    }
    keys.push(key);
    waiting = behind.get(key) ?? waiting;
  }
  for (const inserted of waiting) keys.push(inserted);
  return { keys, isInsertedTogether };
}
