import { readdirSync, readFileSync } from "node:fs";

import type { Random } from "./random.ts";
import { isRunning, type Sandbox } from "./sandbox.ts";

/** What was killed, and when. */
export interface Kill {
  /** `child`: the command; `shim`: what watches over it; `parent`: the command or the shim of a task that starts others. */
  readonly what: "child" | "shim" | "parent" | "daemon";
  readonly atMs: number;
  /** `RUN/TASK` of what was killed. */
  readonly task?: string;
  readonly attempt?: number;
}

/** Kills at random until it is stopped. */
export interface Chaos {
  readonly kills: readonly Kill[];
  /** Resolves with the last kill done. */
  stop(): Promise<void>;
}

/** How often to kill. */
export interface ChaosOptions {
  /** The mean time from one kill to the next. */
  readonly meanMs: number;
  /** Of all kills. */
  readonly parentShare: number;
  readonly daemonShare: number;
}

/** Starts to kill what runs in a sandbox, with SIGKILL. */
export function unleash(sandbox: Sandbox, random: Random, { meanMs, parentShare, daemonShare }: ChaosOptions): Chaos {
  const kills: Kill[] = [];
  let stopped = false;
  const rampage = async (): Promise<void> => {
    for (;;) {
      const [pause, share, pick, coin] = [random.unit(), random.unit(), random.unit(), random.unit()];
      await new Promise((wake) => setTimeout(wake, -Math.log(1 - pause) * meanMs));
      if (stopped) return;
      const parents = share < daemonShare + parentShare;
      const kill = share < daemonShare ? killDaemon(sandbox) : killTask(sandbox, parents, pick, coin);
      if (kill !== undefined) kills.push(kill);
    }
  };
  const done = rampage();
  return {
    kills,
    async stop() {
      stopped = true;
      await done;
    },
  };
}

function killDaemon(sandbox: Sandbox): Kill | undefined {
  const pid = sandbox.daemonPid();
  if (pid === undefined || !killed(pid)) return undefined;
  return { what: "daemon", atMs: nowMs() };
}

function killTask(sandbox: Sandbox, parents: boolean, pick: number, coin: number): Kill | undefined {
  const running = findShims(sandbox.folder).filter(({ parent }) => parent === parents);
  const chosen = running[Math.floor(pick * running.length)];
  if (chosen === undefined) return undefined;
  const command = coin < 0.5 ? commandOf(chosen.pid) : undefined;
  if (!killed(command ?? chosen.pid)) return undefined;
  const what = chosen.parent ? "parent" : command === undefined ? "shim" : "child";
  return { what, atMs: nowMs(), task: chosen.task, attempt: chosen.attempt };
}

interface RunningShim {
  readonly pid: number;
  readonly task: string;
  readonly attempt: number;
  readonly parent: boolean;
}

function findShims(folder: string): RunningShim[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const [, script = ""] = readFileSync(`/proc/${name}/cmdline`, "latin1").split("\0");
      // Its pipeline runs in copies of it; only the first leads a group.
      if (!script.endsWith("/shim.sh") || groupOf(name) !== name) return [];
      const variables = new Map(
        readFileSync(`/proc/${name}/environ`, "latin1")
          .split("\0")
          .map((entry) => [entry.split("=", 1)[0] ?? "", entry.slice(entry.indexOf("=") + 1)] as const),
      );
      if (variables.get("ANABRANCH_HOME") !== folder || !isRunning(Number(name))) return [];
      const task = `${variables.get("ANABRANCH_RUN")}/${variables.get("ANABRANCH_TASK")}`;
      const attempt = Number(variables.get("ANABRANCH_ATTEMPT"));
      return [{ pid: Number(name), task, attempt, parent: task.endsWith("/parent") }];
    } catch {
      return [];
    }
  });
}

/** What the shim was started for, as soon as it runs: its only process that is not a part of the shim. */
function commandOf(shim: number): number | undefined {
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === shim) continue;
    try {
      if (groupOf(name) !== String(shim)) continue;
      const [program = "", script = ""] = readFileSync(`/proc/${name}/cmdline`, "latin1").split("\0");
      if (!script.endsWith("/shim.sh") && program !== "cat" && program !== "tail" && program !== "")
        return Number(name);
    } catch {
      // It has just ended.
    }
  }
  return undefined;
}

function groupOf(pid: string): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2];
}

function killed(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}

/** Now, on the clock that events are stamped with. */
function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
