import { z } from "zod";

import { auditedReceipt, landingView, predictionView } from "../views.ts";
import { directory, environment, id } from "./fields.ts";

/** What `accept` did. */
const acceptResult = z.object({
  run: z.string(),
  acceptance: z.string().optional(),
  /** `already`: there was nothing left to do. */
  status: z.enum(["accepted", "already", "undone"]),
  /** The working tree it was done to. */
  root: z.string(),
  /** `branch`: commits were made; `tree`: files were changed, and nothing else. */
  target: z.enum(["branch", "tree"]),
  /** Absent when HEAD is detached. */
  branch: z.string().optional(),
  written: z.array(z.string()),
  removed: z.array(z.string()),
  /** Paths that were as they should be already. */
  unchanged: z.array(z.string()),
  /** Paths that are in the working tree, but in none of the commits. */
  uncommitted: z.array(z.object({ path: z.string(), why: z.string() })),
  commits: z.array(z.object({ oid: z.string(), subject: z.string(), paths: z.number() })),
  verification: z.enum(["passed", "failed", "unverified"]),
  notices: z.array(z.string()),
});

/** A task's work that landed because a person asked for it. */
export const landResult = z.object({
  run: z.string(),
  task: z.string(),
  landing: landingView,
  /** Whether it had landed before it was asked for. */
  already: z.boolean(),
  /** The conflict that this settled. */
  conflict: z.string().optional(),
  /** The ref in the vault that keeps what was in the workspace of the conflict. */
  kept: z.string().optional(),
});

/** The requests about how work comes back: what lands, what is accepted, and what is proved of it. */
export const landingCommands = {
  accept: {
    request: z.strictObject({
      id,
      directory,
      /** The caller's environment: verification runs with it. */
      environment,
      /** Takes it back instead. */
      undo: z.boolean().optional(),
    }),
    response: acceptResult,
    inTask: "refused",
  },
  land: {
    request: z.strictObject({
      /** A conflict, or a task that has ended and whose work has not landed. */
      id,
      directory: directory.optional(),
      environment,
    }),
    response: landResult,
    inTask: "refused",
  },
  audit: {
    request: z.strictObject({
      /** Only the receipts of this run. */
      id: id.optional(),
      directory,
    }),
    response: z.object({ proved: z.number(), receipts: z.array(auditedReceipt) }),
    inTask: "allowed",
  },
  predict: {
    request: z.strictObject({
      /** A run or task; without it, all that go on in the repository around the folder. */
      id: id.optional(),
      directory,
    }),
    response: predictionView,
    inTask: "allowed",
  },
} as const;
