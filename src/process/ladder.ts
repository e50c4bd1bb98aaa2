/**
 * Ending an attempt's processes, all of them.
 *
 * Rungs, each tried only while the command still runs: interrupt → wait → terminate → wait → kill.
 * Then, whether the command ended by itself or not: everything that carries the attempt's mark is killed,
 * again and again until a look finds nothing.
 *
 * Invariant: when {@link endProcesses} resolves, no process of the attempt is alive.
 */
import { delay, type Clock } from "../base/clock.ts";
import { lookForMarked } from "./census.ts";
import { isPopulated, killControlGroup, processesIn, removeControlGroup } from "./cgroup.ts";
import { isAlive, type ProcessIdentity } from "./identity.ts";
import { readExit } from "./shim.ts";
import type { ProcessMark } from "./table.ts";

/** The processes of one attempt. */
export interface AttemptProcesses {
  /** The attempt's folder, where its exit record appears. */
  readonly directory: string;
  readonly shim: ProcessIdentity | undefined;
  /** Whether the shim was alive a moment ago: only then does its group's number still mean its group. */
  readonly groupIsCurrent: boolean;
  readonly marker: string;
  /** The control group it really joined. */
  readonly controlGroup: string | undefined;
  /** Its workspace, unless other attempts work there too. */
  readonly workspace: string | undefined;
}

/** How long each rung waits before the next one, in milliseconds. */
export interface KillLadder {
  readonly interruptMs: number;
  readonly terminateMs: number;
}

/** The ladder for "now". */
export const AT_ONCE: KillLadder = { interruptMs: 0, terminateMs: 0 };

const LOOK_EVERY_MS = 10;
const LAST_WORDS_MS = 250;

/**
 * Ends everything an attempt started and returns how many processes had outlived its command.
 *
 * @param hurry aborting it skips all remaining waits
 */
export async function endProcesses(
  processes: AttemptProcesses,
  ladder: KillLadder,
  clock: Clock,
  hurry?: AbortSignal,
): Promise<number> {
  const rungs = [
    { signal: "SIGINT", waitMs: ladder.interruptMs },
    { signal: "SIGTERM", waitMs: ladder.terminateMs },
  ] as const;
  for (const rung of rungs) {
    if (!runs(processes, clock)) break;
    if (rung.waitMs <= 0 || hurry?.aborted === true) continue;
    signalGroup(processes, rung.signal);
    // A stopped process gets a signal only once it goes on.
    signalGroup(processes, "SIGCONT");
    await waitForEnd(processes, rung.waitMs, clock, hurry);
  }
  if (runs(processes, clock)) signalGroup(processes, "SIGKILL");
  return endStragglers(processes, clock);
}

/**
 * Kills what outlived an attempt's command and returns how many processes that were.
 * The shim itself is given a moment to write down the last words of the output.
 */
export async function endStragglers(processes: AttemptProcesses, clock: Clock): Promise<number> {
  await waitForShim(processes, LAST_WORDS_MS, clock);
  const killed = new Set<number>();
  for (let left = await lookFor(processes); left.any; left = await lookFor(processes)) {
    for (const pid of left.pids) {
      if (pid !== processes.shim?.pid) killed.add(pid);
      signalProcess(pid, "SIGKILL");
    }
    if (processes.controlGroup !== undefined) killControlGroup(processes.controlGroup);
    await delay(clock, LOOK_EVERY_MS);
  }
  if (processes.controlGroup !== undefined) removeControlGroup(processes.controlGroup);
  return killed.size;
}

// The kernel's own list is exact and cheap; without one, every process is looked at.
async function lookFor(processes: AttemptProcesses): Promise<{ any: boolean; pids: number[] }> {
  if (processes.controlGroup === undefined) {
    const pids = (await lookForMarked(markOf(processes))).map((stat) => stat.pid);
    return { any: pids.length > 0, pids };
  }
  const any = isPopulated(processes.controlGroup);
  return { any, pids: any ? processesIn(processes.controlGroup) : [] };
}

function markOf(processes: AttemptProcesses): ProcessMark {
  return {
    marker: processes.marker,
    groupId: processes.groupIsCurrent ? processes.shim?.pid : undefined,
    directory: processes.workspace,
    startTime: processes.shim?.startTime,
  };
}

function runs(processes: AttemptProcesses, clock: Clock): boolean {
  if (processes.shim === undefined || readExit(processes.directory) !== undefined) return false;
  return isAlive(processes.shim, clock);
}

async function waitForEnd(
  processes: AttemptProcesses,
  limitMs: number,
  clock: Clock,
  hurry: AbortSignal | undefined,
): Promise<void> {
  const until = clock.monotonicMs() + limitMs;
  while (runs(processes, clock) && clock.monotonicMs() < until && hurry?.aborted !== true) {
    await delay(clock, LOOK_EVERY_MS);
  }
}

async function waitForShim(processes: AttemptProcesses, limitMs: number, clock: Clock): Promise<void> {
  const until = clock.monotonicMs() + limitMs;
  while (processes.shim !== undefined && isAlive(processes.shim, clock) && clock.monotonicMs() < until) {
    await delay(clock, LOOK_EVERY_MS);
  }
}

function signalGroup(processes: AttemptProcesses, signal: NodeJS.Signals): void {
  if (processes.shim !== undefined) signalProcess(-processes.shim.pid, signal);
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone, which is what was wanted.
  }
}
