import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { completePolicy, describeRefusal, refuseClasses } from "../../../src/landing/class-policy.ts";

const anyClass = fc.constantFrom("A", "B", "C", "D");
const anyRule = fc.constantFrom("land", "verify", "ask");

describe("the rules for classes of merges", () => {
  it("let A, B and D land, and C where all commands pass, where nothing is said", () => {
    const classes = completePolicy({});
    for (const isVerified of [true, false]) {
      for (const found of ["A", "B", "D"] as const)
        expect(refuseClasses({ classes, isVerified }, [found])).toBeUndefined();
    }
    expect(refuseClasses({ classes, isVerified: true }, ["C"])).toBeUndefined();
    expect(refuseClasses({ classes, isVerified: false }, ["C"])).toEqual({ class: "C", why: "unverified" });
  });

  it("hold for every step: a policy's choice does not carry tokens along", () => {
    const rules = { classes: completePolicy({}), isVerified: false };
    expect(refuseClasses(rules, ["A", "C", "D"])).toEqual({ class: "C", why: "unverified" });
    expect(refuseClasses({ ...rules, classes: completePolicy({ D: "ask" }) }, ["C", "D"])).toEqual({
      class: "D",
      why: "asks",
    });
  });

  it("refuse exactly what asks, and what wants verification and has none", () => {
    const anyPolicy = fc.record({ A: anyRule, B: anyRule, C: anyRule, D: anyRule });
    fc.assert(
      fc.property(anyPolicy, fc.boolean(), fc.array(anyClass), (given, isVerified, found) => {
        const refused = refuseClasses({ classes: completePolicy(given), isVerified }, found);
        const mayLand = found.every((one) => given[one] === "land" || (given[one] === "verify" && isVerified));
        expect(refused === undefined).toBe(mayLand);
        if (refused !== undefined) expect(describeRefusal(refused)).toContain(`class ${refused.class}`);
      }),
    );
  });
});
