import { z } from "zod";

import { SIGNATURES } from "../../engine/trigger.ts";
import { directory } from "./fields.ts";

/** A hook that a trigger waits for. */
const hookView = z.object({
  hook: z.string(),
  signature: z.enum(SIGNATURES),
  /** The root of the repository whose trigger it is. */
  root: z.string(),
  /** Where it is called, while the daemon listens. */
  address: z.string().optional(),
  /** Only for people who have asked for it. */
  secret: z.string().optional(),
});

const webhookListing = z.object({
  /** `off`: no port is set, or no trigger waits for a hook. `failed`: the port cannot be had. */
  state: z.enum(["off", "listening", "failed"]),
  why: z.string().optional(),
  hooks: z.array(hookView),
});

const place = z.strictObject({
  /** Only the hooks of the repository around this folder. */
  directory: directory.optional(),
});

/** The requests about webhooks. What shows a secret is for people. */
export const webhookCommands = {
  webhooks: { request: place, response: webhookListing, inTask: "allowed" },
  "webhooks-show": { request: place, response: webhookListing, inTask: "refused" },
  "webhooks-rotate": {
    request: z.strictObject({ directory, hook: z.string().min(1).max(100) }),
    response: hookView,
    inTask: "refused",
  },
} as const;

/** A hook that a trigger waits for. */
export type HookView = z.infer<typeof hookView>;
/** The hooks that triggers wait for, and whether they can be called. */
export type WebhookListing = z.infer<typeof webhookListing>;
