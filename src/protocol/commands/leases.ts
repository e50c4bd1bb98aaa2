import { z } from "zod";

import { leaseView } from "../views.ts";
import { directory, id } from "./fields.ts";

/** The requests about who may write where. */
export const leaseCommands = {
  claim: {
    request: z.strictObject({
      /** Where the caller stands: what starts with `./` or `../` is meant from there. */
      directory,
      /** Globs, from the repository's root, or absolute in the caller's workspace. */
      scope: z.array(z.string().min(1).max(1000)).min(1).max(100),
      /** Default: ten minutes. Claimed again, it is held as long from then on. */
      ttlMs: z.int().min(1000).max(3_600_000).optional(),
    }),
    response: leaseView,
    inTask: "allowed",
  },
  release: {
    /** A lease that the calling task has claimed. */
    request: z.strictObject({ id }),
    response: leaseView,
    inTask: "allowed",
  },
  leases: { request: z.strictObject({ directory }), response: z.array(leaseView), inTask: "allowed" },
} as const;
