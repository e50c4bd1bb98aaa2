import { execFile, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { directoriesFor } from "../src/base/directories.ts";
import type * as Sdk from "../src/index.ts";
import type { Anabranch } from "../src/index.ts";

// The built package, as its users have it.
const DIST = resolve("dist");
const sdk = (await import(join(DIST, "index.js"))) as typeof Sdk;

/** The built command line. */
export const CLI = join(DIST, "cli.js");

/** A daemon that was started and reported ready. */
export interface StartedDaemon {
  readonly child: ChildProcess;
  /** From the call that started its process to its report. */
  readonly readyMs: number;
}

/** One user's Anabranch of a bench's own: home folder, daemon, clients. */
export interface Sandbox {
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** A client that starts the daemon where none runs. */
  client(extra?: Readonly<Record<string, string>>): Anabranch;
  cli(directory: string, ...args: string[]): Promise<string>;
  startDaemon(extra?: Readonly<Record<string, string>>): Promise<StartedDaemon>;
  /** The process number of the daemon that runs, if one does. */
  daemonPid(): number | undefined;
  stopDaemon(): Promise<void>;
  /** Ends everything and returns the processes that were left behind. */
  close(): Promise<string[]>;
}

/**
 * Makes a sandbox.
 * @param parallel how many tasks its daemon lets run at once
 */
export function openSandbox(folder: string, parallel: number): Sandbox {
  const environment: Record<string, string> = {
    PATH: process.env["PATH"] ?? "",
    HOME: join(folder, "user"),
    ANABRANCH_HOME: folder,
    GIT_CONFIG_NOSYSTEM: "1",
    LC_ALL: "C.UTF-8",
  };
  mkdirSync(join(folder, "config"), { recursive: true });
  writeFileSync(join(folder, "config/config.yaml"), `parallel: ${parallel}\n`);
  const clients: Anabranch[] = [];
  const sandbox: Sandbox = {
    folder,
    environment,
    client(extra = {}) {
      const client = new sdk.Anabranch({ environment: { ...environment, ...extra } });
      clients.push(client);
      return client;
    },
    cli: (directory, ...args) =>
      new Promise((done, fail) => {
        const options = { cwd: directory, env: environment, maxBuffer: 256 * 2 ** 20 };
        execFile(process.execPath, [CLI, ...args], options, (error, stdout) => (error ? fail(error) : done(stdout)));
      }),
    async startDaemon(extra = {}) {
      const beganMs = performance.now();
      const child = spawn(process.execPath, [join(DIST, "daemon.js")], {
        env: { ...environment, ...extra, ANABRANCH_READY_DESCRIPTOR: "3" },
        stdio: ["ignore", "ignore", "ignore", "pipe"],
        detached: true,
      });
      const line = await new Promise<string>((ready) => {
        const reports = child.stdio[3] as NodeJS.ReadableStream;
        reports.once("data", (piece: Buffer) => ready(piece.toString()));
        reports.once("end", () => ready(""));
      });
      const readyMs = performance.now() - beganMs;
      if (!line.includes('"ready":true')) throw new Error(`the daemon did not start: ${line}`);
      return { child, readyMs };
    },
    daemonPid() {
      const path = join(folder, "state/daemon.json");
      if (!existsSync(path)) return undefined;
      const { pid } = JSON.parse(readFileSync(path, "utf8")) as { pid: number };
      return isRunning(pid) ? pid : undefined;
    },
    async stopDaemon() {
      const pid = sandbox.daemonPid();
      if (pid === undefined) return;
      process.kill(pid, "SIGTERM");
      await until(() => !isRunning(pid), "the daemon ends");
    },
    async close() {
      for (const client of clients) client.close();
      await sandbox.stopDaemon();
      rmSync(directoriesFor(environment).runtime, { recursive: true, force: true });
      return leftProcesses(folder);
    },
  };
  return sandbox;
}

/** Whether a process runs; one that only waits to be collected does not. */
export function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

const LAST_MOMENTS_MS = 10_000;

/** The processes of this home that are still there after a moment: what a daemon had started ends after it. */
export async function leftProcesses(folder: string): Promise<string[]> {
  await until(() => processesOf(folder).length === 0, "all processes end", LAST_MOMENTS_MS).catch(() => undefined);
  return processesOf(folder);
}

/** Live processes whose environment names this home. */
function processesOf(folder: string): string[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const entries = readFileSync(`/proc/${name}/environ`, "latin1").split("\0");
      if (!entries.includes(`ANABRANCH_HOME=${folder}`) || !isRunning(Number(name))) return [];
      return [`${name} ${readFileSync(`/proc/${name}/cmdline`, "latin1").replaceAll("\0", " ").slice(0, 120)}`];
    } catch {
      return [];
    }
  });
}

/** Looks again and again until something is true. */
export async function until(
  isTrue: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 60_000,
  everyMs = 5,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((wake) => setTimeout(wake, everyMs));
  }
}
