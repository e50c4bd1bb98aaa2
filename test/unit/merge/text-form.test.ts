import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { hasMixedLineEnds, putTogether, takeApart } from "../../../src/merge/text-form.ts";
import { anyBytes, anyText } from "../../fixtures/texts.ts";

describe("a text taken apart", () => {
  it("is the same when put together", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, anyBytes), fc.boolean(), (text, keepReturns) => {
        const isMixed = hasMixedLineEnds(text);
        const { lines, form } = takeApart(text, keepReturns || isMixed);
        expect(putTogether(lines, form)).toBe(text);
        if (!isMixed && !keepReturns) expect(lines.some((line) => line.endsWith("\r"))).toBe(false);
      }),
      { numRuns: 3000 },
    );
  });

  it("has its lines without their ends, and says how they ended", () => {
    expect(takeApart("\u00ef\u00bb\u00bfa\r\n\r\nb", false)).toEqual({
      lines: ["a", "", "b"],
      form: { mark: "\u00ef\u00bb\u00bf", lineEnd: "\r\n", endsWithLineEnd: false },
    });
    expect(takeApart("", false)).toEqual({
      lines: [],
      form: { mark: "", lineEnd: undefined, endsWithLineEnd: undefined },
    });
    expect(takeApart("\n", false).lines).toEqual([""]);
  });

  it("has mixed line ends when they are not all of a kind, or a carriage return could be taken for half of one", () => {
    for (const text of ["a\r\nb\n", "a\nb\r\n", "a\nb\r", "a\r\r\nb\r\n"]) expect(hasMixedLineEnds(text)).toBe(true);
    for (const text of ["", "a", "a\nb\n", "a\r\nb\r\n", "a\r\nb", "a\rb\n"])
      expect(hasMixedLineEnds(text)).toBe(false);
  });
});
