/**
 * What waiting for Anabranch itself costs: the daemon until it serves, its memory at rest, the command line beside a
 * Node that does nothing.
 */
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Bench } from "./bench.ts";
import { makeRepository } from "./repositories.ts";
import { CLI, openSandbox, type Sandbox } from "./sandbox.ts";
import { median, spreadOf } from "./statistics.ts";

const MIB = 2 ** 20;

export const startup: Bench = {
  name: "startup",
  about: "daemon ready and at rest, the command line beside a bare node",
  async run(report, { short, folder }) {
    const samples = short ? 7 : 15;
    const sandbox = openSandbox(join(folder, "home"), 4);
    const root = makeRepository(join(folder, "repository"), { "a.txt": "a\n" });
    try {
      const { readyMs, restingBytes } = await startDaemons(sandbox, samples);
      const ready = spreadOf(readyMs);
      const memory = spreadOf(restingBytes.map((bytes) => bytes / MIB));
      report.table(
        "The daemon",
        ["", "p50", "p95", "min", "max"],
        [
          ["from its start until it serves, ms", ready.p50, ready.p95, ready.min, ready.max],
          ["resident memory at rest, MiB", memory.p50, memory.p95, memory.min, memory.max],
        ],
      );
      report.limit("daemon ready, ms, p50", ready.p50, { atMost: 300, short: 5000 });
      report.limit("daemon at rest, MB, p50", (memory.p50 * MIB) / 1e6, { atMost: 80, short: 110 });

      const client = sandbox.client();
      await (await client.start({ directory: root, tasks: { one: { run: "true", writes: "none" } } })).wait();
      const programs = new Map<string, readonly string[]>([
        ["bare node", ["-e", "0"]],
        ["anabranch --help", [CLI, "--help"]],
        ["anabranch ls --json", [CLI, "ls", "--json"]],
      ]);
      const costs = timePrograms(programs, root, sandbox.environment, samples);
      report.table(
        "The command line",
        ["", "wall p50 ms", "wall min ms", "cpu p50 ms", "cpu min ms"],
        [...costs].map(([name, { wallMs, cpuMs }]) => [
          name,
          median(wallMs),
          Math.min(...wallMs),
          median(cpuMs),
          Math.min(...cpuMs),
        ]),
      );
      report.keep("samples", Object.fromEntries(costs));
      const tools = spreadOf(await timeToolServer(root, sandbox.environment, samples));
      report.table(
        "The server of tools, from its start until it has told its tools, ms",
        ["", "p50", "p95", "min", "max"],
        [["anabranch mcp", tools.p50, tools.p95, tools.min, tools.max]],
      );
      report.limit("mcp ready, ms, p50", tools.p50, { atMost: 300, short: 2000 });
      const beyond = (name: string, what: "cpuMs" | "wallMs"): number =>
        median((costs.get(name)?.[what] ?? []).map((ms, index) => ms - (costs.get("bare node")?.[what][index] ?? 0)));
      report.limit("--help beyond bare node, ms of CPU, median", beyond("anabranch --help", "cpuMs"), {
        atMost: 25,
        short: 100,
      });
      report.limit("ls --json beyond bare node, ms, median", beyond("anabranch ls --json", "wallMs"), {
        atMost: 60,
        short: 2000,
      });
    } finally {
      const left = await sandbox.close();
      report.limit("processes left behind", left.length, { atMost: 0 });
    }
  },
};

async function startDaemons(
  sandbox: Sandbox,
  samples: number,
): Promise<{ readonly readyMs: number[]; readonly restingBytes: number[] }> {
  const [readyMs, restingBytes]: [number[], number[]] = [[], []];
  for (let sample = 0; sample < samples; sample += 1) {
    const daemon = await sandbox.startDaemon();
    readyMs.push(daemon.readyMs);
    await sandbox.client().ask("status", {});
    restingBytes.push(residentBytes(daemon.child.pid ?? 0));
    await sandbox.stopDaemon();
  }
  return { readyMs, restingBytes };
}

function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) * 1024;
}

interface ProgramCost {
  readonly wallMs: number[];
  readonly cpuMs: number[];
}

/** Runs the programs in turn, again and again, so that whatever else the machine does meets all of them. */
/** Starts the server of tools as its clients do, and asks what they ask first. */
async function timeToolServer(
  directory: string,
  environment: Readonly<Record<string, string>>,
  samples: number,
): Promise<number[]> {
  const tookMs: number[] = [];
  const hello = {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "bench", version: "1" } },
  };
  for (let sample = 0; sample < samples; sample += 1) {
    const beganMs = performance.now();
    const child = spawn(process.execPath, [CLI, "mcp"], {
      cwd: directory,
      env: environment,
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdin.write(
      `${JSON.stringify(hello)}\n${JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" })}\n`,
    );
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: 2, method: "tools/list" })}\n`);
    await new Promise<void>((done) => {
      let heard = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        heard += text;
        if (heard.includes('"run_agents"') && heard.endsWith("\n")) done();
      });
      child.once("close", () => done());
    });
    tookMs.push(performance.now() - beganMs);
    const gone = new Promise((done) => child.once("close", done));
    child.stdin.end();
    await gone;
  }
  return tookMs;
}

function timePrograms(
  programs: ReadonlyMap<string, readonly string[]>,
  directory: string,
  environment: Readonly<Record<string, string>>,
  samples: number,
): Map<string, ProgramCost> {
  const costs = new Map<string, ProgramCost>([...programs.keys()].map((name) => [name, { wallMs: [], cpuMs: [] }]));
  for (let sample = -1; sample < samples; sample += 1) {
    for (const [name, args] of programs) {
      const began = performance.now();
      const end = spawnSync("bash", ["-c", '"$@"; s=$?; times >&2; exit $s', "-", process.execPath, ...args], {
        cwd: directory,
        env: { ...environment },
        encoding: "utf8",
      });
      const wallMs = performance.now() - began;
      if (end.status !== 0) throw new Error(`${name} failed: ${end.stderr}`);
      // The first round only fills the caches.
      if (sample < 0) continue;
      costs.get(name)?.wallMs.push(wallMs);
      costs.get(name)?.cpuMs.push(childCpuMs(end.stderr));
    }
  }
  return costs;
}

/** The second line of the shell's `times` is what its children took. */
function childCpuMs(text: string): number {
  const line = text.trim().split("\n").at(-1) ?? "";
  return [...line.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000,
    0,
  );
}
