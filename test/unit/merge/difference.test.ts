import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { findEdits, type Edit } from "../../../src/merge/difference.ts";
import { anyLineVersions } from "../../fixtures/texts.ts";

function apply(base: readonly string[], side: readonly string[], edits: readonly Edit[]): string[] {
  const lines: string[] = [];
  let at = 0;
  for (const edit of edits) {
    for (; at < edit.baseStart; at += 1) lines.push(base[at] as string);
    for (let from = edit.sideStart; from < edit.sideEnd; from += 1) lines.push(side[from] as string);
    at = edit.baseEnd;
  }
  for (; at < base.length; at += 1) lines.push(base[at] as string);
  return lines;
}

function distance(edits: readonly Edit[]): number {
  return edits.reduce((sum, edit) => sum + edit.baseEnd - edit.baseStart + edit.sideEnd - edit.sideStart, 0);
}

// The textbook table, for comparison.
function shortestDistance(a: readonly string[], b: readonly string[]): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [i, line] of a.entries()) {
    const next = [i + 1];
    for (const [j, other] of b.entries()) {
      next.push(line === other ? (row[j] as number) : 1 + Math.min(row[j + 1] as number, next[j] as number));
    }
    row = next;
  }
  return row[b.length] as number;
}

const anyFew = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 40 });

describe("the edits between two lists of lines", () => {
  it("make the one out of the other, and are in order with a common line between them", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.tuple(anyFew, anyFew),
          anyLineVersions(fc.constantFrom("a", "b", "c", "d")).map(({ base, ours }) => [base, ours] as const),
        ),
        ([base, side]) => {
          const edits = findEdits(base, side);
          expect(apply(base, side, edits)).toEqual(side);
          for (const [at, edit] of edits.entries()) {
            expect(edit.baseEnd - edit.baseStart + edit.sideEnd - edit.sideStart).toBeGreaterThan(0);
            const next = edits[at + 1];
            if (next === undefined) continue;
            expect(next.baseStart).toBeGreaterThan(edit.baseEnd);
            expect(next.baseStart - edit.baseEnd).toBe(next.sideStart - edit.sideEnd);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("are as few as can be", () => {
    fc.assert(
      fc.property(anyFew, anyFew, (base, side) => {
        expect(distance(findEdits(base, side))).toBe(shortestDistance(base, side));
      }),
      { numRuns: 2000 },
    );
  });

  it("stand in the last of several places, or where they meet another", () => {
    const anyPair = fc.oneof(
      fc.tuple(anyFew, anyFew),
      anyLineVersions(fc.constantFrom("a", "b"), 20).map(({ base, ours }) => [base, ours] as const),
    );
    fc.assert(
      fc.property(anyPair, ([base, side]) => {
        const edits = findEdits(base, side);
        for (const [at, { baseStart, baseEnd, sideStart, sideEnd }] of edits.entries()) {
          if (baseStart < baseEnd && sideStart < sideEnd) continue;
          const [lines, start, end] = baseStart < baseEnd ? [base, baseStart, baseEnd] : [side, sideStart, sideEnd];
          if (baseEnd < base.length) expect(lines[start] === lines[end]).toBe(false);
          const before = edits[at - 1];
          const gap = baseStart - (before?.baseEnd ?? -1);
          const isRaised = (by: number) => lines[start - by] === lines[end - by];
          expect(before !== undefined && Array.from({ length: gap }, (_, at) => at + 1).every(isRaised)).toBe(false);
        }
      }),
      { numRuns: 3000 },
    );
    const edits = (base: string, side: string) =>
      findEdits(base.split(""), side.split("")).map((edit) => Object.values(edit).join(" "));
    expect(edits("abab", "ababab")).toEqual(["4 4 4 6"]);
    expect(edits("aaab", "aab")).toEqual(["2 3 2 2"]);
    expect(edits("axa", "aya")).toEqual(["1 2 1 2"]);
    expect(edits("abcb", "abc")).toEqual(["3 4 3 3"]);
  });

  it("are found in bounded time and space, whatever the lists are", () => {
    const COUNT = 200_000;
    const list = (line: (at: number) => string | number) => Array.from({ length: COUNT }, (_, at) => String(line(at)));
    const numbered = list((at) => at);
    const scattered = (kinds: number, seed: number) => {
      let state = seed;
      return list(() => ((state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 12) % kinds);
    };
    const pairs: readonly (readonly [string[], string[]])[] = [
      [numbered, list((at) => `other ${at}`)],
      [numbered, numbered.toReversed()],
      [numbered, [...numbered.slice(COUNT / 2), ...numbered.slice(0, COUNT / 2)]],
      [list(() => "same"), list(() => "same").slice(COUNT / 2)],
      [list((at) => at % 2), list((at) => at % 3)],
      [scattered(3, 1), scattered(3, 2)],
      [scattered(50, 1), scattered(50, 2)],
      [scattered(10_000, 1), scattered(10_000, 2)],
    ];
    for (const [base, side] of pairs) {
      const before = process.memoryUsage().arrayBuffers;
      const edits = findEdits(base, side);
      // Numbers for 200,000 lines are 0.8 MB; a search that keeps every step would need gigabytes.
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000);
      expect(apply(base, side, edits).join("\n") === side.join("\n")).toBe(true);
    }
  }, 120_000);
});
