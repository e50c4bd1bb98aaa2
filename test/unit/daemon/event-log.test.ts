import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { join } from "node:path";

import { EventLog } from "../../../src/daemon/events/event-log.ts";
import { RecentEvents } from "../../../src/daemon/events/recent-events.ts";
import { loadCursor, moveCursor } from "../../../src/store/cursors.ts";
import { loadEvents, type EventRow, type NewEvent } from "../../../src/store/events.ts";
import type { Statement, Store } from "../../../src/store/port.ts";
import { openSqliteStore } from "../../../src/store/sqlite.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { tell } from "../../fixtures/store-rows.ts";

function openStore(): Store {
  const store = openSqliteStore(join(temporaryFolder(), "store.db"));
  onTestFinished(() => store.close());
  return store;
}

function event(type: string, more: Partial<NewEvent> = {}): NewEvent {
  return { atMs: 1, type, run: undefined, task: undefined, data: {}, ...more };
}

/** A store that tells what was asked of it, and lets commits wait for a word. */
function watched(store: Store): { store: Store; reads: string[]; commits: number[]; hold: boolean; letGo: () => void } {
  const waiting: (() => void)[] = [];
  const watch = {
    reads: [] as string[],
    commits: [] as number[],
    hold: false,
    letGo: (): void => {
      watch.hold = false;
      for (const go of waiting.splice(0)) go();
    },
    store: {
      ...store,
      async commit(statements: readonly Statement[]) {
        watch.commits.push(statements.length);
        if (watch.hold) await new Promise<void>((go) => waiting.push(go));
        return store.commit(statements);
      },
      read(sql: string, values?: readonly (string | number | null)[]) {
        watch.reads.push(sql);
        return store.read(sql, values);
      },
    } satisfies Store,
  };
  return watch;
}

async function readAll(log: EventLog, afterSeq = 0): Promise<EventRow[]> {
  const all: EventRow[] = [];
  for (let after = afterSeq; ; after = all.at(-1)?.seq ?? after) {
    const some = await log.read(after, 7);
    if (some.length === 0) return all;
    all.push(...some);
  }
}

describe("the log of events", () => {
  it("keeps events with whatever was to be kept with them, or none of it", async () => {
    const store = openStore();
    const log = new EventLog({ store });
    await log.append([event("a"), event("b")], [moveCursor("reader", 5)]);
    const broken = { sql: "update cursors set position = 9 where name = 'nobody'", expectRows: 1 };
    await expect(log.append([event("c")], [moveCursor("reader", 9), broken])).rejects.toMatchObject({
      code: "STORE_CONFLICT",
    });
    expect((await readAll(log)).map(({ type }) => type)).toEqual(["a", "b"]);
    expect((await loadCursor(store, "reader"))?.position).toBe(5);
  });

  it("keeps the same event once, by its key", async () => {
    const log = new EventLog({ store: openStore() });
    const seq = await log.appendOne(event("a", { key: "k" }));
    expect(seq).toBe(1);
    expect(await log.appendOne(event("a", { key: "k" }))).toBeUndefined();
    await log.append([event("a", { key: "k" }), event("b", { key: "l" }), event("b", { key: "l" })]);
    expect((await readAll(log)).map(({ type }) => type)).toEqual(["a", "b"]);
  });

  it("makes those wait who bring more than fits, in their order, and lets them in as soon as it does", async () => {
    const watch = watched(openStore());
    const log = new EventLog({ store: watch.store });
    watch.hold = true;
    const some = (count: number, type: string): NewEvent[] => Array.from({ length: count }, () => event(type));
    const all = [
      log.append(some(1500, "a")),
      log.append(some(400, "b")),
      log.append(some(400, "c")),
      log.append(some(1, "d")),
    ];
    expect(watch.commits).toEqual([]);
    await Promise.resolve();
    expect(watch.commits).toEqual([1500, 400]);
    watch.letGo();
    await Promise.all(all);
    expect(watch.commits).toEqual([1500, 400, 400, 1]);
    const types = (await readAll(log)).map(({ type }) => type);
    expect(types).toHaveLength(2301);
    expect(types).toEqual(types.toSorted());
  });

  it("takes in more than fits at once from one that comes alone, and goes on after a commit that failed", async () => {
    const store = openStore();
    const log = new EventLog({ store });
    const broken = { sql: "delete from nowhere" };
    await expect(log.append([event("a")], [broken])).rejects.toMatchObject({ code: "INTERNAL" });
    await log.append(Array.from({ length: 2500 }, () => event("b")));
    expect(await log.newest()).toBe(2500);
  });

  it("reads once for all who follow, however many they are", async () => {
    const watch = watched(openStore());
    const log = new EventLog({ store: watch.store });
    for (let follower = 0; follower < 5; follower += 1) log.onNew(() => undefined);
    await log.append([event("first")]);
    const after = await log.newest();
    for (let follower = 0; follower < 5; follower += 1) await log.read(after);
    watch.reads.length = 0;
    await log.append([event("a"), event("b")]);
    const seen = await Promise.all(Array.from({ length: 5 }, () => log.read(after)));
    for (const events of seen) expect(events.map(({ type }) => type)).toEqual(["a", "b"]);
    expect(watch.reads).toHaveLength(1);
  });

  it("gives every reader each event once and in order, whatever it misses meanwhile", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.nat({ max: 9 }), fc.constant("read" as const), fc.constant("leave" as const)), {
          maxLength: 40,
        }),
        async (steps) => {
          const store = openSqliteStore(":memory:");
          const log = new EventLog({ store });
          let stop = log.onNew(() => undefined);
          const readers = [0, 0, 0].map(() => ({ after: 0, seen: [] as number[] }));
          let written = 0;
          const readSome = async (reader: (typeof readers)[number], limit: number): Promise<boolean> => {
            const events = await log.read(reader.after, limit);
            reader.seen.push(...events.map(({ data }) => Number(data["number"])));
            reader.after = events.at(-1)?.seq ?? reader.after;
            // Nothing is given only where there is nothing more.
            if (events.length === 0) expect(reader.seen).toHaveLength(written);
            return events.length > 0;
          };
          for (const [index, step] of steps.entries()) {
            if (step === "leave") {
              stop();
              stop = log.onNew(() => undefined);
            } else if (step === "read")
              await Promise.all(readers.slice(index % 3).map((reader) => readSome(reader, 5 + (index % 9))));
            // What a run commits itself does not come through the log.
            else await store.commit(Array.from({ length: step }, () => tell("t", { number: (written += 1) })));
          }
          for (const reader of readers) while (await readSome(reader, 5));
          const all = Array.from({ length: written }, (_, index) => index + 1);
          for (const { seen } of readers) expect(seen).toEqual(all);
          await store.close();
        },
      ),
      { numRuns: 200 },
    );
  });

  it("tells its followers after a commit, and no more once they have left", async () => {
    const log = new EventLog({ store: openStore() });
    let told = 0;
    const stop = log.onNew(() => (told += 1));
    await log.append([event("a")]);
    expect(told).toBe(1);
    stop();
    await log.append([event("b")]);
    expect(told).toBe(1);
  });

  it("holds no more in memory than its bounds, in number and in size", () => {
    const recent = new RecentEvents();
    const sized = (seq: number, bytes: number) => ({ event: { ...event("t"), seq }, bytes });
    recent.startAfter(0);
    recent.push(Array.from({ length: 10_000 }, (_, index) => sized(index + 1, 100)));
    expect(recent.after(5999, 10)).toBeUndefined();
    expect(recent.after(6000, 10_000)).toHaveLength(4000);
    recent.push([sized(10_001, 5 * 2 ** 20), sized(10_002, 5 * 2 ** 20)]);
    expect(recent.after(10_000, 10)).toBeUndefined();
    expect(recent.after(10_001, 10)?.map(({ seq }) => seq)).toEqual([10_002]);
    expect(recent.after(10_002, 10)).toEqual([]);
    expect(recent.after(10_003, 10)).toBeUndefined();
  });

  it("reads little at a time where events are large", async () => {
    const store = openStore();
    const log = new EventLog({ store });
    const data = { text: "x".repeat(200_000) };
    await log.append(Array.from({ length: 200 }, () => event("large", { data })));
    expect((await loadEvents(store, { afterSeq: 0, limit: 500 })).length).toBeLessThan(100);
    expect(await readAll(log)).toHaveLength(200);
  });
});
