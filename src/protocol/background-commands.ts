import { z } from "zod";

import { runSummary } from "./views.ts";

const id = z.string().min(1).max(200);
const directory = z.string().min(1);

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
} as const;
