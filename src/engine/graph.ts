import { closest } from "../base/closest.ts";
import { AnabranchError } from "../base/errors.ts";
import { Heap } from "./heap.ts";
import type { TaskPlan } from "./task.ts";

/** The tasks of a run and what comes before what. */
export interface Graph {
  readonly tasks: ReadonlyMap<string, TaskPlan>;
  /** Every task comes after all it needs or follows. */
  readonly order: readonly string[];
  /** For each task, those that need it or come after it. */
  readonly followers: ReadonlyMap<string, readonly string[]>;
  /** For each task, those that need it. */
  readonly neededBy: ReadonlyMap<string, readonly string[]>;
}

/**
 * Checks a run's tasks and orders them; where what they wait for allows it, the given order stays.
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
  const followers = invert(plans, tasks, predecessorsOf);
  const neededBy = invert(plans, tasks, (plan) => [...new Set(plan.needs)]);
  return { tasks, followers, neededBy, order: orderTasks(tasks, followers) };
}

/** From what each task names to who names it. */
function invert(
  plans: readonly TaskPlan[],
  tasks: ReadonlyMap<string, TaskPlan>,
  namedBy: (plan: TaskPlan) => readonly string[],
): Map<string, string[]> {
  const naming = new Map<string, string[]>(plans.map((plan) => [plan.name, []]));
  for (const plan of plans) {
    for (const name of namedBy(plan)) {
      const list = naming.get(name);
      if (list === undefined) throw unknownNeed(plan, name, tasks);
      list.push(plan.name);
    }
  }
  return naming;
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
  const names = [...tasks.keys()];
  const places = new Map(names.map((name, place) => [name, place]));
  const missing = new Map([...tasks.values()].map((plan) => [plan.name, predecessorsOf(plan).length]));
  const next = new Heap<number>((a, b) => a - b);
  for (const [place, name] of names.entries()) if (missing.get(name) === 0) next.push(place);
  const order: string[] = [];
  for (let place = next.pop(); place !== undefined; place = next.pop()) {
    const name = names[place] ?? "";
    order.push(name);
    for (const follower of followers.get(name) ?? []) {
      const left = (missing.get(follower) ?? 0) - 1;
      missing.set(follower, left);
      if (left === 0) next.push(places.get(follower) ?? 0);
    }
  }
  if (order.length < tasks.size) throw cycleError(tasks, missing);
  return order;
}

function cycleError(tasks: ReadonlyMap<string, TaskPlan>, missing: ReadonlyMap<string, number>): AnabranchError {
  const stuck = (name: string): boolean => (missing.get(name) ?? 0) > 0;
  const path = new Set<string>();
  let current = [...tasks.keys()].find(stuck) ?? "";
  while (!path.has(current)) {
    path.add(current);
    const plan = tasks.get(current);
    current = (plan === undefined ? [] : predecessorsOf(plan)).find(stuck) ?? "";
  }
  const all = [...path];
  const cycle = [...all.slice(all.indexOf(current)), current];
  const steps = cycle.slice(1).map((before, index) => {
    const needs = tasks.get(cycle[index] ?? "")?.needs.includes(before) === true;
    return `${needs ? "needs" : "comes after"} ${before}`;
  });
  return new AnabranchError("GRAPH_CYCLE", {
    message: `these tasks wait for each other: ${shorten([current, ...steps]).join(" ")}`,
    hint: `remove one of these needs`,
    data: { cycle },
  });
}

function unknownNeed(plan: TaskPlan, need: string, tasks: ReadonlyMap<string, TaskPlan>): AnabranchError {
  const meant = closest(need, tasks.keys());
  return new AnabranchError("GRAPH_INVALID", {
    message: `task ${plan.name} needs ${need}, but there is no task of that name`,
    hint:
      meant === undefined
        ? `the tasks are: ${shorten([...tasks.keys()]).join(", ")}`
        : `write "${meant}" instead of "${need}"`,
    data: { task: plan.name, need },
  });
}

// A message is for people: nobody reads the names of a thousand tasks.
function shorten(words: readonly string[]): readonly string[] {
  return words.length <= 24 ? words : [...words.slice(0, 20), "…", ...words.slice(-3)];
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
