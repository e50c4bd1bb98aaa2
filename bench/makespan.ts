/**
 * B1, simulated: how close the real ready queue comes to the least time possible, on a clock that is only counted.
 *
 * What runs is the engine's own graph, `advance` and `Scheduler`; only the clock and the tasks are made up. Priorities
 * come from wrong durations, as in life: each is off by a log-normal factor.
 */
import { advance, type RunView } from "../src/engine/advance.ts";
import { criticalPathMs } from "../src/engine/graph.ts";
import { Heap } from "../src/engine/heap.ts";
import { Scheduler } from "../src/engine/scheduler.ts";
import type { TaskStatus } from "../src/engine/task.ts";
import type { Bench } from "./bench.ts";
import { criticalMs, lowerBoundMs, randomWork, totalMs, type RandomWork } from "./graphs.ts";
import { seeded, type Random } from "./random.ts";
import { mean, quantile } from "./statistics.ts";

const TASKS = 40;
const SIGMAS = [0.5, 1, 1.5];
const WORKERS = [4, 8, 16];
const PLANNER_NOISE = 0.7;
const FIRST_SEED = 1;

type Policy = "sequential" | "barrier" | "first-come" | "anabranch";
const POLICIES: readonly Policy[] = ["sequential", "barrier", "first-come", "anabranch"];

/** One graph under one policy. */
interface Outcome {
  readonly seed: number;
  readonly ratio: number;
  readonly utilisation: number;
  readonly workDominates: boolean;
}

export const makespan: Bench = {
  name: "makespan",
  about: "B1 simulated: makespan against max(critical path, work / workers)",
  async run(report, { short, seed }) {
    const seeds = seed === undefined ? Array.from({ length: short ? 100 : 1000 }, (_, i) => FIRST_SEED + i) : [seed];
    const all = new Map<Policy, Outcome[]>(POLICIES.map((policy) => [policy, []]));
    const rows: (string | number)[][] = [];
    const beganMs = performance.now();
    for (const sigma of SIGMAS) {
      for (const workers of WORKERS) {
        for (const policy of POLICIES) {
          const outcomes = seeds.map((one) => outcomeOf(policy, one, sigma, workers));
          all.get(policy)?.push(...outcomes);
          rows.push([`${sigma}`, workers, policy, ...summaryOf(outcomes)]);
        }
      }
    }
    const columns = [
      "sigma",
      "workers",
      "policy",
      "mean",
      "p95",
      "worst",
      "worst seed",
      "utilisation",
      "where work dominates",
    ];
    report.table(`Makespan / bound, ${TASKS} tasks, seeds ${seeds[0]} to ${seeds.at(-1)}`, columns, rows);
    report.table(
      "All of them",
      columns.slice(2),
      POLICIES.map((policy) => [policy, ...summaryOf(all.get(policy) ?? [])]),
    );
    report.keep("seeds", { first: seeds[0], count: seeds.length });
    report.keep("simulationMs", performance.now() - beganMs);
    report.note(`Replay one: npm run bench -- makespan --seed ${worstOf(all.get("anabranch") ?? []).seed}`);
    if (seed === undefined) holdLimits(report, all);
  },
};

function holdLimits(report: Parameters<Bench["run"]>[0], all: ReadonlyMap<Policy, readonly Outcome[]>): void {
  const ours = all.get("anabranch") ?? [];
  const barrier = all.get("barrier") ?? [];
  const ratios = ours.map((outcome) => outcome.ratio);
  report.limit("mean of makespan / bound", mean(ratios), { atMost: 1.05 });
  report.limit("p95 of makespan / bound", quantile(ratios, 0.95), { atMost: 1.15 });
  const busy = ours.filter((outcome) => outcome.workDominates).map((outcome) => outcome.utilisation);
  report.limit("utilisation where work dominates, mean", mean(busy), { atLeast: 0.88 });
  const faster = ours.map((outcome, index) => 1 - outcome.ratio / (barrier[index]?.ratio ?? Number.NaN));
  report.limit("time saved against barrier waves, mean share", mean(faster), { atLeast: 0.22 });
}

function summaryOf(outcomes: readonly Outcome[]): (string | number)[] {
  const ratios = outcomes.map((outcome) => outcome.ratio);
  const worst = worstOf(outcomes);
  const busy = outcomes.filter((outcome) => outcome.workDominates);
  return [
    mean(ratios),
    quantile(ratios, 0.95),
    worst.ratio,
    worst.seed,
    mean(outcomes.map((outcome) => outcome.utilisation)),
    busy.length === 0 ? "-" : mean(busy.map((outcome) => outcome.utilisation)),
  ];
}

function worstOf(outcomes: readonly Outcome[]): Outcome {
  return outcomes.reduce((worst, outcome) => (outcome.ratio > worst.ratio ? outcome : worst));
}

function outcomeOf(policy: Policy, seed: number, sigma: number, workers: number): Outcome {
  const work = randomWork(TASKS, sigma, 1000, seeded(seed));
  const bound = lowerBoundMs(work, workers);
  const took = durationUnder(policy, work, workers, seeded(seed + 1_000_000));
  return {
    seed,
    ratio: took / bound,
    utilisation: totalMs(work) / (workers * took),
    workDominates: totalMs(work) / workers >= criticalMs(work),
  };
}

function durationUnder(policy: Policy, work: RandomWork, workers: number, random: Random): number {
  if (policy === "sequential") return totalMs(work);
  if (policy === "barrier") return work.layers.reduce((sum, layer) => sum + waveMs(layer, work, workers), 0);
  if (policy === "first-come") return playThrough(work, workers, undefined);
  const guessed = new Map(
    [...work.durationMs].map(([name, duration]) => [name, duration * Math.exp(PLANNER_NOISE * random.normal())]),
  );
  const priorities = criticalPathMs(work.graph, (name) => guessed.get(name) ?? 0);
  return playThrough(work, workers, priorities);
}

/** One wave: each worker takes the next task of the layer; the wave is over when all of them are. */
function waveMs(layer: readonly string[], work: RandomWork, workers: number): number {
  const free = new Heap<number>((a, b) => a - b);
  for (let worker = 0; worker < workers; worker += 1) free.push(0);
  let endMs = 0;
  for (const name of layer) {
    const at = (free.pop() ?? 0) + (work.durationMs.get(name) ?? 0);
    endMs = Math.max(endMs, at);
    free.push(at);
  }
  return endMs;
}

/**
 * Plays a graph through with the engine itself.
 * @param priorities without them, tasks start in the order in which they became ready
 */
function playThrough(work: RandomWork, workers: number, priorities: ReadonlyMap<string, number> | undefined): number {
  const statuses = new Map<string, TaskStatus>();
  const run: RunView = {
    graph: work.graph,
    join: "all",
    cancelRequested: false,
    together: undefined,
    ended: false,
    statusOf: (name) => statuses.get(name) ?? { state: "waiting", outcome: undefined },
    get openTasks() {
      return TASKS - [...statuses.values()].filter((status) => status.state === "ended").length;
    },
  };
  const scheduler = new Scheduler({ total: workers, of: () => Number.POSITIVE_INFINITY });
  const ends = new Heap<{ readonly name: string; readonly atMs: number }>((a, b) => a.atMs - b.atMs);
  let [nowMs, position] = [0, 0];
  let changed: readonly string[] = work.graph.order;
  for (;;) {
    for (const step of advance(run, changed)) {
      if (step.type === "end") return nowMs;
      if (step.type !== "ready") throw new Error(`an unexpected step: ${step.type}`);
      statuses.set(step.task, { state: "ready", outcome: undefined });
      scheduler.add({ key: step.task, run: "run", priority: priorities?.get(step.task) ?? 0, position, limits: [] });
      position += 1;
    }
    for (const { key } of scheduler.next(nowMs)) {
      statuses.set(key, { state: "working", outcome: undefined });
      ends.push({ name: key, atMs: nowMs + (work.durationMs.get(key) ?? 0) });
    }
    const next = ends.pop();
    if (next === undefined) throw new Error("nothing runs and nothing starts");
    nowMs = next.atMs;
    statuses.set(next.name, { state: "ended", outcome: "succeeded" });
    scheduler.release(next.name);
    changed = [next.name];
  }
}
