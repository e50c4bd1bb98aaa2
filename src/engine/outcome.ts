import { requirePlan, type Graph } from "./graph.ts";
import { isFailure, type Join, type Outcome, type TaskStatus } from "./task.ts";

/** What the outcome of a run depends on. */
export interface EndedRun {
  readonly graph: Graph;
  readonly join: Join;
  readonly cancelRequested: boolean;
}

/** Whether a task holds its run open and no other such task needs it: what a race is between. */
export function isFinal(graph: Graph, name: string): boolean {
  return !requirePlan(graph, name).detach && holdersNeeding(graph, name).length === 0;
}

/** How a run ended whose tasks all have, apart from detached ones. */
export function runOutcome(run: EndedRun, statusOf: (name: string) => TaskStatus): Outcome {
  if (run.cancelRequested) return "cancelled";
  const outcomes = countedTasks(run, statusOf).map((name) => statusOf(name).outcome);
  if (outcomes.some(isFailure)) return "failed";
  return outcomes.includes("cancelled") ? "cancelled" : "succeeded";
}

/** The failure of one runner, or of what only it needed, does not fail a race that another one won. */
function countedTasks({ graph, join }: EndedRun, statusOf: (name: string) => TaskStatus): string[] {
  const raceWon =
    join !== "all" && graph.order.some((name) => isFinal(graph, name) && statusOf(name).outcome === "succeeded");
  const counted = new Set<string>();
  for (const name of graph.order.toReversed()) {
    if (requirePlan(graph, name).detach || statusOf(name).lostRace === true) continue;
    const needing = holdersNeeding(graph, name);
    const matters = (follower: string): boolean => {
      const raceDecided = requirePlan(graph, follower).join !== "all" && statusOf(follower).outcome !== "skipped";
      return !raceDecided && counted.has(follower);
    };
    if (needing.length === 0 ? !raceWon : needing.some(matters)) counted.add(name);
  }
  return [...counted];
}

function holdersNeeding(graph: Graph, name: string): string[] {
  return (graph.neededBy.get(name) ?? []).filter((follower) => !requirePlan(graph, follower).detach);
}
