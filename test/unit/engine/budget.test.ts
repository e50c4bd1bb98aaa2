import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { NO_USAGE, type Usage } from "../../../src/engine/agent.ts";
import { addUsage, describeOverrun, NOTHING_SPENT, overrun, tokensOf, type Spent } from "../../../src/engine/budget.ts";
import { SpendingTree } from "../../../src/engine/spending-tree.ts";

const count = fc.nat({ max: 1_000_000 });
const usage: fc.Arbitrary<Usage> = fc.record({
  inputTokens: count,
  outputTokens: count,
  cacheReadTokens: count,
  cacheWriteTokens: count,
  turns: fc.nat({ max: 100 }),
  // Halves are added without an error of rounding.
  usd: fc.option(
    fc.nat({ max: 1000 }).map((halves) => halves / 2),
    { nil: undefined },
  ),
});
const spent: fc.Arbitrary<Spent> = fc.record({ usage, estimated: fc.boolean() });

/** Nodes in a tree, each below an earlier one or a root; and records of what sessions at them have used by then. */
const trees = fc.array(fc.option(fc.nat()), { minLength: 1, maxLength: 12 }).chain((picks) =>
  fc.record({
    aboves: fc.constant(picks.map((pick, index) => (pick === null || index === 0 ? undefined : pick % index))),
    records: fc.array(fc.record({ node: fc.nat({ max: picks.length - 1 }), session: fc.nat({ max: 2 }), spent }), {
      maxLength: 40,
    }),
  }),
);

describe("what is spent in a tree", () => {
  it("is at each node the sum of the newest of all sessions at and below it, and an estimate if any of it is", () => {
    fc.assert(
      fc.property(trees, ({ aboves, records }) => {
        const tree = new SpendingTree();
        for (const [index, above] of aboves.entries()) {
          const key = above === undefined ? undefined : `n${above}`;
          tree.add(`n${index}`, { above: key, budget: {}, sinceMs: undefined });
        }
        const newest = new Map<string, { readonly node: number; readonly spent: Spent }>();
        for (const { node, session, spent } of records) {
          tree.record(`n${node}`, `s${session}`, spent);
          newest.set(`n${node}s${session}`, { node, spent });
        }
        const isBelow = (node: number | undefined, top: number): boolean =>
          node !== undefined && (node === top || isBelow(aboves[node], top));
        for (const top of aboves.keys()) {
          const leaves = [...newest.values()].filter(({ node }) => isBelow(node, top));
          const sum = leaves.reduce((total, { spent }) => addUsage(total, spent.usage), NO_USAGE);
          const told = tree.spent(`n${top}`).usage;
          expect({ ...told, usd: told.usd ?? 0 }).toEqual({ ...sum, usd: sum.usd ?? 0 });
          const was = records.some(({ node, spent }) => spent.estimated && isBelow(node, top));
          expect(tree.spent(`n${top}`).estimated).toBe(was);
        }
      }),
    );
  });

  it("counts for the budgets of everything above it, the nearest first (invariant 12)", () => {
    const tree = new SpendingTree();
    tree.add("run", { above: undefined, budget: { tokens: 100, ms: 5000 }, sinceMs: 1000 });
    tree.add("run/task", { above: "run", budget: {}, sinceMs: undefined });
    tree.add("child", { above: "run/task", budget: { tokens: 60 }, sinceMs: 2000 });
    tree.add("child/a", { above: "child", budget: {}, sinceMs: undefined });
    tree.add("child/b", { above: "child", budget: {}, sinceMs: undefined });
    const use = (inputTokens: number): Spent => ({ usage: { ...NO_USAGE, inputTokens }, estimated: false });
    tree.record("child/a", "1", use(30));
    expect(tree.overrun("child/b", 2000, true)).toBeUndefined();
    tree.record("child/b", "1", use(30));
    expect(tree.overrun("child/a", 2000, false)).toEqual({ limit: "tokens", used: 60, allowed: 60, whose: "child" });
    expect(tree.overrun("run/task", 2000, true)).toBeUndefined();
    tree.record("run/task", "1", use(40));
    expect(tree.overrun("run/task", 2000, true)).toMatchObject({ whose: "run", used: 100 });
    expect(tree.msLeft("child/a", 2000)).toBe(4000);
    // What has ended and is forgotten stays spent.
    for (const key of ["child/a", "child/b", "child"]) tree.remove(key);
    expect(tree.has("child")).toBe(false);
    expect(tree.spent("run").usage.inputTokens).toBe(100);
  });

  it("is not forgotten while something belongs to it", () => {
    const tree = new SpendingTree();
    tree.add("run", { above: undefined, budget: {}, sinceMs: 0 });
    tree.add("run/task", { above: "run", budget: {}, sinceMs: 0 });
    tree.remove("run");
    expect(tree.has("run")).toBe(true);
    expect(tree.spent("unknown")).toEqual(NOTHING_SPENT);
  });
});

describe("a budget", () => {
  const used: Usage = { ...NO_USAGE, inputTokens: 10, cacheReadTokens: 30, outputTokens: 5, turns: 3, usd: 0.5 };

  it("is spent when nothing is left of one of its parts", () => {
    expect(tokensOf(used)).toBe(45);
    expect(overrun({ tokens: 46, usd: 0.51, ms: 1001, turns: 4 }, used, 1000, true)).toBeUndefined();
    expect(overrun({ tokens: 45 }, used, 0, false)).toEqual({ limit: "tokens", used: 45, allowed: 45 });
    expect(overrun({ usd: 0.5 }, used, 0, false)).toEqual({ limit: "usd", used: 0.5, allowed: 0.5 });
    expect(overrun({ ms: 1000 }, used, 1000, false)).toMatchObject({ limit: "ms" });
    expect(overrun({}, used, 1e9, true)).toBeUndefined();
  });

  it("lets the last turn it allows come to its end, and no other begin", () => {
    expect(overrun({ turns: 3 }, used, 0, false)).toBeUndefined();
    expect(overrun({ turns: 3 }, used, 0, true)).toMatchObject({ limit: "turns" });
    expect(overrun({ turns: 2 }, used, 0, false)).toMatchObject({ limit: "turns", used: 3, allowed: 2 });
  });

  it("says in words how far it went", () => {
    expect(describeOverrun({ limit: "usd", used: 2.034, allowed: 2 })).toBe("$2.03 of $2.00");
    expect(describeOverrun({ limit: "ms", used: 90_000, allowed: 60_000 })).toBe("1.5 of 1.0 minutes");
    expect(describeOverrun({ limit: "turns", used: 4, allowed: 3 })).toBe("4 of 3 turns");
  });
});
