import { appendFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { systemClock } from "../../../src/base/clock.ts";
import type { Cause } from "../../../src/engine/cause.ts";
import type { EventRow } from "../../../src/store/events.ts";
import type { Store } from "../../../src/store/port.ts";
import { openSqliteStore } from "../../../src/store/sqlite.ts";
import { MATCHED_CHARACTERS, MOST_MATCHES, type LogWatchParts, type LogWish } from "../../../src/triggers/log-file.ts";
import { LogWatch } from "../../../src/triggers/log-watch.ts";
import type { EventSink } from "../../../src/triggers/source.ts";
import { sinkInto } from "../../fixtures/event-sink.ts";
import { handClock, type HandClock } from "../../fixtures/hand-clock.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { allEvents, REPOSITORY, repositoryRow } from "../../fixtures/store-rows.ts";
import { until } from "../../fixtures/until.ts";

let store: Store;
let clock: HandClock;
let file: string;

beforeEach(async () => {
  const folder = temporaryFolder();
  file = join(folder, "app.log");
  writeFileSync(file, "ERROR old\n");
  store = openSqliteStore(join(folder, "a.db"));
  onTestFinished(() => store.close());
  await store.commit([repositoryRow()]);
  clock = handClock();
});

function wish(match = "^ERROR (?<what>\\w+)", triggerId = "t1"): LogWish {
  return { triggerId, repositoryId: REPOSITORY, file, match };
}

async function watch(wishes: readonly LogWish[], changes: Partial<LogWatchParts> = {}): Promise<LogWatch> {
  const logs = new LogWatch({ clock, store, sink: sinkInto(store), log: () => undefined, ...changes });
  onTestFinished(() => logs.close());
  await logs.want(wishes);
  return logs;
}

/** Lets time go by until there are so many events. */
async function eventsOnce(count: number): Promise<EventRow[]> {
  let events: EventRow[] = [];
  await until(async () => {
    clock.advance(250);
    events = await allEvents(store);
    return events.length >= count;
  }, `${count} events`);
  return events;
}

const linesOf = (events: readonly EventRow[]): unknown[] => events.map(({ data }) => data["line"]);

describe("a line of a log file", () => {
  it("that matches is an event with the line and its named groups; others are none", async () => {
    await watch([wish()]);
    appendFileSync(file, "INFO fine\nERROR disk full\n");
    expect(await eventsOnce(1)).toMatchObject([
      {
        type: "log.matched",
        repositoryId: REPOSITORY,
        data: { trigger: "t1", file, line: "ERROR disk full", groups: { what: "disk" } },
      },
    ]);
  });

  it("is an event for each trigger that it matches", async () => {
    const logs = await watch([wish("ERROR"), wish("disk", "t2"), wish("network", "t3")]);
    appendFileSync(file, "ERROR disk\n");
    expect((await eventsOnce(2)).map(({ data }) => data["trigger"])).toEqual(["t1", "t2"]);
    await logs.want([wish("network", "t3")]);
    appendFileSync(file, "ERROR disk network\n");
    expect((await eventsOnce(3)).map(({ data }) => data["trigger"])).toEqual(["t1", "t2", "t3"]);
  });

  it("is matched by its start only, whatever follows", async () => {
    await watch([wish("^x+(?<end>y?)")]);
    appendFileSync(file, `${"x".repeat(MATCHED_CHARACTERS)}y\n`);
    const [event] = await eventsOnce(1);
    expect(event?.data["line"]).toHaveLength(MATCHED_CHARACTERS);
    expect(event?.data["groups"]).toEqual({ end: "" });
  });

  it("a pattern that goes back as far as it may holds nobody up for long", async () => {
    await watch([wish("x.*y")], { clock: systemClock });
    appendFileSync(file, `${`${"x".repeat(MATCHED_CHARACTERS)}\n`.repeat(128)}xy\n`);
    let longestMs = 0;
    let isOver = false;
    let lastMs = systemClock.monotonicMs();
    const look = (): void => {
      const nowMs = systemClock.monotonicMs();
      longestMs = Math.max(longestMs, nowMs - lastMs);
      lastMs = nowMs;
      if (!isOver) setImmediate(look);
    };
    look();
    await until(async () => (await allEvents(store)).length === 1, "the line that matches");
    isOver = true;
    expect(longestMs).toBeLessThan(500);
  });

  it("has the cause that is told of it", async () => {
    const cause: Cause = { chain: "c", depth: 2, triggers: ["r/t1"] };
    await watch([wish()], { causeOf: ({ triggerId }) => (triggerId === "t1" ? cause : undefined) });
    appendFileSync(file, "ERROR own\n");
    expect((await eventsOnce(1))[0]?.cause).toEqual(cause);
  });
});

describe("a log file and the daemon", () => {
  it("what comes while the daemon is away is read later, also in a file that was rotated", async () => {
    const logs = await watch([wish()]);
    appendFileSync(file, "ERROR one\n");
    await eventsOnce(1);
    await logs.close();
    appendFileSync(file, "ERROR two\n");
    renameSync(file, `${file}.1`);
    writeFileSync(file, "ERROR three\n");
    await watch([wish()]);
    expect(linesOf(await eventsOnce(3))).toEqual(["ERROR one", "ERROR two", "ERROR three"]);
  });

  it("that dies between matching and keeping, or right after keeping, makes each event once", async () => {
    writeFileSync(file, "");
    const killed: (() => Promise<void>)[] = [];
    for (let round = 0; round < 12; round += 1) {
      let calls = 0;
      let end: (cause: Error) => void = () => undefined;
      const sink: EventSink = async (events, also) => {
        calls += 1;
        // The first is where it stands; then it is killed before or after the events are durable, and nothing runs on.
        if (calls === 1 && events.length === 0) return sinkInto(store)(events, also);
        if (round % 2 === 0) await sinkInto(store)(events, also);
        return new Promise<void>((_resolve, reject) => (end = reject));
      };
      const logs = new LogWatch({ clock, store, sink, log: () => undefined });
      appendFileSync(file, `ERROR r${round}\n`);
      void logs.want([wish()]);
      await until(() => {
        clock.advance(250);
        return calls > 0;
      }, "the first call");
      killed.push(() => {
        const closing = logs.close();
        end(new Error("killed"));
        return closing;
      });
    }
    await watch([wish()]);
    appendFileSync(file, "ERROR last\n");
    await until(async () => {
      clock.advance(250);
      return linesOf(await allEvents(store)).includes("ERROR last");
    }, "the last line");
    const lines = linesOf(await allEvents(store));
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines.length).toBeGreaterThan(11);
    await Promise.all(killed.map((close) => close()));
  });

  it("what comes while nobody waits for it does not count later", async () => {
    const logs = await watch([wish()]);
    await logs.want([]);
    appendFileSync(file, "ERROR unwanted\n");
    await logs.want([wish()]);
    appendFileSync(file, "ERROR wanted\n");
    expect(linesOf(await eventsOnce(1))).toEqual(["ERROR wanted"]);
  });

  it("a store that is full for a while loses no line", async () => {
    let isFull = false;
    const sink: EventSink = (events, also) =>
      isFull ? Promise.reject(new Error("the disk is full")) : sinkInto(store)(events, also);
    await watch([wish()], { sink });
    isFull = true;
    appendFileSync(file, "ERROR one\n");
    for (let count = 0; count < 20; count += 1) {
      clock.advance(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await allEvents(store)).toEqual([]);
    isFull = false;
    expect(linesOf(await eventsOnce(1))).toEqual(["ERROR one"]);
  });
});

describe("more matches than a second takes", () => {
  it("are counted in one event, also across a restart", async () => {
    const logs = await watch([wish()]);
    appendFileSync(file, "ERROR flood\n".repeat(MOST_MATCHES + 500));
    await until(async () => {
      clock.advance(250);
      return (await store.read("select count(*) as n from events"))[0]?.["n"] === MOST_MATCHES;
    }, "a thousand events");
    await logs.close();
    await watch([wish()]);
    await until(async () => {
      clock.advance(250);
      return (await store.read("select count(*) as n from events"))[0]?.["n"] === MOST_MATCHES + 1;
    }, "the count of the others");
    const [last] = await store.read("select data_json from events order by seq desc limit 1");
    expect(JSON.parse(String(last?.["data_json"]))).toEqual({ trigger: "t1", file, skipped: 500 });
    appendFileSync(file, "ERROR after\n");
    await until(async () => {
      clock.advance(250);
      return (await store.read("select count(*) as n from events"))[0]?.["n"] === MOST_MATCHES + 2;
    }, "the line after the flood");
  });
});
