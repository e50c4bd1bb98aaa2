import type { AgentFailure, FailureReason } from "../port.ts";
import { listOf, textOf, type Fields } from "../fields.ts";
import { reasonOfStatus } from "../status-reasons.ts";

/** Why a turn failed, by the result that ended it. */
export function failureOf(result: Fields): AgentFailure {
  const message = textOf(result["result"]) ?? listOf(result["errors"]).map(String).join("; ");
  return { reason: reasonOf(result, message), message: message === "" ? "it gave no reason" : message };
}

function reasonOf(result: Fields, message: string): FailureReason {
  return (
    BY_END[textOf(result["terminal_reason"]) ?? ""] ??
    BY_END[textOf(result["subtype"]) ?? ""] ??
    reasonOfStatus(result["api_error_status"]) ??
    BY_CODE[textOf(result["api_error"]) ?? ""] ??
    reasonOfWords(message)
  );
}

const BY_END: Readonly<Record<string, FailureReason>> = {
  prompt_too_long: "context",
  max_turns: "turns",
  error_max_turns: "turns",
  error_max_structured_output_retries: "schema",
  structured_output_retry_exhausted: "schema",
};

/** The reason for the program's own name of an error. */
export function reasonOfCode(code: unknown): FailureReason | undefined {
  return BY_CODE[textOf(code) ?? ""];
}

const BY_CODE: Readonly<Record<string, FailureReason>> = {
  authentication_failed: "login",
  oauth_org_not_allowed: "login",
  account_on_hold: "login",
  verification_required: "login",
  billing_error: "login",
  rate_limit: "rate-limit",
  overloaded: "overloaded",
  server_error: "server",
  invalid_request: "invalid",
  model_not_found: "invalid",
  connection_failed: "cut",
};

// These have no code.
function reasonOfWords(message: string): FailureReason {
  if (/not logged in|\/login|invalid api key|oauth token/i.test(message)) return "login";
  if (/prompt is too long/i.test(message)) return "context";
  if (/limit (reached|will reset)|hit your .* limit/i.test(message)) return "rate-limit";
  return /connection|timed? ?out|ECONN|socket/i.test(message) ? "cut" : "other";
}
