import { AnabranchError } from "../../base/errors.ts";
import type { ToolHandler } from "../call.ts";
import type { Caller } from "../caller.ts";

/** Starts copies of the conversation in which it is called. */
export const forkMe: ToolHandler<"fork_me"> = async ({ prompts, readOnly, budget }, call) => {
  const { anabranch, directory, caller } = call;
  const { estimate, run } = await anabranch.fork({
    directory,
    prompts,
    ...requireKnown(caller.conversation),
    ...(readOnly === true ? { writesNone: true } : {}),
    ...(budget === undefined ? {} : { budget }),
  });
  if (run === undefined)
    throw new AnabranchError("INTERNAL", { message: "a fork with something to do started nothing" });
  const { way, contextTokens, cache } = estimate;
  const tasks = run.view.taskList.map(({ name }) => name);
  const cost = contextTokens === undefined ? "" : `; each begins with ${contextTokens} tokens, a cache hit is ${cache}`;
  return {
    data: { id: run.id, tasks, way, ...(contextTokens === undefined ? {} : { contextTokens }), cache },
    text: `started ${tasks.map((name) => `${run.id}/${name}`).join(", ")} as a ${way} of this conversation${cost}; wait_agents {"ids": ["${run.id}"]}`,
  };
};

// Another conversation that was had here must not be taken for the caller's own.
function requireKnown(conversation: Caller["conversation"]): Caller["conversation"] {
  if (conversation.kind !== undefined) return conversation;
  throw new AnabranchError("CANNOT_FORK", {
    message: "this client does not tell which conversation calls",
    hint: "start agents anew: run_agents or spawn_agent, with all they need in their prompts",
  });
}
