import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { systemClock } from "../../../src/base/clock.ts";
import { systemRandom } from "../../../src/base/ids.ts";
import { NoticeBoard, type NoticeAnswer, type Question } from "../../../src/daemon/notice-board.ts";
import { loadEvents } from "../../../src/store/events.ts";
import { findNotices, type NoticeRow } from "../../../src/store/notices.ts";
import type { Store } from "../../../src/store/port.ts";
import { insertRun } from "../../../src/store/runs.ts";
import { openSqliteStore } from "../../../src/store/sqlite.ts";
import { handClock } from "../../fixtures/hand-clock.ts";
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

const YES: NoticeAnswer = { approved: true, by: "ada", reason: undefined };
const DAY_MS = 86_400_000;

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
    await board.answer("r1/t", { approved: false, by: "ada", reason: "not now" });
    expect(await asked).toEqual({ approved: false, by: "ada", reason: "not now" });
    expect(await stateOf(id)).toBe("denied");
    await expect(board.answer(id, YES)).rejects.toMatchObject({
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
    await expect(board.answer(id, YES)).rejects.toMatchObject({
      code: "NOTICE_CLOSED",
    });
  });

  it("that an earlier daemon asked is withdrawn: nobody waits for it, and a yes to it means nothing", async () => {
    void board.ask(QUESTION, new AbortController().signal);
    const id = await opened();
    const next = new NoticeBoard(store, systemClock, systemRandom);
    await expect(next.answer(id, YES)).rejects.toMatchObject({
      code: "NOTICE_CLOSED",
    });
    await next.recover();
    expect(await stateOf(id)).toBe("withdrawn");
    expect(next.open()).toEqual([]);
  });

  it("is named by its id or by its task, and not by what several have in common", async () => {
    for (const _ of [1, 2]) void board.ask(QUESTION, new AbortController().signal);
    await until(() => board.open().length === 2, "both are open");
    await expect(board.answer("r1/t", YES)).rejects.toMatchObject({
      code: "AMBIGUOUS_ID",
    });
    await expect(board.answer("nosuch", YES)).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    expect(board.open()).toHaveLength(2);
  });
});

describe("a notice that is posted", () => {
  const APPROVAL: Question = {
    repositoryId: REPOSITORY,
    kind: "approval",
    record: { title: "deploy", detail: "make deploy", paths: [], consequence: "it runs" },
    expiresAfterMs: 3 * DAY_MS,
  };

  it("is open across restarts, and its answer reaches whoever listens, with who gave it", async () => {
    const { id } = await board.post(APPROVAL);
    const next = new NoticeBoard(store, systemClock, systemRandom);
    await next.recover();
    expect(next.open().map((row) => row.id)).toEqual([id]);
    const settled: NoticeRow[] = [];
    next.onSettled((row) => settled.push(row));
    await next.answer(id, YES);
    expect(settled).toMatchObject([{ id, state: "approved", record: { by: "ada" } }]);
    expect((await findNotices(store, id))[0]).toMatchObject({ state: "approved", record: { by: "ada" } });
    const told = (await loadEvents(store, { afterSeq: 0, limit: 100 })).map(({ type, data }) => [type, data["by"]]);
    expect(told).toEqual([
      ["notice.opened", undefined],
      ["notice.approved", "ada"],
    ]);
  });

  it("comes with what else is to be written, or not at all", async () => {
    const also = { sql: "update runs set state = 'ended' where id = 'nosuch'", values: [], expectRows: 1 };
    await expect(board.post(APPROVAL, [also])).rejects.toMatchObject({ code: "STORE_CONFLICT" });
    expect(board.open()).toEqual([]);
    expect(await loadEvents(store, { afterSeq: 0, limit: 100 })).toEqual([]);
  });

  it("expires when nobody answers in time, and that is no yes", async () => {
    const clock = handClock();
    const dated = new NoticeBoard(store, clock, systemRandom);
    const settled: string[] = [];
    dated.onSettled(({ state }) => settled.push(state));
    const { id } = await dated.post(APPROVAL);
    clock.advance(3 * DAY_MS - 1);
    expect(dated.open()).toHaveLength(1);
    clock.advance(1);
    await until(() => settled.length > 0, "it is settled");
    expect(settled).toEqual(["expired"]);
    expect(await stateOf(id)).toBe("expired");
    await expect(dated.answer(id, YES)).rejects.toMatchObject({ code: "NOTICE_CLOSED" });
    expect(await stateOf(id)).toBe("expired");
  });

  it("that expired while no daemon ran is settled so by the next one", async () => {
    const clock = handClock();
    const { id } = await new NoticeBoard(store, clock, systemRandom).post(APPROVAL);
    clock.advance(4 * DAY_MS);
    const next = new NoticeBoard(store, clock, systemRandom);
    await next.recover();
    clock.advance(0);
    await until(async () => (await stateOf(id)) === "expired", "it is settled");
    expect(next.open()).toEqual([]);
  });

  it("is not approved by a yes that comes while a machine that slept has not looked yet", async () => {
    const clock = handClock();
    let sleptMs = 0;
    const slept = { ...clock, wallMs: () => clock.wallMs() + sleptMs };
    const late = new NoticeBoard(store, slept, systemRandom);
    const { id } = await late.post(APPROVAL);
    sleptMs = 4 * DAY_MS;
    await expect(late.answer(id, YES)).rejects.toMatchObject({ code: "NOTICE_CLOSED", data: { state: "expired" } });
    expect(await stateOf(id)).toBe("expired");
  });

  it("stays open for as long as it was given when the clock is set back", async () => {
    const clock = handClock();
    let backMs = 0;
    const setBack = { ...clock, wallMs: () => clock.wallMs() - backMs };
    const dated = new NoticeBoard(store, setBack, systemRandom);
    const { id } = await dated.post(APPROVAL);
    backMs = DAY_MS;
    clock.advance(3 * DAY_MS);
    expect(await stateOf(id)).toBe("open");
    clock.advance(DAY_MS);
    await until(async () => (await stateOf(id)) === "expired", "it is settled");
  });
});
