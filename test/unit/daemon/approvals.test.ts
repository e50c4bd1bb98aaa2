import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { systemRandom } from "../../../src/base/ids.ts";
import { Announcements } from "../../../src/daemon/announcements.ts";
import { Approvals } from "../../../src/daemon/approvals.ts";
import type { LiveRun, LiveTask } from "../../../src/daemon/live-run.ts";
import { NoticeBoard } from "../../../src/daemon/notice-board.ts";
import { RunBook } from "../../../src/daemon/run-book.ts";
import type { NoticeRow } from "../../../src/store/notices.ts";
import type { Store } from "../../../src/store/port.ts";
import { insertRun } from "../../../src/store/runs.ts";
import { openSqliteStore } from "../../../src/store/sqlite.ts";
import { insertTask } from "../../../src/store/tasks.ts";
import { handClock, type HandClock } from "../../fixtures/hand-clock.ts";
import { taskPlan } from "../../fixtures/plans.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { allEvents, REPOSITORY, repositoryRow } from "../../fixtures/store-rows.ts";
import { until } from "../../fixtures/until.ts";

const DAY_MS = 86_400_000;

/** A daemon as far as approvals go, over one database and one clock. */
interface Place {
  readonly store: Store;
  readonly clock: HandClock;
  readonly notices: NoticeBoard;
  readonly approvals: Approvals;
  readonly run: LiveRun;
  readonly deploy: LiveTask;
  /** The tasks that were told that they may start. */
  readonly granted: string[];
  /** What the lane stands at. */
  lane: string;
}

async function firstDaemon(): Promise<Place> {
  const store = openSqliteStore(join(temporaryFolder(), "a.db"));
  onTestFinished(() => store.close());
  const deploy = {
    ...taskPlan("deploy", { effect: "irreversible" }),
    command: "make deploy",
    approval: { expiresMs: 7 * DAY_MS },
  };
  await store.commit([
    repositoryRow(),
    insertRun({
      id: "r",
      requestId: "r",
      repositoryId: REPOSITORY,
      parent: undefined,
      cause: undefined,
      asker: undefined,
      state: "active",
      outcome: undefined,
      cancelRequested: false,
      spec: { name: "release", join: "all", land: "each", tasks: [deploy] },
      plan: { exclusive: [], expected: {} },
      baseCommit: "base",
      createdMs: 1,
      endedMs: undefined,
    }),
    insertTask({ run: "r", name: "deploy", position: 0, state: "ready" }),
  ]);
  return daemon(store, handClock());
}

async function daemon(store: Store, clock: HandClock): Promise<Place> {
  const log = (): void => undefined;
  const book = new RunBook(store, clock, log, new Announcements([]));
  const notices = new NoticeBoard(store, clock, systemRandom);
  const granted: string[] = [];
  const place = { lane: "landed" };
  const approvals = new Approvals(
    { store, clock, book, notices, log },
    {
      baseOf: () => Promise.resolve(place.lane),
      granted: (_run, task) => granted.push(task.row.name),
      failed: (_run, _task, cause) => Promise.reject(cause),
    },
  );
  const [run] = await book.load();
  if (run === undefined) throw new Error("the run has ended");
  await notices.recover();
  await approvals.recover([run]);
  const deploy = run.tasks.get("deploy");
  if (deploy === undefined) throw new Error("there is a task");
  return Object.assign(place, { store, clock, notices, approvals, run, deploy, granted });
}

async function asked({ approvals, notices, run, deploy }: Place): Promise<NoticeRow> {
  expect(approvals.mayStart(run, deploy)).toBe(false);
  await until(() => notices.open().length > 0, "a person is asked");
  const [notice, ...others] = notices.open();
  if (notice === undefined) throw new Error("nobody is asked");
  expect(others).toEqual([]);
  return notice;
}

const yes = { approved: true, by: "ada", reason: undefined } as const;

describe("a task with an approval", () => {
  it("an approval waits for days, also while daemons come and go, and starts what was approved", async () => {
    const first = await firstDaemon();
    const { id } = await asked(first);
    first.clock.advance(3 * DAY_MS);
    const second = await daemon(first.store, first.clock);
    expect((await asked(second)).id).toBe(id);
    first.clock.advance(4 * DAY_MS - 1);
    second.lane = "something else";
    await second.notices.answer(id, yes);
    expect(second.granted).toEqual(["deploy"]);
    expect(second.approvals.mayStart(second.run, second.deploy)).toBe(true);
    expect(second.approvals.baseOf(second.run, second.deploy)).toBe("landed");
    const third = await daemon(first.store, first.clock);
    expect(third.approvals.mayStart(third.run, third.deploy)).toBe(true);
    expect(third.approvals.baseOf(third.run, third.deploy)).toBe("landed");
    expect(third.notices.open()).toEqual([]);
  });

  it("is cancelled when nobody answers in time, whether a daemon runs then or not", async () => {
    for (const runs of [true, false]) {
      let place = await firstDaemon();
      const { id } = await asked(place);
      place.clock.advance(runs ? 7 * DAY_MS : 0);
      if (!runs) {
        // Nobody looks at the clock of the one that is gone.
        const later = handClock(place.clock.wallMs() + 8 * DAY_MS);
        place = await daemon(place.store, later);
        later.advance(0);
      }
      await until(() => place.deploy.row.state === "ended", "it has ended");
      expect(place.deploy.row).toMatchObject({ outcome: "cancelled", reason: { code: "APPROVAL_EXPIRED" } });
      expect(place.granted).toEqual([]);
      await expect(place.notices.answer(id, yes)).rejects.toMatchObject({ code: "NOTICE_CLOSED" });
    }
  });

  it("is cancelled by a no that a daemon took before it was killed", async () => {
    const first = await firstDaemon();
    const { id } = await asked(first);
    await new NoticeBoard(first.store, first.clock, systemRandom).recover();
    const board = new NoticeBoard(first.store, first.clock, systemRandom);
    await board.recover();
    await board.answer(id, { approved: false, by: "ada", reason: "no" });
    const next = await daemon(first.store, first.clock);
    await until(() => next.deploy.row.state === "ended", "it has ended");
    expect(next.deploy.row.reason).toMatchObject({ code: "APPROVAL_DENIED", message: "ada said no: no" });
    const ended = (await allEvents(first.store)).find(({ type }) => type === "task.ended");
    expect(ended?.data).toMatchObject({ outcome: "cancelled", by: "ada" });
  });

  it("is asked about no more when it has ended, also where the daemon was killed between the two", async () => {
    const first = await firstDaemon();
    await asked(first);
    const book = new RunBook(first.store, first.clock, () => undefined, new Announcements([]));
    const [run] = await book.load();
    if (run === undefined) throw new Error("the run is there");
    const other = new NoticeBoard(first.store, first.clock, systemRandom);
    await other.recover();
    const approvals = new Approvals(
      { store: first.store, clock: first.clock, book, notices: other, log: () => undefined },
      { baseOf: () => Promise.resolve("b"), granted: () => undefined, failed: () => Promise.resolve() },
    );
    await book.change(run, (draft) => draft.stopTask("deploy", { by: "user", force: false }));
    expect(other.open()).toHaveLength(1);
    await approvals.recover([]);
    await until(() => other.open().length === 0, "it is withdrawn");
  });

  it("may start at once where none is wanted", async () => {
    const { approvals, run, deploy, notices } = await firstDaemon();
    const free = { ...deploy, spec: { ...deploy.spec, approval: undefined } };
    expect(approvals.mayStart(run, free)).toBe(true);
    expect(notices.open()).toEqual([]);
  });
});
