import { AnabranchError } from "../base/errors.ts";
import type { TaskPlan } from "./task.ts";

/** The tasks of a run and what comes before what. */
export interface Graph {
  readonly tasks: ReadonlyMap<string, TaskPlan>;
  /** Every task comes after all it needs or follows. */
  readonly order: readonly string[];
  /** For each task, those that need it or come after it. */
  readonly followers: ReadonlyMap<string, readonly string[]>;
}

/**
 * Checks a run's tasks and orders them; among equals the given order stays.
 *
 * @throws {AnabranchError} `GRAPH_INVALID` for an unknown need or a doubled name, `GRAPH_CYCLE` with the cycle shown.
 */
export function buildGraph(plans: readonly TaskPlan[]): Graph {
  const tasks = new Map<string, TaskPlan>();
  for (const plan of plans) {
    if (tasks.has(plan.name)) {
      throw new AnabranchError("GRAPH_INVALID", {
        message: `two tasks are named ${plan.name}`,
        hint: "give each task a name of its own",
      });
    }
    tasks.set(plan.name, plan);
  }
  const followers = new Map<string, string[]>(plans.map((plan) => [plan.name, []]));
  for (const plan of plans) {
    for (const before of predecessorsOf(plan)) {
      const list = followers.get(before);
      if (list === undefined) throw unknownNeed(plan, before, [...tasks.keys()]);
      list.push(plan.name);
    }
  }
  return { tasks, followers, order: orderTasks(tasks, followers) };
}

/** Everything that must come before a task, each name once. */
export function predecessorsOf(plan: TaskPlan): string[] {
  return [...new Set([...plan.needs, ...plan.after])];
}

/** The plan of a task that is known to be in the graph. */
export function requirePlan(graph: Graph, name: string): TaskPlan {
  const plan = graph.tasks.get(name);
  if (plan === undefined) throw new AnabranchError("INTERNAL", { message: `no task ${name} in this graph` });
  return plan;
}

function orderTasks(tasks: ReadonlyMap<string, TaskPlan>, followers: ReadonlyMap<string, readonly string[]>): string[] {
  const missing = new Map<string, number>();
  for (const plan of tasks.values()) missing.set(plan.name, predecessorsOf(plan).length);
  const order = [...tasks.keys()].filter((name) => missing.get(name) === 0);
  for (const name of order) {
    for (const follower of followers.get(name) ?? []) {
      const left = (missing.get(follower) ?? 0) - 1;
      missing.set(follower, left);
      if (left === 0) order.push(follower);
    }
  }
  if (order.length < tasks.size) throw cycleError(tasks, missing);
  return order;
}

function cycleError(tasks: ReadonlyMap<string, TaskPlan>, missing: ReadonlyMap<string, number>): AnabranchError {
  const stuck = (name: string): boolean => (missing.get(name) ?? 0) > 0;
  const path: string[] = [];
  let current = [...tasks.keys()].find(stuck) ?? "";
  while (!path.includes(current)) {
    path.push(current);
    const plan = tasks.get(current);
    current = (plan === undefined ? [] : predecessorsOf(plan)).find(stuck) ?? "";
  }
  const cycle = [...path.slice(path.indexOf(current)), current];
  return new AnabranchError("GRAPH_CYCLE", {
    message: `these tasks wait for each other: ${cycle.join(" needs ")}`,
    hint: `remove one of these needs`,
    data: { cycle },
  });
}

function unknownNeed(plan: TaskPlan, need: string, names: readonly string[]): AnabranchError {
  return new AnabranchError("GRAPH_INVALID", {
    message: `task ${plan.name} needs ${need}, but there is no task of that name`,
    hint: `the tasks are: ${names.join(", ")}`,
    data: { task: plan.name, need },
  });
}

/**
 * The length of the longest path from each task to the end of the run, itself included.
 * Starting the task with the longest one first is critical-path scheduling.
 */
export function criticalPathMs(graph: Graph, durationMs: (name: string) => number): Map<string, number> {
  const lengths = new Map<string, number>();
  for (const name of graph.order.toReversed()) {
    let longest = 0;
    for (const follower of graph.followers.get(name) ?? []) longest = Math.max(longest, lengths.get(follower) ?? 0);
    lengths.set(name, longest + durationMs(name));
  }
  return lengths;
}
