import { delay } from "../base/clock.ts";
import { toAnabranchError, type AnabranchError } from "../base/errors.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import type { Parts } from "./parts.ts";

// What goes away when somebody makes room, without anything having been lost.
const PASSING: ReadonlySet<ErrorCode> = new Set(["DISK_FULL", "READ_ONLY", "STORE_LOCKED"]);
const [FIRST_DELAY_MS, LONGEST_DELAY_MS] = [250, 15_000];

/** Whether an error is about the machine's present state rather than about what was asked. */
export function isTemporary(error: unknown): boolean {
  return PASSING.has(toAnabranchError(error).code);
}

/**
 * Does something that must be done, again and again while only a full or read-only disk is in its way.
 *
 * @param held is told what is in the way, so that it can be shown
 */
export async function persist<Result>(
  parts: Pick<Parts, "clock" | "log">,
  what: string,
  held: (error: AnabranchError) => void,
  action: () => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS)) {
    try {
      return await action();
    } catch (cause) {
      if (!isTemporary(cause) || signal?.aborted === true) throw cause;
      const error = toAnabranchError(cause);
      parts.log("warn", `${what} has to wait`, { code: error.code, cause: error.message });
      held(error);
      await delay(parts.clock, delayMs);
    }
  }
}
