/**
 * How long it takes until background work has an id, where the daemon runs: by the SDK, and by the command line beside a
 * Node that does nothing. By then the base is taken, the run is durable, and its tasks start by themselves.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Bench } from "./bench.ts";
import type { Report } from "./report.ts";
import { makeRepository, manyFiles } from "./repositories.ts";
import { CLI, openSandbox, until, type Sandbox } from "./sandbox.ts";
import { spreadOf, type Spread } from "./statistics.ts";

const LARGE = 10_000;
const FIRST = 3;

export const spawning: Bench = {
  name: "spawn",
  about: "from the call until background work has an id, in a small and in a large repository",
  async run(report, { short, folder }) {
    const samples = short ? 12 : 60;
    const sandbox = openSandbox(join(folder, "home"), 2);
    try {
      for (const [name, files] of [
        ["one file", { "a.txt": "a\n" }],
        [`${LARGE.toLocaleString("en")} files`, manyFiles(LARGE)],
      ] as const) {
        const root = makeRepository(join(folder, name.replaceAll(/\W/g, "-")), files);
        await measure(report, sandbox, name, root, samples);
      }
    } finally {
      const left = await sandbox.close();
      report.limit("processes left behind", left.length, { atMost: 0 });
    }
  },
};

async function measure(report: Report, sandbox: Sandbox, name: string, root: string, samples: number): Promise<void> {
  const client = sandbox.client();
  const idle = (): Promise<void> =>
    until(async () => (await client.ask("status", {})).activeRuns === 0, "what was started has ended");
  const sdkMs: number[] = [];
  const [cliMs, nodeMs]: [number[], number[]] = [[], []];
  for (let sample = -FIRST; sample < samples; sample += 1) {
    // The user's state is another one each time, as it is while somebody works.
    writeFileSync(join(root, "edited.txt"), `edit ${sample}\n`);
    const tookMs = await time(() =>
      client.spawn({ directory: root, tasks: { task: { run: "true", writes: "none" } } }),
    );
    await idle();
    const args = ["spawn", "-t", "task=true", "--writes", "none"];
    const [byCliMs, bareMs] = [
      [CLI, ...args],
      ["-e", "0"],
    ].map((words) => timeProgram(words, root, sandbox.environment));
    await idle();
    // The first ones make the vault and fill caches.
    if (sample < 0) continue;
    sdkMs.push(tookMs);
    cliMs.push(byCliMs ?? Number.NaN);
    nodeMs.push(bareMs ?? Number.NaN);
  }
  const beyondMs = cliMs.map((ms, index) => ms - (nodeMs[index] ?? 0));
  const rows: [string, Spread][] = [
    ["SDK", spreadOf(sdkMs)],
    ["command line", spreadOf(cliMs)],
    ["command line beyond a bare node", spreadOf(beyondMs)],
  ];
  report.table(
    `Until there is an id, ms: ${name}`,
    ["", "p50", "p95", "min", "max"],
    rows.map(([what, { p50, p95, min, max }]) => [what, p50, p95, min, max]),
  );
  report.keep(name, { sdkMs, cliMs, nodeMs });
  report.limit(`SDK, ${name}, ms, p50`, spreadOf(sdkMs).p50, { atMost: 100, short: 1000 });
  report.limit(`command line beyond a bare node, ${name}, ms, p50`, spreadOf(beyondMs).p50, {
    atMost: 150,
    short: 2000,
  });
}

async function time(action: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await action();
  return performance.now() - beganMs;
}

function timeProgram(
  args: readonly string[],
  directory: string,
  environment: Readonly<Record<string, string>>,
): number {
  const beganMs = performance.now();
  const end = spawnSync(process.execPath, args, { cwd: directory, env: { ...environment }, encoding: "utf8" });
  if (end.status !== 0) throw new Error(`${args.join(" ")} failed: ${end.stderr}`);
  return performance.now() - beganMs;
}
