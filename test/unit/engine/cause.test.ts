import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { causeOfFiring, DEFAULT_DEPTH, stopOf, type Cause } from "../../../src/engine/cause.ts";

interface Rule {
  readonly name: string;
  readonly again: boolean;
}

/** Lets every firing lead to one event for all rules, as runs do, until all are stopped. */
function follow(rules: readonly Rule[], depth: number, most: number): { fired: string[]; stops: Set<string> } {
  const fired: string[] = [];
  const stops = new Set<string>();
  const open: (Cause | undefined)[] = [undefined];
  while (open.length > 0 && fired.length < most) {
    const cause = open.shift();
    for (const { name, again } of rules) {
      const stop = stopOf(name, cause, again, depth);
      if (stop === undefined) {
        fired.push(name);
        open.push(causeOfFiring(name, [cause], () => "c"));
      } else stops.add(stop);
    }
  }
  return { fired, stops };
}

describe("what led to an event", () => {
  it("keeps a trigger from firing on its own work, directly or through others", () => {
    expect(follow([{ name: "r/a", again: false }], DEFAULT_DEPTH, 100)).toEqual({
      fired: ["r/a"],
      stops: new Set(["own-work"]),
    });
    const [a, b] = [
      { name: "r/a", again: false },
      { name: "r/b", again: false },
    ];
    const { fired, stops } = follow([a, b], DEFAULT_DEPTH, 100);
    expect(fired).toEqual(["r/a", "r/b", "r/b", "r/a"]);
    expect(stops).toEqual(new Set(["own-work"]));
  });

  it("stops at the depth of the chain where a trigger may fire again", () => {
    expect(follow([{ name: "r/a", again: true }], DEFAULT_DEPTH, 100)).toEqual({
      fired: Array.from({ length: 8 }, () => "r/a"),
      stops: new Set(["depth"]),
    });
  });

  it("comes to an end, whatever triggers there are", () => {
    const rules = fc
      .array(fc.boolean(), { minLength: 1, maxLength: 3 })
      .map((agains) => agains.map((again, index) => ({ name: `r/t${index}`, again })));
    fc.assert(
      fc.property(rules, fc.integer({ min: 1, max: 5 }), (all, depth) => {
        const most = (all.length + 1) ** (depth + 1);
        expect(follow(all, depth, most).fired.length).toBeLessThan(most);
      }),
    );
  });

  it("only ever gets deeper, and forgets no trigger", () => {
    const cause: fc.Arbitrary<Cause | undefined> = fc.option(
      fc.record({
        chain: fc.constantFrom("c1", "c2"),
        depth: fc.integer({ min: 1, max: 20 }),
        triggers: fc.array(fc.constantFrom("r/a", "r/b", "r/c"), { minLength: 1 }),
      }),
      { nil: undefined },
    );
    fc.assert(
      fc.property(fc.array(cause, { maxLength: 5 }), (causes) => {
        const next = causeOfFiring("r/t", causes, () => "new");
        const depths = causes.map((one) => one?.depth ?? 0);
        expect(next.depth).toBe(Math.max(0, ...depths) + 1);
        expect(new Set(next.triggers)).toEqual(new Set(["r/t", ...causes.flatMap((one) => one?.triggers ?? [])]));
        expect(next.chain).toBe(causes.find((one) => one?.depth === Math.max(...depths))?.chain ?? "new");
      }),
    );
  });
});
