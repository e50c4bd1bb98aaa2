import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { applyResolutions, readResolutions, type ContestedPlace } from "../../../src/merge/resolutions.ts";
import { anyPlainVersions, textOf, textsOf } from "../../fixtures/texts.ts";

const base = "start\na\nmiddle\nb\nend\n";
const ours = "start\nours\nmiddle\nb ours\nend\n";
const theirs = "start\ntheirs\nmiddle\nb theirs\nend\n";
const result = "start\nours\ntheirs\nmiddle\nb both\nend\n";

describe("what was made of contested places", () => {
  it("is read out of the result, place by place", () => {
    expect(readResolutions({ base, ours, theirs }, result)).toEqual([
      { base: ["a"], ours: ["ours"], theirs: ["theirs"], lines: ["ours", "theirs"] },
      { base: ["b"], ours: ["b ours"], theirs: ["b theirs"], lines: ["b both"] },
    ]);
    const end = { base: "a\n", ours: "a\nx\n", theirs: "a\ny\n" };
    expect(readResolutions(end, "a\nx\ny\n")).toEqual([{ base: [], ours: ["x"], theirs: ["y"], lines: ["x", "y"] }]);
    expect(readResolutions(end, "a\n")).toEqual([{ base: [], ours: ["x"], theirs: ["y"], lines: [] }]);
  });

  it("is not read where the rest is not as it merges, or stands in the result twice", () => {
    const versions = { base, ours, theirs };
    for (const other of [
      result.replace("start", "begin"),
      result.replace("end", "END"),
      result.replace("middle\n", ""),
      result.replace("middle\n", "middle\nmiddle\n"),
    ])
      expect(readResolutions(versions, other)).toEqual([]);
    expect(readResolutions({ ...versions, base: undefined }, result)).toEqual([]);
  });

  it("makes the same file again, whatever its line ends, and none where a place is not known", () => {
    const known = readResolutions({ base, ours, theirs }, result);
    const find = (place: ContestedPlace) => known.find((one) => one.ours[0] === place.ours[0])?.lines;
    const crlf = (text: string) => text.replaceAll("\n", "\r\n");
    expect(applyResolutions({ base, ours, theirs }, find)).toBe(result);
    expect(applyResolutions({ base: crlf(base), ours: crlf(ours), theirs: crlf(theirs) }, find)).toBe(crlf(result));
    expect(applyResolutions({ base, ours: ours.replace("b ours", "b new"), theirs }, find)).toBeUndefined();
    const further = { base: `${base}more\n`, ours: `${ours}more\n`, theirs: `${theirs}more or less\n` };
    expect(applyResolutions(further, find)).toBe(`${result}more or less\n`);
  });

  it("read from what was applied is what was applied, or nothing", () => {
    let read = 0;
    fc.assert(
      fc.property(anyPlainVersions, (lines) => {
        const versions = textsOf(lines);
        const made = new Map<string, readonly string[]>();
        const merged = applyResolutions(versions, (place) => {
          const key = JSON.stringify(place);
          const known = made.get(key) ?? [`made ${made.size}`];
          made.set(key, known);
          return known;
        });
        if (merged === undefined) return;
        for (const { lines: found, base: was, ours: own, theirs: other } of readResolutions(versions, merged)) {
          read += 1;
          expect(found).toEqual(made.get(JSON.stringify({ base: was, ours: own, theirs: other })));
        }
      }),
      { numRuns: 500 },
    );
    expect(read).toBeGreaterThan(100);
    expect(textOf([])).toBe("");
  });
});
