import { resolve } from "node:path";

import { newId, systemRandom } from "../base/ids.ts";
import type { CommandRequest } from "../protocol/commands.ts";
import type { WorkflowDefinition } from "../workflows/schema.ts";
import { definedVariables } from "./start-options.ts";

/** Which conversation is copied, and what its copies are asked. */
export interface ForkOptions {
  readonly source?: string;
  /** Or a use of a tool in the conversation, by the agent's own id of it. */
  readonly toolUse?: string;
  readonly kind?: "claude" | "codex" | "opencode" | "acp";
  readonly prompts?: readonly string[];
  /** A folder inside the repository. Default: the current one. */
  readonly directory?: string;
  /** Nothing that a copy changes is kept. */
  readonly writesNone?: boolean;
  /** What all of them together may use. */
  readonly budget?: WorkflowDefinition["budget"];
  /** Makes asking twice start once. Default: a new one for each call. */
  readonly requestId?: string;
}

/** The request that copies a conversation as the options say, for tasks that run with this environment. */
export function forkRequest(
  { prompts = [], directory, requestId, ...rest }: ForkOptions,
  environment: Readonly<Record<string, string | undefined>>,
): CommandRequest<"fork"> {
  return {
    ...rest,
    prompts: [...prompts],
    directory: resolve(directory ?? process.cwd()),
    environment: definedVariables(environment),
    requestId: requestId ?? newId(systemRandom, 24),
  };
}
