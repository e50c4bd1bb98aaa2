/**
 * B1 with real processes: some of the simulated graphs, their seconds as milliseconds of `sleep`, run by a daemon.
 *
 * Each graph runs twice, before and after its durations are remembered, and once with barriers: the same tasks, but
 * each needs all of the layer before.
 */
import { join } from "node:path";

import type { Anabranch, TaskDefinition } from "../src/index.ts";
import type { Bench } from "./bench.ts";
import { criticalMs, lowerBoundMs, randomWork, totalMs, type RandomWork } from "./graphs.ts";
import { seeded } from "./random.ts";
import { format } from "./report.ts";
import { makeRepository } from "./repositories.ts";
import { openSandbox } from "./sandbox.ts";
import { mean } from "./statistics.ts";

const TASKS = 40;
const MOST_AT_ONCE = 16;

interface Graph {
  readonly seed: number;
  readonly sigma: number;
  readonly workers: number;
}

const GRAPHS: readonly Graph[] = [0.5, 1, 1.5].flatMap((sigma, index) =>
  [4, 8].map((workers) => ({ seed: index + 1, sigma, workers })),
);

interface Ratios {
  readonly unknown: number;
  readonly remembered: number;
  readonly barrier: number;
}

export const makespanReal: Bench = {
  name: "makespan-real",
  about: "B1 with real processes: makespan against max(critical path, work / workers)",
  async run(report, { short, seed, folder }) {
    const sandbox = openSandbox(join(folder, "home"), MOST_AT_ONCE);
    const root = makeRepository(join(folder, "repository"), { "a.txt": "a\n" });
    const chosen = short ? GRAPHS.slice(0, 1) : GRAPHS.filter((graph) => seed === undefined || graph.seed === seed);
    const all: Ratios[] = [];
    const rows: (string | number)[][] = [];
    try {
      const client = sandbox.client();
      await (await client.start({ directory: root, tasks: { warm: { run: "true", writes: "none" } } })).wait();
      for (const graph of chosen) {
        const work = randomWork(TASKS, graph.sigma, short ? 200 : 1000, seeded(graph.seed));
        const ratios = await runAll(client, root, graph, work);
        all.push(ratios);
        console.log(`seed ${graph.seed}, ${graph.workers} workers: ${format(ratios.remembered)} of the bound`);
        const dominant = totalMs(work) / graph.workers >= criticalMs(work) ? "work" : "critical path";
        const bound = lowerBoundMs(work, graph.workers);
        rows.push([
          `${graph.seed}`,
          graph.sigma,
          graph.workers,
          bound,
          dominant,
          ratios.unknown,
          ratios.remembered,
          ratios.barrier,
        ]);
      }
    } finally {
      const left = await sandbox.close();
      report.limit("processes left behind", left.length, { atMost: 0 });
    }
    report.table(
      `Makespan / bound, ${TASKS} tasks that sleep`,
      ["seed", "sigma", "workers", "bound ms", "bound is", "first run", "remembered", "barrier"],
      rows,
    );
    report.keep("ratios", all);
    const ratios = all.map((one) => one.remembered);
    report.limit("real processes: mean of makespan / bound", mean(ratios), { atMost: 1.05, short: 3 });
    report.limit("real processes: worst makespan / bound", Math.max(...ratios), { atMost: 1.15, short: 3 });
    if (short) return;
    const saved = mean(all.map((one) => 1 - one.remembered / one.barrier));
    report.limit("real processes: time saved against barriers, mean share", saved, { atLeast: 0.22 });
  },
};

async function runAll(client: Anabranch, root: string, { workers, seed }: Graph, work: RandomWork): Promise<Ratios> {
  const bound = lowerBoundMs(work, workers);
  const ratioOf = async (needsOf: (task: string) => readonly string[]): Promise<number> => {
    const tasks = Object.fromEntries(
      [...work.durationMs].map(([name, ms]): [string, TaskDefinition] => [
        name,
        // The same command is the same task to the memory.
        { run: `: ${seed} ${name}; sleep ${(ms / 1000).toFixed(3)}`, writes: "none", needs: [...needsOf(name)] },
      ]),
    );
    const run = await client.start({ directory: root, tasks, mode: "parallel", parallel: workers, share: true });
    const view = await run.wait();
    if (view.outcome !== "succeeded") throw new Error(`a run ${view.outcome}`);
    return view.times.wallMs / bound;
  };
  const needs = (task: string): readonly string[] => work.graph.tasks.get(task)?.needs ?? [];
  const layerBefore = new Map(
    work.layers.flatMap((layer, index) => layer.map((task) => [task, work.layers[index - 1] ?? []])),
  );
  return {
    unknown: await ratioOf(needs),
    remembered: await ratioOf(needs),
    barrier: await ratioOf((task) => layerBefore.get(task) ?? []),
  };
}
