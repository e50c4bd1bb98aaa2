import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { fit, formatAge, formatDuration, formatSize, formatTable, plural, widthOf } from "../../../src/cli/format.ts";

const anyText = fc
  .array(
    fc.oneof(
      fc.string(),
      fc.string({ unit: "grapheme" }),
      fc.constantFrom("\u001b[31m", "\u001b[0m", "\u001b[38:2::1:2:3m", "漢", "👍", "e\u0301", "\t", "𠀋", "한"),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(""));

describe("the width of a text", () => {
  it("counts wide characters twice and what takes no place not at all", () => {
    for (const [text, width] of [
      ["abc", 3],
      ["漢字", 4],
      ["한국", 4],
      ["ｆｕｌｌ", 8],
      ["👍", 2],
      ["𠀋", 2],
      ["e\u0301", 1],
      ["\u001b[1;31mred\u001b[0m", 3],
      ["\u001b[38:2::1:2:3mred\u001b[0m", 3],
      ["", 0],
    ] as const) {
      expect([text, widthOf(text)]).toEqual([text, width]);
    }
  });

  it("is cut to any number of columns, and what fits stays as it is", () => {
    fc.assert(
      fc.property(anyText, fc.nat({ max: 20 }), (text, columns) => {
        const cut = fit(text, columns);
        expect(widthOf(cut)).toBeLessThanOrEqual(columns);
        expect(cut).not.toContain("\t");
        if (widthOf(text) <= columns) expect(cut).toBe(text.replaceAll("\t", " "));
        // A colour that was begun is ended, and none is cut in its middle.
        if (cut.includes("\u001b") && cut !== text.replaceAll("\t", " ")) expect(cut.endsWith("\u001b[0m")).toBe(true);
        expect(cut.replaceAll(/\u001b\[[0-9;:]*m/g, "")).not.toContain("\u001b[");
      }),
      { numRuns: 500 },
    );
    expect(fit("abcdef", 4)).toBe("abc…");
    expect(fit("漢字漢字", 4)).toBe("漢…");
    expect(fit("\u001b[31mabcdef", 3)).toBe("\u001b[31mab…\u001b[0m");
  });
});

describe("a table", () => {
  it("has its columns below each other, whatever the cells hold", () => {
    const rows = fc.array(fc.tuple(anyText, anyText, fc.constant("|")), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(rows, (rows) => {
        const lines = formatTable(rows).split("\n");
        expect(lines).toHaveLength(rows.length);
        expect(new Set(lines.map(widthOf)).size).toBe(1);
      }),
    );
  });

  it("has no space at the end of a line and takes an indent", () => {
    expect(
      formatTable(
        [
          ["a", "long", ""],
          ["bb", "c", "d"],
        ],
        "  ",
      ),
    ).toBe("  a   long\n  bb  c     d");
    expect(formatTable([])).toBe("");
  });
});

describe("figures for people", () => {
  it("are durations that never show sixty seconds or a thousand milliseconds", () => {
    for (const [ms, text] of [
      [-5, "0 ms"],
      [0.4, "0 ms"],
      [340, "340 ms"],
      [999.4, "999 ms"],
      [999.6, "1.0 s"],
      [4200, "4.2 s"],
      [59_949, "59.9 s"],
      [59_950, "1 m 00 s"],
      [59_999, "1 m 00 s"],
      [187_000, "3 m 07 s"],
      [3_599_999, "59 m 59 s"],
      [7_500_000, "2 h 05 m"],
      [90_000_000, "25 h 00 m"],
    ] as const) {
      expect([ms, formatDuration(ms)]).toEqual([ms, text]);
    }
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e12, noNaN: true }), (ms) => {
        expect(formatDuration(ms)).toMatch(/^(\d{1,3} ms|[1-5]?\d\.\d s|[1-5]?\d m [0-5]\d s|\d+ h [0-5]\d m)$/);
      }),
    );
  });

  it("are sizes that never show 1024 of a unit", () => {
    for (const [bytes, text] of [
      [0, "0 B"],
      [1023, "1023 B"],
      [1024, "1.0 KiB"],
      [1024 * 1024 - 1, "1.0 MiB"],
      [3_565_158, "3.4 MiB"],
      [1.5 * 1024 ** 4, "1.5 TiB"],
      [5000 * 1024 ** 4, "5000.0 TiB"],
    ] as const) {
      expect([bytes, formatSize(bytes)]).toEqual([bytes, text]);
    }
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 49 }), (bytes) => {
        expect(formatSize(bytes)).not.toMatch(/^102[4-9]|^10[3-9]\d\./);
      }),
    );
  });

  it("are ages and counts", () => {
    expect([0, 9999, 59_999, 3_599_999, 86_399_999, 864e5].map(formatAge)).toEqual([
      "just now",
      "just now",
      "59 s ago",
      "59 m ago",
      "23 h ago",
      "1 d ago",
    ]);
    expect(plural(1, "file")).toBe("1 file");
    expect(plural(1200, "file")).toBe("1,200 files");
    expect(plural(2, "entry", "entries")).toBe("2 entries");
  });
});
