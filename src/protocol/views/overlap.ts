import { z } from "zod";

/** Another task whose changes will conflict with this one's, when both land as they are by now. */
export const overlapView = z.object({ run: z.string(), task: z.string(), paths: z.array(z.string()) });

const taskId = { run: z.string(), task: z.string() };

/** Two tasks that have changed the same paths. */
export const meetingView = z.object({
  status: z.enum(["conflict", "merges"]),
  between: z.array(z.object(taskId)),
  /** With the kind of the conflict, where it is one. */
  paths: z.array(z.object({ path: z.string(), kind: z.string().optional() })),
  /** When it was first seen. */
  sinceMs: z.number(),
});

/** A task at work whose changes are looked at now and then. */
export const watchedTaskView = z.object({
  ...taskId,
  /** When it was last looked at, and how many paths it had changed then. */
  lookedMs: z.number().optional(),
  paths: z.number().optional(),
});
