import { describe, expect, it } from "vitest";

import { Spending } from "../../../src/daemon/spending.ts";
import { NO_USAGE } from "../../../src/engine/agent.ts";
import type { Spent } from "../../../src/engine/budget.ts";
import { insertAttempt } from "../../../src/store/attempts.ts";
import type { Statement } from "../../../src/store/port.ts";
import { insertSession, type SessionRecord } from "../../../src/store/sessions.ts";
import { leaseBookPlace, runOf } from "../../fixtures/lease-books.ts";

const use = (inputTokens: number, usd?: number): Spent => ({
  usage: { ...NO_USAGE, inputTokens, turns: 1, usd },
  estimated: usd !== undefined,
});

/** A session of an attempt, as it is kept. */
function session(run: string, task: string, number: number, { usage, estimated }: Spent): Statement[] {
  const record = { usage, estimated } as unknown as SessionRecord;
  return [
    insertAttempt({
      run,
      task,
      number,
      state: "exited",
      marker: `${run}${task}${number}`,
      workspaceId: "w",
      baseCommit: "base",
      bootId: "boot",
      process: undefined,
      exit: undefined,
      changeset: undefined,
      discarded: undefined,
      timings: { chosenMs: 1 },
    }),
    insertSession({
      run,
      task,
      attempt: number,
      kind: "claude",
      conversation: "c",
      state: "closed",
      record,
      createdMs: 1,
    }),
  ];
}

describe("what runs have spent", () => {
  it("is counted over all attempts and all that was started, also by a daemon that comes later", async () => {
    const place = await leaseBookPlace(
      { top: ["starter", "other"], below: ["child"] },
      { below: { run: "top", task: "starter" } },
    );
    await place.store.commit([
      ...session("top", "other", 1, use(10)),
      ...session("top", "other", 2, use(20)),
      ...session("below", "child", 1, use(300, 0.5)),
    ]);
    const spending = new Spending(place, {});
    await spending.load();
    const top = await spending.spentBy(runOf(place, "top"));
    expect(top.run).toMatchObject({ usage: { inputTokens: 330, turns: 3, usd: 0.5 }, estimated: true });
    expect(top.of("starter").usage.inputTokens).toBe(300);
    expect(top.of("other")).toMatchObject({ usage: { inputTokens: 30, usd: undefined }, estimated: false });
    // What is kept of a session that goes on counts from zero, and replaces what was known of it.
    spending.record({ run: "below", task: "child", number: 1 }, use(400, 0.75));
    expect((await spending.spentBy(runOf(place, "top"))).run.usage).toMatchObject({ inputTokens: 430, usd: 0.75 });
  });

  it("is found in the store for a run that is over, and stays spent above it", async () => {
    const place = await leaseBookPlace(
      { top: ["starter"], below: ["child"] },
      { below: { run: "top", task: "starter" } },
    );
    await place.store.commit(session("below", "child", 1, use(300)));
    const spending = new Spending(place, {});
    await spending.load();
    const [top, below] = [runOf(place, "top"), runOf(place, "below")];
    place.book.remove("below");
    spending.forget(below);
    expect((await spending.spentBy(below)).of("child").usage.inputTokens).toBe(300);
    expect((await spending.spentBy(top)).run.usage.inputTokens).toBe(300);
    place.book.remove("top");
    spending.forget(top);
    expect((await spending.spentBy(top)).run.usage.inputTokens).toBe(300);
  });

  it("counts for the whole chain of events, also what has ended before, and ends the chain when its budget is spent", async () => {
    const cause = { chain: "c1", depth: 1, triggers: ["r/a"] };
    const place = await leaseBookPlace(
      { first: ["a"], second: ["b"], other: ["c"] },
      {},
      { first: cause, second: cause },
    );
    await place.store.commit([...session("first", "a", 1, use(300)), ...session("other", "c", 1, use(5000))]);
    const spending = new Spending(place, {});
    await spending.load();
    const first = runOf(place, "first");
    place.book.remove("first");
    spending.forget(first);
    const letGo = await spending.openChain("c1", { tokens: 1000 });
    letGo();
    spending.begin({ run: "second", task: "b" });
    spending.record({ run: "second", task: "b", number: 1 }, use(800));
    await expect(spending.openChain("c1", { tokens: 1000 })).rejects.toMatchObject({
      code: "BUDGET_SPENT",
      data: { limit: "tokens", used: 1100, allowed: 1000 },
    });

    const second = runOf(place, "second");
    place.book.remove("second");
    spending.forget(second);
    await expect(spending.openChain("c1", { tokens: 200 }), "what is over is looked up").rejects.toMatchObject({
      code: "BUDGET_SPENT",
      data: { used: 300 },
    });
    (await spending.openChain("c2", { tokens: 200 }))();
  });
});
