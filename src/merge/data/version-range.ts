import { compare, minVersion, subset, valid, validRange } from "semver";

/** A version or range taken apart, such as `workspace:` `^` `7.10.4`. */
interface Range {
  /** Where it comes from: `workspace:`, `npm:other@`, or the name of a package manager. */
  readonly source: string;
  /** All after the source. */
  readonly text: string;
}

/** A range of one comparison. */
interface SimpleRange {
  readonly operator: string;
  readonly version: string;
  /** The lowest version of the range, in full. */
  readonly lowest: string;
}

/**
 * Merges two edits of a version or a range. Source, operator and version are each taken from the side that changed them;
 * where both moved the version up, the higher one stands. Of two ranges that both narrow the base's, it is the one that
 * the other contains.
 *
 * @returns nothing where one side moved up and the other down, or what is written is no version
 *
 * @example
 * mergeRanges("^1.0.0", "^1.1.0", "^1.2.0") // "^1.2.0"
 * mergeRanges("^1.0.0", "workspace:^1.0.0", "^1.2.0") // "workspace:^1.2.0"
 */
export function mergeRanges(base: string | undefined, ours: string, theirs: string): string | undefined {
  const versions = {
    base: base === undefined ? undefined : takeApart(base),
    ours: takeApart(ours),
    theirs: takeApart(theirs),
  };
  if (!areComparable(versions.ours.source, versions.theirs.source)) return undefined;
  const source = pick(versions.base?.source, versions.ours.source, versions.theirs.source);
  if (source === undefined) return undefined;
  const text = mergeTexts(versions.base?.text, versions.ours.text, versions.theirs.text);
  return text === undefined ? undefined : source + text;
}

/**
 * Whether an edit of a dependency is nothing but a newer version of it, or another place to take the same version from.
 *
 * @example
 * isNewer("^1.0.0", "^1.2.0") // true
 */
export function isNewer(before: string, after: string): boolean {
  const [from, to] = [takeApart(before), takeApart(after)];
  if (from.text === to.text) return from.source !== to.source;
  const [older, newer] = [readSimple(from.text), readSimple(to.text)];
  return older !== undefined && newer !== undefined && compare(newer.lowest, older.lowest) > 0;
}

function takeApart(text: string): Range {
  const [, source = "", rest = text] = /^(workspace:|npm:@?[^@]+@|[a-z]+@)(.+)$/.exec(text) ?? [];
  return { source, text: rest };
}

// Versions of two packages say nothing about each other.
function areComparable(ours: string, theirs: string): boolean {
  return ours === theirs || [ours, theirs].every((source) => source === "" || source === "workspace:");
}

function pick(base: string | undefined, ours: string, theirs: string): string | undefined {
  if (ours === theirs || theirs === base) return ours;
  return ours === base ? theirs : undefined;
}

function mergeTexts(base: string | undefined, ours: string, theirs: string): string | undefined {
  const picked = pick(base, ours, theirs);
  if (picked !== undefined) return isBelow(picked, ours) || isBelow(picked, theirs) ? undefined : picked;
  const [before, own, other] = [
    base === undefined ? undefined : readSimple(base),
    readSimple(ours),
    readSimple(theirs),
  ];
  if (own !== undefined && other !== undefined) return mergeSimple(before, own, other);
  return base === undefined ? undefined : narrowerOf(base, ours, theirs);
}

function isBelow(text: string, other: string): boolean {
  const [range, otherRange] = [readSimple(text), readSimple(other)];
  return range !== undefined && otherRange !== undefined && compare(range.lowest, otherRange.lowest) < 0;
}

function mergeSimple(base: SimpleRange | undefined, ours: SimpleRange, theirs: SimpleRange): string | undefined {
  const order = compare(ours.lowest, theirs.lowest);
  const operator = pick(base?.operator, ours.operator, theirs.operator);
  if (order === 0) return ours.version === theirs.version ? join(operator, ours) : undefined;
  if (base !== undefined) {
    if (compare(ours.lowest, base.lowest) < 0 || compare(theirs.lowest, base.lowest) < 0) return undefined;
  }
  const higher = order > 0 ? ours : theirs;
  return operator === undefined || base === undefined
    ? higher.operator + higher.version
    : compose(operator, higher, base);
}

function join(operator: string | undefined, { version }: SimpleRange): string | undefined {
  return operator === undefined ? undefined : operator + version;
}

// Without its operator, `1.2` is another range than with it: only whole versions take one from elsewhere.
function compose(
  operator: string | undefined,
  { operator: own, version }: SimpleRange,
  base: SimpleRange,
): string | undefined {
  if (operator === own) return own + version;
  const areWhole = valid(version) !== null && valid(base.version) !== null;
  return operator !== undefined && areWhole ? operator + version : undefined;
}

function readSimple(text: string): SimpleRange | undefined {
  const [, operator, version] =
    /^(\^|~|>=|=|v|)\s*(\d+(?:\.(?:\d+|x|\*)){0,2}(?:-[\w.-]+)?(?:\+[\w.-]+)?)$/i.exec(text) ?? [];
  if (operator === undefined || version === undefined) return undefined;
  const lowest = lowestOf(version);
  return lowest === undefined ? undefined : { operator, version, lowest };
}

function lowestOf(text: string): string | undefined {
  return valid(text) ?? (validRange(text) === null ? undefined : minVersion(text)?.version);
}

function narrowerOf(base: string, ours: string, theirs: string): string | undefined {
  if ([base, ours, theirs].some((text) => text.length > 200 || validRange(text) === null)) return undefined;
  if (!subset(ours, base) || !subset(theirs, base)) return undefined;
  if (subset(ours, theirs)) return ours;
  return subset(theirs, ours) ? theirs : undefined;
}
