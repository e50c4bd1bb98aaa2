import type { Usage } from "../../engine/agent.ts";
import { fieldsOf, numberOf, type Fields } from "../fields.ts";
import type { Tokens } from "./messages.ts";

/** Counts what a session has used, from zero, whatever its conversation had used before. */
export interface Tally {
  /** What the conversation had used before this session. */
  before(modelUsage: Fields, usd: number): void;
  /** One request to the model, as far as it is known while it goes on; says whether it is a new one. */
  request(id: string, tokens: Tokens): boolean;
  /** The money so far, about, while a turn goes on; says whether it has become more. */
  money(usd: number): boolean;
  /** The program's own count. */
  total(modelUsage: Fields, usd: number): void;
  usage(): Usage;
}

const NOTHING: Sum = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, usd: 0 };

/** The program counts exactly, but only when a turn is over; until then its requests are added up. */
export function createTally(): Tally {
  let earlier = NOTHING;
  let counted: Sum | undefined;
  const since = new Map<string, Tokens>();
  let about: number | undefined;
  let requests = 0;
  return {
    before: (modelUsage, usd) => void (earlier = sumOf(modelUsage, usd)),
    request(id, tokens) {
      const isNew = !since.has(id);
      if (isNew) requests += 1;
      since.set(id, tokens);
      return isNew;
    },
    money(usd) {
      const spent = Math.max(0, usd - earlier.usd);
      const isMore = spent > (about ?? counted?.usd ?? 0);
      if (isMore) about = spent;
      return isMore;
    },
    total(modelUsage, usd) {
      // The result of a program that could not even start counts nothing.
      if (Object.keys(modelUsage).length === 0) return;
      counted = minus(sumOf(modelUsage, usd), earlier);
      about = undefined;
      since.clear();
    },
    usage() {
      const running = [...since.values()].reduce(plus, counted ?? NOTHING);
      return {
        inputTokens: running.input,
        outputTokens: running.output,
        cacheReadTokens: running.cacheRead,
        cacheWriteTokens: running.cacheWrite,
        turns: requests,
        usd: about ?? counted?.usd,
      };
    },
  };
}

interface Sum extends Tokens {
  readonly usd: number;
}

function sumOf(modelUsage: Fields, usd: number): Sum {
  return Object.values(modelUsage)
    .map(fieldsOf)
    .map((used) => ({
      input: numberOf(used["inputTokens"]),
      output: numberOf(used["outputTokens"]),
      cacheRead: numberOf(used["cacheReadInputTokens"]),
      cacheWrite: numberOf(used["cacheCreationInputTokens"]),
    }))
    .reduce<Sum>(plus, { ...NOTHING, usd });
}

function plus(sum: Sum, tokens: Tokens): Sum {
  return {
    input: sum.input + tokens.input,
    output: sum.output + tokens.output,
    cacheRead: sum.cacheRead + tokens.cacheRead,
    cacheWrite: sum.cacheWrite + tokens.cacheWrite,
    usd: sum.usd,
  };
}

function minus(sum: Sum, less: Sum): Sum {
  const apart = (name: keyof Sum): number => Math.max(0, sum[name] - less[name]);
  return {
    input: apart("input"),
    output: apart("output"),
    cacheRead: apart("cacheRead"),
    cacheWrite: apart("cacheWrite"),
    usd: apart("usd"),
  };
}
