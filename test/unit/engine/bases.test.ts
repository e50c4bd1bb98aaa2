import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isAnabranchError } from "../../../src/base/errors.ts";
import { baseTasks } from "../../../src/engine/bases.ts";
import { buildGraph, predecessorsOf, requirePlan, type Graph } from "../../../src/engine/graph.ts";
import { anyPlans, graphOf, taskPlan, timeOf } from "../../fixtures/plans.ts";

const basesOf = (graph: Graph) => Object.fromEntries(baseTasks(graph));

describe("the base of a task", () => {
  it("is the run's own where nothing before it writes", () => {
    expect(basesOf(graphOf({ a: {}, b: { needs: ["a"] } }))).toEqual({});
  });

  it("is the last writing task before it, also through tasks that only look", () => {
    const graph = graphOf({
      write: { writes: [] },
      look: { needs: ["write"] },
      more: { needs: ["look"], writes: ["src/**"] },
      end: { after: ["more"] },
    });
    expect(basesOf(graph)).toEqual({ look: "write", more: "write", end: "more" });
  });

  it("is the later of two writers when the later one holds the earlier one's work", () => {
    const graph = graphOf({ a: { writes: [] }, b: { writes: [], needs: ["a"] }, c: { needs: ["b", "a"] } });
    expect(basesOf(graph)).toEqual({ b: "a", c: "b" });
  });

  it("is refused where two writers come before it and neither before the other", () => {
    const build = () =>
      baseTasks(
        graphOf({
          old: { writes: [] },
          a: { writes: [], needs: ["old"] },
          b: { writes: [], needs: ["old"] },
          c: { needs: ["a", "b", "old"] },
        }),
      );
    expect(build).toThrowError(
      expect.objectContaining({ code: "SEVERAL_WRITERS", data: { task: "c", writers: ["a", "b"] } }),
    );
    expect(build).toThrowError("c comes after several tasks that write files (a, b)");
  });

  it("is, for any graph, the one writer before it that all other writers before it come before, or refused", () => {
    const withWriters = fc.tuple(anyPlans, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }));
    fc.assert(
      fc.property(withWriters, ([plans, writes]) => {
        const graph = buildGraph(
          plans.map((plan, index) => ({ ...plan, writes: writes[index] === true ? [] : "none" })),
        );
        const before = ancestors(graph);
        const writersBefore = (name: string) =>
          [...(before.get(name) ?? [])].filter((other) => requirePlan(graph, other).writes !== "none");
        const last = (name: string) =>
          writersBefore(name).filter((one) =>
            writersBefore(name).every((other) => other === one || before.get(one)?.has(other) === true),
          );
        const isClear = graph.order.every((name) => writersBefore(name).length === 0 || last(name).length === 1);
        try {
          const bases = baseTasks(graph);
          expect(isClear).toBe(true);
          for (const name of graph.order) expect(bases.get(name)).toBe(last(name)[0]);
        } catch (cause) {
          if (!isAnabranchError(cause)) throw cause;
          expect(cause.code).toBe("SEVERAL_WRITERS");
          expect(isClear).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("is found in no time worth speaking of for 20,000 writers one after another, and for 300 that each need all before", () => {
    const chain = Array.from({ length: 20_000 }, (_, index) =>
      taskPlan(`t${index}`, { writes: [], needs: index === 0 ? [] : [`t${index - 1}`] }),
    );
    const chained = buildGraph(chain);
    expect(timeOf(() => baseTasks(chained))).toBeLessThan(1000);
    const names = Array.from({ length: 300 }, (_, index) => `t${index}`);
    const dense = buildGraph(
      names.map((name, index) => taskPlan(name, { writes: [], needs: names.slice(0, index).toReversed() })),
    );
    expect(timeOf(() => baseTasks(dense))).toBeLessThan(500);
    const last = buildGraph([
      ...chain.slice(0, 5000),
      taskPlan("last", {
        needs: chain
          .slice(0, 5000)
          .map((plan) => plan.name)
          .toReversed(),
      }),
    ]);
    expect(timeOf(() => expect(baseTasks(last).get("last")).toBe("t4999"))).toBeLessThan(500);
  });
});

function ancestors(graph: Graph): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const name of graph.order) {
    const direct = predecessorsOf(requirePlan(graph, name));
    found.set(name, new Set(direct.flatMap((one) => [one, ...(found.get(one) ?? [])])));
  }
  return found;
}
