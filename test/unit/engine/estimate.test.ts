import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ASSUMED, estimateFrom, median, withoutWaiting } from "../../../src/engine/estimate.ts";

const positive = fc.double({ min: 0, max: 1e9, noNaN: true });

describe("an estimate", () => {
  it("is assumed, and says so, for a task that never ran", () => {
    expect(estimateFrom([])).toEqual(ASSUMED);
    expect(ASSUMED.samples).toBe(0);
  });

  it("takes the middle of the times, which one odd run cannot move, and the most memory", () => {
    const measured = [100, 110, 90_000, 95, 105].map((runMs) => ({ runMs, cpuMs: runMs / 2, memoryBytes: runMs }));
    expect(estimateFrom(measured)).toEqual({ runMs: 105, cpuMs: 52.5, memoryBytes: 90_000, samples: 5 });
  });

  it("has a middle with as many values below as above", () => {
    fc.assert(
      fc.property(fc.array(positive, { minLength: 1 }), (values) => {
        const middle = median(values);
        const below = values.filter((value) => value < middle).length;
        const above = values.filter((value) => value > middle).length;
        expect(below).toBeLessThanOrEqual(values.length / 2);
        expect(above).toBeLessThanOrEqual(values.length / 2);
      }),
    );
    expect(median([])).toBeNaN();
    expect(median([1, 2])).toBe(1.5);
  });

  it("takes off what a task waited for a processor, but never claims it ran faster than its work or slower than it did", () => {
    fc.assert(
      fc.property(positive, positive, positive, fc.integer({ min: 1, max: 64 }), (runMs, waitedMs, cpuMs, cores) => {
        const own = withoutWaiting(runMs, waitedMs, cpuMs, cores);
        expect(own).toBeLessThanOrEqual(runMs);
        expect(own).toBeGreaterThanOrEqual(Math.min(runMs, cpuMs / cores));
      }),
    );
    expect(withoutWaiting(1000, 400, 500, 2)).toBe(600);
  });
});
