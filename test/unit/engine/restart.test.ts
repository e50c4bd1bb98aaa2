import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { judgeRestart, type RestartPolicy } from "../../../src/engine/restart.ts";

const POLICY: RestartPolicy = { when: "always", limit: 3, withinMs: 60_000, delayMs: 1000 };

describe("a monitor that ended", () => {
  it("is started again when it failed or was lost, and with always also when it succeeded", () => {
    for (const outcome of ["failed", "lost"] as const)
      expect(judgeRestart({ ...POLICY, when: "on-failure" }, outcome, [], 5)).toEqual({
        type: "restart",
        restarts: [5],
      });
    expect(judgeRestart({ ...POLICY, when: "on-failure" }, "succeeded", [], 5)).toEqual({ type: "done" });
    expect(judgeRestart(POLICY, "succeeded", [], 5)).toEqual({ type: "restart", restarts: [5] });
  });

  it("stays down when it was cancelled, whatever else is said", () => {
    expect(judgeRestart(POLICY, "cancelled", [], 5)).toEqual({ type: "done" });
  });

  it("stays down when it ended once too often within the time, and not a moment later", () => {
    expect(judgeRestart(POLICY, "failed", [1, 2, 3], 60_000)).toEqual({ type: "limit" });
    expect(judgeRestart(POLICY, "failed", [1, 2, 3], 60_001)).toEqual({ type: "restart", restarts: [2, 3, 60_001] });
  });

  it("is never restarted more often than its limit within any such time, also when the clock is set back", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.record({ passMs: fc.nat({ max: 30 }), setBackMs: fc.constantFrom(0, 0, 0, 7, 1000) }), {
          maxLength: 60,
        }),
        (limit, withinMs, steps) => {
          const policy = { ...POLICY, limit, withinMs };
          let [realMs, wallMs] = [0, 100_000];
          let restarts: readonly number[] = [];
          const restarted: number[] = [];
          for (const { passMs, setBackMs } of steps) {
            realMs += passMs;
            wallMs += passMs - setBackMs;
            const verdict = judgeRestart(policy, "failed", restarts, wallMs);
            if (verdict.type !== "restart") continue;
            restarts = verdict.restarts;
            restarted.push(realMs);
            expect(restarts.length).toBeLessThanOrEqual(limit);
          }
          for (const beganMs of restarted) {
            const inside = restarted.filter((ms) => ms >= beganMs && ms < beganMs + withinMs);
            expect(inside.length).toBeLessThanOrEqual(limit);
          }
        },
      ),
    );
  });

  it("is not kept down for as long as the clock was set back", () => {
    let earlier: readonly number[] = [3_600_000, 3_600_001];
    for (const atMs of [0, 60_001, 60_002]) {
      const verdict = judgeRestart(POLICY, "failed", earlier, atMs);
      if (verdict.type !== "restart") throw new Error(`it stays down at ${atMs}`);
      earlier = verdict.restarts;
    }
  });

  it("is restarted whenever fewer than its limit were within the time", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 200_000 }), { maxLength: 10 }), fc.nat({ max: 400_000 }), (earlier, atMs) => {
        const recent = earlier.filter((ms) => Math.min(ms, atMs) > atMs - POLICY.withinMs);
        const verdict = judgeRestart(POLICY, "failed", earlier, atMs);
        expect(verdict.type).toBe(recent.length < POLICY.limit ? "restart" : "limit");
      }),
    );
  });
});
