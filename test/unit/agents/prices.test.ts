import { describe, expect, it } from "vitest";

import { LIST_PRICES, priceUsage } from "../../../src/agents/prices.ts";
import type { Usage } from "../../../src/engine/agent.ts";

const MILLION: Usage = {
  inputTokens: 1_000_000,
  outputTokens: 1_000_000,
  cacheReadTokens: 1_000_000,
  cacheWriteTokens: 1_000_000,
  turns: 1,
  usd: undefined,
};

describe("what a model costs", () => {
  it("is what its program says, where it says that", () => {
    const told = { ...MILLION, usd: 0.07 };
    expect(priceUsage(told, "gpt-5")).toEqual({ usage: told, estimated: false });
  });

  it("is else an estimate by a list of prices", () => {
    for (const model of ["gpt-5", "openai/gpt-5", "gpt-5-2025-08-07", "GPT-5"]) {
      expect(priceUsage(MILLION, model), model).toEqual({
        usage: { ...MILLION, usd: 1.25 + 10 + 0.125 + 1.25 },
        estimated: true,
      });
    }
    expect(priceUsage(MILLION, "claude-opus-4-5-20251101[1m]").usage.usd).toBe(5 + 25 + 0.5 + 6.25);
  });

  it("is unknown rather than that of another version", () => {
    for (const model of ["gpt-5.9", "gpt-5-giant", "claude-opus-4-5-5", "made-up", undefined]) {
      expect(priceUsage(MILLION, model), model).toEqual({ usage: MILLION, estimated: false });
    }
  });

  it("is what the user says before all lists, by the longest start of its name", () => {
    const price = (input: number): { input: number; output: number; cacheRead: number; cacheWrite: number } => ({
      input,
      output: 0,
      cacheRead: 0,
      cacheWrite: 0,
    });
    const own = { gpt: price(1), "gpt-5": price(2) };
    expect(priceUsage(MILLION, "gpt-5.9", own)).toMatchObject({ usage: { usd: 2 }, estimated: true });
    expect(priceUsage(MILLION, "gpt-4", own)).toMatchObject({ usage: { usd: 1 } });
  });

  it("is listed with the day it was looked up", () => {
    for (const { vendor, listed, models } of LIST_PRICES) {
      expect(listed, vendor).toMatch(/^\d{4}-\d{2}-\d{2}$/);
      for (const [model, { input, output, cacheRead }] of Object.entries(models)) {
        expect(output, model).toBeGreaterThan(input);
        expect(cacheRead, model).toBeLessThan(input);
      }
    }
  });
});
