import { z } from "zod";

import { NO_USAGE, type Usage } from "../../engine/agent.ts";

const Count = z.number().finite().nonnegative();
const PromptUsage = z.object({
  inputTokens: Count,
  outputTokens: Count,
  cachedReadTokens: Count.nullish(),
  cachedWriteTokens: Count.nullish(),
});
const Tokens = z.object({ input_tokens: Count, output_tokens: Count });
const Quota = z.object({
  token_count: Tokens,
  model_usage: z.array(z.object({ model: z.string() })).catch([]),
});
const Cost = z.object({ amount: Count, currency: z.literal("USD") });

/** Counts what a session uses, from zero. */
export class Tally {
  #usage: Usage = NO_USAGE;
  /** What the agent said that the conversation had cost before anything was said in it here. */
  #costBefore = 0;
  #hasBegun = false;
  #model: string | undefined;

  get usage(): Usage {
    return this.#usage;
  }

  /** The model that was used last, where the agent says so. */
  get model(): string | undefined {
    return this.#model;
  }

  /** From now on what is used counts. */
  begin(): void {
    this.#hasBegun = true;
  }

  /** One more request to the model. */
  request(): void {
    this.#usage = { ...this.#usage, turns: this.#usage.turns + 1 };
  }

  /** What the answer to a prompt says of that turn. */
  answer(response: { readonly usage?: unknown; readonly _meta?: Record<string, unknown> | null | undefined }): void {
    const usage = PromptUsage.safeParse(response.usage);
    if (usage.success) {
      const { inputTokens, outputTokens, cachedReadTokens, cachedWriteTokens } = usage.data;
      this.#add(inputTokens, outputTokens, cachedReadTokens ?? 0, cachedWriteTokens ?? 0);
      return;
    }
    const quota = Quota.safeParse(response._meta?.["quota"]);
    if (!quota.success) return;
    this.#add(quota.data.token_count.input_tokens, quota.data.token_count.output_tokens, 0, 0);
    this.#model = quota.data.model_usage.at(-1)?.model ?? this.#model;
  }

  /** What the conversation has cost altogether, also before. Returns whether that is news. */
  cost(cost: unknown): boolean {
    const said = Cost.safeParse(cost);
    if (!said.success) return false;
    if (!this.#hasBegun) {
      this.#costBefore = said.data.amount;
      return false;
    }
    this.#usage = { ...this.#usage, usd: Math.max(0, said.data.amount - this.#costBefore) };
    return true;
  }

  #add(input: number, output: number, cacheRead: number, cacheWrite: number): void {
    this.#usage = {
      ...this.#usage,
      inputTokens: this.#usage.inputTokens + input,
      outputTokens: this.#usage.outputTokens + output,
      cacheReadTokens: this.#usage.cacheReadTokens + cacheRead,
      cacheWriteTokens: this.#usage.cacheWriteTokens + cacheWrite,
    };
  }
}
