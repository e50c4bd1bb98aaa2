import { RequestError } from "@agentclientprotocol/sdk/unstable";

import { isAnabranchError } from "../../base/errors.ts";
import type { AgentFailure, FailureReason } from "../port.ts";

/** The protocol's code for an agent that nobody has logged in. */
const LOGIN_WANTED = -32_000;

/** Why a turn failed, by the error that the agent answered a prompt with. */
export function failureOf(cause: unknown): AgentFailure {
  if (isAnabranchError(cause)) return { reason: "other", message: cause.message };
  const message = wordsOf(cause);
  const code = cause instanceof RequestError ? cause.code : undefined;
  const reason =
    code === LOGIN_WANTED ? "login" : (reasonOfStatus(code, message) ?? reasonOfStatus(statusIn(message), message));
  const retryAfterMs = retryAfterIn(message);
  return {
    reason: reason ?? reasonOfWords(message) ?? "other",
    message,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** Whether the agent wants somebody to log in. */
export function wantsLogin(cause: unknown): boolean {
  return cause instanceof RequestError && cause.code === LOGIN_WANTED;
}

/** Whether the agent does not know what it was asked for. */
export function isUnknown(cause: unknown): boolean {
  return (
    cause instanceof RequestError &&
    (cause.code === -32_002 ||
      /not found|no (such|previous) |unknown|does not exist|invalid session/i.test(wordsOf(cause)))
  );
}

/** What an error says, with what it says beside. */
export function wordsOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const data: unknown = cause instanceof RequestError ? cause.data : undefined;
  const details = detailsIn(data);
  return details === undefined || cause.message.includes(details) ? cause.message : `${cause.message}: ${details}`;
}

function detailsIn(data: unknown): string | undefined {
  if (typeof data === "string") return data;
  if (typeof data !== "object" || data === null) return undefined;
  const { details, message, error } = data as Record<string, unknown>;
  return [details, message, error].find((text) => typeof text === "string");
}

function reasonOfStatus(status: number | undefined, message: string): FailureReason | undefined {
  if (status === undefined || status < 400 || status > 599) return undefined;
  if (status === 429) return "rate-limit";
  if (status === 529 || status === 503) return "overloaded";
  if (status === 401 || status === 403) return "login";
  if (status === 413) return "context";
  if (status >= 500) return reasonOfWords(message) === "cut" ? "cut" : "server";
  return reasonOfWords(message) === "context" ? "context" : "invalid";
}

function statusIn(message: string): number | undefined {
  const found = /\b(?:status|error|code)\W{0,3}(?:code\W{0,3})?([45]\d\d)\b/i.exec(message)?.[1];
  return found === undefined ? undefined : Number(found);
}

// These have no status.
function reasonOfWords(message: string): FailureReason | undefined {
  if (/rate.?limit|too many requests|RESOURCE_EXHAUSTED|quota/i.test(message)) return "rate-limit";
  if (/overloaded|UNAVAILABLE/.test(message)) return "overloaded";
  if (/(context|prompt|input|request).{0,30}(too long|too large|exceed|limit)|token count/i.test(message))
    return "context";
  if (/api.?key|unauthori[sz]ed|log ?in|credential/i.test(message)) return "login";
  if (/ECONN|socket|terminated|aborted|connection|premature|fetch failed|incomplete|stream/i.test(message))
    return "cut";
  return undefined;
}

function retryAfterIn(message: string): number | undefined {
  const seconds = /retry (?:in|after) (\d+(?:\.\d+)?) ?s/i.exec(message)?.[1];
  return seconds === undefined ? undefined : Math.ceil(Number(seconds) * 1000);
}
