import { requirePlan, type Graph } from "./graph.ts";
import { isFinal, runOutcome } from "./outcome.ts";
import { isFailure, type Join, type Outcome, type TaskPlan, type TaskStatus } from "./task.ts";

/** A change of a run that follows from what has happened in it. */
export type Step =
  | { readonly type: "ready"; readonly task: string }
  | { readonly type: "skip"; readonly task: string; readonly because: string }
  | Stop
  /** All of its work is done and staged: now it lands together. */
  | { readonly type: "land" }
  | { readonly type: "end"; readonly outcome: Outcome };

/** A task that is not wanted any more. */
interface Stop {
  readonly type: "stop";
  readonly task: string;
  readonly winner: string;
}

/** A run as the engine sees it. */
export interface RunView {
  readonly graph: Graph;
  readonly join: Join;
  readonly cancelRequested: boolean;
  /** How it stands with landing all of its work at once, where it is to land so. */
  readonly together: Together | undefined;
  readonly ended: boolean;
  readonly statusOf: (task: string) => TaskStatus;
  /** How many of its tasks that hold it open have not ended. */
  readonly openTasks: number;
}

/** `open`: not asked for yet; `wanted`: under way; `moving`: it can no longer be stopped; then `landed` or `refused`. */
export type Together = "open" | "wanted" | "moving" | "landed" | "refused";

type StatusOf = RunView["statusOf"];

/**
 * What follows from the tasks in `changed` having changed: their followers become ready or are skipped (and theirs,
 * in turn), the losers of a race are stopped, the run ends. Only the followers of what changed are looked at.
 */
export function advance(run: RunView, changed: readonly string[]): Step[] {
  const steps: Step[] = [];
  const skipped = new Set<string>();
  const statusOf: StatusOf = (name) =>
    skipped.has(name) ? { state: "ended", outcome: "skipped" } : run.statusOf(name);

  const queue = [...changed];
  const decided = new Set<string>();
  for (const name of queue) {
    for (const follower of [name, ...(run.graph.followers.get(name) ?? [])]) {
      if (decided.has(follower) || statusOf(follower).state !== "waiting") continue;
      const plan = requirePlan(run.graph, follower);
      const verdict = judge(plan, name, statusOf);
      if (verdict === "open") continue;
      if (verdict === "satisfied") {
        for (const loser of losersOf(run, plan, statusOf)) {
          steps.push(loser);
          decided.add(loser.task);
        }
        if (!plan.after.every((before) => statusOf(before).state === "ended")) continue;
        steps.push({ type: "ready", task: follower });
      } else {
        steps.push({ type: "skip", task: follower, because: verdict.because });
        skipped.add(follower);
        queue.push(follower);
      }
      decided.add(follower);
    }
  }
  steps.push(...finish(run, changed, skipped, statusOf));
  return steps;
}

type Verdict = "satisfied" | "open" | { readonly because: string };

/**
 * How it stands with what a waiting task needs.
 * @param changed the task whose change is the reason to ask
 */
function judge(plan: TaskPlan, changed: string, statusOf: StatusOf): Verdict {
  return plan.join === "all" ? judgeAll(plan, changed, statusOf) : judgeFirst(plan, changed, statusOf);
}

function judgeAll(plan: TaskPlan, changed: string, statusOf: StatusOf): Verdict {
  const breaks = ({ state, outcome }: TaskStatus): boolean =>
    plan.when === "success" && state === "ended" && outcome !== "succeeded";
  // One need that broke decides, however many others are open.
  if (breaks(statusOf(changed)) && plan.needs.includes(changed)) return brokenBy(changed, statusOf);
  // Needs mostly end in their order, so that looking at the last one first finds an open one soon.
  const decisive = plan.needs.findLast((name) => statusOf(name).state !== "ended" || breaks(statusOf(name)));
  if (decisive !== undefined) return breaks(statusOf(decisive)) ? brokenBy(decisive, statusOf) : "open";
  if (plan.when !== "failure" || plan.needs.some((name) => isFailure(statusOf(name).outcome))) return "satisfied";
  return { because: `none of ${plan.needs.join(", ")} failed` };
}

function brokenBy(need: string, statusOf: StatusOf): Verdict {
  return { because: `${need} ${statusOf(need).outcome}` };
}

function judgeFirst(plan: TaskPlan, changed: string, statusOf: StatusOf): Verdict {
  const suffices = (name: string): boolean => satisfies(plan, statusOf(name));
  const isOpen = plan.needs.findLast((name) => statusOf(name).state !== "ended") !== undefined;
  // Where the task waits for its needs alone, what sufficed earlier was seen when it ended.
  const onlyNeeds = plan.after.length === 0 && changed !== plan.name;
  if (isOpen && onlyNeeds) return suffices(changed) ? "satisfied" : "open";
  if (plan.needs.length === 0 || plan.needs.some(suffices)) return "satisfied";
  if (isOpen) return "open";
  const wanted = { success: "succeeded", failure: "failed", always: "ended" }[plan.when];
  return { because: `none of ${plan.needs.join(", ")} ${wanted}` };
}

function satisfies(plan: TaskPlan, need: TaskStatus): boolean {
  if (need.state !== "ended") return false;
  if (plan.when === "always") return true;
  return plan.when === "success" ? need.outcome === "succeeded" : isFailure(need.outcome);
}

/** Whoever waits for the first of several has no use for the others, nor for what only those need. */
function losersOf(run: RunView, plan: TaskPlan, statusOf: StatusOf): Stop[] {
  if (plan.join !== "first") return [];
  const winner = plan.needs.find((name) => satisfies(plan, statusOf(name))) ?? "";
  const served = new Set([plan.name]);
  const steps: Stop[] = [];
  const queue = [...plan.needs];
  for (const name of queue) {
    if (served.has(name) || statusOf(name).state === "ended") continue;
    const isWanted = (other: string): boolean => !served.has(other) && statusOf(other).state !== "ended";
    if (run.graph.neededBy.get(name)?.some(isWanted) === true) continue;
    served.add(name);
    steps.push({ type: "stop", task: name, winner });
    queue.push(...requirePlan(run.graph, name).needs);
  }
  return steps;
}

function finish(run: RunView, changed: readonly string[], skipped: ReadonlySet<string>, statusOf: StatusOf): Step[] {
  if (run.ended) return [];
  const holding = (name: string): boolean => !requirePlan(run.graph, name).detach;
  const open = run.openTasks - [...skipped].filter(holding).length;
  if (open === 0) return conclude(run, runOutcome(run, statusOf));
  if (run.join !== "first") return [];
  const winner = changed.find((name) => isFinal(run.graph, name) && statusOf(name).outcome === "succeeded");
  if (winner === undefined) return [];
  return run.graph.order
    .filter((name) => holding(name) && statusOf(name).state !== "ended")
    .map((name) => ({ type: "stop", task: name, winner }));
}

function conclude({ together }: RunView, outcome: Outcome): Step[] {
  if (together === "moving" || (outcome === "succeeded" && together === "wanted")) return [];
  if (outcome === "succeeded" && together === "open") return [{ type: "land" }];
  return [{ type: "end", outcome: together === "refused" ? "failed" : outcome }];
}
