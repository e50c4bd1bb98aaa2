import type { TaskEstimate } from "./estimate.ts";
import type { Graph } from "./graph.ts";
import { groupByScope } from "./overlap.ts";
import { simulate, type Arrangement, type Forecast, type Machine, type SpinUp } from "./simulate.ts";

/** How a run's tasks are asked to start. */
export const MODES = ["auto", "parallel", "sequential"] as const;
/** How a run's tasks are asked to start. */
export type Mode = (typeof MODES)[number];

/** Everything the planner looks at. */
export interface PlannerInput {
  readonly graph: Graph;
  readonly mode: Mode;
  /** The most tasks at once that the limits allow. */
  readonly maxWidth: number;
  /** What the user said of sharing a workspace; `undefined` leaves it to the planner. */
  readonly share: boolean | undefined;
  readonly estimateOf: (task: string) => TaskEstimate;
  /** What a task wrote before, where that is remembered. */
  readonly rememberedWrites: (task: string) => readonly string[] | undefined;
  readonly spinUp: SpinUp;
  readonly machine: Machine;
}

/** What was decided, and why. */
export interface Decision {
  readonly mode: Mode;
  readonly width: number;
  readonly share: boolean;
  /** Groups of tasks that run one after another because they write the same places. */
  readonly exclusive: readonly (readonly string[])[];
  /** One line for people. */
  readonly reason: string;
  readonly predictedMs: number;
  /** What else was weighed, best first. */
  readonly alternatives: readonly { readonly arrangement: Arrangement; readonly predictedMs: number }[];
  /** How many of the tasks have run here before. */
  readonly measuredTasks: number;
}

// What must be gained before more is started at once, or a workspace is shared: less is noise.
const WORTHWHILE_SHARE = 0.04;
const WORTHWHILE_MS = 40;
const MEMORY_USED_SHARE = 0.8;

/**
 * Decides how many tasks run at once and whether those that write nothing share a workspace.
 *
 * `sequential` and `parallel` are obeyed; `auto` plays the run through in every arrangement worth considering and takes
 * the fastest, preferring fewer at once and workspaces of their own where the gain is too small to matter.
 */
export function decide(input: PlannerInput): Decision {
  const exclusive = input.mode === "auto" ? writersThatMeet(input) : [];
  const forecast = forecastFor(input, exclusive);
  const memoryWidth = widthForMemory(input);
  const widest = Math.max(1, Math.min(input.maxWidth, input.graph.tasks.size, memoryWidth));
  const weighed = arrangements(input, widest).map((arrangement) => weigh(forecast, arrangement));
  const best = weighed.reduce((chosen, other) => (isWorthwhile(other, chosen) ? other : chosen));
  const measuredTasks = [...input.graph.tasks.keys()].filter((task) => input.estimateOf(task).samples > 0).length;
  const decided = { mode: input.mode, ...best.arrangement, exclusive, predictedMs: best.predictedMs, measuredTasks };
  const alternatives = weighed
    .filter((other) => other !== best)
    .map(({ arrangement, predictedMs }) => ({ arrangement, predictedMs }))
    .sort((a, b) => a.predictedMs - b.predictedMs);
  const limitedByMemory = memoryWidth < Math.min(input.maxWidth, input.graph.tasks.size);
  return { ...decided, alternatives, reason: explain(input, decided, alternatives, limitedByMemory) };
}

/** The arrangements worth playing through, in the order of preference. */
function arrangements(input: PlannerInput, widest: number): Arrangement[] {
  if (input.mode === "sequential") return [{ width: 1, share: input.share ?? false }];
  if (input.mode === "parallel") return [{ width: widest, share: input.share ?? false }];
  const widths = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64].filter((width) => width < widest);
  const canShare = [...input.graph.tasks.values()].filter((plan) => plan.writes === "none").length > 1;
  const shares = input.share === undefined ? (canShare ? [false, true] : [false]) : [input.share];
  return [...widths, widest].flatMap((width) => shares.map((share) => ({ width, share })));
}

interface Weighed {
  readonly arrangement: Arrangement;
  readonly predictedMs: number;
  readonly wholeMs: number;
}

function weigh(forecast: Forecast, arrangement: Arrangement): Weighed {
  const { heldMs, wholeMs } = simulate(forecast, arrangement);
  return { arrangement, predictedMs: Math.round(heldMs), wholeMs: Math.round(wholeMs) };
}

/** A run's own end comes first; where that is the same, detached tasks should not wait for nothing either. */
function isWorthwhile(candidate: Weighed, chosen: Weighed): boolean {
  const isEarlier = (candidateMs: number, chosenMs: number): boolean =>
    candidateMs < chosenMs - Math.max(WORTHWHILE_MS, chosenMs * WORTHWHILE_SHARE);
  if (isEarlier(candidate.predictedMs, chosen.predictedMs)) return true;
  return candidate.predictedMs <= chosen.predictedMs && isEarlier(candidate.wholeMs, chosen.wholeMs);
}

function forecastFor(input: PlannerInput, exclusive: readonly (readonly string[])[]): Forecast {
  const locks = new Map(exclusive.flatMap((group, index) => group.map((task) => [task, `group ${index}`])));
  return { ...input, lockOf: (task) => locks.get(task) };
}

function writersThatMeet(input: PlannerInput): string[][] {
  const scopes = new Map<string, readonly string[]>();
  for (const plan of input.graph.tasks.values()) {
    if (plan.writes === "none") continue;
    // What is neither declared nor remembered is no reason to make anybody wait.
    const scope = plan.writes.length > 0 ? plan.writes : input.rememberedWrites(plan.name);
    if (scope !== undefined && scope.length > 0) scopes.set(plan.name, scope);
  }
  return groupByScope(scopes);
}

/** How many tasks fit into the free memory at once, taking the largest first. */
function widthForMemory(input: PlannerInput): number {
  const sizes = [...input.graph.tasks.keys()].map((task) => input.estimateOf(task).memoryBytes).sort((a, b) => b - a);
  let freeBytes = input.machine.freeMemoryBytes * MEMORY_USED_SHARE;
  const tooMany = sizes.findIndex((size) => (freeBytes -= size) < 0);
  return tooMany < 0 ? sizes.length : Math.max(1, tooMany);
}

function explain(
  input: PlannerInput,
  decided: Omit<Decision, "reason" | "alternatives">,
  alternatives: Decision["alternatives"],
  limitedByMemory: boolean,
): string {
  if (input.graph.tasks.size === 1) return "one task";
  const sharing = decided.share ? ", in one shared workspace" : "";
  const how = decided.width === 1 ? "one after another" : `${decided.width} at once`;
  if (input.mode !== "auto") return `${how}${sharing}, as asked`;
  const basis =
    decided.measuredTasks === input.graph.tasks.size
      ? "measured"
      : decided.measuredTasks === 0
        ? "assumed: none of these ran here before"
        : `${decided.measuredTasks} of ${input.graph.tasks.size} tasks measured`;
  const against = alternatives.find((other) => (other.arrangement.width === 1) !== (decided.width === 1));
  const compared =
    against === undefined
      ? `${seconds(decided.predictedMs)} expected`
      : `${seconds(decided.predictedMs)} expected against ${seconds(against.predictedMs)} ${against.arrangement.width === 1 ? "one after another" : `with ${against.arrangement.width} at once`}`;
  const groups = decided.exclusive.length > 3 ? `${decided.exclusive.length} groups of tasks` : undefined;
  const apart = (groups === undefined ? decided.exclusive.map(listOf) : [groups]).map(
    (who) => `; ${who} write the same places, so not at once`,
  );
  const memory = limitedByMemory ? "; more would not fit into the free memory" : "";
  return `${how}${sharing}: ${compared} (${basis})${apart.join("")}${memory}`;
}

function listOf(tasks: readonly string[]): string {
  const shown = tasks.length <= 4 ? tasks.slice(0, -1) : tasks.slice(0, 3);
  const last = tasks.length <= 4 ? tasks.at(-1) : `${(tasks.length - 3).toLocaleString("en")} more`;
  return `${shown.join(", ")} and ${last}`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 2 : 1)} s`;
}
