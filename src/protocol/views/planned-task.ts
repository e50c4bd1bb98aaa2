import { z } from "zod";

/** A task as the planner sees it before anything has started. */
export const plannedTaskView = z.object({
  name: z.string(),
  needs: z.array(z.string()),
  after: z.array(z.string()),
  when: z.string(),
  writes: z.union([z.literal("none"), z.array(z.string())]),
  detach: z.boolean(),
  /** Whether it starts from the run's base, or from what has landed by then. */
  startsFrom: z.enum(["base", "lane"]),
  expectedMs: z.number(),
  /** How many earlier attempts that rests on. */
  samples: z.number(),
  command: z.string(),
});
