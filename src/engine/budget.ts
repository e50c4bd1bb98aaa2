import type { Budget } from "./agent.ts";

const PARTS = ["usd", "tokens", "turns", "ms"] as const;

/** The budget that keeps to both. */
export function tightest(one: Budget, other: Budget): Budget {
  const entries = PARTS.flatMap((part) => {
    const limits = [one[part], other[part]].filter((limit) => limit !== undefined);
    return limits.length === 0 ? [] : [[part, Math.min(...limits)] as const];
  });
  return Object.fromEntries(entries);
}
