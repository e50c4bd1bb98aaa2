import type { AgentFailure, FailureReason } from "../port.ts";
import { fieldsOf, textOf } from "../fields.ts";
import { reasonOfStatus } from "../status-reasons.ts";

/** Why a turn failed, by the error that opencode tells; `undefined` for one that was stopped. */
export function failureOf(error: unknown): AgentFailure | undefined {
  const { name, data } = fieldsOf(error);
  const told = fieldsOf(data);
  const message = textOf(told["message"]) ?? textOf(name) ?? "it gave no reason";
  if (name === "MessageAbortedError") return undefined;
  const reason = BY_NAME[textOf(name) ?? ""] ?? reasonOfStatus(told["statusCode"]) ?? reasonOfWords(message);
  const seconds = Number(fieldsOf(told["responseHeaders"])["retry-after"]);
  return { reason, message, ...(seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}) };
}

const BY_NAME: Readonly<Record<string, FailureReason>> = {
  ProviderAuthError: "login",
  ContextOverflowError: "context",
  StructuredOutputError: "schema",
  ContentFilterError: "invalid",
};

/** Of an attempt that opencode makes again, and of a connection, only words are told. */
export function reasonOfWords(message: string): FailureReason {
  if (/rate.?limit|too many requests|\b429\b|quota/i.test(message)) return "rate-limit";
  if (/overloaded|\b529\b|\b503\b|unavailable/i.test(message)) return "overloaded";
  if (/\bmodel not found/i.test(message)) return "invalid";
  if (/connect|socket|timed? ?out|ECONN|network|terminated|aborted|stream/i.test(message)) return "cut";
  return /server error|\b50\d\b/i.test(message) ? "server" : "other";
}
