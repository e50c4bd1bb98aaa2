import { z } from "zod";

import { AGENT_KINDS, PERMISSIONS } from "../../engine/agent.ts";

const fileEntry = z.object({ path: z.string(), confidence: z.enum(["exact", "traced", "found"]) });

/** One conversation that an agent has, or had, about a task. */
const sessionView = z.object({
  attempt: z.number(),
  state: z.enum(["open", "closed"]),
  /** The agent's own id of it. */
  conversation: z.string().optional(),
  model: z.string().optional(),
  directory: z.string(),
  /** What it began with: a copy or a digest of another conversation. */
  from: z.object({ conversation: z.string(), way: z.enum(["copy", "digest"]) }).optional(),
  /** The tokens of its last request. */
  contextTokens: z.number().optional(),
  /** The files it read and wrote. */
  sets: z
    .object({
      reads: z.array(fileEntry),
      readsComplete: z.boolean(),
      writes: z.array(fileEntry),
      outside: z.array(z.string()),
      cut: z.boolean(),
    })
    .optional(),
});

/** Who does a task by conversation. */
export const agentView = z.object({
  name: z.string(),
  kind: z.enum(AGENT_KINDS),
  prompt: z.string(),
  permission: z.enum(PERMISSIONS),
  sessions: z.array(sessionView),
});
