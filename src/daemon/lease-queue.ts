import type { Holder } from "../engine/leases.ts";
import { scopesMeet } from "../engine/scope.ts";
import { taskKey } from "./live-run.ts";

/** A task that waits for a scope. */
interface Waiting extends Holder {
  readonly repositoryId: string;
  readonly scope: readonly string[];
}

/** The tasks that wait until their scope is free, in the order they came: a large scope is not passed over for ever. */
export class LeaseQueue {
  readonly #waiting = new Map<string, Waiting>();

  /** Adds one; one that waits already keeps its place. */
  add({ run, task, repositoryId, scope }: Waiting): void {
    const key = taskKey(run, task);
    if (!this.#waiting.has(key)) this.#waiting.set(key, { run, task, repositoryId, scope });
  }

  /** @returns whether it waited */
  remove({ run, task }: Holder): boolean {
    return this.#waiting.delete(taskKey(run, task));
  }

  /** Who came before and waits for a scope that meets this one. */
  aheadOf({ run, task, repositoryId, scope }: Waiting): Holder | undefined {
    for (const other of this.#waiting.values()) {
      if (other.run === run && other.task === task) return undefined;
      if (other.repositoryId === repositoryId && scopesMeet(other.scope, scope)) return other;
    }
    return undefined;
  }
}
