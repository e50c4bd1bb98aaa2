import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { buildGraph, criticalPathMs, predecessorsOf, requirePlan } from "../../../src/engine/graph.ts";
import type { TaskPlan } from "../../../src/engine/task.ts";
import { anyPlans, graphOf, taskPlan } from "../../fixtures/plans.ts";
import { expectProportionate } from "../../fixtures/work.ts";

describe("a graph", () => {
  it("puts every task after all it needs or follows, each exactly once", () => {
    fc.assert(
      fc.property(anyPlans, (plans) => {
        const { order } = buildGraph(plans);
        expect([...order].sort()).toEqual(plans.map((plan) => plan.name).sort());
        const placeOf = new Map(order.map((name, index) => [name, index]));
        for (const plan of plans) {
          for (const before of predecessorsOf(plan)) {
            expect(placeOf.get(before) ?? Infinity).toBeLessThan(placeOf.get(plan.name) ?? -1);
          }
        }
      }),
    );
  });

  it("keeps the written order wherever that is possible, and always gives the same one", () => {
    fc.assert(
      fc.property(anyPlans, (plans) => {
        const { order } = buildGraph(plans);
        expect(buildGraph(order.map((name) => requirePlan(buildGraph(plans), name))).order).toEqual(order);
        expect(buildGraph(plans).order).toEqual(order);
      }),
    );
    expect(graphOf({ a: {}, b: { needs: ["a"] }, c: {} }).order).toEqual(["a", "b", "c"]);
    expect(graphOf({ a: {}, b: { needs: ["d"] }, c: {}, d: {} }).order).toEqual(["a", "c", "d", "b"]);
  });

  it("knows the followers of each task, whether they need it or only come after it, each once", () => {
    const graph = graphOf({ a: {}, b: { needs: ["a"], after: ["a"] }, c: { after: ["a"] } });
    expect(graph.followers.get("a")).toEqual(["b", "c"]);
    expect(graph.followers.get("c")).toEqual([]);
  });

  it("shows a cycle, and only the cycle", () => {
    const build = () => graphOf({ x: { needs: ["a"] }, a: { needs: ["b"] }, b: { needs: ["c"] }, c: { needs: ["a"] } });
    expect(build).toThrowError("these tasks wait for each other: a needs b needs c needs a");
    expect(build).toThrowError(expect.objectContaining({ code: "GRAPH_CYCLE", data: { cycle: ["a", "b", "c", "a"] } }));
  });

  it("tells a need from a mere order in a cycle", () => {
    expect(() => graphOf({ a: { needs: ["b"] }, b: { after: ["a"] } })).toThrowError(
      "these tasks wait for each other: a needs b comes after a",
    );
  });

  it("shows the smallest cycle there is: a task that needs itself", () => {
    expect(() => graphOf({ a: { needs: ["a"] } })).toThrowError("a needs a");
  });

  it("refuses a need that is no task, and names the task that was probably meant", () => {
    const build = () => graphOf({ build: {}, test: { needs: ["biuld"] } });
    expect(build).toThrowError(
      expect.objectContaining({ code: "GRAPH_INVALID", data: { task: "test", need: "biuld" } }),
    );
    expect(build).toThrowError(expect.objectContaining({ hint: expect.stringContaining("build") as string }));
  });

  it("refuses two tasks of one name", () => {
    expect(() => buildGraph([taskPlan("a"), taskPlan("a")])).toThrowError("two tasks are named a");
  });

  it("measures the longest way from each task to the end of the run", () => {
    const graph = graphOf({ a: {}, b: { needs: ["a"] }, c: { needs: ["a"] }, d: { needs: ["b", "c"] } });
    const durations: Record<string, number> = { a: 1, b: 10, c: 100, d: 1000 };
    const lengths = criticalPathMs(graph, (name) => durations[name] ?? 0);
    expect(Object.fromEntries(lengths)).toEqual({ a: 1101, b: 1010, c: 1100, d: 1000 });
  });

  it("is built, and its cycle found, in time in proportion to its tasks, in whatever order they are given", () => {
    const chain = (count: number): TaskPlan[] =>
      Array.from({ length: count }, (_, index) =>
        taskPlan(`t${index}`, { needs: index === 0 ? [] : [`t${index - 1}`] }),
      );
    expectProportionate([2000, 20_000], (count) => {
      const [plans, backwards] = [chain(count), chain(count).toReversed()];
      return () => {
        buildGraph(plans);
        buildGraph(backwards);
      };
    });
    expectProportionate([2000, 20_000], (count) => {
      const ring = [taskPlan("t0", { needs: [`t${count - 1}`] }), ...chain(count).slice(1)];
      return () => expect(() => buildGraph(ring)).toThrowError("wait for each other");
    });
  });
});
