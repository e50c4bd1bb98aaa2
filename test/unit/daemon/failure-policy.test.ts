import { describe, expect, it } from "vitest";

import { failureError, waitAfter } from "../../../src/daemon/agents/failure-policy.ts";
import type { AgentSpec } from "../../../src/workflows/spec.ts";

const failure = (
  reason: Parameters<typeof waitAfter>[0]["reason"],
  retryAfterMs?: number,
): Parameters<typeof waitAfter>[0] => ({
  reason,
  message: "m",
  retryAfterMs,
});

describe("a turn that failed", () => {
  it("is waited for twice as long each time, and never longer than five minutes", () => {
    const waits = [0, 1, 2, 7].map((retries) => waitAfter(failure("rate-limit"), retries, 5000));
    expect(waits).toEqual([5000, 10_000, 20_000, 300_000]);
  });

  it("is waited for as long as the service says, within that", () => {
    expect(waitAfter(failure("overloaded", 1234), 3, 5000)).toBe(1234);
    expect(waitAfter(failure("overloaded", 3_600_000), 0, 5000)).toBe(300_000);
  });

  it.each([
    ["rate-limit", 8],
    ["overloaded", 8],
    ["server", 3],
    ["cut", 3],
    ["login", 0],
    ["context", 0],
    ["turns", 0],
    ["invalid", 0],
    ["other", 0],
  ] as const)("by %s is waited out %d times", (reason, times) => {
    if (times > 0) expect(waitAfter(failure(reason), times - 1, 1)).toBeDefined();
    expect(waitAfter(failure(reason), times, 1)).toBeUndefined();
  });

  it.each([
    ["login", "AGENT_LOGIN"],
    ["turns", "BUDGET_SPENT"],
    ["context", "AGENT_FAILED"],
    ["invalid", "AGENT_FAILED"],
  ] as const)("by %s fails its task with %s", (reason, code) => {
    const error = failureError({ name: "reviewer", kind: "codex" } as AgentSpec, failure(reason));
    expect(error).toMatchObject({ code, data: { agent: "reviewer", kind: "codex", failure: reason } });
  });
});
