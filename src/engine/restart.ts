import type { Outcome } from "./task.ts";

/** After which ends a monitor is started again. */
export const RESTARTS = ["on-failure", "always"] as const;

/** How a monitor is kept up. */
export interface RestartPolicy {
  readonly when: (typeof RESTARTS)[number];
  /** More restarts than that within the time, and it stays down. */
  readonly limit: number;
  readonly withinMs: number;
  /** Before it is started again. */
  readonly delayMs: number;
}

/** What follows from the end of an attempt of a monitor. */
export type RestartVerdict =
  /** It has done what it was for. */
  | { readonly type: "done" }
  /** It ends too often. */
  | { readonly type: "limit" }
  /** It is started again; `restarts`: when that was done lately, this time included. */
  | { readonly type: "restart"; readonly restarts: readonly number[] };

/**
 * Whether a monitor is started again after an attempt that ended so.
 * @param earlier when it was restarted lately, as the last verdict had it
 */
export function judgeRestart(
  policy: RestartPolicy,
  outcome: Outcome,
  earlier: readonly number[],
  atMs: number,
): RestartVerdict {
  if (outcome === "cancelled" || (outcome === "succeeded" && policy.when === "on-failure")) return { type: "done" };
  // Where the clock was set back, what it had called later counts as now: it is nobody's leave to restart more often.
  const recent = earlier.map((restartMs) => Math.min(restartMs, atMs)).filter((ms) => atMs - ms < policy.withinMs);
  return recent.length >= policy.limit ? { type: "limit" } : { type: "restart", restarts: [...recent, atMs] };
}
