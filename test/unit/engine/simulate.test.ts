import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { TaskEstimate } from "../../../src/engine/estimate.ts";
import type { Graph } from "../../../src/engine/graph.ts";
import { simulate, type Arrangement, type Forecast } from "../../../src/engine/simulate.ts";
import { graphOf } from "../../fixtures/plans.ts";

const NO_SPIN_UP = { warmMs: 0, recycleMs: 0, coldMs: 0 };

function forecast(
  graph: Graph,
  estimates: Readonly<Record<string, Partial<TaskEstimate>>>,
  more: Partial<Forecast> = {},
): Forecast {
  return {
    graph,
    estimateOf: (task) => ({ runMs: 0, cpuMs: 0, memoryBytes: 0, samples: 1, ...estimates[task] }),
    spinUp: NO_SPIN_UP,
    machine: { freeCores: 2, freeMemoryBytes: 0, warmWorkspaces: 0 },
    lockOf: () => undefined,
    ...more,
  };
}

const lengthOf = (run: Forecast, arrangement: Arrangement): number => simulate(run, arrangement).wholeMs;
const apart = (width: number) => ({ width, share: false });
const computes = (runMs: number) => ({ runMs, cpuMs: runMs });
const waits = (runMs: number) => ({ runMs, cpuMs: 0 });

describe("a simulated run", () => {
  it("takes the sum of its tasks one after another and the longest of them at once", () => {
    const run = forecast(graphOf({ a: {}, b: {}, c: {} }), { a: waits(100), b: waits(200), c: waits(300) });
    expect(lengthOf(run, apart(1))).toBeCloseTo(600);
    expect(lengthOf(run, apart(3))).toBeCloseTo(300);
  });

  it("starts the longest path first", () => {
    const run = forecast(graphOf({ a: {}, b: {}, long: {} }), { a: waits(100), b: waits(100), long: waits(200) });
    expect(lengthOf(run, apart(2))).toBeCloseTo(200);
  });

  it("waits for needs, however many places are free", () => {
    const run = forecast(graphOf({ a: {}, b: { needs: ["a"] }, c: { after: ["b"] } }), {
      a: waits(10),
      b: waits(20),
      c: waits(30),
    });
    expect(lengthOf(run, apart(9))).toBeCloseTo(60);
  });

  it("shares processors fairly: three tasks that compute take half as long again on two", () => {
    const run = forecast(graphOf({ a: {}, b: {}, c: {} }), { a: computes(100), b: computes(100), c: computes(100) });
    expect(lengthOf(run, apart(3))).toBeCloseTo(150);
    expect(lengthOf(run, apart(2))).toBeCloseTo(200);
  });

  it("slows down only the part of a task that computes", () => {
    const half = { runMs: 100, cpuMs: 50 };
    const machine = { freeCores: 1, freeMemoryBytes: 0, warmWorkspaces: 0 };
    const run = forecast(graphOf({ a: {}, b: {}, c: {}, d: {} }), { a: half, b: half, c: half, d: half }, { machine });
    expect(lengthOf(run, apart(4))).toBeCloseTo(150);
  });

  it("pays for each workspace: warm ones first, then used ones, then new ones", () => {
    const spinUp = { warmMs: 1, recycleMs: 10, coldMs: 100 };
    const machine = { freeCores: 9, freeMemoryBytes: 0, warmWorkspaces: 1 };
    const graph = graphOf({ a: { writes: [] }, b: { writes: [] }, c: { writes: [] } });
    const run = forecast(graph, { a: waits(500), b: waits(500), c: waits(500) }, { spinUp, machine });
    expect(lengthOf(run, apart(1))).toBeCloseTo(1 + 500 + 10 + 500 + 10 + 500);
    expect(lengthOf(run, apart(2))).toBeCloseTo(1 + 500 + 10 + 500);
    expect(lengthOf(run, apart(3))).toBeCloseTo(600);
  });

  it("makes one workspace for all that share it, and none of their own", () => {
    const spinUp = { warmMs: 1, recycleMs: 10, coldMs: 100 };
    const graph = graphOf({ a: {}, b: {}, writer: { writes: [], needs: ["a", "b"] } });
    const run = forecast(graph, { a: waits(10), b: waits(10), writer: waits(10) }, { spinUp });
    expect(lengthOf(run, { width: 1, share: true })).toBeCloseTo(100 + 10 + 10 + 100 + 10);
  });

  it("runs tasks with one lock one after another, the others meanwhile", () => {
    const graph = graphOf({ a: {}, b: {}, c: {}, free: {} });
    const times = { a: waits(100), b: waits(100), c: waits(100), free: waits(250) };
    const run = forecast(graph, times, { lockOf: (task) => (task === "free" ? undefined : "lock") });
    expect(lengthOf(run, apart(4))).toBeCloseTo(300);
  });

  it("is never shorter with processors it does not have, and never longer with more of them", () => {
    const times = fc.array(
      fc.record({ runMs: fc.integer({ min: 0, max: 10_000 }), part: fc.double({ min: 0, max: 2, noNaN: true }) }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 8 }), (times, width, freeCores) => {
        const graph = graphOf(Object.fromEntries(times.map((_, index) => [`t${index}`, {}])));
        const estimates = Object.fromEntries(
          times.map(({ runMs, part }, index) => [`t${index}`, { runMs, cpuMs: runMs * part }]),
        );
        const on = (cores: number) =>
          lengthOf(
            forecast(graph, estimates, { machine: { freeCores: cores, freeMemoryBytes: 0, warmWorkspaces: 0 } }),
            apart(width),
          );
        const sum = times.reduce((total, { runMs }) => total + runMs, 0);
        expect(on(1000)).toBeLessThanOrEqual(sum + 1);
        expect(on(freeCores)).toBeGreaterThanOrEqual(on(1000) - 1);
      }),
    );
  });

  it("tells the end of what holds the run open from the end of what is detached", () => {
    const graph = graphOf({ a: {}, tell: { needs: ["a"], detach: true } });
    const run = forecast(graph, { a: waits(10), tell: waits(500) });
    expect(simulate(run, apart(2))).toEqual({ heldMs: 10, wholeMs: 510 });
  });

  it("ends for any numbers, also for none and for a task that takes a year", () => {
    expect(lengthOf(forecast(graphOf({}), {}), apart(1))).toBe(0);
    const graph = graphOf({ a: {}, b: { needs: ["a"] } });
    const year = 365 * 86_400_000;
    expect(lengthOf(forecast(graph, { a: computes(year), b: waits(0) }), apart(2))).toBeCloseTo(year, -1);
  });
});
