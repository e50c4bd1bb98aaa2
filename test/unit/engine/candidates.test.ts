import { describe, expect, it } from "vitest";

import { candidateGroups, isDecidable, rankCandidates } from "../../../src/engine/candidates.ts";
import type { TaskStatus } from "../../../src/engine/task.ts";
import { graphOf } from "../../fixtures/plans.ts";

describe("the candidates of which the best lands", () => {
  it("are the final tasks of a run that says so, and what a task needs that says so", () => {
    const run = graphOf({ a: { writes: [] }, b: { writes: [] } });
    expect(candidateGroups(run, "best-of-n")).toEqual([["a", "b"]]);
    const inner = graphOf({ a: { writes: [] }, b: { writes: [] }, c: { needs: ["a", "b"], join: "best-of-n" } });
    expect(candidateGroups(inner, "all")).toEqual([["a", "b"]]);
  });

  it("are nobody where nobody says so", () => {
    expect(candidateGroups(graphOf({ a: { writes: [] } }), "first")).toEqual([]);
  });

  it("must write: of nothing there is no best", () => {
    expect(() => candidateGroups(graphOf({ a: {}, b: { writes: [] } }), "best-of-n")).toThrow(
      expect.objectContaining({ code: "GRAPH_INVALID" }),
    );
  });

  it("are chosen from when each has something to show or has ended", () => {
    const states: Record<string, TaskStatus> = {
      a: { state: "landing", outcome: undefined },
      b: { state: "ended", outcome: "failed" },
      c: { state: "working", outcome: undefined },
    };
    const statusOf = (name: string): TaskStatus => states[name] ?? { state: "waiting", outcome: undefined };
    expect(isDecidable(["a", "b"], statusOf)).toBe(true);
    expect(isDecidable(["a", "b", "c"], statusOf)).toBe(false);
  });

  it("are tried from the smallest change on, equal ones as they were written", () => {
    const ranked = rankCandidates([
      { name: "long", changedLines: 90, position: 0 },
      { name: "second", changedLines: 3, position: 2 },
      { name: "first", changedLines: 3, position: 1 },
    ]);
    expect(ranked.map(({ name }) => name)).toEqual(["first", "second", "long"]);
  });
});
