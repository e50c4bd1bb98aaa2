import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { TaskEstimate } from "../../../src/engine/estimate.ts";
import { buildGraph, type Graph } from "../../../src/engine/graph.ts";
import { decide, MODES, type Decision, type PlannerInput } from "../../../src/engine/planner.ts";
import type { TaskPlan } from "../../../src/engine/task.ts";
import { anyPlans, graphOf, taskPlan } from "../../fixtures/plans.ts";
import { expectProportionate } from "../../fixtures/work.ts";

const MEGABYTE = 1024 * 1024;

function estimate(runMs: number, more: Partial<TaskEstimate> = {}): TaskEstimate {
  return { runMs, cpuMs: runMs, memoryBytes: 10 * MEGABYTE, samples: 3, ...more };
}

function plan(graph: Graph, estimates: (task: string) => TaskEstimate, more: Partial<PlannerInput> = {}): Decision {
  return decide({
    graph,
    mode: "auto",
    maxWidth: 16,
    share: undefined,
    estimateOf: estimates,
    rememberedWrites: () => undefined,
    spinUp: { warmMs: 5, recycleMs: 80, coldMs: 700 },
    machine: { freeCores: 4, freeMemoryBytes: 8192 * MEGABYTE, warmWorkspaces: 0 },
    ...more,
  });
}

function tasks(count: number, more: Partial<TaskPlan> = {}): Graph {
  return graphOf(Object.fromEntries(Array.from({ length: count }, (_, index) => [`t${index}`, more])));
}

const waits = (runMs: number): TaskEstimate => estimate(runMs, { cpuMs: 0 });

describe("the planner", () => {
  it("obeys: sequential is one after another, parallel as many as the limits allow", () => {
    const graph = tasks(10);
    expect(plan(graph, () => estimate(60_000), { mode: "sequential" })).toMatchObject({ width: 1, share: false });
    expect(plan(graph, () => estimate(1), { mode: "parallel" })).toMatchObject({ width: 10, share: false });
    expect(plan(graph, () => estimate(1), { mode: "parallel", maxWidth: 3, share: true })).toMatchObject({
      width: 3,
      share: true,
    });
    expect(plan(graph, () => estimate(1), { mode: "parallel" }).reason).toBe("10 at once, as asked");
    expect(plan(graph, () => estimate(1), { mode: "sequential" }).reason).toBe("one after another, as asked");
  });

  it("runs short tasks one after another where making workspaces at once would cost more than it gains", () => {
    const decision = plan(tasks(2, { writes: [] }), () => estimate(50), {
      machine: { freeCores: 1, freeMemoryBytes: 8192 * MEGABYTE, warmWorkspaces: 0 },
    });
    expect(decision.width).toBe(1);
    expect(decision.reason).toMatch(
      /^one after another: [\d.]+ s expected against [\d.]+ s with 2 at once \(measured\)$/,
    );
  });

  it("runs tasks at once that wait rather than compute, beyond the number of processors", () => {
    const decision = plan(tasks(12), () => waits(10_000), {
      machine: { freeCores: 2, freeMemoryBytes: 8192 * MEGABYTE, warmWorkspaces: 12 },
    });
    expect(decision.width).toBe(12);
    expect(decision.reason).toMatch(/^12 at once.*: [\d.]+ s expected against [\d.]+ s one after another/);
  });

  it("starts no more tasks that compute than processors pay for", () => {
    for (const freeCores of [1, 2, 4]) {
      const machine = { freeCores, freeMemoryBytes: 8192 * MEGABYTE, warmWorkspaces: 16 };
      expect(plan(tasks(16), () => estimate(10_000), { machine }).width).toBe(freeCores);
    }
  });

  it("counts a task that uses several processors for what it uses", () => {
    const machine = { freeCores: 4, freeMemoryBytes: 8192 * MEGABYTE, warmWorkspaces: 16 };
    expect(plan(tasks(8), () => estimate(10_000, { cpuMs: 40_000 }), { machine }).width).toBe(1);
  });

  it("shares one workspace among tasks that write nothing where making several would cost more than it gains", () => {
    const short = plan(tasks(6), () => waits(100), { spinUp: { warmMs: 5, recycleMs: 80, coldMs: 5000 } });
    expect(short.share).toBe(true);
    expect(short.reason).toContain("in one shared workspace");
    expect(plan(tasks(6), () => waits(100), { share: false }).share).toBe(false);
    expect(plan(tasks(6, { writes: [] }), () => waits(100)).share).toBe(false);
  });

  it("never runs writers at once whose places meet, declared or remembered, and says so", () => {
    const graph = graphOf({
      api: { writes: ["src/api/**"] },
      all: { writes: ["src/**"] },
      docs: { writes: ["docs/**"] },
      lock: { writes: [] },
      look: {},
    });
    const decision = plan(graph, () => waits(10_000), {
      rememberedWrites: (task) => (task === "lock" ? ["docs/index.md"] : undefined),
    });
    expect(decision.exclusive).toEqual([
      ["all", "api"],
      ["docs", "lock"],
    ]);
    expect(decision.reason).toContain("; all and api write the same places, so not at once");
    expect(plan(graph, () => waits(1000), { mode: "parallel" }).exclusive).toEqual([]);
  });

  it("says in one readable line that a thousand writers meet", () => {
    const decision = plan(tasks(1000, { writes: ["src/**"] }), () => waits(10));
    expect(decision.exclusive).toHaveLength(1);
    expect(decision.reason.length).toBeLessThan(300);
    expect(decision.reason).toContain("t0, t1, t2 and 997 more");
  });

  it("counts the groups of writers that meet where there are many", () => {
    const pairs = Array.from({ length: 20 }, (_, index) =>
      taskPlan(`t${index}`, { writes: [`src/${Math.floor(index / 2)}/**`] }),
    );
    expect(plan(buildGraph(pairs), () => waits(10)).reason).toContain(
      "; 10 groups of tasks write the same places, so not at once",
    );
  });

  it("starts no more at once than fit into the free memory, the largest taken first, and says so", () => {
    const machine = { freeCores: 16, freeMemoryBytes: 1000 * MEGABYTE, warmWorkspaces: 16 };
    const estimates = (task: string) =>
      estimate(10_000, { cpuMs: 0, memoryBytes: (task === "t5" ? 500 : 100) * MEGABYTE });
    const decision = plan(tasks(10), estimates, { machine });
    expect(decision.width).toBe(4);
    expect(decision.reason).toContain("more would not fit into the free memory");
    const tight = { ...machine, freeMemoryBytes: 0 };
    expect(plan(tasks(10), estimates, { machine: tight, mode: "parallel" }).width).toBe(1);
  });

  it("says what its figures rest on", () => {
    const graph = tasks(2);
    expect(plan(graph, () => estimate(1000)).reason).toContain("(measured)");
    expect(plan(graph, () => estimate(1000, { samples: 0 })).reason).toContain(
      "assumed: none of these ran here before",
    );
    expect(plan(graph, (task) => estimate(1000, { samples: task === "t0" ? 2 : 0 })).reason).toContain(
      "(1 of 2 tasks measured)",
    );
    expect(plan(tasks(1), () => estimate(1000)).reason).toBe("one task");
  });

  it("expects a run to take as long as the tasks that hold it open, not as one that is detached", () => {
    const graph = graphOf({ quick: {}, tell: { needs: ["quick"], detach: true } });
    const decision = plan(graph, (task) => waits(task === "tell" ? 60_000 : 1000), { mode: "parallel" });
    expect(decision.predictedMs).toBe(1700);
    // Nothing is gained for the run, but nobody should wait for nothing.
    expect(plan(tasks(4, { detach: true }), () => waits(10_000))).toMatchObject({ width: 4, predictedMs: 0 });
  });

  it("expects no less than the critical path and no less than the work on the processors there are", () => {
    const durations = fc.array(
      fc.record({ runMs: fc.integer({ min: 1, max: 100_000 }), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
      {
        minLength: 12,
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(
        anyPlans,
        durations,
        fc.constantFrom(...MODES),
        fc.integer({ min: 1, max: 8 }),
        (plans, times, mode, freeCores) => {
          const held = plans.map((one) => ({ ...one, detach: false }));
          const graph = buildGraph(held);
          const estimates = (task: string): TaskEstimate => {
            const { runMs, share } = times[Number(task.slice(1))] ?? { runMs: 1, share: 0 };
            return estimate(runMs, { cpuMs: runMs * share });
          };
          const machine = { freeCores, freeMemoryBytes: 8192 * MEGABYTE, warmWorkspaces: 2 };
          const decision = plan(graph, estimates, { mode, machine });
          const work = held.reduce((sum, one) => sum + estimates(one.name).cpuMs, 0);
          const longest = Math.max(0, ...held.map((one) => estimates(one.name).runMs));
          expect(decision.predictedMs).toBeGreaterThanOrEqual(Math.floor(longest));
          expect(decision.predictedMs).toBeGreaterThanOrEqual(Math.floor(work / freeCores));
          expect(decision.width).toBeGreaterThanOrEqual(1);
          expect(decision.width).toBeLessThanOrEqual(Math.max(1, held.length));
          expect(decision.reason).not.toContain("\n");
          // Nothing it weighed is worthwhile and was left.
          for (const { predictedMs } of decision.alternatives) {
            if (mode === "auto") expect(decision.predictedMs).toBeLessThanOrEqual(predictedMs * 1.05 + 50);
          }
          // The same question gets the same answer.
          expect(plan(graph, estimates, { mode, machine })).toEqual(decision);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("thinks many tasks through in time in proportion to them, whether they compute, wait or follow each other", () => {
    const machine = { freeCores: 8, freeMemoryBytes: 1e12, warmWorkspaces: 4 };
    const chain = (count: number): Graph =>
      buildGraph(
        Array.from({ length: count }, (_, index) =>
          taskPlan(`t${index}`, { needs: index === 0 ? [] : [`t${index - 1}`] }),
        ),
      );
    const uneven = (task: string) => estimate(100 + Number(task.slice(1)), { cpuMs: 50 });
    for (const graphOf of [tasks, (count: number) => tasks(count, { writes: ["src/**"] }), chain]) {
      expectProportionate([200, 2000], (count) => {
        const graph = graphOf(count);
        return () => plan(graph, uneven, { machine, maxWidth: 64 });
      });
    }
  });
});
