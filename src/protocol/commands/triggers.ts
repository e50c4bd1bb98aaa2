import { z } from "zod";

import { FIRING_STATES } from "../../engine/trigger.ts";
import { reasonView } from "../views.ts";
import { directory, environment } from "./fields.ts";

/** One time that a trigger has fired. */
const firingView = z.object({
  id: z.string(),
  trigger: z.string(),
  state: z.enum(FIRING_STATES),
  atMs: z.number(),
  endedMs: z.number().optional(),
  /** How many events it is about. */
  events: z.number(),
  paths: z.array(z.string()),
  chain: z.string(),
  depth: z.number(),
  run: z.string().optional(),
  reason: reasonView.optional(),
  /** The notice that a person has to settle first. */
  notice: z.string().optional(),
});

/** A trigger, as it is in the file or was agreed to. */
const triggerView = z.object({
  name: z.string(),
  /** What it waits for, and what it does, in words. */
  on: z.string(),
  does: z.string(),
  /** Its flow control, a line for each part. */
  flow: z.array(z.string()),
  approval: z.boolean(),
  /** `new` and `changed`: so it is in the file, and that was not agreed to. `removed`: it is in the file no more. */
  state: z.enum(["active", "paused", "new", "changed", "removed"]),
  /** How many of its firings there have been, by what became of them. */
  firings: z.record(z.string(), z.number()),
  /** When its flow control, or its timer, has something to do next. */
  dueMs: z.number().optional(),
});

/** The triggers of a repository, and whether they act. */
const triggerSetView = z.object({
  root: z.string(),
  /**
   * `none`: the file has no triggers; `new`: nobody has agreed to them; `changed`: the file is not the one that was
   * agreed to; `broken`: it cannot be read. Only `enabled` ones act.
   */
  state: z.enum(["none", "new", "enabled", "changed", "broken", "disabled"]),
  /** Names what the file is now. */
  contentHash: z.string().optional(),
  enabledMs: z.number().optional(),
  /** The lines of the file that differ from what was agreed to, as git shows them. */
  difference: z.array(z.string()),
  problem: reasonView.optional(),
  depth: z.number(),
  triggers: z.array(triggerView),
});

/** What a trigger would do about an event. */
const triggerTrial = z.object({
  trigger: z.string(),
  fires: z.boolean(),
  /** Why it does, or does not. */
  why: z.string(),
  /** What would follow, step by step. */
  steps: z.array(z.string()),
});

/** The requests about triggers. */
export const triggerCommands = {
  triggers: { request: z.strictObject({ directory }), response: triggerSetView, inTask: "allowed" },
  "triggers-show": {
    request: z.strictObject({ directory, name: z.string().min(1) }),
    response: z.object({ set: triggerSetView, trigger: triggerView, firings: z.array(firingView) }),
    inTask: "allowed",
  },
  "triggers-enable": {
    request: z.strictObject({
      directory,
      /** The caller's environment: what the triggers start runs with it. */
      environment,
      /** What was seen of the file: if it is no longer that, nothing is agreed to. */
      contentHash: z.string(),
    }),
    response: triggerSetView,
    inTask: "refused",
  },
  "triggers-disable": { request: z.strictObject({ directory }), response: triggerSetView, inTask: "refused" },
  "triggers-pause": {
    request: z.strictObject({ directory, name: z.string().min(1), paused: z.boolean() }),
    response: triggerSetView,
    inTask: "refused",
  },
  "triggers-test": {
    request: z.strictObject({
      directory,
      event: z.looseObject({
        type: z.string().min(1),
        data: z.record(z.string(), z.unknown()).optional(),
        run: z.string().optional(),
        task: z.string().optional(),
      }),
    }),
    response: z.array(triggerTrial),
    inTask: "allowed",
  },
} as const;

/** The triggers of a repository, and whether they act. */
export type TriggerSetView = z.infer<typeof triggerSetView>;
/** A trigger, as it is in the file or was agreed to. */
export type TriggerView = z.infer<typeof triggerView>;
/** One time that a trigger has fired. */
export type FiringView = z.infer<typeof firingView>;
/** What a trigger would do about an event. */
export type TriggerTrial = z.infer<typeof triggerTrial>;
