import type { Cause } from "../../engine/cause.ts";
import type { LiveRun } from "../live-run.ts";

/**
 * The deepest cause of the runs at work that a trigger has led to. What writes to a log file cannot be told: so whatever
 * comes for a trigger while its own runs are at work counts as theirs, and no trigger feeds itself.
 */
export function causeAtWork(runs: readonly LiveRun[], triggerId: string): Cause | undefined {
  const causes = runs.flatMap(({ row: { cause } }) => (cause?.triggers.includes(triggerId) === true ? [cause] : []));
  return causes.reduce<Cause | undefined>(
    (most, cause) => (most === undefined || cause.depth > most.depth ? cause : most),
    undefined,
  );
}
