import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { cutLines, LONGEST_LINE_BYTES } from "../../../src/triggers/line-bytes.ts";

describe("bytes cut into lines", () => {
  it("give the same lines wherever the pieces they come in end", () => {
    const text = fc.array(fc.constantFrom("a", "ä", "€", "🌊", "\n", "\r\n", "\0", " "), { maxLength: 60 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(20), { maxLength: 20 }), (letters, sizes) => {
        const bytes = Buffer.from(letters.join(""));
        const lines: string[] = [];
        let [start, end] = [0, 0];
        for (const size of sizes) {
          end = Math.min(end + size, bytes.length);
          const cut = cutLines(bytes.subarray(start, end), false);
          lines.push(...cut.lines);
          start += cut.bytes;
        }
        const rest = cutLines(bytes.subarray(start), true);
        expect(start + rest.bytes).toBe(bytes.length);
        const whole = bytes.toString().split("\n");
        if (whole.at(-1) === "") whole.pop();
        expect([...lines, ...rest.lines]).toEqual(whole.map((line) => line.replace(/\r$/, "")));
      }),
    );
  });

  it("leave what has no end yet", () => {
    expect(cutLines(Buffer.from("one\ntwo"), false)).toEqual({ lines: ["one"], bytes: 4 });
    expect(cutLines(Buffer.from("one\ntwo"), true)).toEqual({ lines: ["one", "two"], bytes: 7 });
  });

  it("cut a line that is too long between two characters, with or without an end", () => {
    const bytes = Buffer.from(`${"x".repeat(LONGEST_LINE_BYTES - 1)}€${"y".repeat(10)}`);
    const { lines, bytes: used } = cutLines(bytes, false);
    expect([lines.length, used]).toEqual([1, LONGEST_LINE_BYTES - 1]);
    expect(cutLines(bytes.subarray(used), true).lines).toEqual([`€${"y".repeat(10)}`]);
    const ended = cutLines(Buffer.from(`${"x".repeat(3 * LONGEST_LINE_BYTES)}\nnext\n`), false);
    expect(ended.lines.map((line) => line.length)).toEqual([
      LONGEST_LINE_BYTES,
      LONGEST_LINE_BYTES,
      LONGEST_LINE_BYTES,
      4,
    ]);
  });

  it("take noise as it comes", () => {
    const noise = Uint8Array.from({ length: 300_000 }, (_, index) => 0x80 | (index % 64));
    const { lines, bytes } = cutLines(noise, true);
    expect(bytes).toBe(noise.length);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(LONGEST_LINE_BYTES);
  });
});
