import { z } from "zod";

import { AGENT_KINDS, MESSAGE_TIMINGS } from "../../engine/agent.ts";
import { budget } from "../../workflows/schema.ts";
import { runView } from "../views.ts";
import { directory, environment, id, requestId } from "./fields.ts";

/** What a copy of a conversation is expected to cost before it does anything. */
const forkEstimate = z.object({
  kind: z.enum(AGENT_KINDS),
  conversation: z.string(),
  /** The task of ours whose conversation it is. */
  task: z.object({ run: z.string(), task: z.string() }).optional(),
  title: z.string().optional(),
  model: z.string().optional(),
  /** `digest`: it cannot be copied into another folder; the new agent is given a summary instead. */
  way: z.enum(["copy", "digest"]),
  /** The size of the conversation. */
  contextTokens: z.number().optional(),
  /** How long ago its last request was. */
  ageMs: z.number(),
  /** Whether the model's service will probably still hold it in its cache. */
  cache: z.enum(["likely", "unlikely"]),
  /** What reading it once more costs by the price list, where its model is on it. */
  usd: z.number().optional(),
});

/** The requests to say something in a conversation that an agent has, and to copy one. */
export const conversationCommands = {
  message: {
    request: z.strictObject({
      /** A task that an agent is at work on. */
      id,
      text: z.string().trim().min(1).max(100_000),
      /** `next` (default): with the result of the tool it is using; `now`: its turn is ended first; `later`: after it. */
      when: z.enum(MESSAGE_TIMINGS).optional(),
      directory: directory.optional(),
    }),
    response: z.object({ id: z.string(), run: z.string(), task: z.string(), when: z.enum(MESSAGE_TIMINGS) }),
    inTask: "allowed",
  },
  fork: {
    request: z.strictObject({
      directory,
      environment,
      /** A task of ours, or the agent's own id of a conversation. Default: the newest one in the folder. */
      source: id.optional(),
      /** Or a use of a tool in the conversation, by the agent's own id of it. */
      toolUse: id.optional(),
      kind: z.enum(AGENT_KINDS).optional(),
      /** Each starts a copy of its own. None: only the estimate is made. */
      prompts: z.array(z.string().trim().min(1)).max(64),
      writesNone: z.boolean().optional(),
      budget: budget.optional(),
      requestId,
    }),
    response: z.object({ estimate: forkEstimate, run: runView.optional(), notices: z.array(z.string()) }),
    inTask: "allowed",
  },
} as const;
