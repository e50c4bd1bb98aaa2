import type { Lane } from "../landing/lane.ts";
import type { LiveRun } from "./live-run.ts";
import type { RunInputs } from "./run-files.ts";
import type { Contribution } from "./settlement.ts";

/** What is to land where. */
export interface LandingOrder {
  readonly run: LiveRun;
  readonly inputs: RunInputs;
  readonly lane: Lane;
  readonly contributions: readonly Contribution[];
  /** What the run's base came to; absent where this lane is only for putting work together, unverified. */
  readonly base: LiveRun["row"]["landing"] | undefined;
  /** Whether leases let the lane move, where it is not its contributions that tell. */
  readonly mayMove?: (() => boolean) | undefined;
  /** Whether verification that failed before is done again: a person asks. */
  readonly again?: boolean | undefined;
}
