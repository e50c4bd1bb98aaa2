import type { FailureReason } from "./port.ts";

/** The reason for a status of HTTP that is an error. */
export function reasonOfStatus(status: unknown): FailureReason | undefined {
  if (typeof status !== "number") return undefined;
  if (status === 429) return "rate-limit";
  if (status === 529 || status === 503) return "overloaded";
  if (status === 401 || status === 403) return "login";
  if (status === 413) return "context";
  if (status >= 500) return "server";
  return status >= 400 ? "invalid" : undefined;
}
