import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { advance, type Step, type Together } from "../../../src/engine/advance.ts";
import { buildGraph, requirePlan, type Graph } from "../../../src/engine/graph.ts";
import { isFailure, type Join, type Outcome, type TaskPlan, type TaskStatus } from "../../../src/engine/task.ts";
import { anyPlans, graphOf, taskPlan } from "../../fixtures/plans.ts";
import { expectProportionate } from "../../fixtures/work.ts";

/** A run that is played through: what follows from each change is applied until nothing follows. */
class Play {
  readonly graph: Graph;
  readonly join: Join;
  readonly statuses: Map<string, TaskStatus>;
  readonly said: Step[] = [];
  outcome: Outcome | undefined;
  cancelRequested = false;
  together: Together | undefined;
  #open: number;

  constructor(graph: Graph, join: Join = "all", together?: Together) {
    this.graph = graph;
    this.join = join;
    this.together = together;
    this.statuses = new Map(graph.order.map((name) => [name, { state: "waiting", outcome: undefined }]));
    this.#open = graph.order.filter((name) => !requirePlan(graph, name).detach).length;
    this.look(graph.order);
  }

  statusOf(name: string): TaskStatus {
    return this.statuses.get(name) ?? { state: "waiting", outcome: undefined };
  }

  stateOf(name: string): string {
    const { state, outcome } = this.statusOf(name);
    return outcome ?? state;
  }

  ready(): string[] {
    return this.graph.order.filter((name) => this.statusOf(name).state === "ready");
  }

  end(name: string, outcome: Outcome): void {
    this.endAtOnce([[name, outcome]]);
  }

  endAtOnce(ends: readonly (readonly [name: string, outcome: Outcome])[]): void {
    for (const [name, outcome] of ends) {
      if (this.statusOf(name).state === "ended") throw new Error(`${name} ended twice`);
      this.statuses.set(name, { ...this.statusOf(name), state: "ended", outcome });
      if (!requirePlan(this.graph, name).detach) this.#open -= 1;
    }
    this.look(ends.map(([name]) => name));
  }

  look(changed: readonly string[]): void {
    const steps = advance(
      {
        graph: this.graph,
        join: this.join,
        cancelRequested: this.cancelRequested,
        together: this.together,
        ended: this.outcome !== undefined,
        statusOf: (name) => this.statusOf(name),
        openTasks: this.#open,
      },
      changed,
    );
    this.said.push(...steps);
    const next: string[] = [];
    for (const step of steps) next.push(...this.#take(step));
    if (next.length > 0) this.look(next);
  }

  #take(step: Step): string[] {
    if (step.type === "end") {
      if (this.outcome !== undefined) throw new Error("the run ended twice");
      this.outcome = step.outcome;
      return [];
    }
    if (step.type === "land") {
      if (this.together !== "open") throw new Error("the run was asked to land twice");
      this.together = "wanted";
      return [];
    }
    const before = this.statusOf(step.task);
    if (step.type === "ready") {
      if (before.state !== "waiting") throw new Error(`${step.task} became ready when ${before.state}`);
      this.statuses.set(step.task, { state: "ready", outcome: undefined });
      return [step.task];
    }
    // As in the daemon: what does not run yet ends at once, what runs is asked to.
    const skipped = step.type === "skip";
    if (skipped && before.state !== "waiting") throw new Error(`${step.task} was skipped when ${before.state}`);
    if (before.state === "ended") return [];
    this.statuses.set(step.task, { state: "ended", outcome: skipped ? "skipped" : "cancelled", lostRace: !skipped });
    if (!requirePlan(this.graph, step.task).detach) this.#open -= 1;
    return [step.task];
  }
}

const play = (tasks: Readonly<Record<string, Partial<TaskPlan>>>, join?: Join): Play => new Play(graphOf(tasks), join);

describe("what follows from a change", () => {
  it("starts at once what needs nothing, and nothing else", () => {
    const run = play({ a: {}, b: { needs: ["a"] }, c: {} });
    expect(run.ready()).toEqual(["a", "c"]);
    expect(run.stateOf("b")).toBe("waiting");
  });

  it("starts a task when its needs have all succeeded", () => {
    const run = play({ a: {}, b: {}, c: { needs: ["a", "b"] } });
    run.end("a", "succeeded");
    expect(run.stateOf("c")).toBe("waiting");
    run.end("b", "succeeded");
    expect(run.stateOf("c")).toBe("ready");
  });

  it("skips a task as soon as one need has not succeeded, and all that need it, though others still run", () => {
    const run = play({ a: {}, slow: {}, c: { needs: ["slow", "a"] }, d: { needs: ["c"] }, e: { needs: ["d"] } });
    run.end("a", "failed");
    expect(["c", "d", "e"].map((name) => run.stateOf(name))).toEqual(["skipped", "skipped", "skipped"]);
    expect(run.said.filter((step) => step.type === "skip").map((step) => step.because)).toEqual([
      "a failed",
      "c skipped",
      "d skipped",
    ]);
    expect(run.outcome).toBeUndefined();
    run.end("slow", "succeeded");
    expect(run.outcome).toBe("failed");
  });

  it("starts a task with `when: failure` when any need failed or was lost, and only when all have ended", () => {
    for (const outcome of ["failed", "lost"] as const) {
      const run = play({ a: {}, b: {}, fix: { needs: ["a", "b"], when: "failure" } });
      run.end("a", outcome);
      expect(run.stateOf("fix")).toBe("waiting");
      run.end("b", "succeeded");
      expect(run.stateOf("fix")).toBe("ready");
    }
  });

  it("skips a task with `when: failure` when none failed; to be cancelled or skipped is no failure", () => {
    for (const outcome of ["succeeded", "cancelled"] as const) {
      const run = play({ a: {}, fix: { needs: ["a"], when: "failure" } });
      run.end("a", outcome);
      expect(run.stateOf("fix")).toBe("skipped");
    }
    const run = play({ a: {}, b: { needs: ["a"] }, fix: { needs: ["b"], when: "failure" } });
    run.end("a", "failed");
    expect(run.stateOf("fix")).toBe("skipped");
  });

  it("starts a task with `when: always` however its needs ended, also when they were skipped", () => {
    const run = play({ a: {}, b: { needs: ["a"] }, tell: { needs: ["a", "b"], when: "always" } });
    run.end("a", "lost");
    expect(run.stateOf("tell")).toBe("ready");
  });

  it("holds a task back for what it only comes after, however that ends", () => {
    const run = play({ a: {}, b: { after: ["a"] } });
    expect(run.stateOf("b")).toBe("waiting");
    run.end("a", "failed");
    expect(run.stateOf("b")).toBe("ready");
  });

  it("ends the run with its last task, and says how: failed over cancelled over succeeded", () => {
    for (const [a, b, outcome] of [
      ["succeeded", "succeeded", "succeeded"],
      ["failed", "succeeded", "failed"],
      ["lost", "cancelled", "failed"],
      ["cancelled", "succeeded", "cancelled"],
    ] as const) {
      const run = play({ a: {}, b: {} });
      run.end("a", a);
      expect(run.outcome).toBeUndefined();
      run.end("b", b);
      expect(run.outcome).toBe(outcome);
    }
  });

  it("calls a run cancelled when that was asked for, however its tasks ended", () => {
    const run = play({ a: {} });
    run.cancelRequested = true;
    run.end("a", "failed");
    expect(run.outcome).toBe("cancelled");
  });

  it("does not hold a run open for its detached tasks, nor judge it by them", () => {
    const run = play({ a: {}, tell: { needs: ["a"], when: "always", detach: true } });
    run.end("a", "succeeded");
    expect(run.outcome).toBe("succeeded");
    expect(run.stateOf("tell")).toBe("ready");
    run.end("tell", "failed");
    expect(run.outcome).toBe("succeeded");
    expect(play({ only: { detach: true } }).outcome).toBe("succeeded");
  });
});

describe("the first of several needs", () => {
  const race = { a: {}, b: {}, c: {}, use: { needs: ["a", "b", "c"], join: "first" } } as const;

  it("is enough to start, stops the others and names the one that was first", () => {
    const run = play(race);
    run.end("a", "failed");
    expect(run.stateOf("use")).toBe("waiting");
    run.end("b", "succeeded");
    expect(run.stateOf("use")).toBe("ready");
    expect(run.said.filter((step) => step.type === "stop")).toEqual([{ type: "stop", task: "c", winner: "b" }]);
  });

  it("decides the run's outcome: what the losers did does not", () => {
    const run = play(race);
    run.end("b", "failed");
    run.end("a", "succeeded");
    run.end("use", "succeeded");
    expect(run.outcome).toBe("succeeded");
  });

  it("never comes when all have ended otherwise: the task is skipped and the run has failed", () => {
    const run = play(race);
    for (const name of ["a", "b", "c"]) run.end(name, "failed");
    expect(run.stateOf("use")).toBe("skipped");
    expect(run.said.find((step) => step.type === "skip")?.because).toBe("none of a, b, c succeeded");
    expect(run.outcome).toBe("failed");
  });

  it("stops no loser that somebody else needs", () => {
    const run = play({ ...race, also: { needs: ["c"] } });
    run.end("a", "succeeded");
    expect(run.stateOf("b")).toBe("cancelled");
    expect(run.stateOf("c")).toBe("ready");
  });

  it("stops also what only the losers needed, and forgives its failure", () => {
    const tasks = {
      a: {},
      prepare: {},
      b: { needs: ["prepare"] },
      shared: {},
      c: { needs: ["shared"] },
      other: { needs: ["shared"] },
      use: { needs: ["a", "b", "c"], join: "first" },
    } as const;
    const run = play(tasks);
    run.end("a", "succeeded");
    expect(["prepare", "b", "c"].map((name) => run.stateOf(name))).toEqual(["cancelled", "cancelled", "cancelled"]);
    expect(run.stateOf("shared")).toBe("ready");

    const late = play(tasks);
    late.end("prepare", "failed");
    late.end("a", "succeeded");
    for (const name of ["shared", "other", "use"]) late.end(name, "succeeded");
    expect(late.outcome).toBe("succeeded");
  });

  it("stops a loser that the same change would have made ready, instead of both", () => {
    const run = play({ a: {}, use: { needs: ["a", "b"], join: "first" }, b: { needs: ["a"] } });
    run.end("a", "succeeded");
    expect(run.stateOf("b")).toBe("cancelled");
    expect(run.stateOf("use")).toBe("ready");
  });

  it("is found also where others ended at the same moment, before it or after it", () => {
    const [lost, won] = [["b", "failed"] as const, ["a", "succeeded"] as const];
    for (const ends of [
      [lost, won],
      [won, lost],
      [lost, won, ["c", "failed"] as const],
    ]) {
      const run = play(race);
      run.endAtOnce(ends);
      expect(run.stateOf("use")).toBe("ready");
    }
  });

  it("ends the trying one after another: what has not been tried is not tried any more", () => {
    const run = play({
      a: {},
      b: { after: ["a"] },
      c: { after: ["b"] },
      use: { needs: ["a", "b", "c"], join: "first", after: ["c"] },
    });
    run.end("a", "failed");
    expect(run.ready()).toEqual(["b"]);
    run.end("b", "succeeded");
    expect(run.stateOf("c")).toBe("cancelled");
    expect(run.stateOf("use")).toBe("ready");
  });
});

describe("a run whose join is the first", () => {
  it("ends with the first of its final tasks that succeeds, and stops the others", () => {
    const run = play({ a: {}, prepare: {}, b: { needs: ["prepare"] }, c: {} }, "first");
    run.end("c", "failed");
    run.end("a", "succeeded");
    expect(run.stateOf("prepare")).toBe("cancelled");
    expect(run.stateOf("b")).toBe("cancelled");
    expect(run.outcome).toBe("succeeded");
  });

  it("is not won by a task that others need", () => {
    const run = play({ a: {}, b: { needs: ["a"] }, c: {} }, "first");
    run.end("a", "succeeded");
    expect(run.stateOf("c")).toBe("ready");
    run.end("b", "succeeded");
    expect(run.outcome).toBe("succeeded");
  });

  it("is neither won by a detached task nor kept from its end by one that tells of it", () => {
    const won = play({ a: {}, b: {}, log: { detach: true } }, "first");
    won.end("log", "succeeded");
    expect(won.ready()).toEqual(["a", "b"]);
    const told = play({ a: {}, b: {}, tell: { needs: ["a", "b"], when: "always", detach: true } }, "first");
    told.end("a", "succeeded");
    expect(told.stateOf("b")).toBe("cancelled");
    expect(told.outcome).toBe("succeeded");
    expect(told.stateOf("tell")).toBe("ready");
  });

  it("forgives what only the beaten needed, and fails when nobody won", () => {
    const run = play({ prepare: {}, a: { needs: ["prepare"] }, b: {} }, "first");
    run.end("prepare", "failed");
    run.end("b", "succeeded");
    expect(run.outcome).toBe("succeeded");
    const lost = play({ a: {}, b: {} }, "first");
    lost.end("a", "failed");
    lost.end("b", "failed");
    expect(lost.outcome).toBe("failed");
  });
});

describe("any run that is played through", () => {
  const moves = fc.array(
    fc.record({
      pick: fc.nat(),
      outcome: fc.constantFrom<Outcome>("succeeded", "succeeded", "failed", "lost", "cancelled"),
    }),
    { minLength: 12, maxLength: 12 },
  );

  it("starts a task only when its needs allow it, ends once, leaves nothing waiting, and does not depend on luck", () => {
    fc.assert(
      fc.property(anyPlans, fc.constantFrom<Join>("all", "first"), moves, (plans, join, moves) => {
        const run = new Play(buildGraph(plans), join);
        for (const { pick, outcome } of moves) {
          const ready = run.ready();
          for (const name of ready) expectSatisfied(run, requirePlan(run.graph, name));
          const name = ready[pick % Math.max(1, ready.length)];
          if (name === undefined) break;
          run.end(name, outcome);
        }
        expect(run.graph.order.filter((name) => run.statusOf(name).state !== "ended")).toEqual([]);
        expect(run.outcome).toBeDefined();
        // Looking again at everything finds nothing more to do.
        const said = run.said.length;
        run.look(run.graph.order);
        expect(run.said.length).toBe(said);
      }),
      { numRuns: 500 },
    );
  });
});

function expectSatisfied(run: Play, plan: TaskPlan): void {
  const needs = plan.needs.map((name) => run.statusOf(name));
  for (const name of plan.after) expect(run.statusOf(name).state).toBe("ended");
  if (needs.length === 0) return;
  const wanted = (need: TaskStatus): boolean =>
    need.state === "ended" &&
    (plan.when === "always" || (plan.when === "success" ? need.outcome === "succeeded" : isFailure(need.outcome)));
  if (plan.join === "first" || plan.when === "failure") expect(needs.some(wanted)).toBe(true);
  else expect(needs.every(wanted)).toBe(true);
  if (plan.join === "all") expect(needs.every((need) => need.state === "ended")).toBe(true);
}

describe("a large run", () => {
  const namesOf = (count: number): string[] => Array.from({ length: count }, (_, index) => `t${index}`);
  const chain = (count: number): Graph =>
    buildGraph(namesOf(count).map((name, index) => taskPlan(name, { needs: index === 0 ? [] : [`t${index - 1}`] })));
  /** Tasks beside each other, with one before and one after them all. */
  const wide = (names: readonly string[], join: Join): Graph =>
    buildGraph([
      taskPlan("before"),
      ...names.map((name) => taskPlan(name, { needs: ["before"] })),
      taskPlan("after", { needs: names, join }),
    ]);

  it("of tasks in a chain is played through, or skipped, in time in proportion to their number", () => {
    expectProportionate([500, 5000], (count) => {
      const run = new Play(chain(count));
      return () => {
        for (const name of run.graph.order) run.end(name, "succeeded");
        expect(run.outcome).toBe("succeeded");
      };
    });
    expectProportionate([500, 5000], (count) => {
      const skipped = new Play(chain(count));
      return () => {
        skipped.end("t0", "failed");
        expect(skipped.outcome).toBe("failed");
      };
    });
  });

  it("of tasks beside each other is played through as fast, whether the last one or the first one decides", () => {
    expectProportionate([500, 5000], (count) => {
      const names = namesOf(count);
      const run = new Play(wide(names, "all"));
      return () => {
        run.end("before", "succeeded");
        for (const name of names) run.end(name, "succeeded");
        expect(run.stateOf("after")).toBe("ready");
      };
    });
    expectProportionate([500, 5000], (count) => {
      const names = namesOf(count);
      const race = new Play(wide(names, "first"), "first");
      return () => {
        race.end("before", "succeeded");
        for (const name of names.slice(0, -1)) race.end(name, "failed");
        race.end(`t${count - 1}`, "succeeded");
        race.end("after", "succeeded");
        expect(race.outcome).toBe("succeeded");
      };
    });
  });
});

describe("a run that lands all of its work at once", () => {
  const whole = (tasks: Readonly<Record<string, Partial<TaskPlan>>>): Play => new Play(graphOf(tasks), "all", "open");

  it("is asked to land when its last task has succeeded, and ends when it has landed", () => {
    const run = whole({ a: { writes: [] }, b: { writes: [] } });
    run.end("a", "succeeded");
    expect(run.together).toBe("open");
    run.end("b", "succeeded");
    expect(run.together).toBe("wanted");
    expect(run.outcome).toBeUndefined();
    run.together = "landed";
    run.look([]);
    expect(run.outcome).toBe("succeeded");
  });

  it("fails when its landing is refused", () => {
    const run = whole({ a: { writes: [] } });
    run.end("a", "succeeded");
    run.together = "refused";
    run.look([]);
    expect(run.outcome).toBe("failed");
  });

  it("is never asked to land when a task has failed", () => {
    const run = whole({ a: { writes: [] }, b: { writes: [] } });
    run.end("a", "failed");
    run.end("b", "succeeded");
    expect(run.together).toBe("open");
    expect(run.outcome).toBe("failed");
  });

  it("can be cancelled until its lane is about to move, and not any more then", () => {
    const early = whole({ a: { writes: [] } });
    early.end("a", "succeeded");
    early.cancelRequested = true;
    early.look([]);
    expect(early.outcome).toBe("cancelled");
    const late = whole({ a: { writes: [] } });
    late.end("a", "succeeded");
    late.together = "moving";
    late.cancelRequested = true;
    late.look([]);
    expect(late.outcome).toBeUndefined();
  });
});

describe("a run of which the best candidate lands", () => {
  it("stops nobody when the first one is done", () => {
    const run = play({ a: { writes: [] }, b: { writes: [] } }, "best-of-n");
    run.end("a", "succeeded");
    expect(run.stateOf("b")).toBe("ready");
    run.end("b", "cancelled");
    expect(run.outcome).toBe("succeeded");
  });

  it("succeeds when one has landed, whatever became of the others", () => {
    const run = play({ a: { writes: [] }, b: { writes: [] }, c: { writes: [] } }, "best-of-n");
    run.end("a", "failed");
    run.end("b", "lost");
    run.end("c", "succeeded");
    expect(run.outcome).toBe("succeeded");
  });

  it("fails when none has", () => {
    const run = play({ a: { writes: [] }, b: { writes: [] } }, "best-of-n");
    run.end("a", "failed");
    run.end("b", "failed");
    expect(run.outcome).toBe("failed");
  });

  it("goes on with a task that waits for the best of several once one has landed", () => {
    const run = play({ a: { writes: [] }, b: { writes: [] }, c: { needs: ["a", "b"], join: "best-of-n" } });
    run.end("a", "failed");
    expect(run.stateOf("c")).toBe("waiting");
    run.end("b", "succeeded");
    expect(run.stateOf("c")).toBe("ready");
    run.end("c", "succeeded");
    expect(run.outcome).toBe("succeeded");
  });
});
