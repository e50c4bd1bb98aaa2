import { z } from "zod";

/** The triggers that follow on the end of a run, each after the one that leads to it. */
export const chainView = z.object({
  /** Whether they would act now. */
  enabled: z.boolean(),
  links: z.array(
    z.object({
      trigger: z.string(),
      on: z.string(),
      does: z.string(),
      approval: z.boolean(),
      depth: z.number(),
    }),
  ),
});
