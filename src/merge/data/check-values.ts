/** What three versions of a file say, and what the result says. */
export interface ValueVersions {
  readonly base: unknown;
  readonly ours: unknown;
  readonly theirs: unknown;
  readonly result: unknown;
}

/** Stands for a key that is not there. */
const ABSENT = Symbol("absent");

/**
 * Whether a result says what both sides made of the base: for each key what the side that changed it says, and of lists
 * all that either side put in and nothing that either took out. It looks at values only, not at how they were merged.
 *
 * @param isDecided whether a rule has decided about the key at a place, so that it may be otherwise
 */
export function isRightMerge(
  { base, ours, theirs, result }: ValueVersions,
  isDecided: (place: readonly string[]) => boolean,
): boolean {
  return isRight([base, ours, theirs, result], [], isDecided);
}

type Values = readonly [base: unknown, ours: unknown, theirs: unknown, result: unknown];

function isRight(values: Values, place: readonly string[], isDecided: (place: readonly string[]) => boolean): boolean {
  const [base, ours, theirs, result] = values;
  if (isDecided(place)) return true;
  if (isEqual(ours, theirs) || isEqual(base, theirs)) return isEqual(result, ours);
  if (isEqual(base, ours)) return isEqual(result, theirs);
  const before = Array.isArray(base) ? base : [];
  if (Array.isArray(ours) && Array.isArray(theirs) && Array.isArray(result)) {
    return isRightList([before, ours, theirs, result]);
  }
  // A map that one side took out has none of its keys there.
  const isOne = (value: unknown): boolean => isMap(value) || (value === ABSENT && isMap(base));
  return isOne(ours) && isOne(theirs) && isOne(result) && isRightMap(values, place, isDecided);
}

function isRightMap(
  values: Values,
  place: readonly string[],
  isDecided: (place: readonly string[]) => boolean,
): boolean {
  const keys = new Set(values.flatMap((value) => (isMap(value) ? Object.keys(value) : [])));
  const [base, ours, theirs, result] = values;
  return [...keys].every((key) =>
    isRight(
      [valueAt(base, key), valueAt(ours, key), valueAt(theirs, key), valueAt(result, key)],
      [...place, key],
      isDecided,
    ),
  );
}

function valueAt(value: unknown, key: string): unknown {
  return isMap(value) && Object.hasOwn(value, key) ? value[key] : ABSENT;
}

type Lists = readonly [
  base: readonly unknown[],
  ours: readonly unknown[],
  theirs: readonly unknown[],
  result: readonly unknown[],
];

// Counted, not placed: an element that both sides changed is one that no version has, made of three that the result lacks.
function isRightList(lists: Lists): boolean {
  const [base, ours, theirs, result] = lists.map(countElements) as [Counts, Counts, Counts, Counts];
  const [missing, foreign]: [string[], string[]] = [[], []];
  for (const element of new Set([base, ours, theirs, result].flatMap((counts) => [...counts.keys()]))) {
    const countIn = (counts: Counts): number => counts.get(element) ?? 0;
    const expected = expectedCount(countIn(base), countIn(ours), countIn(theirs));
    for (let count = expected; count < countIn(result); count += 1) foreign.push(element);
    for (let count = countIn(result); count < expected; count += 1) missing.push(element);
  }
  if (foreign.length === 0) return missing.length === 0;
  return areComposed(lists, foreign, missing);
}

type Counts = Map<string, number>;

function countElements(list: readonly unknown[]): Counts {
  const counts: Counts = new Map();
  for (const element of list) {
    const text = canonical(element);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return counts;
}

// What both added is there once, as often as the one that added more of it says; what either took out is gone.
function expectedCount(base: number, ours: number, theirs: number): number {
  if (ours >= base && theirs >= base) return Math.max(ours, theirs);
  if (ours <= base && theirs <= base) return Math.min(ours, theirs);
  return ours + theirs - base;
}

/** More comparisons than this are not made: such a list is not proved to be right. */
const MOST_COMPARISONS = 100_000;

// Every element that no version has must be a right merge of elements that the result lacks.
function areComposed(lists: Lists, foreign: readonly string[], missing: readonly string[]): boolean {
  const [base, ours, theirs, result] = lists.map(elementsByText) as [Elements, Elements, Elements, Elements];
  const goneFrom = (elements: Elements): Element[] => [...elements].filter(([text]) => !result.has(text));
  const [olds, owns, others] = [[["", ABSENT] as Element, ...goneFrom(base)], goneFrom(ours), goneFrom(theirs)];
  if (foreign.length * olds.length * owns.length * others.length > MOST_COMPARISONS) return false;
  const used = new Set<string>();
  for (const text of foreign) {
    const parts = findParts(olds, owns, others, result.get(text));
    if (parts === undefined) return false;
    for (const [part] of parts) used.add(part);
  }
  return missing.every((text) => used.has(text));
}

type Element = readonly [text: string, value: unknown];
type Elements = ReadonlyMap<string, unknown>;

function elementsByText(list: readonly unknown[]): Elements {
  return new Map(list.map((element) => [canonical(element), element]));
}

function findParts(
  olds: readonly Element[],
  owns: readonly Element[],
  others: readonly Element[],
  result: unknown,
): readonly Element[] | undefined {
  for (const own of owns) {
    for (const other of others) {
      const old = olds.find(([, value]) => isRight([value, own[1], other[1], result], [], () => false));
      if (old !== undefined) return [old, own, other];
    }
  }
  return undefined;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function isEqual(a: unknown, b: unknown): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((element, at) => isEqual(element, b[at]));
  if (a instanceof Date || b instanceof Date || !isMap(a) || !isMap(b))
    return canonicalScalar(a) === canonicalScalar(b);
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  return keys.length === others.length && keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]));
}

/** A text that two values share if, and only if, they are equal. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isMap(value)) return value === ABSENT ? "absent" : canonicalScalar(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

function canonicalScalar(value: unknown): string {
  if (typeof value === "number" && !Number.isFinite(value)) return `number ${value}`;
  if (Object.is(value, -0)) return "-0";
  return typeof value === "bigint" ? `${value}` : (JSON.stringify(value) ?? "undefined");
}
