import { spawn, type ChildProcess } from "node:child_process";
import { appendFileSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface, type Interface } from "node:readline";

import type { Anabranch } from "../src/index.ts";
import { openSqlite, type SqliteDatabase } from "../src/store/sqlite-module.ts";
import type { Bench, BenchOptions } from "./bench.ts";
import type { Report } from "./report.ts";
import { makeRepository } from "./repositories.ts";
import { openSandbox, until, type Sandbox } from "./sandbox.ts";
import { median, quantile } from "./statistics.ts";

const PER_SECOND = 1000;
// A slow machine that is busy takes no thousand, and would tell of its queue.
const PER_SECOND_SHORT = 250;
const FOLLOWERS = 5;
const TYPE = "custom.tick";
// Takes every event, and never fires.
const TRIGGERS = `workflows: { rest: { tasks: { one: { run: "true" } } } }
triggers: [{ on: { event: tick }, debounce: 1h, run: rest }]
`;

/** Events: how fast they reach everybody, and what one costs when many are stored. */
export const eventLog: Bench = {
  name: "event-log",
  about: "events: from the append to all consumers, and what one costs with 1,000 to 1,000,000 stored",
  async run(report, options) {
    await measureThroughput(report, options);
    await measureFlatness(report, options);
  },
};

/** A thousand events a second for five streams and the triggers, while as many old ones are removed. */
async function measureThroughput(report: Report, { short, folder }: BenchOptions): Promise<void> {
  const place = join(folder, "throughput");
  const world = await openWorld(place, 10_000, 10_000);
  const cursor = watchCursor(world.database);
  try {
    const perSecond = short ? PER_SECOND_SHORT : PER_SECOND;
    const count = perSecond * (short ? 5 : 30);
    const follower = await startFollower(world.sandbox, count);
    const cpuBefore = cpuMs(world.sandbox);
    const emittedMs = await emitSteadily(world.client, world.root, count, perSecond);
    const followed = await follower.result;
    const cpu = cpuMs(world.sandbox) - cpuBefore;
    const seenMs = await cursor.end(world.client, count);
    const all = followed.flatMap(({ tookMs }) => tookMs);
    report.table(
      `${perSecond} events a second, from the request until it was there, ms`,
      ["", "events", "p50", "p95", "p99", "max"],
      [
        ...followed.map(({ tookMs }, index) => rowOf(`stream ${index + 1}`, tookMs)),
        ...(seenMs.length > 0 ? [rowOf("triggers (cursor)", seenMs)] : []),
        rowOf("answer to whoever emitted", emittedMs),
      ],
    );
    report.note(`the daemon was at work ${(cpu / (count / perSecond) / 10).toFixed(0)} % of the time`);
    report.limit(
      "events that a stream missed or had out of order",
      followed.filter(({ tookMs, isInOrder }) => tookMs.length !== count || !isInOrder).length,
      { atMost: 0 },
    );
    report.limit("append to all streams, ms, p99", quantile(all, 0.99), { atMost: 50, short: 3000 });
    if (seenMs.length > 0)
      report.limit("append to the triggers' cursor, ms, p99", quantile(seenMs, 0.99), { atMost: 50, short: 3000 });
  } finally {
    cursor.stop();
    await world.close(report);
  }
}

/** What an event costs the daemon, with what removing an old one for it costs, however many are stored. */
async function measureFlatness(report: Report, { short, folder }: BenchOptions): Promise<void> {
  const sizes = short ? [1000, 10_000] : [1000, 10_000, 100_000, 1_000_000];
  const count = short ? 2000 : 10_000;
  const rows: (readonly [string, number, number, number, number])[] = [];
  for (const size of sizes) {
    const world = await openWorld(join(folder, `stored-${size}`), size, size);
    try {
      // The first ones only warm it up.
      await emitQuickly(world.client, world.root, 500);
      await retained(world.database, size);
      const cpuBefore = cpuMs(world.sandbox);
      const answeredMs = await emitQuickly(world.client, world.root, count);
      await retained(world.database, size);
      const eachMs = (cpuMs(world.sandbox) - cpuBefore) / count;
      rows.push([
        size.toLocaleString("en"),
        eachMs,
        median(answeredMs),
        quantile(answeredMs, 0.99),
        Math.max(...answeredMs),
      ]);
    } finally {
      await world.close(report);
    }
  }
  report.table(
    "What an event costs, its removal included",
    ["stored", "CPU ms each", "answer p50 ms", "p99", "max"],
    rows,
  );
  const [first, last] = [rows[0]?.[1] ?? Number.NaN, rows.at(-1)?.[1] ?? Number.NaN];
  report.limit(`cost of an event with ${rows.at(-1)?.[0]} stored, compared with ${rows[0]?.[0]}, times`, last / first, {
    atMost: 1.3,
    short: 2,
  });
}

interface World {
  readonly sandbox: Sandbox;
  readonly client: Anabranch;
  readonly root: string;
  /** The daemon's database, seen from outside. */
  readonly database: SqliteDatabase;
  close(report: Report): Promise<void>;
}

/** A daemon that keeps so many events, with so many in its table. */
async function openWorld(folder: string, most: number, stored: number): Promise<World> {
  const sandbox = openSandbox(folder, 4);
  appendFileSync(join(folder, "config/config.yaml"), `events: { most: ${most} }\n`);
  const root = makeRepository(join(folder, "repository"), { "anabranch.yaml": TRIGGERS });
  const path = join(folder, "state/anabranch.db");
  await sandbox.startDaemon();
  await sandbox.stopDaemon();
  const database = openSqlite(path);
  seed(database, stored);
  await sandbox.startDaemon();
  const client = sandbox.client();
  const { contentHash = "" } = await client.ask("triggers", { directory: root });
  await client.ask("triggers-enable", { directory: root, contentHash, environment: {} });
  return {
    sandbox,
    client,
    root,
    database,
    async close(report) {
      database.close();
      const left = await sandbox.close();
      if (left.length > 0) report.limit("processes left behind", left.length, { atMost: 0 });
    },
  };
}

/** Fills the table with events such as runs leave. */
function seed(database: SqliteDatabase, count: number): void {
  database.exec("begin");
  database
    .prepare(
      `insert into events (at_ms, type, run_id, task, key, data_json)
       with recursive n (i) as (select 1 union all select i + 1 from n where i < ?)
       select ? - (? - i), 'task.ended', 'run' || (i / 40), 'tests', case i % 4 when 0 then 'key-' || i end,
         '{"workflow":"check","outcome":"succeeded","attempt":' || i || '}' from n`,
    )
    .run(count, Date.now() - 1000, count);
  database.exec("commit");
}

const MOST_OUTSTANDING = 64;

/**
 * Emits at a steady rate, however long answers take, and resolves with how long each took. Where too many are under way
 * an event is sent late, but counted from when it was to be sent.
 */
async function emitSteadily(client: Anabranch, root: string, count: number, perSecond: number): Promise<number[]> {
  const answeredMs: number[] = [];
  const beganMs = monotonicMs();
  let begun = 0;
  const emitNext = async (): Promise<void> => {
    while (begun < count && beganMs + (begun * 1000) / perSecond <= monotonicMs()) {
      const dueMs = beganMs + (begun * 1000) / perSecond;
      begun += 1;
      answeredMs.push(await emit(client, root, dueMs));
    }
  };
  const caller = async (): Promise<void> => {
    while (begun < count) {
      await emitNext();
      await new Promise((wake) => setTimeout(wake, 1));
    }
  };
  await Promise.all(Array.from({ length: MOST_OUTSTANDING }, caller));
  return answeredMs;
}

/** Emits as fast as sixteen callers can. */
async function emitQuickly(client: Anabranch, root: string, count: number): Promise<number[]> {
  const answeredMs: number[] = [];
  let begun = 0;
  const caller = async (): Promise<void> => {
    while (begun < count) {
      begun += 1;
      answeredMs.push(await emit(client, root));
    }
  };
  await Promise.all(Array.from({ length: 16 }, caller));
  return answeredMs;
}

async function emit(client: Anabranch, directory: string, sentMs = monotonicMs()): Promise<number> {
  await client.emit("tick", { sentMs }, { directory });
  return monotonicMs() - sentMs;
}

/** Waits until as many old events are gone as are to be. */
async function retained(database: SqliteDatabase, most: number): Promise<void> {
  const isRetained = (): boolean => {
    const [row] = database.prepare("select max(seq) - min(seq) as kept from events").all() as { kept: number }[];
    return row !== undefined && row.kept <= most;
  };
  await until(isRetained, "old events are removed", 120_000, 50);
}

interface Followed {
  readonly tookMs: readonly number[];
  readonly isInOrder: boolean;
}

async function startFollower(
  sandbox: Sandbox,
  count: number,
): Promise<{ readonly result: Promise<readonly Followed[]> }> {
  const args = [resolve("bench/event-follower.mjs"), resolve("dist/index.js"), String(FOLLOWERS), String(count), TYPE];
  const child: ChildProcess = spawn(process.execPath, args, {
    env: { ...sandbox.environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: Interface = createInterface({ input: child.stdout ?? process.stdin });
  const result = new Promise<readonly Followed[]>((done, fail) => {
    lines.on("line", (line) => {
      if (line.startsWith("[")) done(JSON.parse(line) as readonly Followed[]);
    });
    child.once("exit", () => fail(new Error("the follower ended early")));
  });
  let ready = 0;
  lines.on("line", (line) => (ready += line === "ready" ? 1 : 0));
  await until(() => ready === FOLLOWERS, "the streams are open");
  return { result };
}

/** Watches, from outside, how far the triggers have read. */
function watchCursor(database: SqliteDatabase): {
  end(client: Anabranch, count: number): Promise<number[]>;
  stop(): void;
} {
  const read = database.prepare("select min(position) as position from cursors where name like 'events/%'");
  const reached: { readonly seq: number; readonly atMs: number }[] = [];
  const timer = setInterval(() => {
    const [row] = read.all() as { position: number | null }[];
    const seq = row?.position ?? 0;
    if (seq > (reached.at(-1)?.seq ?? 0)) reached.push({ seq, atMs: monotonicMs() });
  }, 2);
  return {
    stop: () => clearInterval(timer),
    async end(client, count) {
      const sent: { readonly seq: number; readonly sentMs: number }[] = [];
      for await (const event of client.events({ types: [TYPE] })) {
        sent.push({ seq: event.seq, sentMs: event.data["sentMs"] as number });
      }
      const last = sent.at(-1)?.seq ?? 0;
      if (reached.length > 0) await until(() => (reached.at(-1)?.seq ?? 0) >= last, "the triggers have read all");
      let index = 0;
      return reached.length === 0
        ? []
        : sent.slice(-count).map(({ seq, sentMs }) => {
            while ((reached[index]?.seq ?? Infinity) < seq) index += 1;
            return (reached[index]?.atMs ?? Number.NaN) - sentMs;
          });
    },
  };
}

function rowOf(name: string, values: readonly number[]): readonly (string | number)[] {
  return [name, values.length, median(values), quantile(values, 0.95), quantile(values, 0.99), Math.max(...values)];
}

function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

const TICKS_PER_SECOND = 100;

/** The processor time that the daemon has taken. */
function cpuMs(sandbox: Sandbox): number {
  const fields = readFileSync(`/proc/${sandbox.daemonPid()}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}
