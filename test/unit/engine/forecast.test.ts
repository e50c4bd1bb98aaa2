import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { choicesOf, dueMs, mayCollide, type Writer } from "../../../src/engine/forecast.ts";
import { graphOf } from "../../fixtures/plans.ts";

function writer(task: string, more: Partial<Writer> = {}): Writer {
  return {
    run: "r",
    task,
    repository: "x",
    isWorking: true,
    endedMs: undefined,
    onLaneSinceMs: undefined,
    choices: [],
    parent: undefined,
    ...more,
  };
}

describe("the work of two tasks", () => {
  it("may collide while both are at work, in one run or in two of one repository", () => {
    expect(mayCollide(writer("a"), writer("b"))).toBe(true);
    expect(mayCollide(writer("a"), writer("a", { run: "s" }))).toBe(true);
    expect(mayCollide(writer("a"), writer("b", { repository: "y" }))).toBe(false);
    expect(mayCollide(writer("a"), writer("a"))).toBe(false);
  });

  it("may still collide when one of them has landed, but not when both have", () => {
    expect(mayCollide(writer("a", { endedMs: 5 }), writer("b"))).toBe(true);
    expect(mayCollide(writer("a", { endedMs: 5 }), writer("b", { endedMs: 9 }))).toBe(false);
  });

  it("cannot collide where one began with what the other had landed", () => {
    const landed = writer("a", { endedMs: 5 });
    expect(mayCollide(landed, writer("b", { onLaneSinceMs: 5 }))).toBe(false);
    expect(mayCollide(landed, writer("b", { onLaneSinceMs: 4 }))).toBe(true);
    expect(mayCollide(landed, writer("b", { run: "s", onLaneSinceMs: 9 }))).toBe(true);
  });

  it("cannot collide where only one of them will land", () => {
    expect(mayCollide(writer("a", { choices: [0, 2] }), writer("b", { choices: [1, 2] }))).toBe(false);
    expect(mayCollide(writer("a", { choices: [0] }), writer("b", { choices: [1] }))).toBe(true);
    expect(mayCollide(writer("a", { choices: [0] }), writer("b", { run: "s", choices: [0] }))).toBe(true);
  });

  it("of a task and of the runs it started is not compared", () => {
    const child = writer("c", { run: "s", parent: { run: "r", task: "a" } });
    expect(mayCollide(writer("a"), child)).toBe(false);
    expect(mayCollide(writer("b"), child)).toBe(true);
  });

  it("collides the same way whichever is named first", () => {
    const anyWriter = fc.record({
      run: fc.constantFrom("r", "s"),
      task: fc.constantFrom("a", "b"),
      repository: fc.constantFrom("x", "y"),
      isWorking: fc.boolean(),
      endedMs: fc.option(fc.nat(5), { nil: undefined }),
      onLaneSinceMs: fc.option(fc.nat(5), { nil: undefined }),
      choices: fc.subarray([0, 1]),
      parent: fc.option(fc.record({ run: fc.constantFrom("r", "s"), task: fc.constantFrom("a", "b") }), {
        nil: undefined,
      }),
    });
    fc.assert(
      fc.property(anyWriter, anyWriter, (one, other) => {
        expect(mayCollide(one, other)).toBe(mayCollide(other, one));
      }),
    );
  });
});

describe("the choices of a run", () => {
  const graph = graphOf({
    a: { writes: [] },
    b: { writes: [] },
    either: { writes: [], needs: ["a", "b"], join: "first" },
    other: { writes: [] },
  });

  it("are between what one task waits for, where the first or best is enough", () => {
    const choices = choicesOf(graph, "all");
    expect(choices.get("a")).toEqual(choices.get("b"));
    expect(choices.get("a")).toHaveLength(1);
    expect(choices.get("other") ?? choices.get("either")).toBeUndefined();
  });

  it("are between its final tasks, where the run itself is a race or takes the best", () => {
    for (const join of ["first", "best-of-n"] as const) {
      const choices = choicesOf(graph, join);
      expect(choices.get("either")).toEqual(choices.get("other"));
      expect(choices.get("either")).not.toEqual(choices.get("a"));
    }
  });
});

describe("a workspace", () => {
  it("is looked at again after the interval, or once looking has taken a twentieth of the time", () => {
    expect(dueMs({ intervalMs: 3000, lookedMs: 1000, tookMs: 50 }, 1000)).toBe(4000);
    expect(dueMs({ intervalMs: 3000, lookedMs: 1000, tookMs: 500 }, 1000)).toBe(11_000);
    expect(dueMs({ intervalMs: 3000, lookedMs: 9000, tookMs: 10 }, 1000)).toBe(9200);
    expect(dueMs({ intervalMs: 3000, lookedMs: Number.NEGATIVE_INFINITY, tookMs: 0 }, 10)).toBe(3010);
  });
});
