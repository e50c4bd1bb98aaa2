import { buildGraph, criticalPathMs, type Graph } from "../src/engine/graph.ts";
import type { TaskPlan } from "../src/engine/task.ts";
import type { Random } from "./random.ts";

/** A random piece of work: what comes before what, and how long each task takes. */
export interface RandomWork {
  readonly graph: Graph;
  readonly durationMs: ReadonlyMap<string, number>;
  /** The tasks layer by layer: what a scheduler with barriers runs as waves. */
  readonly layers: readonly (readonly string[])[];
}

const [FEWEST_LAYERS, MOST_LAYERS] = [3, 7];
const MOST_NEEDS = 3;

/**
 * A layered graph: every task but those of the first layer needs one to three of the layer before. Durations are
 * log-normal: half of them are longer than `medianMs`, and the larger `sigma`, the longer the longest.
 */
export function randomWork(count: number, sigma: number, medianMs: number, random: Random): RandomWork {
  const layerCount = FEWEST_LAYERS + random.below(MOST_LAYERS - FEWEST_LAYERS + 1);
  const layers: string[][] = Array.from({ length: layerCount }, () => []);
  for (let index = 0; index < count; index += 1) {
    // The first of them see to it that no layer is empty.
    const layer = index < layerCount ? index : random.below(layerCount);
    layers[layer]?.push(`task-${index}`);
  }
  const plans: TaskPlan[] = [];
  const durationMs = new Map<string, number>();
  for (const [index, names] of layers.entries()) {
    const before = layers[index - 1] ?? [];
    for (const name of names) {
      const needs = new Set<string>();
      const wanted = Math.min(before.length, 1 + random.below(MOST_NEEDS));
      while (needs.size < wanted) needs.add(before[random.below(before.length)] ?? "");
      plans.push(planOf(name, [...needs]));
      durationMs.set(name, medianMs * Math.exp(sigma * random.normal()));
    }
  }
  return { graph: buildGraph(plans), durationMs, layers };
}

function planOf(name: string, needs: readonly string[]): TaskPlan {
  return {
    name,
    kind: "shell",
    needs,
    after: [],
    when: "success",
    join: "all",
    detach: false,
    writes: "none",
    resources: [],
    retry: { times: 0, delayMs: 0, factor: 1, maxDelayMs: 0 },
  };
}

/** All durations together. */
export function totalMs({ durationMs }: RandomWork): number {
  return [...durationMs.values()].reduce((sum, duration) => sum + duration, 0);
}

/** How long it takes at least with so many workers: the critical path, or all the work evenly spread. */
export function lowerBoundMs(work: RandomWork, workers: number): number {
  return Math.max(criticalMs(work), totalMs(work) / workers);
}

/** The length of the longest chain. */
export function criticalMs(work: RandomWork): number {
  return Math.max(...criticalPathMs(work.graph, (name) => work.durationMs.get(name) ?? 0).values());
}
