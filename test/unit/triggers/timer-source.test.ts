import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import type { Clock } from "../../../src/base/clock.ts";
import type { When } from "../../../src/engine/schedule.ts";
import type { Store } from "../../../src/store/port.ts";
import { openSqliteStore } from "../../../src/store/sqlite.ts";
import { putTimedEvent } from "../../../src/store/timed-events.ts";
import type { EventSink } from "../../../src/triggers/source.ts";
import { TimerSource } from "../../../src/triggers/timer-source.ts";
import { MOST_MISSED, type TimerWish } from "../../../src/triggers/timer.ts";
import { sinkInto } from "../../fixtures/event-sink.ts";
import { handClock, type HandClock } from "../../fixtures/hand-clock.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { allEvents, REPOSITORY, repositoryRow } from "../../fixtures/store-rows.ts";
import { until } from "../../fixtures/until.ts";

const [MINUTE_MS, HOUR_MS, DAY_MS] = [60_000, 3_600_000, 24 * 3_600_000];
const START_MS = Date.parse("2027-01-31T10:03:30Z");
const HOURLY: When = { cron: "0 * * * *", timeZone: "UTC" };

let store: Store;
let hand: HandClock;
/** How far somebody has set the wall clock. */
let setByMs: number;
let clock: Clock;

beforeEach(async () => {
  store = openSqliteStore(join(temporaryFolder(), "a.db"));
  onTestFinished(() => store.close());
  await store.commit([repositoryRow()]);
  hand = handClock(START_MS);
  setByMs = 0;
  clock = { ...hand, wallMs: () => hand.wallMs() + setByMs };
});

function wish(when: When, missed: TimerWish["missed"] = "once", triggerId = "t1"): TimerWish {
  return { triggerId, repositoryId: REPOSITORY, when, missed };
}

function openTimers(sink: EventSink = sinkInto(store)): TimerSource {
  const timers = new TimerSource({ clock, store, sink, log: () => undefined });
  onTestFinished(() => timers.close());
  return timers;
}

async function dueTimes(): Promise<string[]> {
  const events = await allEvents(store);
  return events.map(({ data }) => {
    const { dueMs, missed, more } = data as { dueMs: number; missed: number; more?: true };
    const time = new Date(dueMs).toISOString().slice(5, 16);
    return `${time}${missed === 0 ? "" : ` missed ${missed}`}${more === true ? " and more" : ""}`;
  });
}

/** Lets time go by; what is due on the way is brought in time. */
async function pass(timers: TimerSource, wishes: readonly TimerWish[], ms: number): Promise<void> {
  const endMs = hand.wallMs() + ms;
  while (hand.wallMs() < endMs) {
    hand.advance(Math.min(MINUTE_MS, endMs - hand.wallMs()));
    // Whoever is told again what is wanted has looked at the clock.
    await timers.want(wishes);
  }
}

describe("a timer", () => {
  it("fires at each of its times, once, with the trigger and the time", async () => {
    const timers = openTimers();
    const wishes = [wish(HOURLY)];
    await timers.want(wishes);
    await pass(timers, wishes, 3 * HOUR_MS);
    expect(await dueTimes()).toEqual(["01-31T11:00", "01-31T12:00", "01-31T13:00"]);
    const [first] = await allEvents(store);
    expect(first).toMatchObject({
      type: "timer.due",
      repositoryId: REPOSITORY,
      cause: undefined,
      data: { trigger: "t1", dueMs: Date.parse("2027-01-31T11:00:00Z"), missed: 0 },
    });
  });

  it("fires by itself when its time has come", async () => {
    const timers = openTimers();
    await timers.want([wish({ everyMs: 10_000 })]);
    hand.advance(10_000);
    await until(async () => (await allEvents(store)).length === 1, "the timer's event");
    hand.advance(10_000);
    await until(async () => (await allEvents(store)).length === 2, "the timer's second event");
  });

  it("for one moment fires once, and never again after a restart", async () => {
    const wishes = [wish({ atMs: START_MS + MINUTE_MS })];
    const timers = openTimers();
    await timers.want(wishes);
    await pass(timers, wishes, 5 * MINUTE_MS);
    await timers.close();
    const next = openTimers();
    await next.want(wishes);
    await pass(next, wishes, 5 * MINUTE_MS);
    expect(await dueTimes()).toEqual(["01-31T10:04"]);
  });

  it("for a moment that had passed when it was first seen never fires", async () => {
    const wishes = [wish({ atMs: START_MS - 1 }, "all")];
    const timers = openTimers();
    await timers.want(wishes);
    await pass(timers, wishes, 5 * MINUTE_MS);
    expect(await dueTimes()).toEqual([]);
  });

  it("is brought again where it could not be kept, and not lost", async () => {
    let isFull = true;
    const sink: EventSink = (events, also) =>
      isFull ? Promise.reject(new Error("the disk is full")) : sinkInto(store)(events, also);
    const timers = openTimers(sink);
    const wishes = [wish(HOURLY, "skip")];
    await timers.want(wishes);
    await pass(timers, wishes, HOUR_MS + 10 * MINUTE_MS);
    expect(await dueTimes()).toEqual([]);
    isFull = false;
    await pass(timers, wishes, MINUTE_MS);
    expect(await dueTimes()).toEqual(["01-31T11:00"]);
  });

  it("that was kept just before the daemon died does not fire for the same time again", async () => {
    const wishes = [wish(HOURLY)];
    // The transaction is durable, and nobody is told so.
    const sink: EventSink = async (events, also) => {
      await sinkInto(store)(events, also);
      throw new Error("killed");
    };
    const timers = openTimers(sink);
    await timers.want(wishes);
    await pass(timers, wishes, HOUR_MS);
    await timers.close();
    const next = openTimers();
    await next.want(wishes);
    expect(await dueTimes()).toEqual(["01-31T11:00"]);
  });

  it("does not fire again for a time whose event is kept no more", async () => {
    const timers = openTimers();
    const wishes = [wish(HOURLY, "all")];
    await timers.want(wishes);
    await pass(timers, wishes, 3 * HOUR_MS);
    await timers.close();
    await store.commit([{ sql: "delete from events" }]);
    await openTimers().want(wishes);
    expect(await dueTimes()).toEqual([]);
  });

  it("begins anew with another schedule: what it would have been due before was not missed", async () => {
    const timers = openTimers();
    await timers.want([wish(HOURLY)]);
    await pass(timers, [wish(HOURLY)], 30 * MINUTE_MS);
    const often = [wish({ everyMs: 20 * MINUTE_MS }, "all")];
    await timers.want(often);
    await pass(timers, often, 20 * MINUTE_MS);
    expect(await dueTimes()).toEqual(["01-31T10:40"]);
  });

  it("that nobody wanted for a while has missed nothing meanwhile", async () => {
    const timers = openTimers();
    await timers.want([wish(HOURLY), wish(HOURLY, "all", "t11")]);
    await timers.want([wish(HOURLY, "all", "t11")]);
    hand.advance(5 * HOUR_MS);
    await timers.want([wish(HOURLY, "all"), wish(HOURLY, "once", "t11")]);
    const events = await allEvents(store);
    expect(events.map(({ data }) => data["trigger"])).not.toContain("t1");
    expect(events.map(({ data }) => data["trigger"])).toContain("t11");
  });
});

describe("times that passed while the daemon was away", () => {
  async function awayFor(missed: TimerWish["missed"], when: When, ms: number): Promise<string[]> {
    const timers = openTimers();
    await timers.want([wish(when, missed)]);
    await timers.close();
    hand.advance(ms);
    const next = openTimers();
    await next.want([wish(when, missed)]);
    await pass(next, [wish(when, missed)], HOUR_MS);
    return dueTimes();
  }

  it.each([
    { missed: "skip", times: ["02-03T11:00"] },
    { missed: "once", times: ["02-03T10:00 missed 72", "02-03T11:00"] },
  ] as const)("$missed", async ({ missed, times }) => {
    expect(await awayFor(missed, HOURLY, 3 * DAY_MS)).toEqual(times);
  });

  it("all: each is fired", async () => {
    const times = await awayFor("all", HOURLY, 3 * DAY_MS);
    expect(times).toHaveLength(73);
    expect([times[0], times[71], times[72]]).toEqual(["01-31T11:00 missed 1", "02-03T10:00 missed 1", "02-03T11:00"]);
  });

  it("all: no more than the newest hundred are fired, and the first says that there were more", async () => {
    const times = await awayFor("all", HOURLY, 300 * DAY_MS);
    expect(times).toHaveLength(MOST_MISSED + 1);
    expect(times[0]).toMatch(/missed 1 and more$/);
    expect(times[1]).toMatch(/missed 1$/);
  });

  it("once: an interval of a second over a year is one event, made at once", async () => {
    const timers = openTimers();
    const wishes = [wish({ everyMs: 1000 })];
    await timers.want(wishes);
    await timers.close();
    hand.advance(366 * DAY_MS);
    await openTimers().want(wishes);
    expect(await dueTimes()).toEqual(["02-01T10:03 missed 100 and more"]);
  });
});

describe("the wall clock", () => {
  it("set forward by days: what has passed was missed", async () => {
    const timers = openTimers();
    const wishes = [wish(HOURLY)];
    await timers.want(wishes);
    setByMs = 2 * DAY_MS;
    await pass(timers, wishes, 2 * HOUR_MS);
    expect(await dueTimes()).toEqual(["02-02T10:00 missed 48", "02-02T11:00", "02-02T12:00"]);
  });

  it("set forward while a timer waits is noticed within a minute", async () => {
    const timers = openTimers();
    await timers.want([wish({ atMs: START_MS + 3 * DAY_MS })]);
    setByMs = 4 * DAY_MS;
    hand.advance(MINUTE_MS);
    await until(async () => (await allEvents(store)).length === 1, "the timer's event");
  });

  it("set back by hours: no time is fired twice", async () => {
    const timers = openTimers();
    const wishes = [wish(HOURLY, "all")];
    await timers.want(wishes);
    await pass(timers, wishes, 3 * HOUR_MS);
    setByMs = -2 * HOUR_MS;
    await pass(timers, wishes, 3 * HOUR_MS);
    expect(await dueTimes()).toEqual(["01-31T11:00", "01-31T12:00", "01-31T13:00", "01-31T14:00"]);
  });

  it("that was years ahead and was set right again: timers do not wait for those years", async () => {
    setByMs = 10 * 365 * DAY_MS;
    const timers = openTimers();
    const wishes = [wish(HOURLY)];
    await timers.want(wishes);
    await pass(timers, wishes, HOUR_MS);
    setByMs = 0;
    await pass(timers, wishes, 2 * HOUR_MS);
    expect((await dueTimes()).slice(-2)).toEqual(["01-31T12:00", "01-31T13:00"]);
  });

  it("that was years ahead when the daemon ended does not silence the next one", async () => {
    setByMs = 10 * 365 * DAY_MS;
    const wishes = [wish(HOURLY)];
    const timers = openTimers();
    await timers.want(wishes);
    await timers.close();
    setByMs = 0;
    const next = openTimers();
    await next.want(wishes);
    await pass(next, wishes, HOUR_MS);
    expect(await dueTimes()).toEqual(["01-31T11:00"]);
  });
});

describe("an event that was put off", () => {
  const CAUSE = { chain: "c1", depth: 7, triggers: ["r/one", "r/two"] };
  const later = (id: string, dueMs: number): ReturnType<typeof putTimedEvent> =>
    putTimedEvent({
      id,
      dueMs,
      event: { atMs: START_MS, type: "custom.later", run: "r1", task: undefined, cause: CAUSE, data: { id } },
    });

  it("depth survives timer, schedule, event and restart: it is appended when due, with the cause it was given", async () => {
    await store.commit([later("b", START_MS + 20_000), later("a", START_MS + 10_000)]);
    const timers = openTimers();
    await timers.want([]);
    hand.advance(15_000);
    await until(async () => (await allEvents(store)).length === 1, "the first event");
    await timers.close();
    hand.advance(DAY_MS);
    await openTimers().want([]);
    expect(await allEvents(store)).toMatchObject([
      { type: "custom.later", atMs: START_MS + 15_000, run: "r1", cause: CAUSE, data: { id: "a" } },
      { type: "custom.later", run: "r1", cause: CAUSE, data: { id: "b" } },
    ]);
    expect(await store.read("select * from timed_events")).toEqual([]);
  });

  it("is brought in time when it comes after the timers were armed", async () => {
    const timers = openTimers();
    await timers.want([]);
    await store.commit([later("a", START_MS + 5000)]);
    timers.lookAgain();
    await until(async () => {
      hand.advance(1000);
      return (await allEvents(store)).length === 1;
    }, "the event");
    expect(hand.wallMs()).toBeLessThan(START_MS + MINUTE_MS);
  });

  it("is kept once, with a thousand others, however often bringing them failed", async () => {
    await store.commit(Array.from({ length: 1000 }, (_, index) => later(`e${index}`, START_MS + 1 + (index % 7))));
    let calls = 0;
    const timers = openTimers(async (events, also) => {
      calls += 1;
      if (calls % 3 === 0) throw new Error("the disk is full");
      await sinkInto(store)(events, also);
    });
    hand.advance(10_000);
    for (let round = 0; round < 10; round += 1) await timers.want([]);
    expect(await store.read("select count(*) as all_of_them, count(distinct data_json) as each from events")).toEqual([
      { all_of_them: 1000, each: 1000 },
    ]);
  });
});

describe("ten thousand timers", () => {
  it("are taken up, fire and go on without the daemon standing still", async () => {
    const wishes = Array.from({ length: 10_000 }, (_, index) => wish({ everyMs: HOUR_MS }, "once", `t${index}`));
    const timers = openTimers();
    await timers.want(wishes);
    hand.advance(HOUR_MS);
    await timers.want(wishes);
    expect(await store.read("select count(distinct key) as fired from events")).toEqual([{ fired: 10_000 }]);
  });
});
