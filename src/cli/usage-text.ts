import type { UsageView } from "../protocol/views/usage.ts";
import { plural } from "./format.ts";

/** What agents have used, on one line: `$0.42 (estimate) · 120k in (80% cached) · 3k out · 7 turns`. */
export function formatUsage(usage: UsageView): string {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, turns, usd, estimated } = usage;
  const input = inputTokens + cacheReadTokens + cacheWriteTokens;
  const cached = input === 0 ? 0 : Math.round((100 * cacheReadTokens) / input);
  return [
    ...(usd === undefined ? [] : [`${formatMoney(usd)}${estimated ? " (estimate)" : ""}`]),
    `${formatTokens(input)} in${cached === 0 ? "" : ` (${cached}% cached)`}`,
    `${formatTokens(outputTokens)} out`,
    plural(turns, "turn"),
  ].join(" · ");
}

/** An amount of money, in US dollars. */
export function formatMoney(usd: number): string {
  return usd > 0 && usd < 0.01 ? "under $0.01" : `$${usd.toFixed(2)}`;
}

function formatTokens(count: number): string {
  if (count < 1000) return String(count);
  if (count < 999_500) return `${short(count / 1000)}k`;
  return `${short(count / 1_000_000)}M`;
}

function short(value: number): string {
  return value.toFixed(value < 9.95 ? 1 : 0).replace(/\.0$/, "");
}
