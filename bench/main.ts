/**
 * npm run bench                    all benches, in full
 * npm run bench -- --short         all of them in the form for machines, under three minutes
 * npm run bench -- NAME [NAME…]    some of them
 * npm run bench -- NAME --seed 7   one random case again
 * npm run bench -- merge-corpus --cases FOLDER
 * npm run bench -- merge-releases --old FOLDER --new FOLDER [--write FOLDER]
 *
 * Prints tables, writes `.build/bench/NAME.json`, ends with status 1 when a limit was broken.
 */
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { accept } from "./accept.ts";
import { agents } from "./agents.ts";
import type { Bench } from "./bench.ts";
import { cleanButWrong } from "./clean-but-wrong.ts";
import { delivery } from "./delivery.ts";
import { eventChains } from "./event-chains.ts";
import { eventLog } from "./event-log.ts";
import { eventFlow } from "./event-flow.ts";
import { landing } from "./landing.ts";
import { cpuPressureMs, describeMachine } from "./machine.ts";
import { makespanReal } from "./makespan-real.ts";
import { makespan } from "./makespan.ts";
import { mergeCorpus } from "./merge-corpus.ts";
import { mergeFuzz } from "./merge-fuzz.ts";
import { mergeMemory } from "./merge-memory.ts";
import { mergeReleases } from "./merge-releases.ts";
import { overhead } from "./overhead.ts";
import { planner } from "./planner.ts";
import { Report } from "./report.ts";
import { spawning } from "./spawn.ts";
import { startup } from "./startup.ts";
import { storm } from "./storm.ts";
import { watch } from "./watch.ts";
import { workspaces } from "./workspaces.ts";

const BENCHES: readonly Bench[] = [
  makespan,
  makespanReal,
  planner,
  storm,
  workspaces,
  landing,
  cleanButWrong,
  accept,
  overhead,
  eventLog,
  eventChains,
  spawning,
  startup,
  agents,
  delivery,
  eventFlow,
  watch,
  mergeCorpus,
  mergeFuzz,
  mergeMemory,
  mergeReleases,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: "boolean", default: false },
    seed: { type: "string" },
    cases: { type: "string" },
    old: { type: "string" },
    new: { type: "string" },
    write: { type: "string" },
  },
});
const unknown = positionals.find((name) => !BENCHES.some((bench) => bench.name === name));
if (unknown !== undefined || !existsSync(resolve("dist/cli.js"))) {
  const benches = BENCHES.map((bench) => `  ${bench.name.padEnd(14)} ${bench.about}`).join("\n");
  const why = unknown === undefined ? "dist is not built: npm run build" : `there is no bench ${unknown}`;
  console.error(`${why}\nThe benches are:\n${benches}`);
  process.exit(2);
}

const { old, new: now, write } = values;
const releases = old === undefined || now === undefined ? undefined : { old, new: now, write };
if (releases === undefined && (old ?? now ?? write) !== undefined) {
  console.error("--old FOLDER, --new FOLDER and, to keep the merges, --write FOLDER go together");
  process.exit(2);
}

let [passed, failed] = [0, 0];
const began = performance.now();
for (const bench of BENCHES) {
  if (positionals.length > 0 && !positionals.includes(bench.name)) continue;
  const counts = await runBench(bench);
  passed += counts.passed;
  failed += counts.failed;
}
console.log(`\n${((performance.now() - began) / 1000).toFixed(0)} s`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function runBench(bench: Bench): Promise<{ passed: number; failed: number }> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `anabranch-bench-${bench.name}-`)));
  const report = new Report(bench.name, values.short, describeMachine(folder));
  const startedMs = performance.now();
  const pressureMs = cpuPressureMs();
  console.log(`\n== ${bench.name}: ${bench.about}${values.short ? " (short form)" : ""}`);
  try {
    const seed = values.seed === undefined ? undefined : Number(values.seed);
    const { short, cases } = values;
    await bench.run(report, { short, seed, folder, cases, releases });
  } catch (cause) {
    console.error(cause);
    report.limit("errors", 1, { atMost: 0 });
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
  const tookMs = performance.now() - startedMs;
  const seconds = Math.round(tookMs / 1000);
  const [loadAfter = 0] = loadavg();
  // Our own processes wait for each other too.
  const pressure = Math.round((100 * (cpuPressureMs() - pressureMs)) / tookMs);
  report.write(resolve(".build/bench"), { seconds, loadAfter, pressure });
  console.log(
    `(${seconds} s, load ${loadAfter.toFixed(1)}, somebody waited for a processor ${pressure} % of the time)`,
  );
  return report.counts;
}
