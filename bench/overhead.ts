/**
 * What Anabranch adds to a task: from the moment it could start until its command acts, and from the command's last act
 * until a client sees its outcome, or, of a task that writes, until its snapshot is safe; each beyond what a plain spawn
 * of the same shell command takes in the same run.
 *
 * The command makes a file at its start and one at its end; the files' own times, set by the kernel, tell when. Tasks
 * with workspaces of their own also sleep in between: one after another without any work, they would measure how many
 * workspaces a second can be reset, which is a figure of its own.
 */
import { spawn } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";

import type { Bench } from "./bench.ts";
import { processorMs } from "./machine.ts";
import type { Report } from "./report.ts";
import { makeRepository, manyFiles } from "./repositories.ts";
import { openSandbox, type Sandbox } from "./sandbox.ts";
import { median, spreadOf } from "./statistics.ts";

/** One way for tasks to have their workspaces. */
interface Variant {
  readonly name: string;
  readonly share: boolean;
  readonly writes: boolean;
  /** How long each sleeps. */
  readonly sleepMs: number;
  /** How many tasks at once. */
  readonly width: number;
  /** Whether the asked number is held against it. */
  readonly held: boolean;
}

const VARIANTS: readonly Variant[] = [
  { name: "shared, writes none", share: true, writes: false, sleepMs: 0, width: 1, held: true },
  { name: "own, writes none", share: false, writes: false, sleepMs: 50, width: 1, held: true },
  { name: "own, writing", share: false, writes: true, sleepMs: 50, width: 1, held: true },
  { name: "own, writes none, without sleep", share: false, writes: false, sleepMs: 0, width: 1, held: false },
  { name: "shared, writes none, 4 at once", share: true, writes: false, sleepMs: 0, width: 4, held: false },
];
const FILES = 200;

/** What was measured of each task, in milliseconds. */
interface Samples {
  readonly startMs: readonly number[];
  readonly endMs: readonly number[];
}

export const overhead: Bench = {
  name: "overhead",
  about: "what Anabranch adds to a small task, beyond a plain spawn",
  async run(report, { short, folder }) {
    const tasks = short ? 30 : 1000;
    const sandbox = openSandbox(join(folder, "home"), 4);
    const root = makeRepository(join(folder, "repository"), manyFiles(FILES));
    try {
      const client = sandbox.client();
      // The first run of a repository fills workspaces and reads what is remembered.
      await (await client.start({ directory: root, tasks: { one: "true", two: "true" } })).wait();
      const rows: (string | number)[][] = [];
      for (const variant of VARIANTS.filter(({ held }) => held || !short)) {
        const plain = await samplePlain(join(folder, `plain-${variant.name}`), variant, short ? 30 : 200);
        const beforeMs = processorMs(sandbox.daemonPid() ?? 0);
        const ours = await sampleRun(sandbox, root, join(folder, `marks-${variant.name}`), variant, tasks);
        const start = spreadOf(ours.startMs.map((ms) => ms - median(plain.startMs)));
        const end = spreadOf(ours.endMs.map((ms) => ms - median(plain.endMs)));
        const cpuMs = (processorMs(sandbox.daemonPid() ?? 0) - beforeMs) / tasks;
        const [plainStart, plainEnd] = [median(plain.startMs), median(plain.endMs)];
        rows.push([variant.name, plainStart, start.p50, start.p95, plainEnd, end.p50, end.p95, cpuMs]);
        report.keep(variant.name, { plain, ours });
        if (variant.held) holdLimits(report, variant, start.p50, end.p50);
      }
      report.table(
        `${tasks} tasks each, milliseconds`,
        ["", "plain spawn", "start p50", "start p95", "plain end", "outcome p50", "outcome p95", "CPU"],
        rows,
      );
      const { memoryBytes } = await client.ask("status", {});
      report.note(`The daemon holds ${Math.round(memoryBytes / 1e6)} MB after that.`);
    } finally {
      const left = await sandbox.close();
      report.limit("processes left behind", left.length, { atMost: 0 });
    }
  },
};

function holdLimits(report: Report, { name, writes }: Variant, startMs: number, endMs: number): void {
  const end = writes ? "snapshot" : "outcome";
  report.limit(`${name}: could start → acts, ms p50`, startMs, { atMost: 15, short: 750 });
  report.limit(`${name}: acted → ${end} visible, ms p50`, endMs, { atMost: 15, short: 750 });
}

/** Spawns the same shell command without Anabranch, one after another. */
async function samplePlain(marks: string, variant: Variant, count: number): Promise<Samples> {
  mkdirSync(marks, { recursive: true });
  const [startMs, endMs]: [number[], number[]] = [[], []];
  for (let index = 0; index < count; index += 1) {
    const task = `task-${index}`;
    const beganMs = nowMs();
    const child = spawn("/bin/sh", ["-c", commandOf(variant)], {
      cwd: marks,
      env: { ...process.env, MARKS: marks, ANABRANCH_TASK: task },
      stdio: "ignore",
    });
    await new Promise((ended) => child.once("exit", ended));
    const seenMs = nowMs();
    const mark = markOf(marks, task);
    startMs.push(mark.startMs - beganMs);
    endMs.push(seenMs - mark.endMs);
  }
  return { startMs, endMs };
}

/** Runs many small tasks through the daemon, and watches from a client. */
async function sampleRun(
  sandbox: Sandbox,
  root: string,
  marks: string,
  variant: Variant,
  count: number,
): Promise<Samples> {
  mkdirSync(marks, { recursive: true });
  const client = sandbox.client({ MARKS: marks });
  const names = Array.from({ length: count }, (_, index) => `task-${index}`);
  const task = { run: commandOf(variant), ...(variant.writes ? {} : { writes: "none" as const }) };
  const run = await client.start({
    directory: root,
    tasks: Object.fromEntries(names.map((name) => [name, task])),
    mode: "parallel",
    parallel: variant.width,
    share: variant.share,
  });
  const seenMs = new Map<string, number>();
  const couldStart: number[] = Array.from({ length: variant.width }, () => 0);
  const readyMs: number[] = [];
  // What a task writes still has to land once its snapshot is safe, but that keeps no other task from starting.
  const over = variant.writes ? "task.captured" : "task.ended";
  for await (const event of run.events()) {
    if (event.type === "task.ready") readyMs.push(event.atMs);
    if (event.type !== over) continue;
    seenMs.set(event.task ?? "", nowMs());
    // That makes room for another one.
    couldStart.push(event.atMs);
  }
  const view = await run.wait();
  client.close();
  if (view.outcome !== "succeeded") throw new Error(`${variant.name}: the run ${view.outcome}`);
  const acted = names.map((name) => ({ name, ...markOf(marks, name) }));
  acted.sort((a, b) => a.startMs - b.startMs);
  const firstReadyMs = Math.min(...readyMs);
  return {
    // The very first tasks also wait for the run itself to be taken in.
    startMs: acted.slice(variant.width).map(({ startMs }, index) => {
      return startMs - Math.max(firstReadyMs, couldStart[index + variant.width] ?? 0);
    }),
    endMs: acted.map(({ name, endMs }) => (seenMs.get(name) ?? Number.NaN) - endMs),
  };
}

/** When a command began to act, and when it was done. */
function markOf(marks: string, task: string): { readonly startMs: number; readonly endMs: number } {
  const at = (name: string): number => statSync(join(marks, `${task}.${name}`)).mtimeMs;
  return { startMs: at("start"), endMs: at("end") };
}

function commandOf({ writes, sleepMs }: Variant): string {
  const mark = (name: string): string => `: > "$MARKS/$ANABRANCH_TASK.${name}"`;
  const work = [
    ...(writes ? ['echo "$ANABRANCH_TASK" > "made-$ANABRANCH_TASK.txt"'] : []),
    ...(sleepMs > 0 ? [`sleep ${sleepMs / 1000}`] : []),
  ];
  return [mark("start"), ...work, mark("end")].join("; ");
}

/** Now, on the clock that files and events are stamped with, finer than a millisecond. */
function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
