import { reasonOfStatus } from "../status-reasons.ts";
import type { AgentFailure, FailureReason } from "../port.ts";
import { fieldsOf, textOf, type Fields } from "./wire.ts";

/** Why a turn failed, or why a request is tried again. */
export function failureOf(error: Fields | undefined): AgentFailure {
  const message = textOf(error?.["message"]) ?? "it gave no reason";
  const details = textOf(error?.["additionalDetails"]);
  const words = details === undefined ? message : `${message} (${details})`;
  return { reason: reasonOf(error?.["codexErrorInfo"], words), message: words };
}

function reasonOf(info: unknown, words: string): FailureReason {
  if (typeof info === "string") return BY_NAME[info] ?? reasonOfWords(words) ?? "other";
  const [name, details] = Object.entries(fieldsOf(info))[0] ?? ["", undefined];
  const byStatus = reasonOfStatus(fieldsOf(details)["httpStatusCode"]);
  return byStatus ?? reasonOfWords(words) ?? BY_NAME[name] ?? "other";
}

const BY_NAME: Readonly<Record<string, FailureReason>> = {
  contextWindowExceeded: "context",
  usageLimitExceeded: "rate-limit",
  rateLimitExceeded: "rate-limit",
  sessionBudgetExceeded: "other",
  serverOverloaded: "overloaded",
  flexUnavailable: "overloaded",
  policyCapacityUnavailable: "overloaded",
  internalServerError: "server",
  unauthorized: "login",
  badRequest: "invalid",
  modelNotFound: "invalid",
  responseStreamDisconnected: "cut",
  responseStreamConnectionFailed: "cut",
  httpConnectionFailed: "cut",
};

// The program tells some errors of the service in words only, also what it was answered with a status of 400.
function reasonOfWords(words: string): FailureReason | undefined {
  const status = /\bstatus:? (\d{3})\b/.exec(words)?.[1];
  const byStatus = status === undefined ? undefined : reasonOfStatus(Number(status));
  if (byStatus !== undefined) return byStatus;
  if (/at capacity|overloaded/i.test(words)) return "overloaded";
  if (/high demand/i.test(words)) return "server";
  if (/stream disconnected|error sending request|timed? ?out/i.test(words)) return "cut";
  return /^\s*\{".*"(error|detail)"|^\s*\{"(error|detail)"/s.test(words) ? "invalid" : undefined;
}
