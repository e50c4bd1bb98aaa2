import { AnabranchError } from "../base/errors.ts";
import { loadDepth, type StartingTask } from "../store/runs.ts";
import { taskKey } from "./live-run.ts";
import type { Parts } from "./parts.ts";

/** How many tasks a task may start, and how deep that may go. See the daemon's configuration. */
export interface ChildBounds {
  /** How many tasks may stand above a run, one above the other. */
  readonly depth: number;
  /** The most tasks of runs that one task owns and that have not ended. */
  readonly most: number;
}

/**
 * Keeps tasks from starting more, or deeper, than is allowed.
 *
 * Invariant: what is admitted and what has started count together, so that asking for several at once gives no more.
 */
export class ChildLimits {
  readonly #parts: Pick<Parts, "store" | "book">;
  readonly #bounds: ChildBounds;
  /** How many tasks are about to be started, by the task that asks. */
  readonly #admitted = new Map<string, number>();

  constructor(parts: Pick<Parts, "store" | "book">, bounds: ChildBounds) {
    this.#parts = parts;
    this.#bounds = bounds;
  }

  /**
   * Admits a run of so many tasks below a task. Call the answer once the run has started, or failed to.
   * @throws {AnabranchError} `TOO_DEEP`, `TOO_MANY_CHILDREN`
   */
  async admit(parent: StartingTask, tasks: number): Promise<() => void> {
    await this.refuseDepth(parent);
    this.#refuseCount(parent, tasks);
    const key = taskKey(parent.run, parent.task);
    this.#count(key, tasks);
    return () => this.#count(key, -tasks);
  }

  /**
   * Refuses a run below a task that is itself as deep as is allowed.
   * @param levels how many runs below each other are to stand there
   * @throws {AnabranchError} `TOO_DEEP`
   */
  async refuseDepth({ run, task }: StartingTask, levels = 1): Promise<void> {
    const depth = await loadDepth(this.#parts.store, run);
    const most = this.#bounds.depth;
    if (depth + levels <= most) return;
    throw new AnabranchError("TOO_DEEP", {
      message: `task ${task} of run ${run} has ${depth} tasks above it; ${depth + levels} would be one too many, ${most} are allowed`,
      hint: "do it in this task itself, or let a task further up start it; the limit is children.depth in config.yaml",
      data: { run, task, depth, most },
    });
  }

  #refuseCount(parent: StartingTask, more: number): void {
    const owned = this.#parts.book.ownedBy(parent);
    const key = taskKey(parent.run, parent.task);
    const open = owned.reduce((sum, { unended }) => sum + unended, this.#admitted.get(key) ?? 0);
    const { most } = this.#bounds;
    if (open + more <= most) return;
    const ids = owned.map(({ row }) => row.id);
    throw new AnabranchError("TOO_MANY_CHILDREN", {
      message: `task ${parent.task} of run ${parent.run} has ${open} tasks that have not ended, and ${more} more would be over ${most}`,
      hint:
        ids.length === 0
          ? "start fewer at once; the limit is children.most in config.yaml"
          : `anabranch wait --any ${ids.slice(0, 3).join(" ")}, and start it then; the limit is children.most in config.yaml`,
      data: { ...parent, open, asked: more, most, runs: ids.slice(0, 100) },
    });
  }

  #count(key: string, change: number): void {
    const count = (this.#admitted.get(key) ?? 0) + change;
    if (count === 0) this.#admitted.delete(key);
    else this.#admitted.set(key, count);
  }
}
