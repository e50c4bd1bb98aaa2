import type { Usage } from "../../engine/agent.ts";
import type { TokenCount } from "./wire.ts";

/** Counts from zero what a session uses, though its threads go on counting from what they were copied from. */
export interface Tally {
  /** What a thread has used since it began, and in its last request; says whether that was a new request. */
  count(thread: string, total: TokenCount, last: TokenCount): boolean;
  usage(): Usage;
}

/** See {@link Tally}. */
export function createTally(): Tally {
  const totals = new Map<string, TokenCount>();
  const sum = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, requests: 0 };
  return {
    count(thread, total, last) {
      // The first request that is seen is ours; all before it was somebody else's.
      const before = totals.get(thread) ?? minus(total, last);
      totals.set(thread, total);
      // The same count is told again when only what is left of a limit has changed.
      if (total.total === before.total) return false;
      // A thread that was made shorter counts anew.
      const used = total.total < before.total ? last : minus(total, before);
      sum.input += Math.max(0, used.input - used.cachedInput - used.cacheWriteInput);
      sum.cacheRead += used.cachedInput;
      sum.cacheWrite += used.cacheWriteInput;
      sum.output += used.output;
      sum.requests += 1;
      return true;
    },
    usage: () => ({
      inputTokens: sum.input,
      outputTokens: sum.output,
      cacheReadTokens: sum.cacheRead,
      cacheWriteTokens: sum.cacheWrite,
      turns: sum.requests,
      usd: undefined,
    }),
  };
}

function minus(one: TokenCount, less: TokenCount): TokenCount {
  const apart = (name: keyof TokenCount): number => Math.max(0, one[name] - less[name]);
  return {
    input: apart("input"),
    cachedInput: apart("cachedInput"),
    cacheWriteInput: apart("cacheWriteInput"),
    output: apart("output"),
    total: apart("total"),
  };
}
