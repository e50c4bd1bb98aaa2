import { requirePlan, type Graph } from "./graph.ts";
import { isFailure, type Join, type Outcome, type TaskPlan, type TaskStatus } from "./task.ts";

/** A change of a run that follows from what has happened in it. */
export type Step =
  | { readonly type: "ready"; readonly task: string }
  | { readonly type: "skip"; readonly task: string; readonly because: string }
  | { readonly type: "stop"; readonly task: string; readonly winner: string }
  | { readonly type: "end"; readonly outcome: Outcome };

/** A run as the engine sees it. */
export interface RunView {
  readonly graph: Graph;
  readonly join: Join;
  readonly cancelRequested: boolean;
  readonly ended: boolean;
  readonly statusOf: (task: string) => TaskStatus;
  /** How many of its tasks that hold it open have not ended. */
  readonly openTasks: number;
}

/**
 * What follows from the tasks in `changed` having changed: their followers become ready or are skipped (and theirs,
 * in turn), the losers of a race are stopped, the run ends. Only the followers of what changed are looked at.
 */
export function advance(run: RunView, changed: readonly string[]): Step[] {
  const steps: Step[] = [];
  const skipped = new Set<string>();
  const statusOf = (name: string): TaskStatus =>
    skipped.has(name) ? { state: "ended", outcome: "skipped" } : run.statusOf(name);

  const queue = [...changed];
  const decided = new Set<string>();
  for (const name of queue) {
    for (const follower of [name, ...(run.graph.followers.get(name) ?? [])]) {
      if (decided.has(follower) || statusOf(follower).state !== "waiting") continue;
      const plan = requirePlan(run.graph, follower);
      const verdict = judge(plan, statusOf);
      if (verdict === undefined) continue;
      decided.add(follower);
      steps.push(verdict);
      if (verdict.type === "skip") {
        skipped.add(follower);
        queue.push(follower);
      }
      if (verdict.type === "ready") steps.push(...losersOf(run, plan, statusOf));
    }
  }
  steps.push(...finish(run, changed, skipped, statusOf));
  return steps;
}

/** Whether a waiting task becomes ready or is skipped; `undefined` while that is open. */
function judge(plan: TaskPlan, statusOf: (name: string) => TaskStatus): Step | undefined {
  const needs = plan.needs.map((name) => ({ name, ...statusOf(name) }));
  const verdict = plan.join === "first" ? judgeFirst(plan, needs) : judgeAll(plan, needs);
  if (verdict === "open") return undefined;
  if (verdict !== "ready") return { type: "skip", task: plan.name, because: verdict.because };
  const followsAll = plan.after.every((name) => statusOf(name).state === "ended");
  return followsAll ? { type: "ready", task: plan.name } : undefined;
}

type Need = TaskStatus & { readonly name: string };
type Verdict = "ready" | "open" | { readonly because: string };

function judgeAll(plan: TaskPlan, needs: readonly Need[]): Verdict {
  if (plan.when === "success") {
    const broken = needs.find((need) => need.state === "ended" && need.outcome !== "succeeded");
    if (broken !== undefined) return { because: `${broken.name} ${broken.outcome}` };
  }
  if (needs.some((need) => need.state !== "ended")) return "open";
  if (plan.when !== "failure" || needs.some((need) => isFailure(need.outcome))) return "ready";
  return { because: `none of ${needs.map((need) => need.name).join(", ")} failed` };
}

function judgeFirst(plan: TaskPlan, needs: readonly Need[]): Verdict {
  if (needs.length === 0 || needs.some((need) => satisfies(plan, need))) return "ready";
  if (needs.some((need) => need.state !== "ended")) return "open";
  return { because: `none of ${needs.map((need) => need.name).join(", ")} ${wanted(plan)}` };
}

function satisfies(plan: TaskPlan, need: Need): boolean {
  if (need.state !== "ended") return false;
  if (plan.when === "always") return true;
  return plan.when === "success" ? need.outcome === "succeeded" : isFailure(need.outcome);
}

function wanted(plan: TaskPlan): string {
  return { success: "succeeded", failure: "failed", always: "ended" }[plan.when];
}

// Whoever waits for the first of several has no use for the others, unless somebody else has.
function losersOf(run: RunView, plan: TaskPlan, statusOf: (name: string) => TaskStatus): Step[] {
  if (plan.join !== "first") return [];
  const winner = plan.needs.find((name) => statusOf(name).state === "ended") ?? "";
  return plan.needs
    .filter((name) => statusOf(name).state !== "ended")
    .filter((name) => (run.graph.followers.get(name) ?? []).every((follower) => follower === plan.name))
    .map((name) => ({ type: "stop", task: name, winner }));
}

function finish(
  run: RunView,
  changed: readonly string[],
  skipped: ReadonlySet<string>,
  statusOf: (name: string) => TaskStatus,
): Step[] {
  if (run.ended) return [];
  const holding = (name: string): boolean => !requirePlan(run.graph, name).detach;
  const open = run.openTasks - [...skipped].filter(holding).length;
  if (open === 0) return [{ type: "end", outcome: runOutcome(run, statusOf) }];
  if (run.join !== "first") return [];
  const winner = changed.find((name) => isFinal(run.graph, name) && statusOf(name).outcome === "succeeded");
  if (winner === undefined) return [];
  return run.graph.order
    .filter((name) => holding(name) && statusOf(name).state !== "ended")
    .map((name) => ({ type: "stop", task: name, winner }));
}

/** Whether nothing in the run needs this task: what a race is between. */
export function isFinal(graph: Graph, name: string): boolean {
  return (graph.followers.get(name) ?? []).every((follower) => !requirePlan(graph, follower).needs.includes(name));
}

function runOutcome(run: RunView, statusOf: (name: string) => TaskStatus): Outcome {
  if (run.cancelRequested) return "cancelled";
  const raceWon =
    run.join === "first" &&
    run.graph.order.some((name) => isFinal(run.graph, name) && statusOf(name).outcome === "succeeded");
  const outcomes = run.graph.order
    .filter((name) => counts(run, name, raceWon, statusOf))
    .map((name) => statusOf(name).outcome);
  if (outcomes.some(isFailure)) return "failed";
  return outcomes.includes("cancelled") ? "cancelled" : "succeeded";
}

// The failure of one runner does not fail a race that another one won.
function counts(run: RunView, name: string, raceWon: boolean, statusOf: (name: string) => TaskStatus): boolean {
  if (requirePlan(run.graph, name).detach || statusOf(name).lostRace === true) return false;
  const needing = (run.graph.followers.get(name) ?? [])
    .map((follower) => requirePlan(run.graph, follower))
    .filter((follower) => follower.needs.includes(name));
  if (needing.length === 0) return !raceWon;
  return !needing.every((follower) => follower.join === "first" && statusOf(follower.name).outcome !== "skipped");
}
