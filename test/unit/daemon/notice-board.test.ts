import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { systemClock } from "../../../src/base/clock.ts";
import { systemRandom } from "../../../src/base/ids.ts";
import { NoticeBoard, type Question } from "../../../src/daemon/agents/notice-board.ts";
import { findNotices } from "../../../src/store/notices.ts";
import type { Store } from "../../../src/store/port.ts";
import { insertRun } from "../../../src/store/runs.ts";
import { openSqliteStore } from "../../../src/store/sqlite.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { REPOSITORY, repositoryRow } from "../../fixtures/store-rows.ts";
import { until } from "../../fixtures/until.ts";

const QUESTION: Question = {
  repositoryId: REPOSITORY,
  run: "r1",
  task: "t",
  kind: "permission",
  record: { title: "may I", detail: "make", paths: [] },
};

let store: Store;
let board: NoticeBoard;
beforeEach(async () => {
  store = openSqliteStore(join(temporaryFolder(), "a.db"));
  onTestFinished(() => store.close());
  board = new NoticeBoard(store, systemClock, systemRandom);
  const run = {
    id: "r1",
    requestId: "request-1",
    repositoryId: REPOSITORY,
    parent: undefined,
    cause: undefined,
    asker: undefined,
    state: "active",
  } as const;
  const rest = {
    outcome: undefined,
    cancelRequested: false,
    spec: {},
    plan: {},
    baseCommit: "b",
    createdMs: 1,
    endedMs: undefined,
  };
  await store.commit([repositoryRow(), insertRun({ ...run, ...rest })]);
});

const stateOf = async (id: string): Promise<string | undefined> => (await findNotices(store, id))[0]?.state;

async function opened(): Promise<string> {
  await until(() => board.open("r1", "t").length > 0, "it is open");
  return board.open("r1", "t")[0]?.id ?? "";
}

describe("a notice", () => {
  it("is answered by a person, once, and whoever asked is told when that is durable", async () => {
    const asked = board.ask(QUESTION, new AbortController().signal);
    const id = await opened();
    await board.answer("r1/t", { approved: false, reason: "not now" });
    expect(await asked).toEqual({ approved: false, reason: "not now" });
    expect(await stateOf(id)).toBe("denied");
    await expect(board.answer(id, { approved: true, reason: undefined })).rejects.toMatchObject({
      code: "NOTICE_CLOSED",
    });
    expect(await stateOf(id)).toBe("denied");
  });

  it("is withdrawn when what it is about is over, and can no longer be approved", async () => {
    const over = new AbortController();
    const asked = board.ask(QUESTION, over.signal);
    const id = await opened();
    over.abort();
    expect(await asked).toBeUndefined();
    expect(await stateOf(id)).toBe("withdrawn");
    await expect(board.answer(id, { approved: true, reason: undefined })).rejects.toMatchObject({
      code: "NOTICE_CLOSED",
    });
  });

  it("that an earlier daemon asked is withdrawn: nobody waits for it, and a yes to it means nothing", async () => {
    void board.ask(QUESTION, new AbortController().signal);
    const id = await opened();
    const next = new NoticeBoard(store, systemClock, systemRandom);
    await expect(next.answer(id, { approved: true, reason: undefined })).rejects.toMatchObject({
      code: "NOTICE_CLOSED",
    });
    await next.recover();
    expect(await stateOf(id)).toBe("withdrawn");
    expect(next.open()).toEqual([]);
  });

  it("is named by its id or by its task, and not by what several have in common", async () => {
    for (const _ of [1, 2]) void board.ask(QUESTION, new AbortController().signal);
    await until(() => board.open().length === 2, "both are open");
    await expect(board.answer("r1/t", { approved: true, reason: undefined })).rejects.toMatchObject({
      code: "AMBIGUOUS_ID",
    });
    await expect(board.answer("nosuch", { approved: true, reason: undefined })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    expect(board.open()).toHaveLength(2);
  });
});
