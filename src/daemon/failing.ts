import type { Clock } from "../base/clock.ts";
import { retryDelayMs, type Outcome, type RetryPolicy } from "../engine/task.ts";
import type { Reason } from "../store/runs.ts";
import type { TaskResult } from "../store/tasks.ts";
import type { TaskSpec } from "../workflows/spec.ts";
import type { Draft } from "./draft.ts";

/** How an attempt went wrong. */
export interface Failing {
  readonly outcome: Extract<Outcome, "failed" | "lost">;
  readonly reason: Reason | undefined;
  readonly result: TaskResult;
  /** For the event that tells of it. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Makes a task ready for another attempt where its retries allow one; else it ends. */
export function failTask(draft: Draft, clock: Clock, spec: TaskSpec, failing: Failing): void {
  const { outcome, reason, result, data } = failing;
  const failures = draft.task(spec.name).failures + 1;
  // What was spent stays spent, however often it is tried again.
  const delayMs = reason?.code === "BUDGET_SPENT" ? undefined : retryDelayMs(policyFor(spec, reason), failures);
  if (delayMs !== undefined) {
    const notBeforeMs = clock.monotonicMs() + delayMs;
    const patch = { state: "ready", failures, notBeforeMs, reason: reason ?? null, landing: null } as const;
    draft.setTask(spec.name, patch, "task.retrying", { delayMs, reason });
    return;
  }
  const patch = { state: "ended", outcome, failures, reason: reason ?? null, result, landing: null } as const;
  draft.setTask(spec.name, patch, "task.ended", { outcome, reason, ...data });
}

/** Work that did not land goes back to its author at least as often as it may be mended. */
function policyFor({ retry }: TaskSpec, reason: Reason | undefined): RetryPolicy {
  const didNotLand = reason?.code === "MERGE_CONFLICT" || reason?.code === "VERIFY_FAILED";
  return didNotLand ? { ...retry, times: Math.max(retry.times, retry.repairs ?? 0) } : retry;
}
