import { z } from "zod";

import { agentDefinitionView, agentSummary, brokenAgent } from "../views.ts";
import { directory, environment } from "./fields.ts";

/** The requests about the agents that can be named. */
export const agentCommands = {
  agents: {
    request: z.strictObject({
      /** A folder inside the repository. */
      directory,
      /** The caller's environment: where the user's own agents are, and programs. */
      environment,
    }),
    response: z.object({ agents: z.array(agentSummary), broken: z.array(brokenAgent) }),
    inTask: "allowed",
  },
  "agents-show": {
    request: z.strictObject({ name: z.string().min(1), directory, environment }),
    response: agentDefinitionView,
    inTask: "allowed",
  },
  "agents-trust": {
    request: z.strictObject({
      name: z.string().min(1),
      directory,
      environment,
      /** What was seen of it: if it is no longer that, it is not trusted. */
      contentHash: z.string(),
    }),
    response: agentDefinitionView,
    inTask: "refused",
  },
} as const;
