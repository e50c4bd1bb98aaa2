import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LineCutter } from "../../../src/base/lines.ts";
import { expectProportionate } from "../../fixtures/work.ts";

const LONGEST = 64 * 1024;

const wellFormed = (text: string): string => Buffer.from(text).toString("utf8");

function cut(bytes: Uint8Array, sizes: readonly number[]): string[] {
  const cutter = new LineCutter();
  const lines: string[] = [];
  let at = 0;
  for (const size of sizes) {
    lines.push(...cutter.push(bytes.subarray(at, at + size)));
    at += size;
  }
  return [...lines, ...cutter.push(bytes.subarray(at)), ...cutter.end()];
}

describe("a stream cut into lines", () => {
  it("gives the same lines however its bytes arrive, also in the middle of a character", () => {
    const text = fc
      .array(fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("\n", "\r\n", "é", "漢", "👍", "\n\n")))
      .map((parts) => wellFormed(parts.join("")));
    fc.assert(
      fc.property(text, fc.array(fc.nat({ max: 9 })), (text, sizes) => {
        const ends = text.split("\n");
        const expected = ends.map((line, index) => (index < ends.length - 1 ? line.replace(/\r$/, "") : line));
        if (expected.at(-1) === "") expected.pop();
        expect(cut(Buffer.from(text), sizes)).toEqual(expected);
      }),
    );
  });

  it("has no line longer than 64 Ki characters, loses nothing of it and splits no character", () => {
    const anyLine = fc.tuple(fc.constantFrom("x", "👍", "é\r"), fc.integer({ min: 1, max: 200_000 }), fc.boolean());
    fc.assert(
      fc.property(
        fc.array(anyLine, { maxLength: 3 }),
        fc.array(fc.nat({ max: 300_000 }), { maxLength: 4 }),
        (parts, sizes) => {
          const text = parts
            .map(([unit, count, ended]) => unit.repeat(count / unit.length) + (ended ? "|\n" : ""))
            .join("");
          const lines = cut(Buffer.from(text), sizes);
          expect(Math.max(0, ...lines.map((line) => line.length))).toBeLessThanOrEqual(LONGEST);
          expect(lines.join("") === text.replaceAll("\n", "")).toBe(true);
          expect(lines.every((line) => line === wellFormed(line))).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("that is one endless line takes no more memory or time for being endless", () => {
    const piece = Buffer.alloc(64 * 1024, "x");
    expectProportionate([100, 1000], (pieces) => {
      const cutter = new LineCutter();
      return () => {
        let count = 0;
        for (let index = 0; index < pieces; index += 1) count += cutter.push(piece).length;
        expect(count).toBeGreaterThanOrEqual(pieces - 1);
      };
    });
  });
});
