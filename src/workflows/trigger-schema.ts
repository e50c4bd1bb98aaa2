import { z } from "zod";

import { FILE_CHANGES, MISSED, SIGNATURES } from "../engine/trigger.ts";
import { OUTCOMES } from "../engine/task.ts";
import { DURATION_PATTERN } from "./units.ts";

const duration = z.string().regex(DURATION_PATTERN, "expected a duration such as 500ms, 10s, 5m or 2h");
const text = z.string().trim().min(1);
const textOrTexts = z.union([text, z.array(text).min(1)]);
const outcome = z.enum(OUTCOMES);
const outcomes = z.union([outcome, z.array(outcome).min(1)]);
/** A name by which things are told apart: triggers, hooks, groups, targets of notifications. */
const plainName = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/, "expected letters, digits, - and _");

const per = z.strictObject({ limit: z.int().min(1).max(100_000), per: duration });

/** What a trigger waits for: exactly one of these. */
const eventSource = z.union([
  z.strictObject({
    /** Globs of files in the repository that are not ignored. */
    files: textOrTexts,
    /** Default: all. */
    change: z.union([z.enum(FILE_CHANGES), z.array(z.enum(FILE_CHANGES)).min(1)]).optional(),
  }),
  z.strictObject({
    /** Globs of branches that have moved. */
    commit: textOrTexts,
    /** Globs of `Name <address>`. */
    author: textOrTexts.optional(),
    /** Globs of paths that the commits change. */
    paths: textOrTexts.optional(),
  }),
  z.strictObject({ /** Globs of branches that were made, moved or deleted. */ branch: textOrTexts }),
  z.strictObject({ /** Globs of tags that were made, moved or deleted. */ tag: textOrTexts }),
  z.strictObject({
    /** Five fields, or six with seconds first. */
    cron: text,
    /** Such as `Europe/Berlin`. Default: the machine's. */
    timeZone: text.optional(),
    /** What is done about times that passed while nobody was there. Default `once`. */
    missed: z.enum(MISSED).optional(),
  }),
  z.strictObject({ every: duration, missed: z.enum(MISSED).optional() }),
  z.strictObject({ /** A moment, such as `2027-01-31T09:00:00Z`. */ at: text, missed: z.enum(MISSED).optional() }),
  z.strictObject({
    /** Its address is `/hooks/NAME`. */
    webhook: plainName,
    /** Default `token`. */
    signature: z.enum(SIGNATURES).optional(),
  }),
  z.strictObject({
    /** A file that grows, from the repository's root, or absolute. */
    log: text,
    /** A regular expression that a line must match. */
    match: text,
  }),
  z.strictObject({ /** `WORKFLOW.TASK`. */ task: text, outcome: outcomes.optional() }),
  z.strictObject({ /** The workflow whose run has ended. */ run: text, outcome: outcomes.optional() }),
  z.strictObject({ /** The workflow of whose work something has landed or was accepted. */ landing: text }),
  z.strictObject({ /** Globs of names that `anabranch emit` was given. */ event: textOrTexts }),
]);

/** A rule from events to a run. */
export const triggerDefinition = z.strictObject({
  /** Default: what it runs, with a number where that is taken. */
  name: plainName.optional(),
  on: eventSource,
  /** Fields of the event, by their path, and globs that they must match. */
  where: z.record(z.string().min(1), z.union([z.string(), z.array(z.string()).min(1)])).optional(),
  /** The workflow that it starts. */
  run: text.optional(),
  /** Names of targets of `notify:` in the user's configuration, or `desktop`. */
  notify: z.union([plainName, z.array(plainName).min(1)]).optional(),
  /** A person must say yes first: `required`, or until when that counts. Default of `expires`: `7d`. */
  approval: z.union([z.literal("required"), z.strictObject({ expires: duration })]).optional(),
  /** The branch that its work lands on. Default: a lane of its own. */
  target: text.optional(),
  /** Events in quick succession become one firing. */
  debounce: z
    .union([
      duration,
      z.strictObject({
        quiet: duration,
        /** It fires after this long, however quickly events follow. */
        max: duration.optional(),
        /** Default `trailing`: when it is quiet again. */
        edge: z.enum(["trailing", "leading", "both"]).optional(),
      }),
    ])
    .optional(),
  /** More firings than that have to wait. */
  throttle: per.optional(),
  /** More events than that are dropped. */
  rateLimit: per.optional(),
  /** So many events, or whatever has come within a time, become one firing. */
  batch: z.strictObject({ size: z.int().min(2).max(10_000), within: duration }).optional(),
  /** The field, by its path, by which an event counts once in 24 hours. */
  idempotencyKey: text.optional(),
  /** Triggers of one group do not run at once. */
  concurrency: z
    .strictObject({
      /** Default: the trigger's own. */
      group: plainName.optional(),
      /** Default 1. */
      limit: z.int().min(1).max(1000).optional(),
      /** Default `queue`. */
      policy: z.enum(["queue", "replace-pending", "cancel-in-progress"]).optional(),
    })
    .optional(),
  /** What comes while a run of it goes on is dropped. */
  singleton: z.boolean().optional(),
  /** Of what waits, the higher goes first. Default 0. */
  priority: z.int().min(-1000).max(1000).optional(),
  /** Whether it may fire on what it has led to itself, up to the depth of its chain. Default: no. */
  again: z.boolean().optional(),
});

/** A rule from events to a run, as it is written. */
export type TriggerDefinition = z.infer<typeof triggerDefinition>;
/** What a trigger waits for, as it is written. */
export type EventSourceDefinition = z.infer<typeof eventSource>;
