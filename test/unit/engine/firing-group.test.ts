import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { decideGroup } from "../../../src/engine/firing-group.ts";
import type { GroupSpec } from "../../../src/engine/trigger.ts";
import { playGroup } from "../../fixtures/flow-play.ts";
import { expectProportionate } from "../../fixtures/work.ts";

const group: fc.Arbitrary<GroupSpec> = fc.record({
  name: fc.constant("g"),
  limit: fc.integer({ min: 1, max: 3 }),
  policy: fc.constantFrom("queue", "replace-pending", "cancel-in-progress", "skip"),
});
const waiting = fc
  .array(fc.record({ priority: fc.integer({ min: -1, max: 1 }), createdMs: fc.integer({ min: 0, max: 5 }) }), {
    maxLength: 8,
  })
  .map((firings) => firings.map((firing, index) => ({ ...firing, id: `w${index}` })));
const running = fc
  .array(fc.record({ startedMs: fc.integer({ min: 0, max: 5 }), cancelling: fc.boolean() }), { maxLength: 5 })
  .map((runs) => runs.map((run, index) => ({ ...run, id: `r${index}` })));

describe("a group of firings", () => {
  it("never runs more than its limit, and says one thing of each firing", () => {
    fc.assert(
      fc.property(group, waiting, running, (spec, firings, runs) => {
        const { start, replace, cancel, drop } = decideGroup(spec, firings, runs);
        expect(start.length + runs.length).toBeLessThanOrEqual(Math.max(spec.limit, runs.length));
        const named = [...start, ...replace, ...drop];
        expect(new Set(named).size).toBe(named.length);
        expect(named.every((id) => firings.some((firing) => firing.id === id))).toBe(true);
        expect(cancel.every((id) => runs.some((run) => run.id === id && !run.cancelling))).toBe(true);
        expect(cancel.length).toBeLessThanOrEqual(firings.length);
        // Nobody waits while there is room.
        if (start.length < firings.length) expect(start.length + runs.length).toBeGreaterThanOrEqual(spec.limit);
      }),
      { numRuns: 1000 },
    );
  });

  it("comes to an end with every firing that it is given", () => {
    const arrivals = fc.array(
      fc.record({ atMs: fc.integer({ min: 0, max: 60 }), priority: fc.integer({ min: 0, max: 2 }) }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(group, arrivals, (spec, comes) => {
        const sorted = comes.toSorted((a, b) => a.atMs - b.atMs);
        const runs = playGroup(spec, sorted, 20, 3);
        expect(runs).toHaveLength(comes.length);
        expect(runs.some(({ end }) => end === "ran")).toBe(true);
        if (spec.policy === "queue") expect(runs.every(({ end }) => end === "ran")).toBe(true);
      }),
    );
  });

  it("keeps the newest of those with the highest priority where one may wait", () => {
    const firings = [
      { id: "old", priority: 0, createdMs: 1 },
      { id: "high", priority: 5, createdMs: 2 },
      { id: "higher and newer", priority: 5, createdMs: 3 },
      { id: "newest", priority: 0, createdMs: 4 },
    ];
    const busy = [{ id: "r", startedMs: 0, cancelling: false }];
    const { start, replace } = decideGroup({ name: "g", limit: 1, policy: "replace-pending" }, firings, busy);
    expect(start).toEqual([]);
    expect(replace.toSorted()).toEqual(["high", "newest", "old"]);
  });

  it("queues by priority, then by age", () => {
    fc.assert(
      fc.property(waiting, fc.integer({ min: 1, max: 4 }), (firings, limit) => {
        const { start } = decideGroup({ name: "g", limit, policy: "queue" }, firings, []);
        const byTurn = firings.toSorted((a, b) => b.priority - a.priority || a.createdMs - b.createdMs);
        expect(start).toEqual(byTurn.slice(0, limit).map(({ id }) => id));
      }),
    );
  });

  it("chooses in time in proportion to those that wait", () => {
    expectProportionate([1000, 10_000], (count) => {
      const many = Array.from({ length: count }, (_, index) => ({
        id: `w${index}`,
        priority: index % 3,
        createdMs: index,
      }));
      return () => {
        for (let turn = 0; turn < 100; turn += 1) decideGroup({ name: "g", limit: 1, policy: "queue" }, many, []);
      };
    });
  });

  it("asks nobody twice to make way", () => {
    const firings = [{ id: "w", priority: 0, createdMs: 9 }];
    const runs = [
      { id: "ending", startedMs: 0, cancelling: true },
      { id: "other", startedMs: 1, cancelling: false },
    ];
    const decision = decideGroup({ name: "g", limit: 2, policy: "cancel-in-progress" }, firings, runs);
    expect(decision).toEqual({ start: [], replace: [], cancel: [], drop: [] });
  });
});
