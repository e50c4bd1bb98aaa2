import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { NO_USAGE } from "../../../src/engine/agent.ts";
import { insertMessage, loadMessages, settleMessage } from "../../../src/store/messages.ts";
import { findNotices, insertNotice, loadOpenNotices, settleNotice } from "../../../src/store/notices.ts";
import type { Store } from "../../../src/store/port.ts";
import { deleteRun, insertRun, updateRun } from "../../../src/store/runs.ts";
import {
  findSession,
  findSessionOf,
  insertSession,
  loadSessions,
  updateSession,
  type SessionRecord,
} from "../../../src/store/sessions.ts";
import { insertAttempt } from "../../../src/store/attempts.ts";
import { openSqliteStore } from "../../../src/store/sqlite.ts";
import { insertTask } from "../../../src/store/tasks.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { REPOSITORY, repositoryRow } from "../../fixtures/store-rows.ts";

const RECORD: SessionRecord = {
  directory: "/ws/tree",
  model: "m",
  from: undefined,
  usage: NO_USAGE,
  estimated: false,
  contextTokens: undefined,
  startedAtMs: 5,
  controlGroup: undefined,
  sets: undefined,
};
const SESSION = {
  run: "r1",
  task: "t",
  attempt: 1,
  kind: "claude",
  state: "open",
  record: RECORD,
  createdMs: 1,
} as const;

let store: Store;
beforeEach(async () => {
  store = openSqliteStore(join(temporaryFolder(), "a.db"));
  onTestFinished(() => store.close());
  await store.commit([
    repositoryRow(),
    insertRun({
      id: "r1",
      requestId: "request-1",
      repositoryId: REPOSITORY,
      parent: undefined,
      cause: undefined,
      asker: undefined,
      state: "active",
      outcome: undefined,
      cancelRequested: false,
      spec: {},
      plan: {},
      baseCommit: "b",
      createdMs: 1,
      endedMs: undefined,
    }),
    insertTask({ run: "r1", name: "t", position: 0, state: "working" }),
    ...[1, 2].map((number) =>
      insertAttempt({
        run: "r1",
        task: "t",
        number,
        state: "running",
        marker: `marker-${number}`,
        workspaceId: "w",
        baseCommit: "b",
        bootId: "boot",
        process: undefined,
        exit: undefined,
        changeset: undefined,
        discarded: undefined,
        timings: { chosenMs: 1 },
      }),
    ),
  ]);
});

describe("a session", () => {
  it("is found by its attempt and by its conversation, of which the newest counts", async () => {
    await store.commit([insertSession({ ...SESSION, conversation: "c" })]);
    await store.commit([insertSession({ ...SESSION, attempt: 2, conversation: "c", createdMs: 2 })]);
    const first = await findSession(store, { run: "r1", task: "t", number: 1 });
    expect(first).toMatchObject({ attempt: 1, state: "open", conversation: "c", record: { directory: "/ws/tree" } });
    expect((await findSessionOf(store, "c"))?.attempt).toBe(2);
    expect((await loadSessions(store, "r1")).map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(await findSession(store, { run: "r1", task: "t", number: 3 })).toBeUndefined();
  });

  it("is changed only by whoever has read its present version", async () => {
    await store.commit([insertSession({ ...SESSION, conversation: undefined })]);
    const read = await findSession(store, { run: "r1", task: "t", number: 1 });
    if (read === undefined) throw new Error("it is there");
    await store.commit([updateSession(read, { state: "closed", endedMs: 9 })]);
    await expect(store.commit([updateSession(read, { conversation: "late" })])).rejects.toMatchObject({
      code: "STORE_CONFLICT",
    });
    expect(await findSession(store, { run: "r1", task: "t", number: 1 })).toMatchObject({
      state: "closed",
      conversation: undefined,
      endedMs: 9,
      version: 2,
    });
  });
});

describe("a message", () => {
  it("is settled once, and whoever settles it again changes nothing", async () => {
    const message = {
      id: "m1",
      run: "r1",
      task: "t",
      sender: { kind: "person" },
      timing: "next",
      text: "hi",
      createdMs: 1,
    } as const;
    await store.commit([insertMessage(message)]);
    await store.commit([settleMessage("m1", "delivered", 5)]);
    await store.commit([settleMessage("m1", "undelivered", 6)]);
    expect(await loadMessages(store, "r1", "t")).toEqual([{ ...message, state: "delivered", endedMs: 5 }]);
  });
});

describe("a notice", () => {
  it("is open until it is settled, which only one answer can do", async () => {
    const record = { title: "may I", detail: "d", paths: [] };
    const notice = {
      id: "n1abc",
      repositoryId: REPOSITORY,
      run: "r1",
      task: "t",
      kind: "permission",
      record,
      createdMs: 1,
      expiresMs: undefined,
    } as const;
    await store.commit([insertNotice(notice), insertNotice({ ...notice, id: "n1xyz", createdMs: 2 })]);
    const [open] = await loadOpenNotices(store);
    if (open === undefined) throw new Error("it is open");
    await store.commit([settleNotice(open, "denied", { ...record, answer: "no" }, 3)]);
    await expect(store.commit([settleNotice(open, "approved", record, 4)])).rejects.toMatchObject({
      code: "STORE_CONFLICT",
    });
    expect((await loadOpenNotices(store)).map(({ id }) => id)).toEqual(["n1xyz"]);
    expect((await findNotices(store, "n1")).map(({ state }) => state)).toEqual(["denied", "open"]);
  });
});

describe("a run that is removed", () => {
  it("takes its sessions, messages and notices along", async () => {
    await store.commit([
      insertSession({ ...SESSION, conversation: "c" }),
      insertMessage({
        id: "m1",
        run: "r1",
        task: "t",
        sender: { kind: "person" },
        timing: "now",
        text: "hi",
        createdMs: 1,
      }),
      insertNotice({
        id: "n1",
        repositoryId: REPOSITORY,
        run: "r1",
        task: "t",
        kind: "permission",
        record: { title: "t", detail: "", paths: [] },
        createdMs: 1,
        expiresMs: undefined,
      }),
    ]);
    await store.commit([updateRun({ id: "r1", version: 1 }, { state: "ended", outcome: "failed", endedMs: 2 })]);
    await store.commit(deleteRun("r1"));
    expect(await loadSessions(store, "r1")).toEqual([]);
    expect(await loadMessages(store, "r1", "t")).toEqual([]);
    expect(await loadOpenNotices(store)).toEqual([]);
  });
});
