import { z } from "zod";

import { inboxEntryView, noticeView, runSummary } from "../views.ts";
import { directory, id } from "./fields.ts";

/** What whoever asks was not told of yet. */
const inbox = z.strictObject({
  /** Where the caller stands: for a person, only what is of the repository around it. A task has one inbox. */
  directory: directory.optional(),
  /** Also what was read, the newest first. */
  read: z.boolean().optional(),
  /** Default: 100. With 0, the entries are only counted. */
  limit: z.int().min(0).max(1000).optional(),
});

/** A run with where it belongs in a list, and what its tasks wait for. */
const listedRun = runSummary.extend({
  group: z.enum(["needs-you", "running", "finished"]),
  /** The first few of its tasks that wait, and for what. */
  waits: z.array(z.object({ task: z.string(), reason: z.string() })),
  waitsLeft: z.number(),
});

/** The requests about what goes on in the background. */
export const backgroundCommands = {
  /** What goes on, what needs a person, and what has ended last: in this order. */
  overview: {
    request: z.strictObject({
      /** The most runs. */
      limit: z.int().min(1).max(1000).optional(),
      /** Only what belongs to the repository around this folder. */
      directory: directory.optional(),
    }),
    response: z.object({
      runs: z.array(listedRun),
      /** How many more have work left. */
      runningLeft: z.number(),
      notices: z.array(noticeView),
      /** How many entries of the caller's inbox were not read. */
      unread: z.number(),
      /** Why nothing new starts. */
      held: z.string().optional(),
    }),
    inTask: "allowed",
  },
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
