import { z } from "zod";

/** How one command of a verification ended. */
const commandResultView = z.object({
  command: z.string(),
  outcome: z.enum(["passed", "flaky", "failed", "timed-out", "missing"]),
  status: z.number().optional(),
  durationMs: z.number(),
  log: z.string(),
  /** Whether it ran for an earlier landing, on the same tree. */
  remembered: z.boolean(),
});

/** What was proved of a tree before it landed. */
export const verificationView = z.object({
  status: z.enum(["passed", "failed", "unverified"]),
  tree: z.string(),
  commands: z.array(commandResultView),
});
