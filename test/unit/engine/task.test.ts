import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { canMove, isFailure, OUTCOMES, retryDelayMs, TASK_STATES } from "../../../src/engine/task.ts";

describe("the life of a task", () => {
  it("can end from every state but the end, and from the end goes nowhere", () => {
    for (const state of TASK_STATES) expect(canMove(state, "ended")).toBe(state !== "ended");
    for (const state of TASK_STATES) expect(canMove("ended", state)).toBe(false);
  });

  it("has no way into work but through ready and preparing, and none back to waiting", () => {
    expect(TASK_STATES.filter((state) => canMove(state, "working"))).toEqual(["preparing"]);
    expect(TASK_STATES.filter((state) => canMove(state, "preparing"))).toEqual(["ready"]);
    expect(TASK_STATES.filter((state) => canMove(state, "waiting"))).toEqual([]);
    expect(TASK_STATES.filter((state) => canMove(state, "ready"))).toEqual([
      "waiting",
      "preparing",
      "working",
      "captured",
      "landing",
    ]);
  });

  it("fails by failing or by being lost; to be cancelled or skipped is no failure", () => {
    expect(OUTCOMES.filter(isFailure)).toEqual(["failed", "lost"]);
    expect(isFailure(undefined)).toBe(false);
  });
});

describe("a retry", () => {
  const policies = fc.record({
    times: fc.integer({ min: 0, max: 100 }),
    delayMs: fc.integer({ min: 0, max: 1e9 }),
    factor: fc.double({ min: 1, max: 10, noNaN: true }),
    maxDelayMs: fc.integer({ min: 0, max: 1e9 }),
  });

  it("comes as often as was asked for, each time no sooner than before and never later than the longest delay", () => {
    fc.assert(
      fc.property(policies, (policy) => {
        const delays = Array.from(
          { length: policy.times },
          (_, index) => retryDelayMs(policy, index + 1) ?? Number.NaN,
        );
        expect(retryDelayMs(policy, policy.times + 1)).toBeUndefined();
        for (const [index, delay] of delays.entries()) {
          expect(delay).toBeLessThanOrEqual(policy.maxDelayMs);
          expect(delay).toBeGreaterThanOrEqual(delays[index - 1] ?? 0);
        }
        if (policy.times > 0) expect(delays[0]).toBe(Math.min(policy.delayMs, policy.maxDelayMs));
      }),
    );
  });

  it("waits twice as long each time by default's factor", () => {
    const policy = { times: 4, delayMs: 1000, factor: 2, maxDelayMs: 5000 };
    expect([1, 2, 3, 4, 5].map((failures) => retryDelayMs(policy, failures))).toEqual([
      1000,
      2000,
      4000,
      5000,
      undefined,
    ]);
  });
});
