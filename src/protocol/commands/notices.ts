import { z } from "zod";

import { noticeView } from "../views.ts";
import { directory, id } from "./fields.ts";

/** The requests about what waits for a person. */
export const noticeCommands = {
  "needs-you": {
    request: z.strictObject({
      /** Only those of the repository around this folder. */
      directory: directory.optional(),
    }),
    response: z.array(noticeView),
    inTask: "allowed",
  },
  approve: {
    request: z.strictObject({
      /** A notice, or a task that has only one. */
      id,
      approved: z.boolean(),
      /** Told to whoever asked. */
      reason: z.string().max(10_000).optional(),
    }),
    response: noticeView,
    inTask: "refused",
  },
} as const;
