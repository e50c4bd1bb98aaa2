import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { EventLog } from "../../../src/daemon/events/event-log.ts";
import type { LiveRun } from "../../../src/daemon/live-run.ts";
import type { Parts } from "../../../src/daemon/parts.ts";
import { forgetReports, ReportReader } from "../../../src/daemon/report-reader.ts";
import type { AttemptRow } from "../../../src/store/attempts.ts";
import { loadEvents, type EventRow } from "../../../src/store/events.ts";
import type { Store } from "../../../src/store/port.ts";
import { openSqliteStore } from "../../../src/store/sqlite.ts";
import type { EventSink } from "../../../src/triggers/source.ts";
import { handClock, type HandClock } from "../../fixtures/hand-clock.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { until } from "../../fixtures/until.ts";

const CAP_BYTES = 4 * 1024 * 1024;

let store: Store;
let folder: string;
beforeEach(() => {
  store = openSqliteStore(join(temporaryFolder(), "a.db"));
  onTestFinished(() => store.close());
  folder = temporaryFolder();
});

/** When a daemon is killed: before or after so many of its writes. */
interface Kill {
  readonly write: number;
  readonly side: "before" | "after";
}

interface OpenReader {
  readonly reader: ReportReader;
  readonly clock: HandClock;
}

function openReader(number = 1, kill?: Kill): OpenReader {
  const clock = handClock();
  const log = new EventLog({ store });
  let writes = 0;
  const append: EventSink = async (events, also) => {
    writes += 1;
    const dies = writes === kill?.write;
    if (dies && kill.side === "before") await new Promise(() => undefined);
    await log.append(events, also);
    if (dies) await new Promise(() => undefined);
  };
  const parts = { clock, store, log: () => undefined, events: { append }, stopping: new AbortController().signal };
  const attempt = { run: "r", task: "t", number, timings: { chosenMs: clock.wallMs() } } as AttemptRow;
  const run = { row: { repositoryId: undefined, cause: undefined, spec: { name: "w", logCapBytes: CAP_BYTES } } };
  return { clock, reader: new ReportReader(parts as unknown as Parts, run as unknown as LiveRun, attempt, folder) };
}

async function told(type = "task.report"): Promise<EventRow[]> {
  return (await loadEvents(store, { afterSeq: 0, limit: 100_000 })).filter((event) => event.type === type);
}

const textsOf = (events: readonly EventRow[]): unknown[] => events.map(({ data }) => data["text"]);

/** Lets a reader look until nothing changes any more. */
async function look({ clock }: OpenReader): Promise<void> {
  for (let turns = 0; turns < 3; turns += 1) {
    clock.advance(60);
    for (let steps = 0; steps < 5; steps += 1) await new Promise((wake) => setImmediate(wake));
  }
}

describe("the reader of reports", () => {
  it("makes an event of each report, with its attempt and workflow, and of the last line also without its end", async () => {
    writeFileSync(join(folder, "log"), "before\n@report one\nbetween\n@report tw");
    const open = openReader();
    await until(async () => (await told()).length === 1, "the first has come");
    appendFileSync(join(folder, "log"), "o\n@report three");
    await open.reader.finish();
    expect((await told()).map(({ data, task }) => [task, data])).toEqual([
      ["t", { workflow: "w", attempt: 1, text: "one" }],
      ["t", { workflow: "w", attempt: 1, text: "two" }],
      ["t", { workflow: "w", attempt: 1, text: "three" }],
    ]);
  });

  it("makes exactly one event of each, however the log grows and wherever daemons are killed", async () => {
    let number = 0;
    const line = fc.oneof(
      fc.string({ maxLength: 12 }).map((text) => text.replaceAll(/[\r\n]/g, "")),
      fc.nat().map((value) => `@report ${value}`),
    );
    const kill = fc.record({ write: fc.integer({ min: 1, max: 3 }), side: fc.constantFrom("before", "after") });
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 20 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        fc.array(kill, { maxLength: 4 }),
        fc.boolean(),
        async (lines, cuts, kills, ends) => {
          number += 1;
          folder = temporaryFolder();
          const text = lines.join("\n") + (ends ? "\n" : "");
          const places = cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b);
          let written = 0;
          for (const [index, place] of [...places, text.length].entries()) {
            appendFileSync(join(folder, "log"), text.slice(written, place));
            written = place;
            await look(openReader(number, kills[index] ?? { write: 1, side: "before" }));
          }
          await openReader(number).reader.finish();
          // Killed once more before the attempt was over for the others.
          await openReader(number).reader.finish();
          const mine = (await told()).filter(({ data }) => data["attempt"] === number);
          expect(textsOf(mine)).toEqual(lines.flatMap((one) => (one.startsWith("@report ") ? [one.slice(8)] : [])));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("does not fill the memory with a line that never ends, and reads the next one", async () => {
    // Wherever it is cut, what follows looks like the start of another report.
    const endless = "@report ".repeat(180_000);
    writeFileSync(join(folder, "log"), `${"y".repeat(2_500_000)}\n${endless}`);
    const open = openReader();
    await until(async () => (await told()).length === 1, "its start has come");
    appendFileSync(join(folder, "log"), "\n@report next\n");
    await open.reader.finish();
    const [first, second, ...others] = await told();
    expect(first?.data).toMatchObject({ cut: true, text: "@report ".repeat(8192) });
    expect([second?.data["text"], others]).toEqual(["next", []]);
  });

  it("counts what is more than a hundred a second, and misses none of it", async () => {
    writeFileSync(join(folder, "log"), Array.from({ length: 5000 }, (_, index) => `@report ${index}\n`).join(""));
    await openReader().reader.finish();
    const dropped = (await told("task.reports-dropped")).map(({ data }) => Number(data["count"]));
    expect(await told()).toHaveLength(100);
    expect(dropped.reduce((sum, count) => sum + count, 0)).toBe(4900);
  });

  it("says that reports may be missing behind the cap of the log, and reads what is kept of its end", async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "log"), `@report first\n${"z".repeat(CAP_BYTES - 20)}\nnot `);
    writeFileSync(join(folder, "log.cut"), "");
    writeFileSync(join(folder, "log.tail"), "@report half of a line that did not begin so\n@report last\n");
    await openReader().reader.finish();
    await openReader().reader.finish();
    expect(textsOf(await told())).toEqual(["first", "last"]);
    expect(await told("task.reports-cut")).toHaveLength(1);
  });

  it("begins anew with each attempt, and leaves nothing of one that is over", async () => {
    writeFileSync(join(folder, "log"), "@report one\n");
    await openReader(1).reader.finish();
    await openReader(10).reader.finish();
    expect(await told()).toHaveLength(2);
    await store.commit([forgetReports({ run: "r", task: "t", number: 1 })]);
    expect((await store.read("select name from cursors")).map(({ name }) => name)).toEqual(["reports/r/t/10/"]);
  });
});
