import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { DURATION_PATTERN, durationMs, SIZE_PATTERN, sizeBytes } from "../../../src/workflows/units.ts";

describe("a duration", () => {
  it.each([
    ["0ms", 0],
    ["500ms", 500],
    ["10s", 10_000],
    ["1.5m", 90_000],
    ["2h", 7_200_000],
    ["7d", 604_800_000],
    ["0.0004s", 0],
    ["0.0005s", 1],
  ])("%s is %i milliseconds", (text, ms) => {
    expect(text).toMatch(DURATION_PATTERN);
    expect(durationMs(text)).toBe(ms);
  });

  it.each(["", "10", "s", "10 s", "-1s", "1e3s", "+1s", "1.s", ".5s", "10S", "10min", "1m30s", "10s\n", "∞s", "1,5m"])(
    "is not %j",
    (text) => expect(text).not.toMatch(DURATION_PATTERN),
  );
});

describe("a size", () => {
  it.each([
    ["0b", 0],
    ["512kb", 524_288],
    ["64mb", 67_108_864],
    ["1gb", 1_073_741_824],
    ["1.5KB", 1536],
    ["64MB", 67_108_864],
  ])("%s is %i bytes", (text, bytes) => {
    expect(text).toMatch(SIZE_PATTERN);
    expect(sizeBytes(text)).toBe(bytes);
  });

  it.each(["", "64", "mb", "64 mb", "-1b", "64m", "64mib", "1tb", "64mb "])("is not %j", (text) =>
    expect(text).not.toMatch(SIZE_PATTERN),
  );
});

describe("whatever is accepted", () => {
  it("is a whole number that grows with what is written", () => {
    const units = fc.constantFrom("ms", "s", "m", "h", "d");
    fc.assert(
      fc.property(fc.nat(100_000), fc.nat(100_000), units, (a, b, unit) => {
        const [less, more] = [Math.min(a, b), Math.max(a, b)];
        expect(Number.isSafeInteger(durationMs(`${more}.25${unit}`))).toBe(true);
        expect(durationMs(`${less}${unit}`)).toBeLessThanOrEqual(durationMs(`${more}${unit}`));
      }),
    );
  });
});
