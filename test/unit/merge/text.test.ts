import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { findTextLosses } from "../../../src/merge/conservation/text-losses.ts";
import { mergeText, type MergePolicy, type TextMerge, type TextVersions } from "../../../src/merge/text.ts";
import {
  anyBytes,
  anyLine,
  anyLineVersions,
  anyPlainVersions,
  anyText,
  textOf,
  textsOf,
} from "../../fixtures/texts.ts";

const MARK = "\u00ef\u00bb\u00bf";
const anyPolicy = fc.constantFrom<MergePolicy>("text", "union", "binary");
const anyVersions: fc.Arbitrary<TextVersions> = fc.oneof(
  anyLineVersions(anyLine).map(textsOf),
  fc.record({ base: fc.option(anyText, { nil: undefined }), ours: anyText, theirs: anyText }),
);

function mergedText(merge: TextMerge): string | undefined {
  return merge.status === "merged" ? merge.text : undefined;
}

function merge(base: string, ours: string, theirs: string): string | undefined {
  const straight = mergedText(mergeText({ base, ours, theirs }, "text"));
  expect(mergedText(mergeText({ base, ours: theirs, theirs: ours }, "text"))).toBe(straight);
  if (straight !== undefined) expect(findTextLosses("file", { base, ours, theirs }, straight)).toEqual([]);
  return straight;
}

function tally(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of text.split("\n")) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

/** The lines of which a result has more or fewer than the edits of both sides, of which some may be the same, can give. */
function wrongLines({ base, ours, theirs }: { base: string; ours: string; theirs: string }, result: string): string[] {
  const counts = [base, ours, theirs, result].map(tally);
  return [...new Set(counts.flatMap((count) => [...count.keys()]))].filter((line) => {
    const [before = 0, byOurs = 0, byTheirs = 0, after = 0] = counts.map((count) => count.get(line) ?? 0);
    const [added, addedToo] = [byOurs - before, byTheirs - before];
    const mostInCommon = added * addedToo > 0 ? Math.min(Math.abs(added), Math.abs(addedToo)) : 0;
    const inCommon = Array.from({ length: mostInCommon + 1 }, (_, common) => common * Math.sign(added));
    return !inCommon.some((common) => after - before === added + addedToo - common);
  });
}

describe("a merge of texts", () => {
  it("where one side changed nothing gives the other side, and where both did the same gives that", () => {
    fc.assert(
      fc.property(anyText, anyText, anyPolicy, (base, side, policy) => {
        expect(mergedText(mergeText({ base, ours: side, theirs: base }, policy))).toBe(side);
        expect(mergedText(mergeText({ base, ours: base, theirs: side }, policy))).toBe(side);
        expect(mergedText(mergeText({ base, ours: side, theirs: side }, policy))).toBe(side);
        expect(mergedText(mergeText({ base: undefined, ours: side, theirs: side }, policy))).toBe(side);
      }),
    );
  });

  it("is the same with its sides exchanged", () => {
    fc.assert(
      fc.property(anyVersions, ({ base, ours, theirs }) => {
        const straight = mergeText({ base, ours, theirs }, "text");
        const exchanged = mergeText({ base, ours: theirs, theirs: ours }, "text");
        if (straight.status === "merged" || exchanged.status === "merged") {
          expect(exchanged).toEqual(straight);
          return;
        }
        expect(exchanged.why).toBe(straight.why);
        // Without a base, which of two equal lines is the common one depends on where one starts.
        if (base === undefined) return;
        const hunks = exchanged.hunks.map(({ baseStart, baseLines, oursStart, ours, theirsStart, theirs }) => ({
          baseStart,
          baseLines,
          oursStart: theirsStart,
          ours: theirs,
          theirsStart: oursStart,
          theirs: ours,
        }));
        expect(hunks).toEqual(straight.hunks);
      }),
      { numRuns: 3000 },
    );
  });

  it("of the union has the same lines with its sides exchanged", () => {
    fc.assert(
      fc.property(anyPlainVersions, (versions) => {
        const { base, ours, theirs } = textsOf(versions);
        const straight = mergedText(mergeText({ base, ours, theirs }, "union")) ?? "none";
        const exchanged = mergedText(mergeText({ base, ours: theirs, theirs: ours }, "union")) ?? "nothing";
        expect(exchanged.split("\n").sort()).toEqual(straight.split("\n").sort());
      }),
    );
  });

  it("loses no line, brings none back and makes none up, where no line repeats", () => {
    const merges = { lines: 0, union: 0 };
    fc.assert(
      fc.property(anyPlainVersions, fc.constantFrom<MergePolicy>("text", "union"), (versions, policy) => {
        const texts = textsOf(versions);
        const merge = mergeText(texts, policy);
        if (merge.status !== "merged") return;
        if (merge.resolver === "lines" || merge.resolver === "union") merges[merge.resolver] += 1;
        expect(wrongLines(texts, merge.text)).toEqual([]);
        expect(findTextLosses("file", texts, merge.text)).toEqual([]);
      }),
      { numRuns: 3000 },
    );
    expect(merges.lines).toBeGreaterThan(200);
    expect(merges.union).toBeGreaterThan(200);
  });

  it("has no wrong line that the conservation check would not name, where lines repeat and move", () => {
    let wrong = 0;
    fc.assert(
      fc.property(
        anyLineVersions(fc.constantFrom("a", "b", "c", "")),
        fc.constantFrom<MergePolicy>("text", "union"),
        (versions, policy) => {
          const texts = textsOf(versions);
          const text = mergedText(mergeText(texts, policy));
          if (text === undefined) return;
          const expected = wrongLines(texts, text).filter((line) => line !== "" || text !== "");
          const named = findTextLosses("file", texts, text).map(({ detail }) => detail);
          expect(named.toSorted()).toEqual(expected.toSorted());
          wrong += expected.length;
        },
      ),
      { numRuns: 5000 },
    );
    expect(wrong).toBeGreaterThan(0);
  });

  it("takes any bytes, and says the same each time", () => {
    fc.assert(
      fc.property(
        fc.option(anyBytes, { nil: undefined }),
        anyBytes,
        anyBytes,
        anyPolicy,
        (base, ours, theirs, policy) => {
          const merge = mergeText({ base, ours, theirs }, policy);
          expect(mergeText({ base, ours, theirs }, policy)).toEqual(merge);
          findTextLosses("file", { base, ours, theirs }, mergedText(merge) ?? ours);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("takes the edits of both sides, and says where they meet", () => {
    expect(merge("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n")).toBe("A\nb\nC\n");
    expect(merge("a\nb\nc\n", "a\nb\nc\nd\n", "0\na\nb\nc\n")).toBe("0\na\nb\nc\nd\n");
    expect(mergeText({ base: "a\nb\nc\n", ours: "a\nX\nc\n", theirs: "a\nY\nZ\nc\n" }, "text")).toEqual({
      status: "conflict",
      why: "lines",
      hunks: [{ baseStart: 1, baseLines: ["b"], oursStart: 1, ours: ["X"], theirsStart: 1, theirs: ["Y", "Z"] }],
    });
  });

  it("leaves edits of neighbouring lines to a person, and insertions at one place", () => {
    expect(merge("a\nb\nc\n", "A\nb\nc\n", "a\nB\nc\n")).toBe(undefined);
    expect(merge("a\nb\nc\n", "a\nnew\nb\nc\n", "a\nB\nc\n")).toBe(undefined);
    expect(merge("a\nb\n", "a\nx\nb\n", "a\ny\nb\n")).toBe(undefined);
    expect(merge("a\nb\n", "a\nx\nb\n", "a\nx\nb\n")).toBe("a\nx\nb\n");
    expect(merge("a\nb\nc\n", "a\nc\n", "a\nB\nc\n")).toBe(undefined);
  });

  it("takes an edit that both sides made once, beside others", () => {
    expect(merge("a\nb\nc\nd\ne\n", "A\nb\nC\nd\ne\n", "A\nb\nc\nd\nE\n")).toBe("A\nb\nC\nd\nE\n");
  });

  it("gives hunks whose lines stand where they say", () => {
    let conflicts = 0;
    fc.assert(
      fc.property(anyLineVersions(anyLine), (versions) => {
        const merge = mergeText(textsOf(versions), "text");
        if (merge.status !== "conflict") return;
        conflicts += 1;
        expect(merge.hunks.length).toBeGreaterThan(0);
        for (const hunk of merge.hunks) {
          const at = (lines: readonly string[], start: number, count: number) => lines.slice(start, start + count);
          expect(at(versions.base, hunk.baseStart, hunk.baseLines.length)).toEqual(hunk.baseLines);
          expect(at(versions.ours, hunk.oursStart, hunk.ours.length)).toEqual(hunk.ours);
          expect(at(versions.theirs, hunk.theirsStart, hunk.theirs.length)).toEqual(hunk.theirs);
          expect(hunk.ours).not.toEqual(hunk.theirs);
        }
      }),
      { numRuns: 2000 },
    );
    expect(conflicts).toBeGreaterThan(100);
  });
});

describe("the form of a text", () => {
  const texts = { base: "a\nb\nc\n", ours: "A\nb\nc\n", theirs: "a\nb\nC\n", result: "A\nb\nC\n" };
  const forms: readonly (readonly [name: string, change: (text: string) => string])[] = [
    ["CRLF line ends", (text) => text.replaceAll("\n", "\r\n")],
    ["a byte order mark", (text) => MARK + text],
    ["a byte order mark in characters", (text) => `\ufeff${text}`],
    ["no end of the last line", (text) => text.replace(/\n$/, "")],
    ["all three", (text) => MARK + text.replaceAll("\n", "\r\n").replace(/\r\n$/, "")],
  ];

  it.each(forms)("is kept, taken on and given up apart from the lines: %s", (_, form) => {
    const { base, ours, theirs, result } = texts;
    expect(merge(form(base), form(ours), form(theirs))).toBe(form(result));
    expect(merge(base, form(ours), theirs)).toBe(form(result));
    expect(merge(base, form(ours), form(theirs))).toBe(form(result));
    expect(merge(form(base), ours, form(theirs))).toBe(result);
    expect(merge(form(base), ours, theirs)).toBe(result);
    expect(merge(base, form(base), theirs)).toBe(form(theirs));
    expect(merge(form(base), base, form(theirs))).toBe(theirs);
  });

  it("of each kind is merged by itself", () => {
    const { base, ours, theirs } = texts;
    expect(merge(base, MARK + ours, theirs.replaceAll("\n", "\r\n"))).toBe(`${MARK}A\r\nb\r\nC\r\n`);
    expect(merge(MARK + base, ours, theirs.replace(/\n$/, ""))).toBe("A\nb\nC");
  });

  it("is content where line ends are mixed", () => {
    expect(merge("a\r\nb\r\nc\r\n", "A\nb\r\nc\r\n", "a\r\nb\r\nC\r\n")).toBe("A\nb\r\nC\r\n");
    expect(merge("a\r\nb\nc\r\n", "a\nb\nc\n", "a\r\nb\nC\r\n")).toBe("a\nb\nC\r\n");
    expect(merge("a\rb\nc\nd\n", "a\rB\nc\nd\n", "a\rb\nc\nD\n")).toBe("a\rB\nc\nD\n");
  });

  it("cannot cost an empty last line", () => {
    expect(merge("a\n\nb\n", "a\n\n", "a\n\nb")).toBe("a\n\n");
    expect(merge("a\nb", "a\nb\n", "a\nb\nc")).toBe("a\nb\nc\n");
  });
});

describe("a merge with a side that changed only white space", () => {
  it("keeps its white space where the other side changed nothing", () => {
    expect(merge("a \nb \nc \n", "a\nb\nc\n", "a \nB\nc \n")).toBe("a\nB\nc\n");
    expect(merge("a  =  1\nb  =  2\n", "a = 1\nb = 2\n", "a  =  1\nb  =  3\nc = 4\n")).toBe("a = 1\nb  =  3\nc = 4\n");
  });

  it("brings the other side's lines to its indentation", () => {
    const base = "if a:\n    b()\n    if c:\n        d()\n";
    const ours = "if a:\n  b()\n  if c:\n    d()\n";
    expect(merge(base, ours, base.replace("d()", "d(1)\n        e()"))).toBe(ours.replace("d()", "d(1)\n    e()"));
  });

  it("leaves to a person what has no one indentation, and white space that both changed", () => {
    const base = "if a:\n    b()\n    c()\n";
    expect(merge(base, "if a:\n  b()\n    c()\n", "if a:\n    b(1)\n    c()\n")).toBe(undefined);
    expect(merge(base, "if a:\n  b()\n  c()\n", `${base}      d()\n`)).toBe(undefined);
    expect(merge("a\nb\n", " a\n b\n", "  a\nb\n")).toBe(undefined);
    expect(merge("a\nb\n", "a \nb \n", "a  \nB\n")).toBe(undefined);
    expect(merge("a\nb\n", " a\nb\n", "a\n b\n")).toBe(" a\n b\n");
    expect(merge("a\nb\nc\n", " a\n b\n c\n", "\ta\nB\nc\n")).toBe(undefined);
  });

  it("takes only ASCII for white space: a byte 0xA0 is half of a letter", () => {
    expect(merge("\u00c3\nb\n", "\u00c3\u00a0\nb\n", "\u00c3!\nb\n")).toBe(undefined);
  });

  it("never changes more than white space of what one side has", () => {
    const bare = (text: string) => text.split("\n").map((line) => line.trim().replace(/ +/g, " "));
    const anySpace = fc.constantFrom("", " ", "  ", "    ", "\t");
    let merged = 0;
    fc.assert(
      fc.property(
        anyPlainVersions.chain(({ base, theirs }) =>
          fc.array(fc.tuple(anySpace, anySpace), { minLength: base.length, maxLength: base.length }).map((spaces) => ({
            base: textOf(base),
            ours: textOf(base.map((line, at) => `${spaces[at]?.[0] ?? ""}${line}${spaces[at]?.[1] ?? ""}`)),
            theirs: textOf(theirs),
          })),
        ),
        (versions) => {
          const merge = mergeText(versions, "text");
          if (merge.status !== "merged") return;
          if (merge.resolver === "whitespace") merged += 1;
          expect(bare(merge.text)).toEqual(bare(versions.theirs));
          expect(findTextLosses("file", versions, merge.text)).toEqual([]);
        },
      ),
      { numRuns: 2000 },
    );
    expect(merged).toBeGreaterThan(20);
  });
});

describe("the other policies", () => {
  it("union keeps what either side added at one place, ours first, and what both added once", () => {
    const union = (base: string, ours: string, theirs: string) => mergeText({ base, ours, theirs }, "union");
    expect(union("# Changes\n\n- old\n", "# Changes\n\n- ours\n- old\n", "# Changes\n\n- theirs\n- old\n")).toEqual({
      status: "merged",
      text: "# Changes\n\n- ours\n- theirs\n- old\n",
      resolver: "union",
    });
    expect(union("a\n", "a\nb\nc\n", "a\nb\nd\n")).toEqual({
      status: "merged",
      text: "a\nb\nc\nd\n",
      resolver: "union",
    });
  });

  it("union deletes what either side deleted, also beside the other's edit", () => {
    const union = (base: string, ours: string, theirs: string) =>
      mergedText(mergeText({ base, ours, theirs }, "union"));
    expect(union("a\nb\nc\n", "A\nb\nc\n", "a\nB\nc\n")).toBe("A\nB\nc\n");
    expect(union("a\nb\nc\n", "a\nc\n", "a\nB\nc\n")).toBe("a\nB\nc\n");
    expect(union("a\nb\nc\nd\n", "x\nc\nd\n", "a\ny\nd\n")).toBe("x\ny\nd\n");
  });

  it("binary merges nothing, and neither does any policy where there is a zero byte", () => {
    const conflict = { status: "conflict", why: "binary", hunks: [] };
    const versions = { base: "a\nb\nc\n", ours: "A\nb\nc\n", theirs: "a\nb\nC\n" };
    expect(mergeText(versions, "binary")).toEqual(conflict);
    for (const policy of ["text", "union"] as const) {
      expect(mergeText({ ...versions, ours: "A\nb\nc\n\0" }, policy)).toEqual(conflict);
      expect(mergeText({ ...versions, theirs: "A\nb\0\nc\n" }, policy)).toEqual(conflict);
      expect(mergeText({ ...versions, base: "\0" }, policy)).toEqual(conflict);
    }
  });

  it("two texts without a base are a conflict, of what they have not in common", () => {
    expect(mergeText({ base: undefined, ours: "a\nb\nc\n", theirs: "a\nB\nc\n" }, "text")).toEqual({
      status: "conflict",
      why: "both-added",
      hunks: [{ baseStart: 0, baseLines: [], oursStart: 1, ours: ["b"], theirsStart: 1, theirs: ["B"] }],
    });
    expect(mergeText({ base: undefined, ours: "a\n", theirs: "a\r\n" }, "text").status).toBe("conflict");
    expect(mergedText(mergeText({ base: undefined, ours: "a\nb\nc\n", theirs: "a\nB\nc\n" }, "union"))).toBe(
      "a\nb\nB\nc\n",
    );
    expect(mergedText(mergeText({ base: undefined, ours: "a", theirs: `${MARK}b` }, "union"))).toBe(`${MARK}a\nb`);
  });
});

describe("large texts", () => {
  const COUNT = 200_000;
  const numbered = Array.from({ length: COUNT }, (_, at) => `line ${at}`);

  it("are merged", () => {
    const ours = numbered.map((line, at) => (at % 50 === 0 ? `${line} ours` : line));
    const theirs = numbered.map((line, at) => (at % 50 === 25 ? `${line} theirs` : line));
    const text = mergedText(mergeText(textsOf({ base: numbered, ours, theirs }), "text"));
    expect(text).toBe(textOf(numbered.map((_, at) => (ours[at] === numbered[at] ? theirs[at] : ours[at]) ?? "")));
  });

  it("that differ throughout, or only in white space, or are united, are no matter", () => {
    const base = numbered.slice(0, COUNT / 4);
    const ours = base.map((line) => `  ${line}`);
    const theirs = base.map((line) => `${line}!`);
    const versions = textsOf({ base, ours, theirs });
    expect(mergedText(mergeText(versions, "text"))).toBe(textOf(theirs.map((line) => `  ${line}`)));
    expect(mergedText(mergeText(versions, "union"))).toBe(textOf([...ours, ...theirs]));
    expect(findTextLosses("file", versions, versions.ours).length).toBeGreaterThan(COUNT / 8);
  });
});
