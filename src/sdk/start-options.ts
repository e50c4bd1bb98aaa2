import { resolve } from "node:path";

import { newId, systemRandom } from "../base/ids.ts";
import type { CommandRequest } from "../protocol/commands.ts";
import type { TaskDefinition, WorkflowDefinition } from "../workflows/schema.ts";

/** Work to be started. Give exactly one of `workflow`, `definition` and `tasks`. */
export interface StartOptions {
  /** A folder inside the repository. Default: the current one. */
  readonly directory?: string;
  /** The name of a workflow in the repository's `anabranch.yaml`. */
  readonly workflow?: string;
  /** A workflow made with {@link defineWorkflow}. */
  readonly definition?: WorkflowDefinition;
  /** Just tasks: by name, each a command or a whole definition. */
  readonly tasks?: Readonly<Record<string, string | TaskDefinition>>;
  readonly mode?: "auto" | "parallel" | "sequential";
  readonly join?: "all" | "first" | "best-of-n";
  /** `together`: either the work of all tasks lands, or none of it. */
  readonly land?: "each" | "together";
  /** When the base fails verification already: `stop` lands nothing, `forbid-new` lands what makes nothing else fail. */
  readonly redBase?: "stop" | "forbid-new";
  /** The branch that the work lands on, instead of a lane of its own. */
  readonly target?: string;
  /** The most tasks of this run at once. */
  readonly parallel?: number;
  /** Whether tasks that write nothing share one workspace. Default: the planner's choice. */
  readonly share?: boolean;
  /** Nothing that any task changes is kept. */
  readonly writesNone?: boolean;
  /** What all of it, and whatever it starts, may use. */
  readonly budget?: WorkflowDefinition["budget"];
  /** A commit to start from instead of the current state. */
  readonly base?: string;
  /** Makes asking twice start once. Default: a new one for each call. */
  readonly requestId?: string;
}

/** The request that starts, or plans, what the options say, for tasks that run with this environment. */
export function startRequest(
  options: StartOptions,
  environment: Readonly<Record<string, string | undefined>>,
): CommandRequest<"start"> {
  const { tasks, directory, requestId, ...rest } = options;
  const definitions = Object.entries(tasks ?? {}).map(
    ([name, task]) => [name, typeof task === "string" ? { run: task } : task] as const,
  );
  return {
    ...rest,
    directory: resolve(directory ?? process.cwd()),
    environment: definedVariables(environment),
    requestId: requestId ?? newId(systemRandom, 24),
    ...(tasks === undefined ? {} : { tasks: Object.fromEntries(definitions) }),
  };
}

/** The variables of an environment that are set. */
export function definedVariables(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
