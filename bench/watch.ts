/**
 * The watching of files in a tree of 48,000: tracked sources, and dependencies that are ignored. Ready, memory beside a
 * daemon, from a write to its event being durable, and whether a burst is seen whole.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { systemClock } from "../src/base/clock.ts";
import { createGit } from "../src/git/git.ts";
import { appendEvent, type NewEvent } from "../src/store/events.ts";
import { ensureRepository } from "../src/store/repositories.ts";
import { openSqliteStore } from "../src/store/sqlite.ts";
import { FileWatch } from "../src/triggers/file-watch.ts";
import type { Bench } from "./bench.ts";
import { processorMs } from "./machine.ts";
import type { Report } from "./report.ts";
import { makeTree } from "./repositories.ts";
import { openSandbox } from "./sandbox.ts";
import { spreadOf } from "./statistics.ts";

const MIB = 2 ** 20;

interface Files {
  readonly paths: { readonly path: string }[];
}

export const watch: Bench = {
  name: "watch",
  about: "one watcher of files in a tree of 48,000",
  async run(report, { short, folder }) {
    const root = makeTree(join(folder, "tree"));
    const sandbox = openSandbox(join(folder, "home"), 2);
    const store = openSqliteStore(join(folder, "watch.db"));
    const told = new Told();
    const open = (): FileWatch =>
      new FileWatch({
        watcherFile: resolve("dist/watcher.js"),
        clock: systemClock,
        log: (level, message, data) => console.log(level, message, data),
        store,
        git: createGit(process.env, systemClock),
        ownFolders: [],
        onTrouble: (trouble) => console.log(trouble.message),
        sink: async (events, also = []) => {
          await store.commit([...events.map(appendEvent), ...also]);
          told.take(events);
        },
      });
    let watched = open();
    try {
      await store.commit([ensureRepository({ id: "r", commonDirectory: join(root, ".git"), root, createdMs: 1 })]);
      const readyMs: number[] = [];
      for (let round = 0; round < (short ? 3 : 7); round += 1) {
        await watched.close();
        watched = open();
        readyMs.push(await startWatch(watched, root));
      }
      const ready = spreadOf(readyMs);
      report.table(
        "From being wanted until nothing is missed any more, the start of the program and git's list included, ms",
        ["", "p50", "min", "max"],
        [["ready", ready.p50, ready.min, ready.max]],
      );
      report.limit("ready, ms, p50", ready.p50, { atMost: 500, short: 5000 });
      await sandbox.startDaemon();
      await sandbox.client().ask("status", {});
      await reportLatency(report, root, told, short ? 20 : 100);
      await reportBurst(report, root, told);
      reportMemory(report, watched.watcherPid ?? 0);
    } finally {
      await watched.close();
      await store.close();
      report.limit("processes left behind", (await sandbox.close()).length, { atMost: 0 });
    }
  },
};

/** What was told, and who waits for it. */
class Told {
  readonly paths = new Set<string>();
  events = 0;
  #waiting: { readonly isTrue: () => boolean; readonly done: () => void } | undefined;

  take(events: readonly NewEvent[]): void {
    for (const { data } of events) {
      for (const { path } of (data as unknown as Files).paths) this.paths.add(path);
      this.events += 1;
    }
    if (this.#waiting?.isTrue() === true) this.#waiting.done();
  }

  async until(isTrue: () => boolean): Promise<void> {
    if (isTrue()) return;
    await new Promise<void>((done) => (this.#waiting = { isTrue, done }));
  }

  clear(): void {
    this.paths.clear();
    this.events = 0;
  }
}

async function startWatch(watched: FileWatch, root: string): Promise<number> {
  const beganMs = performance.now();
  await watched.want([{ repositoryId: "r", root }]);
  while (watched.views()[0]?.state !== "watching") await pauseMs(2);
  return performance.now() - beganMs;
}

async function reportLatency(report: Report, root: string, told: Told, samples: number): Promise<void> {
  const tookMs: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    await pauseMs(150);
    told.clear();
    const path = `packages/p${sample % 80}/src/m${sample % 40}/file-${sample % 40}.ts`;
    const beganMs = performance.now();
    writeFileSync(join(root, path), `changed ${sample}\n`);
    await told.until(() => told.paths.has(path));
    tookMs.push(performance.now() - beganMs);
  }
  const latency = spreadOf(tookMs);
  report.table(
    "From the write of one file to its event being durable, ms",
    ["", "p50", "p95", "min", "max"],
    [["one change", latency.p50, latency.p95, latency.min, latency.max]],
  );
  report.limit("one change, ms, p50", latency.p50, { atMost: 100, short: 1000 });
}

async function reportBurst(report: Report, root: string, told: Told): Promise<void> {
  await pauseMs(500);
  told.clear();
  const beganMs = performance.now();
  mkdirSync(join(root, "fresh/folder/of/its/own"), { recursive: true });
  for (let index = 0; index < 500; index += 1)
    writeFileSync(join(root, `fresh/folder/of/its/own/${index}.ts`), "new\n");
  for (let index = 0; index < 1000; index += 1) {
    writeFileSync(join(root, `packages/p${index % 80}/src/m${index % 40}/file-${index % 40}.ts`), `burst ${index}\n`);
  }
  const changed = new Set(Array.from({ length: 1000 }, (_, index) => `${index % 80}/${index % 40}`)).size;
  await told.until(() => told.paths.size >= 500 + changed);
  const tookMs = performance.now() - beganMs;
  report.table(
    "500 files in a new folder, and 1,000 writes to others",
    ["", "files changed", "files told", "events", "ms"],
    [["burst", 500 + changed, told.paths.size, told.events, tookMs]],
  );
  report.limit("files of the burst that were told", told.paths.size, { atLeast: 500 + changed });
}

/** Pages of Node's own that another Node has too are shared with it: they cost nothing more. */
function reportMemory(report: Report, pid: number): void {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const of = (name: string): number => (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1]) * 1024) / MIB;
  const own = of("Private_Clean") + of("Private_Dirty");
  report.table(
    "The watcher's memory beside a daemon, MiB",
    ["", "resident", "proportional", "its own", "processor time so far, ms"],
    [["watcher", of("Rss"), of("Pss"), own, processorMs(pid)]],
  );
  report.limit("watcher, its own memory, MB", (own * MIB) / 1e6, { atMost: 30 });
  report.limit("watcher, proportional memory, MB", (of("Pss") * MIB) / 1e6, { atMost: 30 });
}

function pauseMs(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms));
}
