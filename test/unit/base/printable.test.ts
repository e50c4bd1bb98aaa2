import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { printable, printableWithColour } from "../../../src/base/printable.ts";
import { expectProportionate } from "../../fixtures/work.ts";

/** Pieces that terminals act on, whole and broken, mixed with plain text. */
const nasty = fc
  .array(
    fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.integer({ min: 0, max: 0x9f }).map((code) => String.fromCharCode(code)),
      fc.constantFrom(
        "\u001b[2K",
        "\u001b[1A",
        "\u001b[31m",
        "\u001b[0m",
        "\u001b[38:2::1:2:3m",
        "\u009b2J",
        "\u001b]0;title\u0007",
        "\u001b]8;;https://example.org\u001b\\text\u001b]8;;\u001b\\",
        "\u001bPq#0\u001b\\",
        "\u001b",
        "\u001b[",
        "\u001b[31",
        "\u001bc",
        "\u001b(B",
        "\u001b]52;c;aGk=",
        "\u0090",
        "\u009c",
        "\u009d",
        "\r\n",
        "\u202e",
        "\u2066",
        "\u200b",
        "\ufeff",
        "\uf8ff",
        "\uf8ff[31m",
        "\u2028",
        "\u0085",
        "\u{e0041}",
      ),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(""));

const ACTS = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u;

describe("text from outside", () => {
  it("holds nothing any more that could move a cursor, end a line or turn its direction", () => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(printable(text)).not.toMatch(ACTS);
      }),
      { numRuns: 2000 },
    );
  });

  it("may keep its colours, which end with it", () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const kept = printableWithColour(text);
        const withoutColours = kept.replaceAll(/\u001b\[[0-9;:]*m/gu, "");
        expect(withoutColours).not.toMatch(ACTS);
        if (kept.includes("\u001b")) expect(kept.endsWith("\u001b[0m")).toBe(true);
        expect(withoutColours).toBe(printable(text));
      }),
      { numRuns: 2000 },
    );
    expect(printableWithColour("\u001b[31mred")).toBe("\u001b[31mred\u001b[0m");
  });

  it("keeps every other character, tabs included", () => {
    const plain = "a\tb é 漢字 👩‍👩‍👧 \ue000 \\x1b[31m [0m";
    expect(printable(plain)).toBe(plain);
    expect(printableWithColour(plain)).toBe(plain);
    expect(printable(printable("x\u001b[31my"))).toBe("xy");
  });

  it("loses whole sequences, not only their first character", () => {
    expect(printable("a\u001b]0;evil title\u0007b")).toBe("ab");
    expect(printable("a\u001b]8;;https://e.org\u001b\\link\u001b]8;;\u001b\\b")).toBe("alinkb");
    expect(printable("a\u009b2Jb\u001b[1;31mc\u001bPdata\u001b\\d")).toBe("abcd");
  });

  it("is made safe in time in proportion to its length, however it is built to be slow", () => {
    const parts = ["\u001b[", "\u001b]", "\u009d", "\u001bP", "0", ";", " ", "\u001b", "\uf8ff", "\u009b0;"];
    for (const part of parts) {
      expectProportionate([20_000, 200_000], (count) => {
        const text = part.repeat(count);
        return () => {
          printable(text);
          printableWithColour(`\u001b[${text}`);
        };
      });
    }
  });
});
