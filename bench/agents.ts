/**
 * What Anabranch adds to a real agent: the time until its first request to the model, beside its own headless command in
 * the same run; eight edits by eight agents at once, landed and verified, beside the same eight one after another with
 * the agent's own command; the memory that a session takes in the daemon.
 *
 * The agents are real, the model is scripted: `npm run agents:install` comes first.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import type { AgentKind } from "../src/engine/agent.ts";
import { startModelServer, type ModelServer } from "../test/agents/model-server.ts";
import { agentPlace, type Place } from "../test/agents/places.ts";
import { scripted, type Step } from "../test/agents/script.ts";
import type { Bench } from "./bench.ts";
import type { Report } from "./report.ts";
import { makeRepository } from "./repositories.ts";
import { openSandbox, type Sandbox } from "./sandbox.ts";
import { median } from "./statistics.ts";

const EDITS = 8;
const KINDS = ["claude", "codex"] as const;

export const agents: Bench = {
  name: "agents",
  about: "real agents beside their own headless commands: first request, fan-out, memory",
  async run(report, { short, folder }) {
    const server = await startModelServer();
    const home = resolve(".build/agent-homes", `bench-${process.pid}`);
    mkdirSync(home, { recursive: true });
    const sandbox = openSandbox(join(folder, "home"), EDITS);
    const root = makeRepository(join(folder, "repository"), filesToEdit());
    const stand: Stand = {
      server,
      sandbox,
      root,
      places: new Map(KINDS.map((kind) => [kind, agentPlace(kind, server, home)])),
    };
    try {
      for (const kind of KINDS) await firstRequests(report, stand, kind, short ? 3 : 9);
      for (const thinkMs of short ? [0] : [0, 2000]) await fanOut(report, stand, thinkMs);
      await memory(report, stand);
    } finally {
      await sandbox.close();
      await server.close();
    }
  },
};

interface Stand {
  readonly server: ModelServer;
  readonly sandbox: Sandbox;
  readonly root: string;
  readonly places: ReadonlyMap<AgentKind, Place>;
}

function filesToEdit(): Record<string, string> {
  const files = Array.from({ length: EDITS }, (_, index) => [`file-${index}.txt`, "old\n"] as const);
  return { ...Object.fromEntries(files), "anabranch.yaml": 'verify: ["grep -q . file-0.txt"]\n' };
}

/** From the call to the first request to the model, alternating, so that both meet the same machine. */
async function firstRequests(report: Report, stand: Stand, kind: AgentKind, rounds: number): Promise<void> {
  const own: number[] = [];
  const ours: number[] = [];
  const client = stand.sandbox.client(environmentOf(stand, kind));
  const answered = [{ text: "done" }];
  // Workspace, daemon, and what the disk caches, are warm.
  await viaAnabranch(stand, client, kind, answered);
  await ownCommand(stand, kind, answered);
  for (let round = 0; round < rounds; round += 1) {
    own.push(await untilFirstRequest(stand, () => ownCommand(stand, kind, answered)));
    ours.push(await untilFirstRequest(stand, () => viaAnabranch(stand, client, kind, answered)));
  }
  const added = median(ours) - median(own);
  report.table(
    `${kind}: from the call to the first request, ms`,
    ["", "median", "min", "max"],
    [
      ["its own headless command", median(own), Math.min(...own), Math.max(...own)],
      ["through Anabranch", median(ours), Math.min(...ours), Math.max(...ours)],
    ],
  );
  report.limit(`${kind}: added until the first request, ms, median`, added, { atMost: 60, short: 400 });
}

async function untilFirstRequest({ server }: Stand, start: () => Promise<void>): Promise<number> {
  const beganMs = performance.now();
  const first = new Promise<number>((done) => {
    server.onRequest = () => done(performance.now() - beganMs);
  });
  const ended = start();
  const tookMs = await first;
  server.onRequest = undefined;
  await ended;
  return tookMs;
}

/** Eight edits: by eight sessions at once, landed and verified; and by the agent's own command, one after another. */
async function fanOut(report: Report, stand: Stand, thinkMs: number): Promise<void> {
  const client = stand.sandbox.client(environmentOf(stand, "claude"));
  const steps = (index: number): Step[] => [
    { delayMs: thinkMs, tool: "Read", input: { file_path: `file-${index}.txt` } },
    { delayMs: thinkMs, tool: "Edit", input: { file_path: `file-${index}.txt`, old_string: "old", new_string: "new" } },
    { delayMs: thinkMs, text: "edited" },
  ];
  const indexes = Array.from({ length: EDITS }, (_, index) => index);
  const cpuBefore = cpuMs();
  const parallelBegan = performance.now();
  const prompt = (index: number): string => `Edit file ${index}. ${scripted(...steps(index))}`;
  const tasks = Object.fromEntries(
    indexes.map((index) => [`edit-${index}`, { agent: "claude", prompt: prompt(index), writes: `file-${index}.txt` }]),
  );
  const started = await client.start({ directory: stand.root, definition: { mode: "parallel", tasks } });
  const watch = watchMemory(stand);
  const run = await started.wait();
  const peak = watch();
  const parallelMs = performance.now() - parallelBegan;
  const landed = run.landings.flatMap(({ changesets }) => changesets).length;
  const cores = (cpuMs() - cpuBefore) / parallelMs;
  const sequentialBegan = performance.now();
  for (const index of indexes) await ownCommand(stand, "claude", steps(index));
  const sequentialMs = performance.now() - sequentialBegan;
  execFileSync("git", ["checkout", "-q", "."], { cwd: stand.root });
  report.table(
    `Eight edits, the model takes ${thinkMs} ms for each answer`,
    ["", "wall ms", "landed", "cores busy", "agents' memory, MiB"],
    [
      ["eight agents at once, landed and verified", parallelMs, landed, cores, peak / 2 ** 20],
      ["its own command, one after another", sequentialMs, "", "", ""],
    ],
  );
  report.limit(`fan-out, ${thinkMs} ms for an answer: landed`, landed, { atLeast: EDITS });
  const ratio = sequentialMs / parallelMs;
  // With a model that takes no time, the processors decide alone.
  if (thinkMs === 0)
    report.note(`fan-out, no time for an answer: ${ratio.toFixed(2)} times as fast as one after another`);
  else report.limit(`fan-out, ${thinkMs} ms for an answer: times as fast as one after another`, ratio, { atLeast: 3 });
}

/** What eight sessions that wait for the model add to the daemon. */
async function memory(report: Report, stand: Stand): Promise<void> {
  const client = stand.sandbox.client(environmentOf(stand, "claude"));
  const before = residentBytes(stand.sandbox.daemonPid() ?? 0);
  const seen = new Set<string>();
  const tasks = Object.fromEntries(
    Array.from({ length: EDITS }, (_, index) => [
      `wait-${index}`,
      {
        agent: "claude",
        prompt: `Wait ${index}. ${scripted({ wait: "memory", text: `waited ${index}` })}`,
        writes: "none" as const,
      },
    ]),
  );
  const allAsked = new Promise<void>((done) => {
    stand.server.onRequest = ({ headers }) => {
      seen.add(String(headers["x-claude-code-session-id"]));
      if (seen.size === EDITS) done();
    };
  });
  const started = await client.start({ directory: stand.root, definition: { mode: "parallel", share: false, tasks } });
  await allAsked;
  const each = (residentBytes(stand.sandbox.daemonPid() ?? 0) - before) / EDITS;
  stand.server.onRequest = undefined;
  stand.server.release("memory");
  await started.wait();
  report.limit("memory of the daemon for each running session, MB", each / 1e6, { atMost: 5 });
}

function environmentOf({ places }: Stand, kind: AgentKind): Record<string, string> {
  const place = placeOf(places, kind);
  return { ...place.environment, PATH: `${dirname(place.program.command)}:${place.environment["PATH"]}` };
}

function placeOf(places: Stand["places"], kind: AgentKind): Place {
  const place = places.get(kind);
  if (place === undefined) throw new Error(`no place for ${kind}`);
  return place;
}

async function viaAnabranch(
  { root }: Stand,
  client: ReturnType<Sandbox["client"]>,
  kind: AgentKind,
  steps: readonly Step[],
): Promise<void> {
  const task = { agent: kind, prompt: `Begin. ${scripted(...steps)}`, writes: "none" as const };
  const run = await (await client.start({ directory: root, definition: { tasks: { one: task } } })).wait();
  if (run.outcome !== "succeeded")
    throw new Error(`a run of ${kind} ${run.outcome}: ${run.taskList[0]?.reason?.message}`);
}

const OWN_ARGUMENTS: Readonly<Partial<Record<AgentKind, (prompt: string) => string[]>>> = {
  claude: (prompt) => ["-p", prompt, "--output-format", "stream-json", "--verbose", "--permission-mode", "acceptEdits"],
  codex: (prompt) => ["exec", "--json", "-s", "danger-full-access", prompt],
};

/** The agent's own headless command. */
function ownCommand({ places, root }: Stand, kind: AgentKind, steps: readonly Step[]): Promise<void> {
  const place = placeOf(places, kind);
  const args = [...place.program.args, ...(OWN_ARGUMENTS[kind]?.(`Begin. ${scripted(...steps)}`) ?? [])];
  const child = spawn(place.program.command, args, { cwd: root, env: place.environment, stdio: "ignore" });
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("close", (status) => (status === 0 ? done() : fail(new Error(`${kind} ended with ${status}`))));
  });
}

function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib ?? Number.NaN) * 1024;
}

/** Processor time of the whole machine. */
function cpuMs(): number {
  const [user = 0, nice = 0, system = 0] = (readFileSync("/proc/stat", "utf8").split("\n")[0] ?? "")
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system) * 10;
}

/** Looks now and then at what the agents' programs use; returns the most bytes seen when it is called. */
function watchMemory({ places }: Stand): () => number {
  const program = placeOf(places, "claude").program.command;
  let peak = 0;
  const timer = setInterval(() => {
    const listing = execFileSync("ps", ["-eo", "rss=,args="], { encoding: "utf8" }).split("\n");
    const used = listing
      .filter((line) => line.includes(program))
      .map((line) => Number(line.trim().split(" ")[0]) * 1024);
    peak = Math.max(
      peak,
      used.reduce((sum, bytes) => sum + bytes, 0),
    );
  }, 250);
  return () => {
    clearInterval(timer);
    return peak;
  };
}
