import type { AgentFailure } from "../../agents/port.ts";
import { AnabranchError } from "../../base/errors.ts";
import type { AgentSpec } from "../../workflows/spec.ts";

/** How often a failure that passes by itself is waited out, in a row. */
const MOST_RETRIES: Readonly<Partial<Record<AgentFailure["reason"], number>>> = {
  "rate-limit": 8,
  overloaded: 8,
  server: 3,
  cut: 3,
};
const LONGEST_WAIT_MS = 5 * 60_000;

/**
 * How long to wait before a turn that failed goes on, or `undefined` where waiting would not help.
 * @param retries how often in a row that was done already
 * @param firstMs the first wait, unless the service says how long; it doubles each time
 */
export function waitAfter(failure: AgentFailure, retries: number, firstMs: number): number | undefined {
  if (retries >= (MOST_RETRIES[failure.reason] ?? 0)) return undefined;
  return Math.min(failure.retryAfterMs ?? firstMs * 2 ** retries, LONGEST_WAIT_MS);
}

/** A turn's failure as that of its task. */
export function failureError({ name, kind }: AgentSpec, { reason, message }: AgentFailure): AnabranchError {
  const data = { agent: name, kind, failure: reason };
  switch (reason) {
    case "login":
      return new AnabranchError("AGENT_LOGIN", { message, hint: `log in with ${kind} itself, then start again`, data });
    case "turns":
      return new AnabranchError("BUDGET_SPENT", { message, hint: "give it a larger budget: turns", data });
    case "context":
      return new AnabranchError("AGENT_FAILED", {
        message: `the conversation has become too long for the model: ${message}`,
        hint: "give the task a shorter prompt, or split it",
        data,
      });
    default:
      return new AnabranchError("AGENT_FAILED", { message, data });
  }
}
