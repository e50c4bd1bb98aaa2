import { z } from "zod";

/** What a landing took of one attempt, and what the merge did with it. */
export const landedChangesetView = z.object({
  task: z.string(),
  attempt: z.number(),
  commit: z.string(),
  paths: z.number(),
  /** Paths that both sides had changed, and how they were settled. */
  resolved: z.array(z.object({ path: z.string(), resolver: z.string(), class: z.enum(["A", "B", "C", "D"]) })),
  /** Edits that are not in the result, and who said so. */
  waivers: z.array(z.object({ path: z.string(), what: z.string(), by: z.string() })),
});
