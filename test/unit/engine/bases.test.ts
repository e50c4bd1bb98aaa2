import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { tasksOnLane } from "../../../src/engine/bases.ts";
import { buildGraph, predecessorsOf, requirePlan } from "../../../src/engine/graph.ts";
import { anyPlans, graphOf } from "../../fixtures/plans.ts";

describe("what a task starts from", () => {
  it("is the run's base where nothing before it writes", () => {
    expect([...tasksOnLane(graphOf({ a: {}, b: { needs: ["a"] }, c: { writes: [] } }))]).toEqual([]);
  });

  it("is what has landed where anything before it writes, however far before", () => {
    const graph = graphOf({ a: { writes: [] }, b: { needs: ["a"] }, c: { after: ["b"] }, d: {} });
    expect([...tasksOnLane(graph)]).toEqual(["b", "c"]);
  });

  it("may be the work of several that do not come after each other", () => {
    const graph = graphOf({ a: { writes: [] }, b: { writes: [] }, c: { needs: ["a", "b"] } });
    expect([...tasksOnLane(graph)]).toEqual(["c"]);
  });

  it("is what has landed exactly where a writing task is among all that come before, in any graph", () => {
    fc.assert(
      fc.property(anyPlans, fc.infiniteStream(fc.boolean()), (plans, coins) => {
        const graph = buildGraph(plans.map((plan) => ({ ...plan, writes: coins.next().value === true ? [] : "none" })));
        const onLane = tasksOnLane(graph);
        for (const name of graph.order) {
          const before = new Set<string>();
          const queue = [name];
          for (const one of queue) {
            for (const other of predecessorsOf(requirePlan(graph, one))) {
              if (before.has(other)) continue;
              before.add(other);
              queue.push(other);
            }
          }
          expect(onLane.has(name)).toBe([...before].some((one) => requirePlan(graph, one).writes !== "none"));
        }
      }),
    );
  });
});
