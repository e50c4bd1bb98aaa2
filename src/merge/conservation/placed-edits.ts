import type { CountedLines } from "./line-count.ts";

/** Deeper than this, lines repeat so much that places say nothing. */
const DEEPEST = 24;

type Version = keyof CountedLines;
type Lines = readonly string[];

/**
 * Whether every edit stands in the result where its side made it: the four can be cut, at lines that nobody changed,
 * into pieces that one side alone edited, and the result has each as that side has it. Such a result lacks nothing and
 * has nothing twice that a side did not write twice, so that no lines need to be counted.
 *
 * It is sure only of a yes. What both sides did alike is none: they may both have moved it, each elsewhere. The cuts are
 * lines that each of the four has once, in one order; between those, lines that are there once, and so on (the patience
 * of Bram Cohen's diff).
 *
 * @example
 * areEditsPlaced({ base: ["a", "b", "c"], ours: ["A", "b", "c"], theirs: ["a", "b"], result: ["A", "b"] }) // true
 */
export function areEditsPlaced(lines: CountedLines): boolean {
  const open = [{ lines, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const piece = withoutCommonEnds(next.lines);
    if (isOneEdit(piece)) continue;
    const cuts = next.depth < DEEPEST ? findCuts(piece) : [];
    if (cuts.length === 0 && !areWoven(piece)) return false;
    if (cuts.length === 0) continue;
    for (const inner of cutAt(piece, cuts)) open.push({ lines: inner, depth: next.depth + 1 });
  }
  return true;
}

function eachVersion(linesOf: (version: Version) => Lines): CountedLines {
  return { base: linesOf("base"), ours: linesOf("ours"), theirs: linesOf("theirs"), result: linesOf("result") };
}

function withoutCommonEnds(lines: CountedLines): CountedLines {
  const { base, ours, theirs, result } = lines;
  const start = Math.min(...[ours, theirs, result].map((one) => commonStart(base, one)));
  const rest = eachVersion((version) => lines[version].slice(start));
  const end = Math.min(...[rest.ours, rest.theirs, rest.result].map((one) => commonEnd(rest.base, one)));
  return end === 0 ? rest : eachVersion((version) => rest[version].slice(0, -end));
}

function commonStart(one: Lines, other: Lines): number {
  let length = 0;
  while (length < one.length && length < other.length && one[length] === other[length]) length += 1;
  return length;
}

function commonEnd(one: Lines, other: Lines): number {
  let length = 0;
  while (length < one.length && length < other.length && one.at(-1 - length) === other.at(-1 - length)) length += 1;
  return length;
}

function areSame(one: Lines, other: Lines): boolean {
  return one.length === other.length && commonStart(one, other) === one.length;
}

function isOneEdit({ base, ours, theirs, result }: CountedLines): boolean {
  return (areSame(theirs, base) && areSame(result, ours)) || (areSame(ours, base) && areSame(result, theirs));
}

/** How far each version was read, and whose edits were the last: between those of two sides stands an unchanged line. */
interface Reading {
  readonly base: number;
  readonly ours: number;
  readonly theirs: number;
  readonly by: 0 | typeof BY_OURS | typeof BY_THEIRS;
}

const BY_OURS = 1;
const BY_THEIRS = 2;
/** Beyond so many ways to read a piece it says nothing. */
const MOST_READINGS = 20_000;

/**
 * Whether a piece can be read from its beginning to its end line by line, each line as one that nobody changed, that one
 * side added and the result has, or that one side took away and only the other still has.
 */
function areWoven({ base, ours, theirs, result }: CountedLines): boolean {
  if (result.length !== ours.length + theirs.length - base.length) return false;
  const open: Reading[] = [{ base: 0, ours: 0, theirs: 0, by: 0 }];
  const known = new Set<number>();
  for (let at = open.pop(); at !== undefined && known.size < MOST_READINGS; at = open.pop()) {
    if (at.base === base.length && at.ours === ours.length && at.theirs === theirs.length) return true;
    const key = ((at.base * (ours.length + 1) + at.ours) * (theirs.length + 1) + at.theirs) * 3 + at.by;
    if (known.has(key)) continue;
    known.add(key);
    const [line, own, other] = [base[at.base], ours[at.ours], theirs[at.theirs]];
    const after = result[at.ours + at.theirs - at.base];
    if (at.by !== BY_THEIRS) {
      if (own !== undefined && own === after) open.push({ ...at, ours: at.ours + 1, by: BY_OURS });
      if (line !== undefined && line === other)
        open.push({ ...at, base: at.base + 1, theirs: at.theirs + 1, by: BY_OURS });
    }
    if (at.by !== BY_OURS) {
      if (other !== undefined && other === after) open.push({ ...at, theirs: at.theirs + 1, by: BY_THEIRS });
      if (line !== undefined && line === own) open.push({ ...at, base: at.base + 1, ours: at.ours + 1, by: BY_THEIRS });
    }
    if (line !== undefined && line === own && line === other && line === after)
      open.push({ base: at.base + 1, ours: at.ours + 1, theirs: at.theirs + 1, by: 0 });
  }
  return false;
}

/** Where a line that may be cut at stands in each of the four. */
type Cut = Readonly<Record<Version, number>>;

function findCuts(lines: CountedLines): readonly Cut[] {
  const base = findSingles(lines.base);
  const [ours, theirs, result] = [findSingles(lines.ours), findSingles(lines.theirs), findSingles(lines.result)];
  const shared: Cut[] = [];
  for (const [line, at] of base) {
    const cut = {
      base: at,
      ours: ours.get(line) ?? -1,
      theirs: theirs.get(line) ?? -1,
      result: result.get(line) ?? -1,
    };
    if (Math.min(cut.base, cut.ours, cut.theirs, cut.result) >= 0) shared.push(cut);
  }
  return (["ours", "theirs", "result"] as const).reduce<readonly Cut[]>(longestRising, shared);
}

/** Where each line stands; -1 for one that stands there more than once. */
function findSingles(lines: Lines): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  for (const [at, line] of lines.entries()) places.set(line, places.has(line) ? -1 : at);
  return places;
}

/** The most cuts whose places in one version rise, by patience sorting. */
function longestRising(cuts: readonly Cut[], version: Version): readonly Cut[] {
  const piles: { readonly cut: Cut; readonly before: number | undefined }[] = [];
  const tops: number[] = [];
  for (const cut of cuts) {
    let [low, high] = [0, tops.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((piles[tops[middle] ?? 0]?.cut[version] ?? 0) < cut[version]) low = middle + 1;
      else high = middle;
    }
    piles.push({ cut, before: tops[low - 1] });
    tops[low] = piles.length - 1;
  }
  const rising: Cut[] = [];
  for (let pile = piles[tops.at(-1) ?? -1]; pile !== undefined; pile = piles[pile.before ?? -1]) rising.push(pile.cut);
  return rising.toReversed();
}

function cutAt(lines: CountedLines, cuts: readonly Cut[]): CountedLines[] {
  const pieces: CountedLines[] = [];
  for (let at = 0; at <= cuts.length; at += 1) {
    const [before, next] = [cuts[at - 1], cuts[at]];
    pieces.push(
      eachVersion((version) => lines[version].slice(before === undefined ? 0 : before[version] + 1, next?.[version])),
    );
  }
  return pieces;
}
