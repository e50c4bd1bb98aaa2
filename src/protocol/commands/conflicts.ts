import { z } from "zod";

import { conflictListing, conflictSummary, conflictView, sideView } from "../views.ts";
import { directory, environment, id } from "./fields.ts";
import { landResult } from "./landings.ts";

/** A conflict that was opened in a workspace. */
const openResult = z.object({
  id: z.string(),
  folder: z.string(),
  /** The commit it stands on: what had landed. */
  base: z.string(),
  /** What is left to decide, and how each path stands there. */
  paths: z.array(z.object({ path: z.string(), kind: z.string(), advice: z.string() })),
  /** Whether it was open there before. */
  again: z.boolean(),
});

/** The requests about what could not be merged. */
export const conflictCommands = {
  conflicts: {
    request: z.strictObject({
      /** Only those of the repository around this folder. */
      directory: directory.optional(),
    }),
    response: z.array(conflictListing),
    inTask: "allowed",
  },
  "conflicts-show": {
    request: z.strictObject({
      id,
      /** Every file and line, however many there are. */
      full: z.boolean().optional(),
    }),
    response: conflictView,
    inTask: "allowed",
  },
  "conflicts-open": {
    request: z.strictObject({ id, environment }),
    response: openResult,
    inTask: "refused",
  },
  "conflicts-take": {
    request: z.strictObject({
      id,
      side: sideView,
      /** From the repository's root; without it, all of its paths. */
      path: z.string().min(1).optional(),
      environment,
    }),
    response: z.object({ conflict: conflictSummary, landed: landResult.optional() }),
    inTask: "refused",
  },
  "conflicts-abort": {
    request: z.strictObject({ id }),
    response: z.object({
      conflict: conflictSummary,
      /** The commit in the vault that keeps the task's work. */
      snapshot: z.string(),
      /** The ref in the vault that keeps what was in its workspace. */
      kept: z.string().optional(),
    }),
    inTask: "refused",
  },
} as const;
