import { z } from "zod";

/** One path of a changeset. */
const changedPathView = z.object({
  path: z.string(),
  kind: z.enum(["added", "modified", "deleted", "type-changed"]),
  /** Lines; absent for binary files. */
  added: z.number().optional(),
  deleted: z.number().optional(),
});

/** What a task changed, safe in the vault. */
const changesetView = z.object({
  base: z.string(),
  /** The commit in the vault that holds the workspace's state. */
  snapshot: z.string(),
  paths: z.number(),
  addedLines: z.number(),
  deletedLines: z.number(),
  /** The first paths of it. */
  changes: z.array(changedPathView),
});

/** What is kept in the vault of an attempt besides its snapshot. */
const archiveView = z.object({
  /** Commits it made itself. */
  commits: z.number(),
  /** Repositories inside its workspace. */
  nested: z.number(),
  /** Submodules it changed. */
  submodules: z.number(),
  ignoredFiles: z.number(),
  /** Ignored files and repositories that were too large to keep, and the first of them. */
  ignoredFilesLeftOut: z.number(),
  leftOut: z.array(z.string()),
});

/** When what happened to an attempt, in milliseconds since the epoch. */
const timingsView = z.object({
  chosenMs: z.number(),
  claimedMs: z.number().optional(),
  preparedMs: z.number().optional(),
  startedMs: z.number().optional(),
  exitedMs: z.number().optional(),
  capturedMs: z.number().optional(),
});

/** One try at a task. */
export const attemptView = z.object({
  number: z.number(),
  state: z.enum(["starting", "running", "exited", "stopped", "lost"]),
  /** Where its process runs, while it does. */
  pid: z.number().optional(),
  exitStatus: z.number().optional(),
  cpuMs: z.number().optional(),
  memoryBytes: z.number().optional(),
  /** How many processes had outlived its command and were ended. */
  stragglers: z.number().optional(),
  workspace: z.string(),
  base: z.string(),
  log: z.string(),
  changeset: changesetView.optional(),
  archive: archiveView.optional(),
  /** What it changed although it should write nothing; thrown away. */
  discarded: z.array(z.string()).optional(),
  timings: timingsView,
});

/** What a task changed, safe in the vault. */
export type ChangesetView = z.infer<typeof changesetView>;
/** One try at a task. */
export type AttemptView = z.infer<typeof attemptView>;
