/** What merging costs in memory: thousands of merges of all languages in one process, which has to stay as it is. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

import type { Bench } from "./bench.ts";
import { makeMerge } from "./merge-sources.ts";
import { seeded } from "./random.ts";
import { CLI } from "./sandbox.ts";

/** By then every grammar is loaded, and what is compiled once is compiled. */
const WARM = 1000;

export const mergeMemory: Bench = {
  name: "merge-memory",
  about: "memory of one process that merges thousands of files of all languages",
  async run(report, { short, seed }) {
    const count = short ? 2000 : 10_000;
    const { samples, merged } = await mergeMany(count, seed ?? 1);
    const warm = samples.filter(({ done }) => done >= WARM).map(({ megabytes }) => megabytes);
    const half = warm.length >> 1;
    const [early, late] = [Math.max(...warm.slice(0, half)), Math.max(...warm.slice(half))];
    const rows = samples.map(({ done, megabytes }) => [done, megabytes]);
    report.table("one process", ["merges", "resident MB"], rows);
    report.note(`${merged} of ${count} merged`);
    report.limit("resident at most, MB", Math.max(...warm), { atMost: 250 });
    report.limit("second half beside the first, MB", late - early, { atMost: 20 });
    report.limit("made-up files merged, %", (100 * merged) / count, { atLeast: 50 });
  },
};

interface Sample {
  readonly done: number;
  readonly megabytes: number;
}

async function mergeMany(count: number, seed: number): Promise<{ samples: Sample[]; merged: number }> {
  const child = spawn(process.execPath, [CLI, "merge-files", "--jsonl"], { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const random = seeded(seed);
  const samples: Sample[] = [];
  let merged = 0;
  try {
    for (let done = 0; done < count; done += 1) {
      child.stdin.write(`${JSON.stringify({ id: done, ...makeMerge(done, random) })}\n`);
      const { value, done: isOver } = await answers.next();
      if (isOver === true) throw new Error(`the program ended after ${done} merges`);
      if ((JSON.parse(value) as { status?: string }).status === "merged") merged += 1;
      if ((done + 1) % (count / 20) === 0) samples.push({ done: done + 1, megabytes: residentMegabytes(child.pid) });
    }
  } finally {
    child.stdin.end();
    if (child.exitCode === null) await once(child, "exit");
  }
  return { samples, merged };
}

function residentMegabytes(pid: number | undefined): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return (Number(kilobytes) * 1024) / 1e6;
}
