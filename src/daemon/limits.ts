import type { LiveRun } from "./live-run.ts";
import type { DaemonConfig } from "./config.ts";

const KIND = "kind:";

/** How many tasks may be at work at once: in all, and for each named limit. */
export class Limits {
  readonly total: number;
  readonly #kinds: DaemonConfig["kinds"];
  readonly #capacities = new Map<string, number>();

  constructor(config: DaemonConfig) {
    this.total = config.parallel;
    this.#kinds = config.kinds;
  }

  /** Takes in what a run's repository and plan say. The newest run of a repository decides for all of it. */
  learn(run: LiveRun): void {
    const { id, repositoryId, spec, plan } = run.row;
    this.#capacities.set(`run:${id}`, plan.width);
    this.#capacities.set(`repository:${repositoryId}`, spec.repositoryParallel ?? Number.POSITIVE_INFINITY);
    for (const task of spec.tasks) {
      for (const name of task.resources)
        this.#capacities.set(`resource:${repositoryId}:${name}`, spec.resources[name] ?? 1);
    }
  }

  forget(run: LiveRun): void {
    this.#capacities.delete(`run:${run.row.id}`);
  }

  /** A lock has room for one; a limit nobody set has none. */
  capacityOf(limit: string): number {
    if (limit.startsWith("lock:")) return 1;
    if (limit.startsWith(KIND)) return this.#kinds[limit.slice(KIND.length)]?.parallel ?? Number.POSITIVE_INFINITY;
    return this.#capacities.get(limit) ?? Number.POSITIVE_INFINITY;
  }

  /** How many tasks of a kind may start in a minute. */
  perMinuteOf(limit: string): number | undefined {
    return limit.startsWith(KIND) ? this.#kinds[limit.slice(KIND.length)]?.perMinute : undefined;
  }
}
