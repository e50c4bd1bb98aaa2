import type { Mode } from "../engine/planner.ts";
import type { Join, TaskPlan } from "../engine/task.ts";

/** A task with everything settled. */
export interface TaskSpec extends TaskPlan {
  readonly command: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The folder it starts in, from the repository's root; `""` is the root. */
  readonly directory: string;
  readonly timeoutMs: number | undefined;
  readonly output: "text" | "json" | undefined;
  readonly schema: Readonly<Record<string, unknown>> | undefined;
}

/** A run with everything settled: what the daemon works from, whatever the files say later. */
export interface RunSpec {
  /** The workflow's name, where it has one. */
  readonly name: string | undefined;
  readonly mode: Mode;
  readonly join: Join;
  /** How the work of its tasks lands. */
  readonly land: "each" | "together";
  /** Whether the repository's file names commands that must pass before anything lands. */
  readonly verifies: boolean;
  /** What to do about a base that does not pass verification itself. */
  readonly redBase: "stop" | "forbid-new";
  /** The branch of the user's that its work lands on; without one, a lane of its own in the vault. */
  readonly target: string | undefined;
  readonly parallel: number | undefined;
  readonly share: boolean | undefined;
  readonly tasks: readonly TaskSpec[];
  readonly setup: readonly string[];
  /** Names or paths of ignored folders that stay in a workspace when it is recycled. */
  readonly dependencies: readonly string[];
  /** Whether those folders are copied from the user's tree. */
  readonly copyDependencies: boolean;
  readonly carry: readonly string[];
  readonly ports: readonly string[];
  /** For every task; values may hold `{{workspace}}` and `{{port.NAME}}`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly repositoryParallel: number | undefined;
  readonly resources: Readonly<Record<string, number>>;
  readonly logCapBytes: number;
}
