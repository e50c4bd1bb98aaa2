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
});
