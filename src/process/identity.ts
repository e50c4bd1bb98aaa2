import { readFileSync } from "node:fs";

import type { Clock } from "../base/clock.ts";
import { listWithPs } from "./ps.ts";

/** One process, told apart from every other one that ever had or will have its number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the system's own notation. */
  readonly startTime: string;
  readonly bootId: string;
}

/** What the system says of one process. */
export interface ProcessStat {
  readonly pid: number;
  readonly parentPid: number;
  readonly groupId: number;
  /** Whether it has a controlling terminal: no task has one. */
  readonly hasTerminal: boolean;
  /** The state letter: `R`, `S`, `D`, `T` (stopped), `Z` (dead, not yet collected), … */
  readonly state: string;
  readonly startTime: string;
  readonly residentBytes: number;
}

const PAGE_BYTES = 4096;

/** The identity of a live process, or `undefined` when there is none with this number. */
export function identify(pid: number, clock: Clock): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat === undefined ? undefined : { pid, startTime: stat.startTime, bootId: clock.bootId };
}

/** Whether exactly this process still runs; one that is dead but not yet collected by its parent does not. */
export function isAlive(identity: ProcessIdentity, clock: Clock): boolean {
  if (identity.bootId !== clock.bootId) return false;
  const stat = readStat(identity.pid);
  return stat !== undefined && stat.startTime === identity.startTime && !isDead(stat);
}

/** When a process started, in milliseconds since boot, where the system tells it so. */
export function startOf({ startTime }: ProcessIdentity): number | undefined {
  // Linux counts in hundredths of a second whatever its own clock rate is (proc(5), USER_HZ).
  return /^\d+$/.test(startTime) ? Number(startTime) * 10 : undefined;
}

/** Whether a process has ended and only waits to be collected. */
function isDead(stat: ProcessStat): boolean {
  return stat.state === "Z" || stat.state === "X";
}

/** What the system says of one process now, or `undefined` when there is none with this number. */
export function readStat(pid: number): ProcessStat | undefined {
  if (process.platform !== "linux") return listWithPs().find((stat) => stat.pid === pid);
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return undefined;
  }
}

/**
 * Reads a line of Linux' `/proc/PID/stat`. The name in brackets may itself hold brackets and spaces,
 * so fields are counted from the last closing one (proc(5)).
 */
export function parseStat(line: string): ProcessStat | undefined {
  const nameEnd = line.lastIndexOf(")");
  const pid = Number.parseInt(line, 10);
  const fields = line.slice(nameEnd + 2).split(" ");
  if (nameEnd < 0 || !Number.isInteger(pid) || fields.length < 22) return undefined;
  return {
    pid,
    state: fields[0] ?? "",
    parentPid: Number(fields[1]),
    groupId: Number(fields[2]),
    hasTerminal: fields[4] !== "0",
    startTime: fields[19] ?? "",
    residentBytes: Number(fields[21]) * PAGE_BYTES,
  };
}
