import type { Usage } from "../engine/agent.ts";
import type { Spent } from "../engine/budget.ts";

/** What a million tokens cost, in US dollars. */
interface Price {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/** Prices by the start of a model's name; the longest one counts. */
export type PriceList = Readonly<Record<string, Price>>;

/** The list prices of one vendor, and when they were looked up. */
interface VendorPrices {
  readonly vendor: string;
  readonly listed: string;
  readonly models: PriceList;
}

const price = (input: number, output: number, cacheRead: number, cacheWrite = input): Price => ({
  input,
  output,
  cacheRead,
  cacheWrite,
});

/** For models whose program tells no price. What depends on the length of a prompt is the price of short ones. */
export const LIST_PRICES: readonly VendorPrices[] = [
  {
    vendor: "Anthropic",
    listed: "2026-10-10",
    models: {
      "claude-fable-5": price(10, 50, 1, 12.5),
      "claude-fable-5-1": price(10, 50, 0.25, 12.5),
      "claude-opus-4-5": price(5, 25, 0.5, 6.25),
      "claude-opus-4-6": price(5, 25, 0.5, 6.25),
      "claude-opus-4-7": price(5, 25, 0.5, 6.25),
      "claude-opus-4-8": price(5, 25, 0.5, 6.25),
      "claude-opus-5": price(5, 25, 0.5, 6.25),
      "claude-opus-5-5": price(4, 20, 0.2, 5),
      "claude-sonnet-4-5": price(3, 15, 0.3, 3.75),
      "claude-sonnet-4-6": price(3, 15, 0.3, 3.75),
      "claude-sonnet-5": price(2, 10, 0.2, 2.5),
      "claude-sonnet-5-5": price(2, 10, 0.1, 2.5),
      "claude-haiku-4-5": price(1, 5, 0.1, 1.25),
    },
  },
  {
    vendor: "OpenAI",
    listed: "2026-06-01",
    models: {
      "gpt-5": price(1.25, 10, 0.125),
      "gpt-5-codex": price(1.25, 10, 0.125),
      "gpt-5-mini": price(0.25, 2, 0.025),
      "gpt-5.1": price(1.25, 10, 0.125),
      "gpt-5.1-codex": price(1.25, 10, 0.125),
      "gpt-5.2": price(1.75, 14, 0.175),
      "gpt-5.2-codex": price(1.75, 14, 0.175),
      "gpt-5.3-codex": price(1.75, 14, 0.175),
      "gpt-5.4": price(2.5, 15, 0.25),
      "gpt-5.4-mini": price(0.75, 4.5, 0.075),
      "gpt-5.4-nano": price(0.2, 1.25, 0.02),
      "gpt-5.5": price(5, 30, 0.5),
    },
  },
  {
    vendor: "Google",
    listed: "2026-05-01",
    models: {
      "gemini-2.5-pro": price(1.25, 10, 0.125),
      "gemini-2.5-flash": price(0.3, 2.5, 0.03),
      "gemini-2.5-flash-lite": price(0.1, 0.4, 0.01),
      "gemini-3-flash": price(0.5, 3, 0.05),
      "gemini-3.1-pro": price(2, 12, 0.2),
      "gemini-3.1-flash-lite": price(0.25, 1.5, 0.025),
      "gemini-3.5-flash": price(1.5, 9, 0.15),
    },
  },
];

/**
 * What was used, with its price: the one that the program tells, else the one of a list; then it is an estimate.
 * @param own the user's prices, which come first
 */
export function priceUsage(usage: Usage, model: string | undefined, own: PriceList = {}): Spent {
  if (usage.usd !== undefined || model === undefined) return { usage, estimated: false };
  const found = findPrice(model, own);
  return found === undefined
    ? { usage, estimated: false }
    : { usage: { ...usage, usd: costOf(usage, found) }, estimated: true };
}

function findPrice(model: string, own: PriceList): Price | undefined {
  // A program that speaks with many services puts their name before the model's.
  const name = model.slice(model.lastIndexOf("/") + 1).toLowerCase();
  const starts = Object.keys(own).filter((start) => name.startsWith(start.toLowerCase()));
  const longest = starts.toSorted((a, b) => b.length - a.length)[0];
  if (longest !== undefined) return own[longest];
  // A later version may cost something else: only a date or the like may follow.
  const plain = name.replace(/(-\d{8}|-\d{4}-\d{2}-\d{2}|-latest|-preview|\[[^\]]*\]|@.*|:.*)+$/, "");
  return LIST_PRICES.find(({ models }) => Object.hasOwn(models, plain))?.models[plain];
}

function costOf(usage: Usage, { input, output, cacheRead, cacheWrite }: Price): number {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage;
  const millionths =
    inputTokens * input + outputTokens * output + cacheReadTokens * cacheRead + cacheWriteTokens * cacheWrite;
  return millionths / 1_000_000;
}
