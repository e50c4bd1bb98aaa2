import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { idFrom } from "../../../src/base/ids.ts";
import {
  acknowledgeInbox,
  countUnread,
  loadInbox,
  markRead,
  passOnInbox,
  PERSON,
  putInboxAgain,
  putOutcome,
  type InboxReader,
} from "../../../src/store/inbox.ts";
import type { Statement, Store } from "../../../src/store/port.ts";
import { insertRun, type StartingTask } from "../../../src/store/runs.ts";
import { openSqliteStore } from "../../../src/store/sqlite.ts";
import { insertTask } from "../../../src/store/tasks.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { REPOSITORY, repositoryRow } from "../../fixtures/store-rows.ts";

let store: Store;
beforeEach(async () => {
  store = openSqliteStore(join(temporaryFolder(), "a.db"));
  onTestFinished(() => store.close());
  await store.commit([repositoryRow()]);
});

/** A run of one task named `t`. */
function runOf(id: string, parent?: StartingTask, asker?: string): Statement[] {
  return [
    insertRun({
      id,
      requestId: `request-${id}`,
      repositoryId: REPOSITORY,
      parent,
      cause: undefined,
      asker,
      state: "active",
      outcome: undefined,
      cancelRequested: false,
      spec: {},
      plan: {},
      baseCommit: "b",
      createdMs: 1,
      endedMs: undefined,
    }),
    insertTask({ run: id, name: "t", position: 0, state: "waiting" }),
  ];
}

const end = (run: string): Statement[] => [
  { sql: "update tasks set state = 'ended' where run_id = ?", values: [run] },
  passOnInbox(run, "t"),
];

const outcome = (run: string, createdMs = 10): Statement =>
  putOutcome({
    id: idFrom(`run:${run}`),
    key: `run:${run}`,
    repositoryId: REPOSITORY,
    kind: "run",
    run,
    task: undefined,
    record: { title: `${run} succeeded`, command: `anabranch show ${run}` },
    createdMs,
  });

const readerOf = (address: string, leftBeforeMs?: number): InboxReader => ({ address, leftBeforeMs });
const runsOf = async (address: string, leftBeforeMs?: number): Promise<(string | undefined)[]> =>
  (await loadInbox(store, readerOf(address, leftBeforeMs), { limit: 100 })).map(({ run }) => run);

describe("the inbox", () => {
  it("gives the end of a run to the task that has started it, and once only", async () => {
    await store.commit([...runOf("a"), ...runOf("b", { run: "a", task: "t" })]);
    await store.commit([outcome("b")]);
    await store.commit([outcome("b")]);
    expect(await runsOf("task:a/t")).toEqual(["b"]);
    expect(await runsOf(PERSON)).toEqual([]);
  });

  it("gives it to whoever is above where that task has ended, in the end to the person", async () => {
    await store.commit([...runOf("a"), ...runOf("b", { run: "a", task: "t" }), ...runOf("c", { run: "b", task: "t" })]);
    await store.commit(end("b"));
    await store.commit([outcome("c")]);
    expect(await runsOf("task:a/t")).toEqual(["c"]);
    await store.commit(end("a"));
    expect(await runsOf(PERSON)).toEqual(["c"]);
  });

  it("passes on what a task was not told of, and keeps what it was told of", async () => {
    await store.commit([...runOf("a", undefined, "talk"), ...runOf("b", { run: "a", task: "t" })]);
    await store.commit([...runOf("c", { run: "a", task: "t" }), outcome("b"), outcome("c")]);
    await store.commit([markRead([idFrom("run:b")], 20)]);
    await store.commit(end("a"));
    const kept = await loadInbox(store, readerOf("task:a/t"), { limit: 10, read: true });
    expect(kept.map(({ run, state }) => [run, state])).toEqual([["b", "read"]]);
    expect(await runsOf("conversation:talk")).toEqual(["c"]);
  });

  it("sees an end in the same transaction, whichever comes first", async () => {
    await store.commit([...runOf("a"), ...runOf("b", { run: "a", task: "t" }), ...runOf("c", { run: "a", task: "t" })]);
    await store.commit([outcome("b"), ...end("a"), outcome("c")]);
    expect(await runsOf(PERSON)).toEqual(["b", "c"]);
  });

  it("shows a person what a conversation has not come for in time", async () => {
    await store.commit([...runOf("a", undefined, "talk"), outcome("a", 10)]);
    expect(await runsOf(PERSON, 10)).toEqual([]);
    expect(await runsOf(PERSON, 11)).toEqual(["a"]);
    expect(await countUnread(store, readerOf(PERSON, 11), REPOSITORY)).toBe(1);
  });

  it("lets nobody read what is for another", async () => {
    await store.commit([...runOf("a"), ...runOf("b", { run: "a", task: "t" }), outcome("b")]);
    await store.commit([acknowledgeInbox(readerOf(PERSON, 5), ["run:b", idFrom("run:b")], 20)]);
    expect(await runsOf("task:a/t")).toEqual(["b"]);
    await store.commit([acknowledgeInbox(readerOf("task:a/t"), ["run:b"], 20)]);
    expect(await runsOf("task:a/t")).toEqual([]);
  });

  it("makes what happens again unread again", async () => {
    const letter = (createdMs: number): Statement =>
      putInboxAgain({
        id: "l",
        key: "dead-letter:x",
        repositoryId: undefined,
        kind: "dead-letter",
        run: undefined,
        task: undefined,
        addressee: PERSON,
        record: { title: `at ${createdMs}`, command: "c" },
        createdMs,
      });
    await store.commit([letter(1)]);
    await store.commit([markRead(["l"], 2)]);
    await store.commit([letter(3)]);
    const [entry, other] = await loadInbox(store, readerOf(PERSON), { limit: 10, repositoryId: REPOSITORY });
    expect([entry?.record.title, other]).toEqual(["at 3", undefined]);
  });
});
