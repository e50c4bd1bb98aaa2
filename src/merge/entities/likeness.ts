import type { Part } from "./part.ts";

/** Longer texts are compared by their beginnings. */
const MOST_CHARACTERS = 20_000;

/** The words of a text, with how often each occurs. */
export interface WordCount {
  readonly counts: ReadonlyMap<string, number>;
  readonly total: number;
}

/** Counts the words of a part; its own name is none of them. */
function countWords({ core, entity }: Part): WordCount {
  const counts = new Map<string, number>();
  let total = 0;
  for (const [word] of core.slice(0, MOST_CHARACTERS).matchAll(/[\p{L}\p{N}_$]+|[^\s\p{L}\p{N}_$]/gu)) {
    if (word === entity.name) continue;
    counts.set(word, (counts.get(word) ?? 0) + 1);
    total += 1;
  }
  return { counts, total };
}

/** How alike two texts are by their words: 0 to 1. */
function likenessOf(a: WordCount, b: WordCount): number {
  if (a.total + b.total === 0) return 0;
  let common = 0;
  for (const [word, count] of a.counts) common += Math.min(count, b.counts.get(word) ?? 0);
  return (2 * common) / (a.total + b.total);
}

/** The places of two lists that are most alike: each at most once, the best first, none below the least likeness. */
export function pairLike(
  a: readonly Part[],
  b: readonly Part[],
  leastLikeness: (a: WordCount, b: WordCount) => number,
  mostPairs: number,
): [inA: number, inB: number][] {
  if (a.length * b.length > mostPairs) return [];
  const [wordsOfA, wordsOfB] = [a.map(countWords), b.map(countWords)];
  const candidates: { inA: number; inB: number; likeness: number }[] = [];
  for (const [inA, one] of wordsOfA.entries()) {
    for (const [inB, other] of wordsOfB.entries()) {
      const likeness = likenessOf(one, other);
      if (likeness >= leastLikeness(one, other)) candidates.push({ inA, inB, likeness });
    }
  }
  candidates.sort((x, y) => y.likeness - x.likeness || x.inA - y.inA || x.inB - y.inB);
  const [takenOfA, takenOfB] = [new Set<number>(), new Set<number>()];
  const pairs: [number, number][] = [];
  for (const { inA, inB } of candidates) {
    if (takenOfA.has(inA) || takenOfB.has(inB)) continue;
    takenOfA.add(inA);
    takenOfB.add(inB);
    pairs.push([inA, inB]);
  }
  return pairs;
}
