/**
 * Which regular expressions may be matched with lines that others write. A matcher that goes back and tries again can
 * take time that doubles with each character. These cannot:
 *
 * 1. Nothing refers to a group, looks ahead or looks behind.
 * 2. What is repeated is read in one way only: wherever it stands in it, the next character says how it goes on.
 *    `(\d+,)*` is, `(a+)*` and `(a|ab)*` are not.
 * 3. Along every way through the pattern, at most one pair of repeats can share characters with nothing between them that
 *    one of the two cannot match. A pattern that can begin anywhere begins with such a repeat. So `failed: .* in \d+` and
 *    `^.*foo.*` may be matched, `a.*b.*c` may not.
 * 4. What can be left out, or be one of several, multiplies the ways to no more than 256.
 *
 * Then the time grows with the square of the line at most.
 */
import { EVERYTHING, overlaps, union, type CharacterSet } from "./character-set.ts";
import { readPattern, type PatternNode } from "./pattern-reader.ts";
import { repeatsClearly } from "./pattern-repeats.ts";

/** Why a pattern is not used, as what follows its name, and what can be done. */
export interface PatternProblem {
  readonly why: string;
  readonly hint: string;
}

const LONGEST = 500;
const MOST_WAYS = 256;
const SIMPLER = `match less here, and the rest of the line with where: { line: "*…*" }`;

/** What is wrong with the source of a regular expression (flag `u`), if anything is. */
export function patternProblem(source: string): PatternProblem | undefined {
  if (source.length > LONGEST) return { why: `is longer than ${LONGEST} characters`, hint: SIMPLER };
  const complaint = complaintOf(source);
  if (complaint !== undefined) return { why: `cannot be read: ${complaint}`, hint: "mend the regular expression" };
  const { node, anchored, forbidden } = readPattern(source);
  if (forbidden !== undefined)
    return { why: `${forbidden}, which can take without end`, hint: `leave that out; ${SIMPLER}` };
  if (!repeatsClearly(node))
    return {
      why: "repeats what can be read in several ways, which can take without end",
      hint: "repeat something simpler",
    };
  const ways = waysThrough(node);
  if (ways === undefined) return { why: "has too many ways to match, which can take without end", hint: SIMPLER };
  if (ways.some((way) => meetings(anchored ? way : [ANYTHING, ...way]) > 1))
    return {
      why: "has several repeats in a row that match the same, which can take too long",
      hint: `begin it with ^, leave out .* at its start and end, or ${SIMPLER}`,
    };
  return undefined;
}

function complaintOf(source: string): string | undefined {
  try {
    return new RegExp(source, "u") instanceof RegExp ? undefined : "";
  } catch (cause) {
    return (cause as Error).message.replace(/^Invalid regular expression: /, "");
  }
}

/** What stands at a place of a way: a repeat of some characters, or one that has to be there. */
interface Place {
  readonly repeats: boolean;
  readonly set: CharacterSet;
}

const ANYTHING: Place = { repeats: true, set: EVERYTHING };

type Way = readonly Place[];

/** The ways through a pattern; nothing where there are too many. */
function waysThrough(node: PatternNode): readonly Way[] | undefined {
  switch (node.type) {
    case "one":
      return [[{ repeats: false, set: node.set }]];
    case "sequence":
      return joined(node.items.map(waysThrough));
    case "choice":
      return eitherOf(node.items.map(waysThrough));
    default:
      return waysOfRepeat(node);
  }
}

function joined(parts: readonly (readonly Way[] | undefined)[]): readonly Way[] | undefined {
  return parts.reduce<readonly Way[] | undefined>(
    (ways, more) =>
      ways === undefined || more === undefined || ways.length * more.length > MOST_WAYS
        ? undefined
        : ways.flatMap((way) => more.map((rest) => [...way, ...rest])),
    [[]],
  );
}

function eitherOf(parts: readonly (readonly Way[] | undefined)[]): readonly Way[] | undefined {
  const ways = parts.flatMap((some) => some ?? []);
  return parts.includes(undefined) || ways.length > MOST_WAYS ? undefined : ways;
}

const MOST_COPIES = 10;

function waysOfRepeat({ item, min, max }: PatternNode & { type: "repeat" }): readonly Way[] | undefined {
  if (max === 0) return [[]];
  if (max === 1) return min === 1 ? waysThrough(item) : eitherOf([[[]], waysThrough(item)]);
  if (min === max && varies(item))
    return max > MOST_COPIES ? undefined : joined(Array.from({ length: max }, () => waysThrough(item)));
  const set = charactersOf(item);
  const needed = min === 0 ? [] : [{ repeats: false, set }];
  // Exactly so many of what does not vary leave nothing to try.
  return [min === max ? needed : [...needed, { repeats: true, set }]];
}

/** Whether something in it is repeated more or less often. */
function varies(node: PatternNode): boolean {
  if (node.type === "one") return false;
  if (node.type !== "repeat") return node.items.some(varies);
  return varies(node.item) || (node.max > 1 && node.min !== node.max);
}

function charactersOf(node: PatternNode): CharacterSet {
  if (node.type === "one") return node.set;
  return node.type === "repeat" ? charactersOf(node.item) : union(node.items.map(charactersOf));
}

/** How many pairs of repeats meet, one after another. */
function meetings(way: Way): number {
  const most: number[] = [];
  let best = 0;
  for (const [place, { repeats }] of way.entries()) {
    for (let from = 0; repeats && from < place; from += 1)
      if (meet(way, from, place)) best = Math.max(best, (most[from] ?? 0) + 1);
    most.push(best);
  }
  return best;
}

/** Whether one text could be read by either of two repeats and all that is between them. */
function meet(way: Way, from: number, to: number): boolean {
  const [one, other] = [way[from], way[to]];
  if (one?.repeats !== true || other === undefined || !overlaps(one.set, other.set)) return false;
  return way
    .slice(from + 1, to)
    .every(({ repeats, set }) => repeats || (overlaps(set, one.set) && overlaps(set, other.set)));
}
