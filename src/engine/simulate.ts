import { criticalPathMs, predecessorsOf, requirePlan, type Graph } from "./graph.ts";
import { Heap } from "./heap.ts";
import type { TaskEstimate } from "./estimate.ts";

/** What it costs to give a task its workspace, in milliseconds. */
export interface SpinUp {
  /** A workspace that stands ready at the base. */
  readonly warmMs: number;
  /** One that another task has just used. */
  readonly recycleMs: number;
  /** One that must be made, dependencies included. */
  readonly coldMs: number;
}

/** The machine as a run finds it. */
export interface Machine {
  /** Processors not taken by other work of ours; may be fractional, at least a quarter. */
  readonly freeCores: number;
  readonly freeMemoryBytes: number;
  readonly warmWorkspaces: number;
}

/** One way to run a graph. */
export interface Arrangement {
  /** How many tasks at once. */
  readonly width: number;
  /** Whether the tasks that write nothing share one workspace. */
  readonly share: boolean;
}

/** A graph with all that is known of its tasks. */
export interface Forecast {
  readonly graph: Graph;
  readonly estimateOf: (task: string) => TaskEstimate;
  readonly spinUp: SpinUp;
  readonly machine: Machine;
  /** Tasks with the same lock never run at once. */
  readonly lockOf: (task: string) => string | undefined;
}

interface Activity {
  readonly task: string;
  phase: "spinning-up" | "running" | "ended";
  leftMs: number;
}

/** How long a run would take, in milliseconds from its first start. */
export interface Duration {
  /** Until the last task that holds the run open has ended. */
  readonly heldMs: number;
  /** Until all have, detached ones too. */
  readonly wholeMs: number;
}

/**
 * How long a graph would take under an arrangement: the ready queue is played through, critical path first, with
 * processors shared fairly among all that want one. Spin-up counts as work of one processor.
 */
export function simulate(forecast: Forecast, arrangement: Arrangement): Duration {
  const { graph } = forecast;
  const shares = (task: string): boolean => arrangement.share && requirePlan(graph, task).writes === "none";
  const ready = new ReadyTasks(forecast);
  const workspaces = new Workspaces(forecast.spinUp, forecast.machine.warmWorkspaces);
  let active: Activity[] = [];
  let [nowMs, heldMs] = [0, 0];
  for (;;) {
    while (active.length < arrangement.width) {
      const task = ready.take();
      if (task === undefined) break;
      const leftMs = shares(task) ? workspaces.share() : workspaces.claim();
      active.push({ task, phase: "spinning-up", leftMs });
    }
    if (active.length === 0) return { heldMs, wholeMs: nowMs };
    nowMs += elapse(active, forecast);
    const ended = active.filter((activity) => endPhase(activity, forecast));
    active = active.filter((activity) => activity.phase !== "ended");
    for (const { task } of ended) {
      if (!shares(task)) workspaces.giveBack();
      if (!requirePlan(graph, task).detach) heldMs = nowMs;
      ready.end(task);
    }
  }
}

/** Moves an activity whose time is up on to its next phase; whether that was its last. */
function endPhase(activity: Activity, { estimateOf }: Forecast): boolean {
  if (activity.leftMs > 1e-6) return false;
  if (activity.phase === "spinning-up") {
    activity.phase = "running";
    activity.leftMs = estimateOf(activity.task).runMs;
    return false;
  }
  activity.phase = "ended";
  return true;
}

/** The ready queue of a simulated run. */
class ReadyTasks {
  readonly #graph: Graph;
  readonly #lockOf: Forecast["lockOf"];
  readonly #missing: Map<string, number>;
  readonly #byPriority: (a: string, b: string) => number;
  readonly #ready: Heap<string>;
  readonly #heldBack = new Map<string, Heap<string>>();
  readonly #granted = new Set<string>();

  constructor({ graph, estimateOf, lockOf }: Forecast) {
    const priority = criticalPathMs(graph, (task) => estimateOf(task).runMs);
    this.#graph = graph;
    this.#lockOf = lockOf;
    this.#byPriority = (a, b) => (priority.get(b) ?? 0) - (priority.get(a) ?? 0);
    this.#ready = new Heap(this.#byPriority);
    this.#missing = new Map(graph.order.map((name) => [name, predecessorsOf(requirePlan(graph, name)).length]));
    for (const name of graph.order) if (this.#missing.get(name) === 0) this.#ready.push(name);
  }

  /** The next task whose lock, if it has one, is free; it then holds the lock. */
  take(): string | undefined {
    for (let task = this.#ready.pop(); task !== undefined; task = this.#ready.pop()) {
      const lock = this.#lockOf(task);
      if (lock === undefined || this.#granted.has(task)) return task;
      const waiting = this.#heldBack.get(lock);
      if (waiting === undefined) {
        this.#heldBack.set(lock, new Heap(this.#byPriority));
        return task;
      }
      waiting.push(task);
    }
    return undefined;
  }

  end(task: string): void {
    const lock = this.#lockOf(task);
    if (lock !== undefined) {
      const next = this.#heldBack.get(lock)?.pop();
      if (next === undefined) this.#heldBack.delete(lock);
      else this.#grant(next);
    }
    for (const follower of this.#graph.followers.get(task) ?? []) {
      const left = (this.#missing.get(follower) ?? 0) - 1;
      this.#missing.set(follower, left);
      if (left === 0) this.#ready.push(follower);
    }
  }

  #grant(task: string): void {
    this.#granted.add(task);
    this.#ready.push(task);
  }
}

/** Lets time pass until the next activity ends its phase, and returns how much. */
function elapse(active: readonly Activity[], { estimateOf, machine }: Forecast): number {
  const demands = active.map((activity) => demandOf(activity, estimateOf));
  const slowDown = Math.max(1, demands.reduce((sum, demand) => sum + demand, 0) / machine.freeCores);
  // Only the part of an activity that computes is slowed down; the part that waits is not.
  const rates = demands.map((demand) => 1 / (1 - Math.min(1, demand) + Math.min(1, demand) * slowDown));
  let passedMs = Number.POSITIVE_INFINITY;
  for (const [index, activity] of active.entries()) {
    passedMs = Math.min(passedMs, activity.leftMs / (rates[index] ?? 1));
  }
  for (const [index, activity] of active.entries()) activity.leftMs -= passedMs * (rates[index] ?? 1);
  return passedMs;
}

/** How many processors an activity would use if it could. */
function demandOf(activity: Activity, estimateOf: (task: string) => TaskEstimate): number {
  if (activity.phase === "spinning-up") return 1;
  const { runMs, cpuMs } = estimateOf(activity.task);
  return runMs <= 0 ? 0 : cpuMs / runMs;
}

/** The workspaces of a simulated run: what each claim costs. */
class Workspaces {
  readonly #spinUp: SpinUp;
  #warm: number;
  #used = 0;
  #shared = false;

  constructor(spinUp: SpinUp, warm: number) {
    this.#spinUp = spinUp;
    this.#warm = warm;
  }

  claim(): number {
    if (this.#warm > 0) {
      this.#warm -= 1;
      return this.#spinUp.warmMs;
    }
    if (this.#used > 0) {
      this.#used -= 1;
      return this.#spinUp.recycleMs;
    }
    return this.#spinUp.coldMs;
  }

  giveBack(): void {
    this.#used += 1;
  }

  share(): number {
    if (this.#shared) return 0;
    this.#shared = true;
    return this.claim();
  }
}
