import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { areEditsPlaced } from "../../../../src/merge/conservation/placed-edits.ts";
import type { CountedLines } from "../../../../src/merge/conservation/line-count.ts";
import { expectProportionate } from "../../../fixtures/work.ts";

type Side = "ours" | "theirs";

/** Each letter is a line. */
function placed(base: string, ours: string, theirs: string, result: string): boolean {
  const lines = (text: string): readonly string[] => text.split("");
  return areEditsPlaced({ base: lines(base), ours: lines(ours), theirs: lines(theirs), result: lines(result) });
}

/** A stretch of the base, who edits it, and what they make of it. A line that nobody edits follows each. */
interface Edited {
  readonly by: Side | "nobody";
  readonly before: readonly string[];
  readonly after: readonly string[];
}

const anyLine = fc.constantFrom("{", "}", "", "return", "break", "call()", "x += 1");
const anyEdited: fc.Arbitrary<Edited> = fc.record({
  by: fc.constantFrom<Edited["by"]>("ours", "theirs", "nobody"),
  before: fc.array(anyLine, { maxLength: 4 }),
  after: fc.array(anyLine, { maxLength: 4 }),
});

/** Versions with a line of its own behind each stretch, and the result that has every edit. */
function versionsOf(stretches: readonly Edited[]): CountedLines {
  const write = (isDone: (by: Edited["by"]) => boolean): string[] =>
    stretches.flatMap(({ by, before, after }, at) => [...(isDone(by) ? after : before), `line ${at}`]);
  return {
    base: write(() => false),
    ours: write((by) => by === "ours"),
    theirs: write((by) => by === "theirs"),
    result: write((by) => by !== "nobody"),
  };
}

describe("edits that stand where they were made", () => {
  it("are found by the lines between them, also where one took away what the other wrote elsewhere", () => {
    expect(placed("abcde", "Abcde", "abcdE", "AbcdE")).toBe(true);
    expect(placed("xabcd", "abcd", "xabcdx", "abcdx")).toBe(true);
    expect(placed("}a}b}", "}A}b}", "}a}B}", "}A}B}")).toBe(true);
    expect(placed("", "", "", "")).toBe(true);
  });

  it("are found with a line between them that is there more than once", () => {
    expect(placed("a}}b", "A}}b", "a}}B", "A}}B")).toBe(true);
    expect(placed("a}}b", "a}}B", "A}}b", "A}}B")).toBe(true);
    expect(placed("a}}b", "A}}b", "a}}B", "A}B")).toBe(false);
  });

  it("are not sure where they touch, where both made one, or where a result has another", () => {
    expect(placed("ab", "Ab", "aB", "AB")).toBe(false);
    expect(placed("a", "ab", "ac", "abc")).toBe(false);
    expect(placed("abc", "ac", "ac", "ac")).toBe(false);
    expect(placed("abcde", "Abcde", "abcdE", "AbcDE")).toBe(false);
  });

  it("are not taken for found where both moved one block, each to another place", () => {
    expect(placed("mabcde", "abmcde", "abcdme", "abmcdme")).toBe(false);
  });

  it("are found however many there are, and whatever they repeat", () => {
    fc.assert(
      fc.property(fc.array(anyEdited, { maxLength: 20 }), (stretches) => {
        expect(areEditsPlaced(versionsOf(stretches))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("are missed wherever one line of the result is dropped, doubled or another", () => {
    fc.assert(
      fc.property(fc.array(anyEdited, { minLength: 1, maxLength: 12 }), fc.nat(), (stretches, nat) => {
        const versions = versionsOf(stretches);
        const { result } = versions;
        const at = nat % result.length;
        const line = result[at] ?? "";
        for (const instead of [[], [line, line], ["other"]]) {
          expect(areEditsPlaced({ ...versions, result: result.toSpliced(at, 1, ...instead) })).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("are never found but where every line is there as often as both sides say", () => {
    const anyText = fc.array(fc.constantFrom("a", "b", "c", "d", "e"), { maxLength: 8 });
    const anySplice = fc.record({ at: fc.nat(8), removed: fc.nat(2), added: anyText });
    const splice = (
      text: readonly string[],
      { at, removed, added }: { at: number; removed: number; added: string[] },
    ) => text.toSpliced(at, removed, ...added);
    const count = (lines: readonly string[], line: string): number => lines.filter((one) => one === line).length;
    fc.assert(
      fc.property(anyText, anySplice, anySplice, anySplice, (base, first, second, third) => {
        const [ours, theirs] = [splice(base, first), splice(base, second)];
        for (const result of [splice(ours, second), splice(theirs, first), splice(ours, third)]) {
          if (!areEditsPlaced({ base, ours, theirs, result })) continue;
          for (const line of new Set([...base, ...ours, ...theirs, ...result])) {
            expect(count(result, line)).toBe(count(ours, line) + count(theirs, line) - count(base, line));
          }
        }
      }),
      { numRuns: 5000 },
    );
  });

  it("are looked for in time in proportion to the lines", () => {
    expectProportionate([5000, 50_000], (count) => {
      const lines = Array.from({ length: count }, (_, at) => (at % 3 === 0 ? `line ${at}` : "}"));
      const edit = (from: number) => lines.map((line, at) => (at % 12 === from ? `${line} edited` : line));
      const [ours, theirs] = [edit(1), edit(7)];
      const result = lines.map((line, at) => (at % 6 === 1 ? `${line} edited` : line));
      return () => expect(areEditsPlaced({ base: lines, ours, theirs, result })).toBe(true);
    });
  });

  it("are given up in time where lines repeat so much that they could stand anywhere", () => {
    expectProportionate([2000, 20_000], (count) => {
      const lines = Array.from({ length: count }, () => "}");
      const versions = {
        base: ["first", ...lines, "last"],
        ours: ["FIRST", ...lines, "}", "last"],
        theirs: ["first", ...lines, "}", "LAST"],
        result: ["FIRST", ...lines, "}", "}", "last"],
      };
      return () => expect(areEditsPlaced(versions)).toBe(false);
    });
  });
});
