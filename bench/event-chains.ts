/**
 * B7 through the real daemon: a storm of 10,000 events against the runs that must follow from them, exactly; and how long
 * it takes from the change of a file to the start of a task, in a tree of 48,000 files.
 */
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Anabranch } from "../src/index.ts";
import type { Bench } from "./bench.ts";
import { counted, IDENTITIES, MARKED_EVERY, STORM, stormFile } from "./event-storm.ts";
import { seeded, shuffled } from "./random.ts";
import type { Report } from "./report.ts";
import { git, makeRepository, makeTree, manyFiles, writeFiles } from "./repositories.ts";
import { openSandbox, until, type Sandbox } from "./sandbox.ts";
import { quantile } from "./statistics.ts";

const [FILES, FILES_SHORT] = [48_000, 2000];
const [CHANGES, CHANGES_SHORT] = [20, 5];
const EMITTERS = 32;

export const eventChains: Bench = {
  name: "event-chains",
  about: "B7: storms of events against exact counts of runs; from a file's change to its task",
  async run(report, { short, seed, folder }) {
    await storm(report, join(folder, "storm"), seed ?? 1, short ? 10 : 1);
    await changes(report, join(folder, "changes"), short);
  },
};

/** @param part of each row's events only one in so many is emitted */
async function storm(report: Report, folder: string, seed: number, part: number): Promise<void> {
  const sandbox = openSandbox(join(folder, "home"), 16);
  const gate = join(folder, "gate");
  const root = makeRepository(join(folder, "repository"), { "a.txt": "a\n", "anabranch.yaml": stormFile(gate) });
  try {
    const client = sandbox.client();
    await enableTriggers(sandbox, client, root);
    const events = stormEvents(seed, part);
    const beganMs = performance.now();
    const queue = events.values();
    const emit = async (): Promise<void> => {
      for (const { name, data } of queue) await client.emit(name, data, { directory: root });
    };
    await Promise.all(Array.from({ length: EMITTERS }, emit));
    const emittedMs = performance.now() - beganMs;
    writeFileSync(gate, "");
    const runsNow = async () => client.ask("list", { directory: root, limit: 1000 });
    await until(
      async () => {
        const runs = await runsNow();
        const open = runs.some(({ state }) => state !== "ended");
        return !open && STORM.every((row) => counted(row, runs) >= row.runs(row.events / part));
      },
      "all runs that must follow are there",
      180_000,
      250,
    ).catch((cause: unknown) => console.log(String(cause)));
    // What comes too often would come now.
    await until(async () => performance.now() - beganMs > emittedMs + QUIET_MS && (await isQuiet(client)), "quiet");
    await tell(report, client, root, part, emittedMs, events.length);
    const left = await sandbox.close();
    report.limit("processes left behind", left.length, { atMost: 0 });
  } finally {
    await sandbox.close();
  }
}

const QUIET_MS = 12_000;

async function isQuiet(client: Anabranch): Promise<boolean> {
  return (await client.ask("status", {})).activeRuns === 0;
}

function stormEvents(seed: number, part: number): { name: string; data: Record<string, unknown> }[] {
  const events = STORM.flatMap(({ name, events: count }) =>
    Array.from({ length: count / part }, (_, index) => ({
      name,
      data: { id: `id-${index % IDENTITIES}`, mark: index % MARKED_EVERY === 0 ? "yes" : "no", index },
    })),
  );
  return shuffled(events, seeded(seed));
}

async function tell(
  report: Report,
  client: Anabranch,
  root: string,
  part: number,
  emittedMs: number,
  count: number,
): Promise<void> {
  const runs = await client.ask("list", { directory: root, limit: 1000 });
  const { triggers } = await client.ask("triggers", { directory: root });
  let wrong = 0;
  const rows = STORM.map((row) => {
    const { name, settings, events, others } = row;
    const given = events / part;
    const [there, wanted] = [counted(row, runs), row.runs(given)];
    const firings = triggers.find((trigger) => trigger.name === name)?.firings ?? {};
    const exact =
      there === wanted && Object.entries(others?.(given) ?? {}).every(([state, many]) => firings[state] === many);
    if (!exact) wrong += 1;
    return [name, settings, given, wanted, there, JSON.stringify(firings), exact ? "exact" : "NOT"];
  });
  report.table(
    `${count} events`,
    ["trigger", "settings", "events", "runs that must follow", "runs", "firings", ""],
    rows,
  );
  report.note(`emitted in ${(emittedMs / 1000).toFixed(1)} s: ${Math.round(count / (emittedMs / 1000))} a second`);
  report.limit("triggers whose runs were not exactly those that must follow", wrong, { atMost: 0 });
}

async function enableTriggers(sandbox: Sandbox, client: Anabranch, root: string): Promise<void> {
  const { contentHash = "" } = await client.ask("triggers", { directory: root });
  await client.ask("triggers-enable", { directory: root, contentHash, environment: { ...sandbox.environment } });
}

/** From the write of a file until a task's command acts. */
async function changes(report: Report, folder: string, short: boolean): Promise<void> {
  const sandbox = openSandbox(join(folder, "home"), 4);
  const marks = join(folder, "mark");
  const file = [
    `workflows: { seen: { tasks: { mark: { run: "touch ${marks}-$(cat a.txt)", writes: none } } } }`,
    'triggers: [{ on: { files: "a.txt" }, run: seen }]',
    "",
  ].join("\n");
  const root = short
    ? makeRepository(join(folder, "repository"), manyFiles(FILES_SHORT))
    : makeTree(join(folder, "repository"));
  writeFiles(root, { "a.txt": "0", "anabranch.yaml": file });
  git(root, "add", "--all");
  git(root, "commit", "--quiet", "-m", "with triggers");
  try {
    const client = sandbox.client();
    await enableTriggers(sandbox, client, root);
    const [actedMs, told]: [number[], Map<string, number>[]] = [[], []];
    for (let change = 1; change <= (short ? CHANGES_SHORT : CHANGES) + 2; change += 1) {
      const mark = `${marks}-${change}`;
      const writtenMs = performance.timeOrigin + performance.now();
      writeFileSync(join(root, "a.txt"), String(change));
      await until(() => existsSync(mark), `change ${change} is seen`, 60_000);
      await until(() => isQuiet(client), "its run is over");
      await until(() => isFree(client), "its workspace is given back");
      // The first ones find nothing warm.
      if (change > 2) actedMs.push(statSync(mark).mtimeMs - writtenMs);
      told.push(await stepsOf(client, writtenMs));
    }
    const step = (type: string): number =>
      quantile(
        told.slice(2).map((steps) => steps.get(type) ?? Number.NaN),
        0.5,
      );
    const types = ["files.changed", "run.started", "task.preparing", "task.started"];
    report.table(
      `From a file's change, ${(short ? FILES_SHORT : FILES).toLocaleString("en")} files, ms`,
      ["", ...types.map((type) => `${type} p50`), "command acts p50", "p95"],
      [["ms", ...types.map(step), quantile(actedMs, 0.5), quantile(actedMs, 0.95)]],
    );
    report.keep("change to command", actedMs);
    report.limit("file change → task started, ms p50", step("task.started"), { atMost: 150, short: 2000 });
    const left = await sandbox.close();
    report.limit("processes left behind (changes)", left.length, { atMost: 0 });
  } finally {
    await sandbox.close();
  }
}

/** Whether no workspace is in use: what is given back is reset meanwhile, and a change that comes then waits for that. */
async function isFree(client: Anabranch): Promise<boolean> {
  return (await client.ask("doctor", {})).every((check) => !/[1-9]\d* in use/.test(check.evidence));
}

/** When the first event of each type came after a moment, in milliseconds after it. */
async function stepsOf(client: Anabranch, sinceMs: number): Promise<Map<string, number>> {
  const steps = new Map<string, number>();
  for await (const { type, atMs } of client.events()) {
    if (atMs >= Math.floor(sinceMs) && !steps.has(type)) steps.set(type, atMs - sinceMs);
  }
  return steps;
}
