import { z } from "zod";

/** What agents have used, from zero, together with everything that was started on the way. */
export const usageView = z.object({
  /** Without what came from a cache. */
  inputTokens: z.number(),
  outputTokens: z.number(),
  cacheReadTokens: z.number(),
  cacheWriteTokens: z.number(),
  /** Requests to models. */
  turns: z.number(),
  /** In US dollars, as far as it is known. */
  usd: z.number().optional(),
  /** Whether any of the money is worked out from a list of prices. */
  estimated: z.boolean(),
});

/** What agents have used. */
export type UsageView = z.infer<typeof usageView>;
