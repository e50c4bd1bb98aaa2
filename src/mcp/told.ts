import type { RequestId } from "@modelcontextprotocol/server";

import { printable } from "../base/printable.ts";
import type { Anabranch } from "../sdk/anabranch.ts";

/** How many entries one answer tells; the others come with the next. */
const MOST_TOLD = 20;

/** What a client gets to know by an answer; it counts as told once that answer is written, and not before. */
export class Told {
  readonly #pending = new Map<RequestId, () => void>();

  /** Acknowledges entries, runs or tasks after the answer to a request is written. */
  with(request: RequestId, anabranch: Anabranch, ids: readonly string[]): void {
    if (ids.length > 0) this.#pending.set(request, () => void anabranch.acknowledge(ids));
  }

  /** An answer is written. */
  written(request: RequestId): void {
    const acknowledge = this.#pending.get(request);
    this.#pending.delete(request);
    acknowledge?.();
  }
}

/**
 * What has ended of all a conversation has started, and was not told to it yet. A task is told of it in another way, and
 * a person is not the client of this server.
 * @param besides what the answer tells already
 */
export async function findNews(
  anabranch: Anabranch,
  besides: readonly string[],
): Promise<{ readonly ids: readonly string[]; readonly text: string }> {
  const none = { ids: [], text: "" };
  const { addressee, entries } = await anabranch
    .ask("inbox", { limit: MOST_TOLD })
    .catch(() => ({ addressee: "", entries: [] }));
  if (!addressee.startsWith("conversation:")) return none;
  const news = entries.filter(
    ({ run, task }) => !besides.includes(task === undefined ? (run ?? "") : `${run}/${task}`),
  );
  if (news.length === 0) return none;
  const lines = news.map(({ title, run, task }) => {
    const id = task === undefined ? run : `${run}/${task}`;
    return `- ${printable(title)}${id === undefined ? "" : `; wait_agents {"ids": ["${id}"]} has its report`}`;
  });
  return { ids: news.map(({ id }) => id), text: ["Since you last asked:", ...lines].join("\n") };
}
