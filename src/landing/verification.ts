/** How one command of a verification ended. `flaky`: it failed, and passed on the same tree when asked again. */
export interface CommandResult {
  readonly command: string;
  readonly outcome: "passed" | "flaky" | "failed" | "timed-out" | "missing";
  readonly status: number | undefined;
  readonly durationMs: number;
  /** Where everything it printed is. */
  readonly log: string;
  /** Whether it ran for an earlier landing, on the same tree. */
  readonly remembered: boolean;
}

/** What verifying a tree came to. `unverified`: its rules name no command. */
export interface Verification {
  readonly status: "passed" | "failed" | "unverified";
  readonly tree: string;
  /** The commit whose `anabranch.yaml` named the commands. */
  readonly rulesFrom: string;
  readonly commands: readonly CommandResult[];
  readonly notices: readonly string[];
}

/** Whether a command lets the tree land. */
export function isPassing({ outcome }: CommandResult): boolean {
  return outcome === "passed" || outcome === "flaky";
}
