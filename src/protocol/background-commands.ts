import { z } from "zod";

import { inboxEntryView, runSummary } from "./views.ts";

const id = z.string().min(1).max(200);
const directory = z.string().min(1);

/** What whoever asks was not told of yet. */
const inbox = z.strictObject({
  /** Where the caller stands: for a person, only what is of the repository around it. A task has one inbox. */
  directory: directory.optional(),
  /** Also what was read, the newest first. */
  read: z.boolean().optional(),
  /** Default: 100. With 0, the entries are only counted. */
  limit: z.int().min(0).max(1000).optional(),
});

/** The requests about what goes on in the background. */
export const backgroundCommands = {
  adopt: {
    request: z.strictObject({
      /** A run. */
      id,
      directory: directory.optional(),
    }),
    /** `already`: it belonged to the caller before. */
    response: z.object({ run: runSummary, already: z.boolean() }),
    inTask: "allowed",
  },
  inbox: {
    request: inbox,
    response: z.object({
      /** Whose inbox it is: `task:RUN/TASK`, `conversation:ID` or `person`. */
      addressee: z.string(),
      unread: z.number(),
      entries: z.array(inboxEntryView),
    }),
    inTask: "allowed",
  },
  /** Says that the caller was told; of what is in another's inbox nothing changes. */
  acknowledge: {
    request: z.strictObject({
      /** Ids of entries, of runs, or `RUN/TASK`. */
      ids: z.array(z.string().min(1).max(200)).min(1).max(1000),
    }),
    response: z.object({}),
    inTask: "allowed",
  },
} as const;

/** The streams about what goes on in the background. */
export const backgroundStreams = {
  /** What comes into the caller's inbox, each once. More comes when what was sent is acknowledged. */
  inbox: { request: z.strictObject({ directory: directory.optional() }), messages: { entry: inboxEntryView } },
} as const;
