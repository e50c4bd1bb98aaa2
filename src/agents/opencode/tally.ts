import type { Usage } from "../../engine/agent.ts";
import { fieldsOf, numberOf, type Fields } from "../fields.ts";

/** Counts what a session has used, from zero. */
export interface Tally {
  /** What is known of one answer of the model, as often as it is told; says whether anything was new. */
  answer(info: Fields): boolean;
  usage(): Usage;
}

/** The size of the conversation that an answer was given to. */
export function contextOf(info: Fields): number {
  const { input, cacheRead, cacheWrite } = countOf(info);
  return input + cacheRead + cacheWrite;
}

/** Adds up the answers; a later word on one takes the place of an earlier one. */
export function createTally(): Tally {
  const answers = new Map<unknown, Count>();
  const sum = (name: keyof Count): number => [...answers.values()].reduce((total, count) => total + count[name], 0);
  return {
    answer(info) {
      const [count, earlier] = [countOf(info), answers.get(info["id"])];
      if (count.input + count.output + count.cacheRead + count.cacheWrite === 0) return false;
      answers.set(info["id"], count);
      return JSON.stringify(count) !== JSON.stringify(earlier);
    },
    usage() {
      // A model without a price costs 0 there.
      const usd = sum("usd");
      return {
        inputTokens: sum("input"),
        outputTokens: sum("output"),
        cacheReadTokens: sum("cacheRead"),
        cacheWriteTokens: sum("cacheWrite"),
        turns: answers.size,
        usd: usd > 0 ? usd : undefined,
      };
    },
  };
}

interface Count {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly usd: number;
}

function countOf(info: Fields): Count {
  const tokens = fieldsOf(info["tokens"]);
  const cache = fieldsOf(tokens["cache"]);
  return {
    input: numberOf(tokens["input"]),
    output: numberOf(tokens["output"]) + numberOf(tokens["reasoning"]),
    cacheRead: numberOf(cache["read"]),
    cacheWrite: numberOf(cache["write"]),
    usd: numberOf(info["cost"]),
  };
}
