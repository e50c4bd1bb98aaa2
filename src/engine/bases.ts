import { predecessorsOf, requirePlan, type Graph } from "./graph.ts";

/**
 * The tasks that start from what has landed in their run by then: a task that writes comes before them. All others
 * start from the run's base.
 */
export function tasksOnLane(graph: Graph): ReadonlySet<string> {
  const onLane = new Set<string>();
  for (const name of graph.order) {
    const before = predecessorsOf(requirePlan(graph, name));
    if (before.some((other) => onLane.has(other) || requirePlan(graph, other).writes !== "none")) onLane.add(name);
  }
  return onLane;
}
