import { rangeOf } from "./edit-range.ts";
import type { TextLoss } from "./loss.ts";

const DETAIL_LENGTH = 160;

/** The lines of three versions and of what was made of them. */
export interface CountedLines {
  readonly base: readonly string[];
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
  readonly result: readonly string[];
}

/** How often one line stands in each of the four. */
export interface LineCount {
  base: number;
  ours: number;
  theirs: number;
  result: number;
}

/** Counts each line that is not among those that all four begin or end with. */
export function countLines(lines: CountedLines): ReadonlyMap<string, LineCount> {
  const { start, end } = findCommonEnds(lines);
  const counts = new Map<string, LineCount>();
  for (const version of ["base", "ours", "theirs", "result"] as const) {
    const all = lines[version];
    for (let at = start; at < all.length - end; at += 1) {
      const line = all[at] as string;
      let count = counts.get(line);
      if (count === undefined) counts.set(line, (count = { base: 0, ours: 0, theirs: 0, result: 0 }));
      count[version] += 1;
    }
  }
  return counts;
}

function findCommonEnds({ base, ours, theirs, result }: CountedLines): {
  readonly start: number;
  readonly end: number;
} {
  const shortest = Math.min(base.length, ours.length, theirs.length, result.length);
  const areSame = (at: (lines: readonly string[]) => string | undefined): boolean =>
    at(base) === at(ours) && at(base) === at(theirs) && at(base) === at(result);
  let start = 0;
  while (start < shortest && areSame((lines) => lines[start])) start += 1;
  let end = 0;
  while (end < shortest - start && areSame((lines) => lines[lines.length - 1 - end])) end += 1;
  return { start, end };
}

/** Finds the lines of which the result has fewer or more than the edits of both sides can give. */
export function findCountLosses(counts: ReadonlyMap<string, LineCount>): TextLoss[] {
  const losses: TextLoss[] = [];
  for (const [line, count] of counts) {
    const { fewest, most } = rangeOf(count);
    const { base, ours, theirs, result } = count;
    if (result < fewest) losses.push({ kind: "lost-line", detail: shorten(line), count: fewest - result });
    if (result > most) {
      const kind = ours < base || theirs < base ? "resurrected-line" : "foreign-change";
      losses.push({ kind, detail: shorten(line), count: result - most });
    }
  }
  return losses;
}

/** A line as a detail of a loss; bytes, as the line is. */
export function shorten(line: string): string {
  return line.length <= DETAIL_LENGTH ? line : `${line.slice(0, DETAIL_LENGTH)}...`;
}
