import { describe, expect, it } from "vitest";

import { parseBudget } from "../../../src/cli/budget-option.ts";
import { formatUsage } from "../../../src/cli/usage-text.ts";

describe("--budget", () => {
  it("takes any of its parts", () => {
    expect(parseBudget("usd=2,tokens=500k,minutes=20,turns=30")).toEqual({
      usd: 2,
      tokens: 500_000,
      minutes: 20,
      turns: 30,
    });
    expect(parseBudget("usd=$0.5")).toEqual({ usd: 0.5 });
    expect(parseBudget(" tokens=1.5M , minutes=0.5")).toEqual({ tokens: 1_500_000, minutes: 0.5 });
  });

  it.each([
    "",
    "2",
    "usd",
    "usd=",
    "usd=x",
    "usd=0",
    "usd=-1",
    "turns=1.5",
    "turns=2k",
    "tokens=0.1",
    "eur=2",
    "usd=1,usd=2",
  ])("does not take %j, and says what it takes", (text) => {
    expect(() => parseBudget(text)).toThrow(
      expect.objectContaining({ code: "USAGE", hint: expect.stringContaining("usd=2,tokens=500k") }) as Error,
    );
  });
});

describe("the line that says what was used", () => {
  const used = { inputTokens: 20_000, outputTokens: 3000, cacheReadTokens: 96_000, cacheWriteTokens: 4000, turns: 7 };

  it("tells money, tokens and turns, and what is an estimate", () => {
    expect(formatUsage({ ...used, usd: 0.421, estimated: true })).toBe(
      "$0.42 (estimate) · 120k in (80% cached) · 3k out · 7 turns",
    );
    expect(formatUsage({ ...used, usd: 12, estimated: false })).toMatch(/^\$12\.00 · /);
    expect(formatUsage({ ...used, usd: 0.001, estimated: false })).toMatch(/^under \$0\.01 · /);
  });

  it("leaves out what is not known", () => {
    const nothing = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, turns: 1 };
    expect(formatUsage({ ...nothing, estimated: false })).toBe("0 in · 0 out · 1 turn");
    expect(formatUsage({ ...nothing, inputTokens: 999_600, estimated: false })).toBe("1M in · 0 out · 1 turn");
  });
});
