import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { advance } from "../../../src/engine/advance.ts";
import { orderEffects } from "../../../src/engine/effects.ts";
import { buildGraph, predecessorsOf, requirePlan, type Graph } from "../../../src/engine/graph.ts";
import { OUTCOMES, type TaskPlan, type TaskStatus } from "../../../src/engine/task.ts";
import { anyPlans, taskPlan } from "../../fixtures/plans.ts";
import { expectProportionate } from "../../fixtures/work.ts";

const EACH = { join: "all", land: "each" } as const;
const deploy = (name: string, more: Partial<TaskPlan> = {}): TaskPlan =>
  taskPlan(name, { effect: "irreversible", ...more });
const writer = (name: string, more: Partial<TaskPlan> = {}): TaskPlan => taskPlan(name, { writes: [], ...more });

function afterOf(plans: readonly TaskPlan[]): Record<string, readonly string[]> {
  return Object.fromEntries(orderEffects(plans, EACH).map(({ name, after }) => [name, after]));
}

/** Tasks of which some write and some cannot be taken back. */
const anyEffects = fc
  .tuple(anyPlans, fc.array(fc.constantFrom("writes", "irreversible", "neither"), { minLength: 12, maxLength: 12 }))
  .map(([plans, roles]) => {
    const raced = new Set(plans.filter(({ join }) => join !== "all").flatMap((plan) => upstream(plans, plan)));
    return plans.map((plan, index): TaskPlan => {
      const role = roles[index];
      if (role === "irreversible" && !raced.has(plan.name)) return { ...plan, effect: "irreversible" };
      return role === "writes" ? { ...plan, writes: [] } : plan;
    });
  });

function upstream(plans: readonly TaskPlan[], plan: TaskPlan): string[] {
  const found = new Set(plan.needs);
  for (const name of found) for (const need of plans.find((one) => one.name === name)?.needs ?? []) found.add(need);
  return [...found];
}

function descendants(graph: Graph, name: string): Set<string> {
  const found = new Set([name]);
  for (const one of found) for (const follower of graph.followers.get(one) ?? []) found.add(follower);
  return found;
}

/** Plays a run through to its end, each task ending as the dice say, and tells of each task that becomes ready. */
function play(graph: Graph, dice: () => number, ready: (name: string, statusOf: (name: string) => TaskStatus) => void) {
  const statuses = new Map<string, TaskStatus>(
    graph.order.map((name) => [name, { state: "waiting", outcome: undefined }]),
  );
  const statusOf = (name: string): TaskStatus => statuses.get(name) ?? { state: "waiting", outcome: undefined };
  // As a change of a run is worked out: all that follows at once, then what follows from that.
  const look = (begun: readonly string[]): void => {
    for (let changed = begun; changed.length > 0;) {
      const openTasks = [...statuses].filter(
        ([name, { state }]) => state !== "ended" && !requirePlan(graph, name).detach,
      );
      const view = { graph, join: "all", cancelRequested: false, together: undefined, ended: false, statusOf } as const;
      const next: string[] = [];
      for (const step of advance({ ...view, openTasks: openTasks.length }, changed)) {
        if (step.type === "ready") {
          ready(step.task, statusOf);
          statuses.set(step.task, { state: "ready", outcome: undefined });
        } else if (step.type === "skip" || step.type === "stop") {
          const outcome = step.type === "skip" ? "skipped" : "cancelled";
          if (statusOf(step.task).state === "ended") continue;
          statuses.set(step.task, { state: "ended", outcome });
          next.push(step.task);
        }
      }
      changed = next;
    }
  };
  const end = (name: string, outcome: TaskStatus["outcome"]): void => {
    statuses.set(name, { state: "ended", outcome });
    look([name]);
  };
  look(graph.order);
  for (;;) {
    const open = graph.order.filter((name) => statusOf(name).state === "ready");
    const next = open[dice() % Math.max(1, open.length)];
    if (next === undefined) return statuses;
    end(next, OUTCOMES[dice() % OUTCOMES.length]);
  }
}

describe("an irreversible task", () => {
  it("comes after every task that writes and does not come after it", () => {
    expect(afterOf([writer("fix"), deploy("deploy"), writer("tag", { needs: ["deploy"] }), taskPlan("lint")])).toEqual({
      fix: [],
      deploy: ["fix"],
      tag: [],
      lint: [],
    });
  });

  it("comes after a writer that a task it waits for would have waited for, had that not been skipped", () => {
    const plans = [
      taskPlan("tests"),
      writer("fix"),
      taskPlan("check", { needs: ["tests", "fix"] }),
      deploy("tell", { needs: ["check"], when: "always" }),
    ];
    expect(afterOf(plans)["tell"]).toEqual(["fix"]);
    expect(afterOf([...plans.slice(0, 3), deploy("tell", { needs: ["check"] })])["tell"]).toEqual([]);
  });

  it("goes before another one that was written later, where both have writers after them", () => {
    const plans = [
      deploy("first"),
      writer("a", { needs: ["first"] }),
      deploy("second"),
      writer("b", { needs: ["second"] }),
    ];
    expect(afterOf(plans)).toEqual({ first: [], a: [], second: ["a"], b: [] });
  });

  it("starts when every writer that does not come after it has ended, in whatever graph and however tasks end", () => {
    let started = 0;
    fc.assert(
      fc.property(anyEffects, fc.infiniteStream(fc.nat()), (plans, stream) => {
        const graph = buildGraph(orderEffects(plans, EACH));
        const statuses = play(
          graph,
          () => stream.next().value as number,
          (name, statusOf) => {
            if (requirePlan(graph, name).effect !== "irreversible") return;
            started += 1;
            const later = descendants(graph, name);
            for (const [other, { writes }] of graph.tasks)
              if (writes !== "none" && !later.has(other))
                expect(statusOf(other).state, `${other} before ${name}`).toBe("ended");
          },
        );
        expect([...statuses.values()].filter(({ state }) => state !== "ended")).toEqual([]);
      }),
      { numRuns: 500 },
    );
    expect(started).toBeGreaterThan(100);
  });

  it("takes nothing away from what tasks wait for, and lets no task wait that is not irreversible", () => {
    fc.assert(
      fc.property(anyEffects, (plans) => {
        for (const [index, plan] of orderEffects(plans, EACH).entries()) {
          const before = predecessorsOf(plans[index] ?? plan);
          expect(predecessorsOf(plan)).toEqual(expect.arrayContaining(before));
          if (plan.effect !== "irreversible") expect(plan).toEqual(plans[index]);
        }
      }),
    );
  });

  it("is put after many writers in time in proportion to them", () => {
    expectProportionate([1000, 10_000], (count) => {
      const plans = [...Array.from({ length: count }, (_, index) => writer(`w${index}`)), deploy("deploy")];
      return () => orderEffects(plans, EACH);
    });
  });
});
