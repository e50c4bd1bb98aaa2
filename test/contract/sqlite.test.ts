import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { DEFAULT_DEPTH, stopOf } from "../../src/engine/cause.ts";
import { loadAttempts } from "../../src/store/attempts.ts";
import { loadValues } from "../../src/store/measurements.ts";
import { MIGRATIONS } from "../../src/store/migrations.ts";
import type { Store } from "../../src/store/port.ts";
import { loadRepositories } from "../../src/store/repositories.ts";
import { loadRuns } from "../../src/store/runs.ts";
import { openSqlite, type SqliteDatabase } from "../../src/store/sqlite-module.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import { loadTasks } from "../../src/store/tasks.ts";
import { loadPorts, loadWorkspaces } from "../../src/store/workspaces.ts";
import { temporaryFolder } from "../fixtures/repository.ts";
import {
  allEvents,
  keep,
  keptValues,
  numberedTransaction,
  numbersIn,
  repositoryRow,
  tell,
} from "../fixtures/store-rows.ts";
import { WriterProgram } from "../fixtures/writers.ts";

const PAGE_BYTES = 4096;

function openAt(path: string): Store {
  const store = openSqliteStore(path);
  onTestFinished(() => store.close());
  return store;
}

/** A database with some thousand rows, all of them in its one file. */
async function makeDatabase(): Promise<string> {
  const path = join(temporaryFolder(), "store.db");
  const store = openSqliteStore(path);
  await store.commit([repositoryRow()]);
  await Promise.all(Array.from({ length: 500 }, (_, index) => store.commit(numberedTransaction(index + 1, 500))));
  await store.close();
  return path;
}

/** The names of everything that a database is made of. */
function schemaOf(store: Store): Promise<unknown> {
  return store.read(
    `select m.type, m.name, c.name as column, c.type as holds from sqlite_schema m left join pragma_table_info(m.name) c
     order by 2, 3`,
  );
}

/** The same file opened by another program. */
function openBeside(path: string): SqliteDatabase {
  const other = openSqlite(path);
  onTestFinished(() => other.close());
  return other;
}

describe("the SQLite store", () => {
  it("flushes each commit to the disk, and lets readers read meanwhile", async () => {
    const store = openAt(join(temporaryFolder(), "store.db"));
    expect(await store.read("pragma synchronous")).toEqual([{ synchronous: 2 }]);
    expect(await store.read("pragma journal_mode")).toEqual([{ journal_mode: "wal" }]);
    expect(await store.read("pragma foreign_keys")).toEqual([{ foreign_keys: 1 }]);
  });

  it("shows other programs only what is committed, and no part of a group", async () => {
    const path = await makeDatabase();
    const store = openAt(path);
    const other = openBeside(path);
    const count = (): unknown => other.prepare("select count(*) as count from events").all();
    const pending = [store.commit([tell("a"), tell("b")]), store.commit([tell("c")])];
    expect(count()).toEqual([{ count: 500 }]);
    await pending[0];
    expect(count()).toEqual([{ count: 503 }]);
    await Promise.all(pending);
  });

  it("has everything in its one file once it is closed", async () => {
    const copy = join(temporaryFolder(), "store.db");
    copyFileSync(await makeDatabase(), copy);
    expect(await numbersIn(openAt(copy))).toHaveLength(500);
  });

  describe("opens a database", () => {
    const DUMPS = resolve(import.meta.dirname, "../fixtures/databases");

    it.each(["1.sql"])("as it once was, %s, with everything in it, and brings it up to date", async (dump) => {
      const path = join(temporaryFolder(), "store.db");
      const old = openSqlite(path);
      old.exec(`begin; ${readFileSync(join(DUMPS, dump), "utf8")} commit;`);
      const count = (table: string): unknown => old.prepare(`select count(*) as count from ${table}`).all();
      const counts = { tasks: count("tasks"), attempts: count("attempts"), events: count("events") };
      old.close();
      const store = openAt(path);
      expect(await store.findProblems()).toEqual([]);
      expect(await schemaOf(store)).toEqual(await schemaOf(openAt(join(temporaryFolder(), "new.db"))));
      for (const [table, rows] of Object.entries(counts)) {
        expect(await store.read(`select count(*) as count from ${table}`), table).toEqual(rows);
      }
      const [repository] = await loadRepositories(store);
      expect(repository?.root).toBe("/home/ada/shop");
      const [cancelled, failed] = await loadRuns(store, { limit: 2 });
      expect(cancelled).toMatchObject({ outcome: "cancelled", cancelRequested: true });
      expect(failed).toMatchObject({ outcome: "failed", spec: { name: "check" }, repositoryId: repository?.id });
      const tasks = await loadTasks(store, failed?.id ?? "");
      expect(tasks.map((task) => `${task.name} ${task.outcome}`)).toEqual([
        "tests succeeded",
        "audit succeeded",
        "lint failed",
        "fix succeeded",
        "never skipped",
      ]);
      expect(tasks[1]?.result?.output).toEqual({ vulnerabilities: 0 });
      const attempts = await loadAttempts(store, failed?.id ?? "");
      expect(attempts.filter((attempt) => attempt.task === "lint").map((attempt) => attempt.number)).toEqual([1, 2]);
      expect(attempts.find((attempt) => attempt.task === "fix")?.changeset?.changes).toMatchObject([{ path: "b.txt" }]);
      expect(await loadWorkspaces(store)).toHaveLength(3);
      expect(await loadPorts(store)).toHaveLength(3);
      expect((await loadValues(store, repository?.id ?? "")).size).toBe(5);
      const newest = (await allEvents(store)).at(-1)?.seq ?? 0;
      await store.commit([tell("after")]);
      expect((await allEvents(store)).at(-1)?.seq).toBe(newest + 1);
    });

    it("of a newer version of Anabranch not at all, and leaves it as it is", async () => {
      const path = await makeDatabase();
      const other = openSqlite(path);
      other.exec("insert into migrations (number) values (1000)");
      other.close();
      const before = readFileSync(path);
      expect(() => openSqliteStore(path)).toThrow(
        expect.objectContaining({ code: "STORE_NEWER", data: { found: 1000, known: MIGRATIONS.length } }),
      );
      expect(readFileSync(path).equals(before)).toBe(true);
    });

    it("that is none, or was damaged or cut off, not at all, and leaves it as it is", async () => {
      const sound = readFileSync(await makeDatabase());
      const overwritten = Buffer.from(sound);
      overwritten.fill(0xa5, 16, PAGE_BYTES);
      const damaged = {
        "some text": Buffer.from("this was never a database\n".repeat(1000)),
        "a damaged first page": overwritten,
        "the start alone": sound.subarray(0, PAGE_BYTES),
      };
      for (const [what, bytes] of Object.entries(damaged)) {
        const path = join(temporaryFolder(), "store.db");
        writeFileSync(path, bytes);
        expect(() => openSqliteStore(path), what).toThrow(expect.objectContaining({ code: "STORE_CORRUPT" }));
        expect(readFileSync(path).equals(bytes), what).toBe(true);
      }
    });

    it("that cannot be made because its folder is not there, and says so", () => {
      const path = join(temporaryFolder(), "nowhere", "store.db");
      expect(() => openSqliteStore(path)).toThrow(expect.objectContaining({ code: "READ_ONLY" }));
    });
  });

  describe("says that its file is", () => {
    it("damaged, when a page in its middle was overwritten, and finds the problems", async () => {
      const path = await makeDatabase();
      const bytes = readFileSync(path);
      // Behind what describes the tables, without which it could not even be opened.
      writeFileSync(path, bytes.fill(0xa5, 120 * PAGE_BYTES));
      const store = openAt(path);
      await expect(numbersIn(store)).rejects.toMatchObject({ code: "STORE_CORRUPT" });
      expect((await store.findProblems()).length).toBeGreaterThan(0);
    });

    it("damaged, when a column holds what nobody wrote", async () => {
      const path = await makeDatabase();
      const other = openBeside(path);
      other.exec("update measurements set value_json = '{half' where subject = 'n3'");
      await expect(keptValues(openAt(path))).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    });

    it("as good as ever, when an event is of a shape that only a newer version knows", async () => {
      const path = await makeDatabase();
      const other = openBeside(path);
      other.exec("update events set data_json = '{half', type = 'moon.phase' where seq = 3");
      other.exec("update events set data_json = '[1]', cause_json = '{\"depth\":\"9th\"}' where seq = 4");
      other.exec(`update events set cause_json = '{"chain":"c","depth":2,"triggers":["r/t"],"moon":1}' where seq = 5`);
      const events = await allEvents(openAt(path));
      expect(events).toHaveLength(500);
      expect(events[2]).toMatchObject({ type: "moon.phase", data: { unreadable: "{half" }, cause: undefined });
      expect(events[3]).toMatchObject({ data: { unreadable: "[1]" } });
      expect(events[4]?.cause).toEqual({ chain: "c", depth: 2, triggers: ["r/t"] });
      // No depth is laundered: what cannot be read is deeper than any chain may get.
      expect(stopOf("r/t", events[3]?.cause, true, DEFAULT_DEPTH)).toBe("depth");
    });

    it("locked, while another program writes, and goes on once that is over", async () => {
      const path = await makeDatabase();
      const store = openAt(path);
      const other = openBeside(path);
      other.exec("begin immediate");
      const results = await Promise.allSettled([store.commit([tell("a")]), store.commit([tell("b")])]);
      for (const result of results) {
        expect(result).toMatchObject({ status: "rejected", reason: expect.objectContaining({ code: "STORE_LOCKED" }) });
      }
      other.exec("rollback");
      await store.commit([tell("c")]);
      expect((await allEvents(store)).at(-1)?.type).toBe("c");
    });

    it("read-only, when it must not be written, while it can still be read", async () => {
      const store = openAt(await makeDatabase());
      await store.read("pragma query_only = on");
      await expect(store.commit([tell("a")])).rejects.toMatchObject({ code: "READ_ONLY" });
      expect(await numbersIn(store)).toHaveLength(500);
      await store.read("pragma query_only = off");
      await store.commit([tell("a")]);
    });

    it("full, with everything of that group undone and everything before it kept, and goes on when there is room", async () => {
      const store = openAt(await makeDatabase());
      const [room] = await store.read("pragma page_count");
      await store.read(`pragma max_page_count = ${Number(room?.["page_count"]) + 3}`);
      const results = await Promise.allSettled([
        store.commit([tell("before")]),
        store.commit([keep("large", "x".repeat(100_000)), tell("large")]),
        store.commit([tell("after")]),
      ]);
      for (const result of results) {
        expect(result).toMatchObject({ status: "rejected", reason: expect.objectContaining({ code: "DISK_FULL" }) });
      }
      expect(await numbersIn(store)).toHaveLength(500);
      await store.read("pragma max_page_count = 1000000");
      await store.commit([keep("large", "x".repeat(100_000))]);
      expect(await store.findProblems()).toEqual([]);
    });
  });

  describe("whose disk fills up for real", () => {
    let writer: WriterProgram;
    beforeAll(async () => {
      writer = await WriterProgram.build();
    });
    afterAll(() => writer.remove());

    it("loses nothing that it acknowledged and keeps nothing that it refused", async () => {
      const path = join(temporaryFolder(), "store.db");
      const store = openSqliteStore(path);
      await store.commit([repositoryRow()]);
      await store.close();
      const end = await writer.run("sqlite", path, {
        groups: 40,
        size: 3,
        paddingBytes: 20_000,
        fileLimitBytes: 1024 * 1024,
      });
      expect(end).toMatchObject({ signal: null, complaints: "" });
      expect(end.acknowledged.length).toBeGreaterThan(5);
      expect(end.refused.size).toBeGreaterThan(5);
      expect(new Set(end.refused.values())).toEqual(new Set(["DISK_FULL"]));
      const again = openAt(path);
      expect(await again.findProblems()).toEqual([]);
      expect(await numbersIn(again)).toEqual(end.acknowledged);
      await again.commit([tell("there is room again")]);
    });
  });
});
