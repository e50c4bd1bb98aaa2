import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import type { Statement, Store } from "../../src/store/port.ts";
import { insertWorkspace, loadWorkspaces, updateWorkspace } from "../../src/store/workspaces.ts";
import { makeFolder, removeFolder, temporaryFolder } from "../fixtures/repository.ts";
import { STORE_DRIVERS, type DriverName, type StoreDriver } from "../fixtures/store-drivers.ts";
import {
  allEvents,
  keep,
  keptValues,
  numberedTransaction,
  numbersIn,
  REPOSITORY,
  repositoryRow,
  tell,
} from "../fixtures/store-rows.ts";
import { WriterProgram } from "../fixtures/writers.ts";

/** A statement that cannot meet the row it expects. */
const MEETS_NOTHING: Statement = { sql: "delete from measurements where subject = 'nobody'", expectRows: 1 };
/** A statement the database refuses. */
const REFUSED: Statement = { sql: "insert into ports (port, workspace_id, name) values (1, 'nowhere', 'PORT')" };

/** What every database that Anabranch keeps its state in must do. */
export function storeContract(name: DriverName): void {
  const driver: StoreDriver = STORE_DRIVERS[name];

  async function openStore(): Promise<Store> {
    const store = driver.open(await driver.makePlace(temporaryFolder()));
    onTestFinished(() => store.close());
    await store.commit([repositoryRow()]);
    return store;
  }

  describe(`the store on ${name}`, () => {
    describe("commits a transaction", () => {
      it("whole, and gives the rows of each statement that returns some", async () => {
        const store = await openStore();
        const rows = await store.commit([
          keep("a", 1),
          { sql: "update measurements set updated_ms = ? returning subject, updated_ms", values: [7] },
          {
            sql: "delete from measurements where subject = ? returning value_json as value",
            values: ["a"],
            expectRows: 1,
          },
        ]);
        expect(rows).toEqual([[], [{ subject: "a", updated_ms: 7 }], [{ value: "1" }]]);
      });

      it("not at all when any of its statements meets another number of rows than it expects", async () => {
        const store = await openStore();
        for (const at of [0, 1, 2]) {
          const statements = [keep("a", 1), tell("told")];
          statements.splice(at, 0, MEETS_NOTHING);
          await expect(store.commit(statements)).rejects.toMatchObject({
            code: "STORE_CONFLICT",
            data: { count: 0, expected: 1 },
          });
        }
        expect([...(await keptValues(store)).keys()]).toEqual([]);
        expect(await allEvents(store)).toEqual([]);
      });

      it("not at all when more rows are met, or returned, than expected", async () => {
        const store = await openStore();
        await store.commit([keep("a", 1), keep("b", 2)]);
        const tooMany = { sql: "update measurements set updated_ms = 9", expectRows: 1 };
        await expect(store.commit([keep("c", 3), tooMany])).rejects.toMatchObject({ code: "STORE_CONFLICT" });
        const tooManyBack = { sql: "update measurements set updated_ms = 9 returning subject", expectRows: 1 };
        await expect(store.commit([keep("c", 3), tooManyBack])).rejects.toMatchObject({ code: "STORE_CONFLICT" });
        expect(await store.read("select distinct updated_ms from measurements")).toEqual([{ updated_ms: 1 }]);
        expect([...(await keptValues(store)).keys()]).toEqual(["a", "b"]);
      });

      it("not at all when the database refuses a statement: broken SQL, a broken reference, a second same key", async () => {
        const store = await openStore();
        const second = { sql: "insert into repositories select * from repositories" };
        for (const bad of [{ sql: "delete from nowhere" }, REFUSED, second]) {
          await expect(store.commit([keep("a", 1), tell("told"), bad])).rejects.toMatchObject({ code: "INTERNAL" });
        }
        expect([...(await keptValues(store)).keys()]).toEqual([]);
        expect(await allEvents(store)).toEqual([]);
      });

      it("of no statements too", async () => {
        expect(await (await openStore()).commit([])).toEqual([]);
      });
    });

    describe("commits transactions that meet", () => {
      it("without one that fails undoing the others, wherever it stands among them", async () => {
        const store = await openStore();
        const results = await Promise.allSettled([
          store.commit([keep("first", 1), MEETS_NOTHING]),
          store.commit(numberedTransaction(1)),
          store.commit([keep("middle", 1), REFUSED]),
          store.commit(numberedTransaction(2)),
          store.commit([keep("last", 1), tell("told"), MEETS_NOTHING]),
        ]);
        expect(results.map((result) => result.status)).toEqual([
          "rejected",
          "fulfilled",
          "rejected",
          "fulfilled",
          "rejected",
        ]);
        expect(await numbersIn(store)).toEqual([1, 2]);
      });

      it("in the order they were asked for, each seeing what those before it left", async () => {
        const store = await openStore();
        const take = { sql: "delete from measurements where subject = 'a'", expectRows: 1 };
        const [made, taken, takenAgain, madeAgain] = await Promise.allSettled([
          store.commit([keep("a", 1)]),
          store.commit([take]),
          store.commit([take]),
          store.commit([keep("a", 2)]),
        ]);
        expect([made, taken, takenAgain, madeAgain].map((one) => one.status)).toEqual([
          "fulfilled",
          "fulfilled",
          "rejected",
          "fulfilled",
        ]);
        expect(await keptValues(store)).toEqual(new Map([["a", 2]]));
      });

      it("as if each had been alone, whatever they are", async () => {
        const subject = fc.constantFrom("a", "b", "c");
        const operation = fc.oneof(
          fc.record({ kind: fc.constant("insert" as const), subject }),
          fc.record({ kind: fc.constant("delete" as const), subject }),
          fc.record({ kind: fc.constant("touch" as const), subject }),
        );
        const transactions = fc.array(fc.array(operation, { maxLength: 4 }), { minLength: 1, maxLength: 12 });
        await fc.assert(
          fc.asyncProperty(transactions, async (lists) => {
            const folder = makeFolder("anabranch-store-");
            const store = driver.open(await driver.makePlace(folder));
            try {
              await store.commit([repositoryRow()]);
              const results = await Promise.allSettled(lists.map((list) => store.commit(list.map(statementOf))));
              const model = playThrough(lists);
              expect(results.map((result) => result.status === "fulfilled")).toEqual(model.fulfilled);
              expect(await keptValues(store)).toEqual(model.values);
            } finally {
              await store.close();
              removeFolder(folder);
            }
          }),
          { numRuns: 60 },
        );
      });
    });

    describe("changes a versioned row", () => {
      it("for exactly one of many who read the same version", async () => {
        const store = await openStore();
        await store.commit([insertWorkspace(workspaceRow())]);
        const [row] = await loadWorkspaces(store);
        const holders = Array.from({ length: 20 }, (_, index) => `run/task/${index}`);
        const results = await Promise.allSettled(
          holders.map((holder) => store.commit([updateWorkspace(row!, { state: "leased", holder }), tell("leased")])),
        );
        expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
        expect(await loadWorkspaces(store)).toMatchObject([{ version: 2, state: "leased", holder: "run/task/0" }]);
        expect(await allEvents(store)).toHaveLength(1);
      });

      it("and loses no change of those who read again and retry", async () => {
        const store = await openStore();
        await store.commit([insertWorkspace(workspaceRow())]);
        const addOne = async (): Promise<void> => {
          for (;;) {
            const [row] = await loadWorkspaces(store);
            try {
              await store.commit([updateWorkspace(row!, { usedMs: row!.usedMs + 1 })]);
              return;
            } catch (error) {
              expect(error).toMatchObject({ code: "STORE_CONFLICT" });
            }
          }
        };
        await Promise.all(Array.from({ length: 12 }, addOne));
        expect(await loadWorkspaces(store)).toMatchObject([{ version: 13, usedMs: 12 }]);
      });
    });

    describe("numbers events", () => {
      it("in the order of their commits, across transactions that meet and others that fail", async () => {
        const store = await openStore();
        for (let round = 0; round < 5; round += 1) {
          await Promise.allSettled([
            store.commit([tell("one"), tell("two")]),
            store.commit([tell("undone"), MEETS_NOTHING]),
            store.commit([tell("three")]),
          ]);
        }
        const events = await allEvents(store);
        expect(events.map((event) => event.type)).toEqual(
          Array.from({ length: 5 }, () => ["one", "two", "three"]).flat(),
        );
        const seqs = events.map((event) => event.seq);
        expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b));
      });

      it("never twice, also when the newest were removed and the store was opened again", async () => {
        const place = await driver.makePlace(temporaryFolder());
        const seen: number[] = [];
        for (let round = 0; round < 3; round += 1) {
          const store = driver.open(place);
          await store.commit([tell("one"), tell("two")]);
          seen.push(...(await allEvents(store)).map((event) => event.seq));
          await store.commit([{ sql: "delete from events" }]);
          await store.close();
        }
        expect(new Set(seen).size).toBe(6);
        expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      });

      it("so that a reader who goes on from the last number it saw misses none and sees none twice", async () => {
        const store = await openStore();
        const seen: number[] = [];
        let cursor = 0;
        const read = async (): Promise<void> => {
          for (const event of await allEvents(store, cursor)) {
            cursor = event.seq;
            seen.push(Number(event.data["number"]));
          }
        };
        const reads: Promise<void>[] = [];
        const stop = store.onCommit(() => reads.push((reads.at(-1) ?? Promise.resolve()).then(read)));
        const numbers = Array.from({ length: 200 }, (_, index) => index);
        await Promise.all(
          [0, 1, 2, 3].map(async (writer) => {
            for (const number of numbers.filter((one) => one % 4 === writer))
              await store.commit([tell("n", { number })]);
          }),
        );
        stop();
        await Promise.all(reads);
        await read();
        expect(seen).toHaveLength(200);
        expect(seen.toSorted((a, b) => a - b)).toEqual(numbers);
      });
    });

    describe("shows", () => {
      it("nothing before it is committed, and everything once the commit has resolved", async () => {
        const store = await openStore();
        const pending = store.commit([keep("a", 1)]);
        expect(await keptValues(store)).toEqual(new Map());
        await pending;
        expect(await keptValues(store)).toEqual(new Map([["a", 1]]));
      });

      it("listeners that something was committed when it can be read, until they stop listening", async () => {
        const store = await openStore();
        const told: Promise<string[]>[] = [];
        const stop = store.onCommit(() => told.push(keptValues(store).then((values) => [...values.keys()])));
        await store.commit([keep("a", 1)]);
        expect((await Promise.all(told)).at(-1)).toEqual(["a"]);
        stop();
        const before = told.length;
        await store.commit([keep("b", 1)]);
        expect(told).toHaveLength(before);
      });

      it("values as they were written, whatever is in them", async () => {
        const store = await openStore();
        await fc.assert(
          fc.asyncProperty(fc.string({ unit: "grapheme" }), fc.jsonValue(), async (subject, value) => {
            await store.commit([keep(subject, value)]);
            expect((await keptValues(store)).get(subject)).toEqual(JSON.parse(JSON.stringify(value)));
          }),
        );
      });

      it("no problems in a sound database", async () => {
        expect(await (await openStore()).findProblems()).toEqual([]);
      });
    });

    describe("when it is closed", () => {
      it("first commits what was asked for, then takes no more", async () => {
        const place = await driver.makePlace(temporaryFolder());
        const store = driver.open(place);
        const pending = Promise.all([store.commit([repositoryRow()]), store.commit(numberedTransaction(1))]);
        await store.close();
        await pending;
        await expect(store.commit([tell("late")])).rejects.toMatchObject({ code: "INTERNAL" });
        const again = driver.open(place);
        onTestFinished(() => again.close());
        expect(await numbersIn(again)).toEqual([1]);
      });

      it("calls no listener any more", async () => {
        const store = driver.open(await driver.makePlace(temporaryFolder()));
        let calls = 0;
        store.onCommit(() => (calls += 1));
        const pending = store.commit([repositoryRow()]);
        await store.close();
        await pending;
        const atClose = calls;
        await new Promise((resolve) => setImmediate(resolve));
        expect(calls).toBe(atClose);
      });
    });

    describe("after its process was killed", () => {
      let writer: WriterProgram;
      beforeAll(async () => {
        writer = await WriterProgram.build();
      });
      afterAll(() => writer.remove());

      async function makePlace(): Promise<string> {
        const place = await driver.makePlace(temporaryFolder());
        const store = driver.open(place);
        await store.commit([repositoryRow()]);
        await store.close();
        return place;
      }

      /** Opens it as the next daemon does: it must be sound, and must go on with numbers above all that were given. */
      async function openAgain(place: string): Promise<number[]> {
        const store = driver.open(place);
        onTestFinished(() => store.close());
        expect(await store.findProblems()).toEqual([]);
        const numbers = await numbersIn(store);
        const newest = (await allEvents(store)).at(-1)?.seq ?? 0;
        await store.commit([tell("after")]);
        expect((await allEvents(store)).at(-1)?.seq).toBeGreaterThan(newest);
        return numbers;
      }

      it.each([1, 2, 5])("just before commit %i, has all that was acknowledged and nothing else", async (pass) => {
        const place = await makePlace();
        const end = await writer.run(name, place, { groups: 10, fault: `store.commit.before@${pass}` });
        expect(end).toMatchObject({ signal: "SIGKILL", complaints: "" });
        expect(end.acknowledged).toEqual(firstNumbers(pass - 1));
        expect(await openAgain(place)).toEqual(firstNumbers(pass - 1));
      });

      it.each([1, 2, 5])("just after commit %i, has that one too, although nobody was told", async (pass) => {
        const place = await makePlace();
        const end = await writer.run(name, place, { groups: 10, fault: `store.commit.after@${pass}` });
        expect(end).toMatchObject({ signal: "SIGKILL", complaints: "" });
        expect(end.acknowledged).toEqual(firstNumbers(pass - 1));
        expect(await openAgain(place)).toEqual(firstNumbers(pass));
      });

      it("has transactions that met all or none: they were made durable by one flush", async () => {
        for (const [point, kept] of [["before", 8] as const, ["after", 16] as const]) {
          const place = await makePlace();
          const end = await writer.run(name, place, { groups: 4, size: 8, fault: `store.commit.${point}@2` });
          expect(end).toMatchObject({ signal: "SIGKILL", complaints: "" });
          expect(end.acknowledged).toEqual(firstNumbers(8));
          expect(await openAgain(place)).toEqual(firstNumbers(kept));
        }
      });

      it.each([1, 17, 60])("at any moment, here after %i acknowledgements, has all of those", async (killAfter) => {
        const place = await makePlace();
        const end = await writer.run(name, place, { groups: 1_000_000, size: 3, killAfter, paddingBytes: 5000 });
        expect(end).toMatchObject({ signal: "SIGKILL", complaints: "" });
        const numbers = await openAgain(place);
        expect(numbers).toEqual(firstNumbers(numbers.length));
        expect(numbers.length).toBeGreaterThanOrEqual(end.acknowledged.length);
        expect(numbers.length % 3).toBe(0);
      });
    });
  });
}

interface Operation {
  readonly kind: "insert" | "delete" | "touch";
  readonly subject: string;
}

function statementOf({ kind, subject }: Operation): Statement {
  if (kind === "insert") {
    return {
      sql: "insert into measurements (repository_id, subject, value_json, updated_ms) values (?, ?, '0', 0)",
      values: [REPOSITORY, subject],
    };
  }
  return kind === "delete"
    ? { sql: "delete from measurements where subject = ?", values: [subject], expectRows: 1 }
    : {
        sql: "update measurements set value_json = cast(cast(value_json as integer) + 1 as text) where subject = ?",
        values: [subject],
        expectRows: 1,
      };
}

/** What is left when each transaction takes effect alone, one after another, or not at all. */
function playThrough(transactions: readonly (readonly Operation[])[]): {
  fulfilled: boolean[];
  values: Map<string, number>;
} {
  let values = new Map<string, number>();
  const fulfilled = transactions.map((operations) => {
    const next = new Map(values);
    const possible = operations.every(({ kind, subject }) => {
      if (next.has(subject) === (kind === "insert")) return false;
      if (kind === "delete") next.delete(subject);
      else next.set(subject, (next.get(subject) ?? -1) + 1);
      return true;
    });
    if (possible) values = next;
    return possible;
  });
  return { fulfilled, values };
}

function workspaceRow(): Parameters<typeof insertWorkspace>[0] {
  return {
    id: "workspace",
    repositoryId: REPOSITORY,
    slot: 1,
    state: "free",
    holder: undefined,
    baseCommit: undefined,
    dependenciesKey: undefined,
    setupKey: undefined,
    usedMs: 0,
  };
}

function firstNumbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
