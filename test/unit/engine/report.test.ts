import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LONGEST_REPORT_BYTES, parseReport, ReportAllowance } from "../../../src/engine/report.ts";

const parse = (line: string): unknown => parseReport(Buffer.from(line));

describe("a line that reports", () => {
  it("begins with the word and a space, and is kept as it was printed; JSON is also read", () => {
    expect(parse("@report all is well ")).toEqual({ text: "all is well " });
    expect(parse('@report {"a":[1]}\r')).toEqual({ text: '{"a":[1]}', value: { a: [1] } });
    expect(parse("@report null")).toEqual({ text: "null", value: null });
    expect(parse("@report ")).toEqual({ text: "" });
    for (const other of ["@report", "@reports x", " @report x", "x @report x", ""])
      expect(parse(other)).toBeUndefined();
  });

  it("is cut where it is too long, between characters, and then is no JSON", () => {
    const long = parseReport(Buffer.from(`@report 1${"é".repeat(LONGEST_REPORT_BYTES)}`));
    expect(long).toEqual({ text: `1${"é".repeat(LONGEST_REPORT_BYTES / 2 - 1)}`, cut: true });
    const whole = `"${"x".repeat(LONGEST_REPORT_BYTES - 2)}"`;
    expect(parse(`@report ${whole}`)).toEqual({ text: whole, value: whole.slice(1, -1) });
  });

  it("may hold any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const line = Buffer.concat([Buffer.from("@report "), bytes]);
        expect(typeof parseReport(line)?.text).toBe("string");
      }),
    );
  });
});

describe("how many reports become events", () => {
  it("is a hundred at once and a hundred a second after that, however they come", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ passMs: fc.nat({ max: 2000 }), count: fc.nat({ max: 300 }) })), (bursts) => {
        const allowance = new ReportAllowance(0, 5);
        let [nowMs, taken] = [5, 0];
        for (const { passMs, count } of bursts) {
          nowMs += passMs;
          for (let index = 0; index < count; index += 1) if (allowance.take(nowMs)) taken += 1;
          expect(taken).toBeLessThanOrEqual(100 + ((nowMs - 5) / 1000) * 100);
        }
      }),
    );
  });

  it("is not less because nobody read for an hour", () => {
    const allowance = new ReportAllowance(3_600_000, 0);
    let taken = 0;
    while (allowance.take(0)) taken += 1;
    expect(taken).toBe(360_000);
    expect(allowance.take(9)).toBe(false);
    expect(allowance.take(20)).toBe(true);
  });
});
