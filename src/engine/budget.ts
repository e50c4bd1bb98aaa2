import { NO_USAGE, type Budget, type Usage } from "./agent.ts";

const PARTS = ["usd", "tokens", "turns", "ms"] as const;

/** What a budget limits. */
type BudgetPart = (typeof PARTS)[number];

/** What was used, and whether any of the money in it is an estimate. */
export interface Spent {
  readonly usage: Usage;
  readonly estimated: boolean;
}

/** Nothing spent. */
export const NOTHING_SPENT: Spent = { usage: NO_USAGE, estimated: false };

/** A limit that is reached. */
export interface Overrun {
  readonly limit: BudgetPart;
  readonly used: number;
  readonly allowed: number;
}

/** The budget that keeps to both. */
export function tightest(one: Budget, other: Budget): Budget {
  const entries = PARTS.flatMap((part) => {
    const limits = [one[part], other[part]].filter((limit) => limit !== undefined);
    return limits.length === 0 ? [] : [[part, Math.min(...limits)] as const];
  });
  return Object.fromEntries(entries);
}

/**
 * The first limit that was reached.
 * @param more whether something new is about to use it: then there must be something left of each
 */
export function overrun(budget: Budget, usage: Usage, elapsedMs: number, more: boolean): Overrun | undefined {
  const used = { usd: usage.usd ?? 0, tokens: tokensOf(usage), turns: usage.turns, ms: elapsedMs };
  for (const limit of PARTS) {
    const allowed = budget[limit];
    if (allowed === undefined) continue;
    // The last request that is allowed is not cut off.
    const isSpent = limit === "turns" && !more ? used.turns > allowed : used[limit] >= allowed;
    if (isSpent) return { limit, used: used[limit], allowed };
  }
  return undefined;
}

/** A limit that is reached, in words: `$2.03 of $2.00`. */
export function describeOverrun({ limit, used, allowed }: Overrun): string {
  if (limit === "usd") return `$${used.toFixed(2)} of $${allowed.toFixed(2)}`;
  if (limit === "ms") return `${(used / 60_000).toFixed(1)} of ${(allowed / 60_000).toFixed(1)} minutes`;
  return `${used} of ${allowed} ${limit}`;
}

/** Input, output and cached ones together. */
export function tokensOf({ inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }: Usage): number {
  return inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens;
}

/** Both together. */
export function addUsage(one: Usage, other: Usage): Usage {
  return combine(one, other, 1);
}

/** What one has more than the other. */
export function subtractUsage(one: Usage, other: Usage): Usage {
  return combine(one, other, -1);
}

function combine(one: Usage, other: Usage, sign: 1 | -1): Usage {
  return {
    inputTokens: one.inputTokens + sign * other.inputTokens,
    outputTokens: one.outputTokens + sign * other.outputTokens,
    cacheReadTokens: one.cacheReadTokens + sign * other.cacheReadTokens,
    cacheWriteTokens: one.cacheWriteTokens + sign * other.cacheWriteTokens,
    turns: one.turns + sign * other.turns,
    usd: one.usd === undefined && other.usd === undefined ? undefined : (one.usd ?? 0) + sign * (other.usd ?? 0),
  };
}
