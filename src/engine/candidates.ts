import { AnabranchError } from "../base/errors.ts";
import { requirePlan, type Graph } from "./graph.ts";
import { isFinal } from "./outcome.ts";
import type { Join, TaskStatus } from "./task.ts";

/**
 * The groups of tasks of which only the best lands: the final tasks of a run with `join: best-of-n`, and what a task
 * with that join needs.
 *
 * @throws {AnabranchError} `GRAPH_INVALID` where one of them writes nothing, so that there is nothing to choose
 */
export function candidateGroups(graph: Graph, join: Join): string[][] {
  const groups: string[][] = [];
  if (join === "best-of-n") groups.push(graph.order.filter((name) => isFinal(graph, name)));
  for (const plan of graph.tasks.values()) if (plan.join === "best-of-n") groups.push([...new Set(plan.needs)]);
  for (const name of groups.flat()) {
    if (requirePlan(graph, name).writes !== "none") continue;
    throw new AnabranchError("GRAPH_INVALID", {
      message: `${name} is one of several of which the best lands, but it writes nothing`,
      hint: `remove "writes: none" from ${name}, or join with "first"`,
      data: { task: name },
    });
  }
  return groups;
}

/** Whether all of a group have something to show or have ended, so that the best can be chosen. */
export function isDecidable(group: readonly string[], statusOf: (name: string) => TaskStatus): boolean {
  return group.every((name) => ["landing", "ended"].includes(statusOf(name).state));
}

/** The order in which candidates are tried: the smallest change first; equal ones as written. */
export function rankCandidates<Item extends { readonly changedLines: number; readonly position: number }>(
  candidates: readonly Item[],
): Item[] {
  return [...candidates].sort((a, b) => a.changedLines - b.changedLines || a.position - b.position);
}
