import type { CancelTimer } from "../base/clock.ts";
import type { AnabranchError } from "../base/errors.ts";
import type { Holder } from "../engine/leases.ts";
import type { Parts } from "./parts.ts";
import { budgetSpent } from "./spending.ts";

/**
 * Tells, once, that a task has to stop: what it may use, or what those may use that it belongs to, is spent.
 * @returns the way to stop watching
 */
export function watchBudget(
  { spending, clock }: Pick<Parts, "spending" | "clock">,
  task: Holder,
  onSpent: (error: AnabranchError) => void,
): () => void {
  let cancelTimer: CancelTimer = () => undefined;
  let unsubscribe = (): void => undefined;
  const stop = (): void => {
    cancelTimer();
    unsubscribe();
  };
  const look = (more: boolean): void => {
    cancelTimer();
    const reached = spending.overrun(task, more);
    if (reached !== undefined) {
      stop();
      onSpent(budgetSpent(reached));
      return;
    }
    const leftMs = spending.msLeft(task);
    if (leftMs !== undefined) cancelTimer = clock.after(leftMs, () => look(false));
  };
  spending.begin(task);
  unsubscribe = spending.onSpent(() => look(false));
  look(true);
  return stop;
}
