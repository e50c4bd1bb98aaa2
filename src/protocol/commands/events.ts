import { z } from "zod";

import { reasonView } from "../views.ts";
import { directory } from "./fields.ts";

/** Something that was not delivered, or was stopped. */
const deadLetterView = z.object({
  id: z.string(),
  kind: z.string(),
  title: z.string(),
  count: z.number(),
  reason: reasonView,
  trigger: z.string().optional(),
  seq: z.number().optional(),
  chain: z.string().optional(),
  depth: z.number().optional(),
  atMs: z.number(),
  repository: z.string().optional(),
});

/** The requests about events: to append one of one's own, and to see and do again what was not delivered. */
export const eventCommands = {
  emit: {
    request: z.strictObject({
      directory,
      /** Its type is `custom.NAME`. */
      name: z.string(),
      /** A JSON object, at most 256 kB. */
      data: z.unknown().optional(),
      /** The same name and key in one repository make one event. */
      key: z.string().min(1).max(200).optional(),
      /** It is appended after so long, or at a moment. */
      inMs: z.number().min(0).optional(),
      atMs: z.number().min(0).optional(),
    }),
    response: z.object({
      type: z.string(),
      /** Its number. Absent where it is appended later, or was before. */
      seq: z.number().optional(),
      /** Whether its key was known. */
      already: z.boolean(),
      /** When it will be appended, where that is later. */
      dueMs: z.number().optional(),
    }),
    inTask: "allowed",
  },
  "dead-letters": {
    request: z.strictObject({
      /** Only those of the repository around this folder. */
      directory: directory.optional(),
    }),
    response: z.array(deadLetterView),
    inTask: "allowed",
  },
  "events-replay": {
    request: z.strictObject({
      /** A dead letter, or the start of its id. */
      id: z.string().min(1),
    }),
    response: z.object({ letter: deadLetterView, firing: z.string().optional(), delivery: z.string().optional() }),
    inTask: "refused",
  },
} as const;

/** Something that was not delivered, or was stopped. */
export type DeadLetterView = z.infer<typeof deadLetterView>;
