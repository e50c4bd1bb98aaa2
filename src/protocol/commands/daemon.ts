import { z } from "zod";

import { checkView } from "../views.ts";
import { environment } from "./fields.ts";

/** What a daemon says of itself. */
const statusResult = z.object({
  pid: z.number(),
  version: z.string(),
  protocol: z.number(),
  node: z.string(),
  home: z.string(),
  startedMs: z.number(),
  memoryBytes: z.number(),
  activeRuns: z.number(),
  workingTasks: z.number(),
  readyTasks: z.number(),
  /** Why nothing new starts, where the disk or the memory has too little room. */
  held: z.string().optional(),
});

/** What `gc` would remove, or has removed. */
const gcResult = z.object({
  runs: z.array(z.object({ id: z.string(), name: z.string().optional(), endedMs: z.number() })),
  workspaces: z.array(z.object({ path: z.string(), repository: z.string() })),
  /** Workspaces kept because what they hold could not be made safe. */
  retained: z.array(z.object({ path: z.string(), holder: z.string() })),
  pins: z.number(),
  /** Old events. */
  events: z.number(),
  bytes: z.number(),
  removed: z.boolean(),
});

/** The requests about the daemon itself and what it keeps. */
export const daemonCommands = {
  status: { request: z.strictObject({}), response: statusResult, inTask: "allowed" },
  gc: {
    request: z.strictObject({
      /** Only runs that ended longer ago. */
      olderThanMs: z.number().min(0).optional(),
      /** Without it, nothing is removed. */
      confirm: z.boolean().optional(),
    }),
    response: gcResult,
    inTask: "refused",
  },
  doctor: {
    request: z.strictObject({
      /** The caller's environment: where the programs of agents are. */
      environment: environment.optional(),
    }),
    response: z.array(checkView),
    inTask: "allowed",
  },
  stop: {
    request: z.strictObject({
      /** Ends all running tasks first; otherwise they go on, and the next daemon takes them up again. */
      cancel: z.boolean().optional(),
    }),
    response: z.object({ pid: z.number(), goingOn: z.number(), cancelled: z.number() }),
    inTask: "refused",
  },
} as const;
