/**
 * B6: background children of parents that are tasks themselves, while children, their shims, parents and the daemon are
 * killed at random. Afterwards everything that was started has exactly one outcome, and it has reached its addressee
 * exactly once. The same seed plans and kills the same way; what is at work at that moment, chance decides.
 */
import { appendFileSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

import type { Anabranch } from "../src/index.ts";
import type { Bench } from "./bench.ts";
import { unleash, type Kill } from "./chaos.ts";
import { checkStorm, noticedMs, type StormRecord, type StormVerdict } from "./delivery-check.ts";
import { planStorm } from "./delivery-plan.ts";
import { seeded } from "./random.ts";
import { makeRepository } from "./repositories.ts";
import { openSandbox, until } from "./sandbox.ts";
import { quantile } from "./statistics.ts";

const PARALLEL = 24;
const CHAOS = { meanMs: 100, parentShare: 0.04, daemonShare: 0.05 };
const SEEDS = [1, 2, 3, 4];
const [CHILDREN, CHILDREN_SHORT] = [270, 80];
const [LIMIT_MS, LIMIT_SHORT_MS] = [240_000, 120_000];

export const delivery: Bench = {
  name: "delivery",
  about: "B6: background children whose outcomes all arrive, while children, shims, parents and the daemon are killed",
  async run(report, { short, seed, folder }) {
    const seeds = seed === undefined ? (short ? SEEDS.slice(0, 1) : SEEDS) : [seed];
    const rows: (string | number)[][] = [];
    const noticed: number[] = [];
    let [children, left] = [0, 0];
    const bad = { notOnce: 0, notStartedOnce: 0, ranTwice: 0, strayed: 0, misheard: 0, misdelivered: 0 };
    for (const one of seeds) {
      const beganMs = performance.now();
      const home = join(folder, `home-${one}`);
      const { record, processes } = await rage(home, one, short);
      const verdict = checkStorm(record);
      children += verdict.children;
      left += processes.length;
      noticed.push(...noticedMs(record));
      for (const key of Object.keys(bad) as (keyof typeof bad)[]) bad[key] += verdict[key].length;
      report.keep(`seed ${one}`, { ...verdict, kills: record.kills, processes });
      rows.push([
        `${one}`,
        verdict.children,
        ...killsOf(record.kills),
        tell(verdict),
        Object.values(verdict.told).join(", "),
        performance.now() - beganMs,
      ]);
      console.log(`seed ${one}: ${verdict.children} children, ${record.kills.length} kills; again: --seed ${one}`);
      for (const key of Object.keys(bad) as (keyof typeof bad)[]) {
        if (verdict[key].length > 0) console.log(`  ${key}: ${verdict[key].slice(0, 5).join("; ")}`);
      }
      rmSync(home, { recursive: true, force: true, maxRetries: 3 });
    }
    report.table(
      "Storms",
      [
        "seed",
        "children",
        "child",
        "shim",
        "parent",
        "daemon killed",
        "outcomes",
        "told: starter, other, again",
        "whole ms",
      ],
      rows,
    );
    report.limit("children started", children, { atLeast: seed === undefined ? 1000 : 200, short: 50 });
    report.limit("tasks and runs without exactly one outcome", bad.notOnce, { atMost: 0 });
    report.limit("starts that were asked for and did not happen exactly once", bad.notStartedOnce, { atMost: 0 });
    report.limit("attempts that ran twice", bad.ranTwice, { atMost: 0 });
    report.limit("unhurt tasks that did not end as they should", bad.strayed, { atMost: 0 });
    report.limit("outcomes that a waiting parent was told wrongly", bad.misheard, { atMost: 0 });
    report.limit("outcomes that did not reach their addressee exactly once", bad.misdelivered, { atMost: 0 });
    report.note(`noticed ${noticed.length} deaths: p50 ${Math.round(quantile(noticed, 0.5))} ms`);
    report.limit("death of a child or shim → shown, ms p95", quantile(noticed, 0.95), { atMost: 2000, short: 5000 });
    report.limit("processes left behind", left, { atMost: 0 });
  },
};

function killsOf(kills: readonly Kill[]): number[] {
  return (["child", "shim", "parent", "daemon"] as const).map(
    (what) => kills.filter((kill) => kill.what === what).length,
  );
}

function tell({ outcomes }: StormVerdict): string {
  return Object.entries(outcomes)
    .map(([outcome, times]) => `${times} ${outcome}`)
    .join(", ");
}

const SETTLED_MS = 300;

/** Starts everything, kills all the while, and waits until all of it is over. */
async function rage(home: string, seed: number, short: boolean): Promise<{ record: StormRecord; processes: string[] }> {
  const sandbox = openSandbox(home, PARALLEL);
  const root = makeRepository(join(home, "repository"), { "a.txt": "a\n" });
  const plan = planStorm(join(home, "plans"), seed, short ? CHILDREN_SHORT : CHILDREN);
  const ledger = join(home, "ledger");
  const environment = { BENCH_LEDGER: ledger, BENCH_NODE: process.execPath, BENCH_SDK: resolve("dist/index.js") };
  try {
    const chaos = unleash(sandbox, seeded(seed + 1000), CHAOS);
    try {
      for (const { key, tasks, plan: file = "" } of plan.parents) {
        const client = sandbox.client({ ...environment, BENCH_PLAN: file });
        const id = await insist(() => client.spawn({ directory: root, tasks, requestId: key }));
        appendFileSync(ledger, `parent-started ${key} ${id}\n`);
        client.close();
      }
      const watching = sandbox.client();
      await until(() => isOver(watching), "all runs end", short ? LIMIT_SHORT_MS : LIMIT_MS, 50);
    } finally {
      await chaos.stop();
    }
    const client = sandbox.client();
    // What a parent had asked for in its last moment may begin after it.
    await until(() => isOver(client), "all runs end", LIMIT_SHORT_MS, 50);
    const events = [];
    for await (const event of client.events()) events.push(event);
    await readInbox(client, ledger);
    const lines = readFileSync(ledger, "utf8").trim().split("\n");
    return { record: { plan, ledger: lines, events, kills: chaos.kills }, processes: await sandbox.close() };
  } finally {
    // Where it was given up, parents that still wait would start another daemon.
    for (const left of await sandbox.close()) end(Number.parseInt(left, 10));
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** The person reads what is left, and writes it down before it counts as read. */
async function readInbox(client: Anabranch, ledger: string): Promise<void> {
  for (;;) {
    const { addressee, entries } = await client.ask("inbox", {});
    if (entries.length === 0) return;
    const lines = entries.map(
      ({ id, run, task = "-", outcome }) => `told ${addressee} ${id} ${run} ${task} ${outcome}\n`,
    );
    appendFileSync(ledger, lines.join(""));
    await client.ask("acknowledge", { ids: entries.map(({ id }) => id) });
  }
}

/** Asks again where daemons died faster than one client puts up with. */
async function insist<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (cause) {
      if (tries === 10 || !String((cause as { code?: unknown }).code).startsWith("DAEMON_")) throw cause;
    }
  }
}

async function isOver(client: Anabranch): Promise<boolean> {
  const { activeRuns } = await insist(() => client.ask("status", {}));
  if (activeRuns > 0) return false;
  await new Promise((wake) => setTimeout(wake, SETTLED_MS));
  return (await insist(() => client.ask("status", {}))).activeRuns === 0;
}
