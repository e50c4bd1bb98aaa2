import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import type { EventLimits } from "../../../src/daemon/config.ts";
import { loadRemovedSeq, Retention } from "../../../src/daemon/events/retention.ts";
import { eventReader, forgetCursors, moveCursor } from "../../../src/store/cursors.ts";
import { loadDeadLetters, putDeadLetter, replayDeadLetter } from "../../../src/store/dead-letters.ts";
import { appendEvent, loadEvents } from "../../../src/store/events.ts";
import type { Store } from "../../../src/store/port.ts";
import { openSqliteStore } from "../../../src/store/sqlite.ts";
import { handClock, type HandClock } from "../../fixtures/hand-clock.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { repositoryRow, REPOSITORY } from "../../fixtures/store-rows.ts";

const DAY_MS = 86_400_000;

class World {
  readonly store: Store;
  readonly clock: HandClock = handClock();
  readonly stopping = new AbortController();
  readonly retention: Retention;

  constructor(limits: Partial<EventLimits> = {}) {
    this.store = openSqliteStore(join(temporaryFolder(), "store.db"));
    onTestFinished(() => this.store.close());
    this.retention = new Retention(
      { store: this.store, clock: this.clock, stopping: this.stopping.signal },
      { keepMs: DAY_MS, most: 1_000_000, ...limits },
    );
  }

  /** Appends events that are so old. */
  async append(...agesMs: readonly number[]): Promise<void> {
    const nowMs = this.clock.wallMs();
    const rows = agesMs.map((ageMs) => ({ atMs: nowMs - ageMs, type: "t", run: undefined, task: undefined, data: {} }));
    await this.store.commit(rows.map(appendEvent));
  }

  remove(keepMs?: number): Promise<number> {
    return this.#letPass(this.retention.remove(keepMs));
  }

  count(keepMs?: number): Promise<number> {
    return this.#letPass(this.retention.count(keepMs));
  }

  /** Lets go on what pauses, without any time that passes. */
  async #letPass(count: Promise<number>): Promise<number> {
    let isOver = false;
    const over = count.finally(() => (isOver = true));
    while (!isOver) {
      this.clock.advance(0);
      await new Promise((turn) => setImmediate(turn));
    }
    return over;
  }

  async kept(): Promise<number[]> {
    return (await loadEvents(this.store, { afterSeq: 0, limit: 100_000 })).map(({ seq }) => seq);
  }
}

describe("old events", () => {
  it("go when they are older than is to be kept, and it is known up to where", async () => {
    const world = new World();
    await world.append(3 * DAY_MS, 2 * DAY_MS, DAY_MS + 1, DAY_MS - 1, 0);
    expect(await world.remove()).toBe(3);
    expect(await world.kept()).toEqual([4, 5]);
    expect(await loadRemovedSeq(world.store)).toBe(3);
    expect(await world.remove()).toBe(0);
  });

  it("go when there are more than are to be kept, however young they are", async () => {
    const world = new World({ most: 1000 });
    await world.append(...Array.from({ length: 3210 }, () => 0));
    expect(await world.remove()).toBe(2210);
    expect(await world.kept()).toHaveLength(1000);
  });

  it("stay until the slowest reader of events has read them, and then go", async () => {
    const world = new World();
    await world.append(...Array.from({ length: 10 }, () => 2 * DAY_MS));
    await world.store.commit([
      moveCursor(eventReader("fast"), 10),
      moveCursor(eventReader("slow"), 4),
      // A place in a file is no number of an event.
      moveCursor("log/some-file", 1),
    ]);
    await world.remove();
    expect(await world.kept()).toEqual([5, 6, 7, 8, 9, 10]);
    await world.store.commit([forgetCursors(eventReader("slow"))]);
    await world.remove();
    expect(await world.kept()).toEqual([]);
  });

  it("stay while an open dead letter is about them, and hold up none of the others", async () => {
    const world = new World();
    await world.append(...Array.from({ length: 300 }, () => 2 * DAY_MS));
    const letter = {
      id: "l1",
      key: "k",
      repositoryId: undefined,
      kind: "depth" as const,
      createdMs: 1,
      record: { title: "t", reason: { code: "SKIPPED" as const, message: "m" }, seq: 2 },
    };
    await world.store.commit([putDeadLetter(letter)]);
    expect(await world.count()).toBe(299);
    expect(await world.remove()).toBe(299);
    expect(await world.kept()).toEqual([2]);
    expect(await world.remove()).toBe(0);
    const [row] = await loadDeadLetters(world.store, 1);
    if (row !== undefined) await world.store.commit([replayDeadLetter(row, 2)]);
    expect(await world.remove()).toBe(1);
    expect(await world.kept()).toEqual([]);
  });

  it("stay while an open firing is about them", async () => {
    const world = new World();
    await world.store.commit([repositoryRow()]);
    await world.append(...Array.from({ length: 5 }, () => 2 * DAY_MS));
    await world.store.commit([
      {
        sql: `insert into triggers (id, version, repository_id, name, spec_json, state, flow_json, created_ms)
          values ('t', 1, ?, 'n', '{}', 'active', '{}', 1)`,
        values: [REPOSITORY],
      },
      {
        sql: `insert into firings (id, version, trigger_id, repository_id, state, priority, cause_json, events_json, seq, created_ms)
          values ('f', 1, 't', ?, 'approval', 0, '{}', '{}', 3, 1)`,
        values: [REPOSITORY],
      },
    ]);
    await world.remove();
    expect(await world.kept()).toEqual([3]);
    await world.store.commit([{ sql: "update firings set ended_ms = 2" }]);
    await world.remove();
    expect(await world.kept()).toEqual([]);
  });

  it("go in their order: a clock that was set back makes none go early, one that was ahead keeps none for ever", async () => {
    const back = new World();
    await back.append(0, 40 * 365 * DAY_MS, 0);
    expect(await back.remove()).toBe(0);
    const ahead = new World();
    await ahead.append(3 * DAY_MS, -5 * 365 * DAY_MS, 2 * DAY_MS, 0);
    expect(await ahead.remove()).toBe(3);
    expect(await ahead.kept()).toEqual([4]);
  });

  it("are not counted as known again by their key once they are gone", async () => {
    const world = new World();
    const event = { atMs: 1, type: "t", run: undefined, task: undefined, key: "k", data: {} };
    await world.store.commit([appendEvent(event)]);
    await world.store.commit([appendEvent(event)]);
    expect(await world.kept()).toEqual([1]);
    await world.remove();
    await world.store.commit([appendEvent(event)]);
    expect(await world.kept()).toHaveLength(1);
  });

  it("go as soon as somebody says so, by another age", async () => {
    const world = new World();
    await world.append(5000, 3000, 1000);
    expect(await world.count(2000)).toBe(2);
    expect(await world.remove(2000)).toBe(2);
  });

  it("leave their numbers unused: a number is never given twice", async () => {
    const world = new World();
    await world.append(2 * DAY_MS, 2 * DAY_MS);
    await world.remove();
    await world.append(0);
    expect(await world.kept()).toEqual([3]);
  });
});
