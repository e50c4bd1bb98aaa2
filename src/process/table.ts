import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { sep } from "node:path";

import { readStat, type ProcessStat } from "./identity.ts";
import { findByEnvironmentWithPs, listWithPs } from "./ps.ts";

/** What makes a process one of an attempt's. */
export interface ProcessMark {
  /** `NAME=value` as it stands in the environment of all that descends from the attempt. */
  readonly marker: string;
  /** The process group of the attempt's shim. */
  readonly groupId: number | undefined;
  /** A folder only this attempt works in. */
  readonly directory: string | undefined;
  /** When the attempt's shim started: what is older merely stands in the same folder. */
  readonly startTime: string | undefined;
}

/** All processes this user can see. */
export function listProcesses(): ProcessStat[] {
  if (process.platform !== "linux") return listWithPs();
  return statsOf(processNumbers());
}

function statsOf(pids: readonly number[]): ProcessStat[] {
  return pids.flatMap((pid) => readStat(pid) ?? []);
}

/** For each mark every live process that carries it, except this one. One pass over the process table for all. */
export function findMarked(marks: readonly ProcessMark[]): ProcessStat[][] {
  const found: ProcessStat[][] = marks.map(() => []);
  const linux = process.platform === "linux";
  const carriers = linux ? undefined : findByEnvironmentWithPs(new Set(marks.map(({ marker }) => marker)));
  for (const stat of linux ? statsOf(processNumbers()) : listWithPs()) {
    if (stat.pid === process.pid || stat.state === "Z") continue;
    const traces = carriers === undefined ? readTraces(stat, marks) : { entries: carriers.get(stat.pid) ?? NONE };
    for (const [place, mark] of marks.entries()) if (carries(stat, traces, mark)) found[place]?.push(stat);
  }
  return found;
}

/** What tells of a process which mark it carries. */
interface ProcessTraces {
  readonly entries: ReadonlySet<string>;
  readonly directory?: string;
}

const NONE: ReadonlySet<string> = new Set();

function readTraces({ pid, hasTerminal }: ProcessStat, marks: readonly ProcessMark[]): ProcessTraces {
  try {
    const entries = new Set(readFileSync(`/proc/${pid}/environ`, "latin1").split("\0"));
    if (hasTerminal || marks.every(({ directory }) => directory === undefined)) return { entries };
    // The kernel appends this to the path of a folder that was removed.
    return { entries, directory: readlinkSync(`/proc/${pid}/cwd`).replace(/ \(deleted\)$/, "") };
  } catch {
    // It ended meanwhile, or belongs to somebody else.
    return { entries: NONE };
  }
}

function carries(stat: ProcessStat, { entries, directory }: ProcessTraces, mark: ProcessMark): boolean {
  if (stat.groupId === mark.groupId || entries.has(mark.marker)) return true;
  return directory !== undefined && worksInside(stat, directory, mark);
}

// A person's own shell or editor may stand in the folder too: it has a terminal, or is older than the attempt.
function worksInside(stat: ProcessStat, directory: string, mark: ProcessMark): boolean {
  if (mark.directory === undefined || mark.startTime === undefined) return false;
  if (Number(stat.startTime) < Number(mark.startTime)) return false;
  return directory === mark.directory || directory.startsWith(mark.directory + sep);
}

/** Every live process with an environment variable of this name, and its value. */
export function findMarkedByVariable(name: string): { readonly pid: number; readonly value: string }[] {
  if (process.platform !== "linux") return [];
  return processNumbers().flatMap((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
      const entry = environment.find((one) => one.startsWith(`${name}=`));
      return entry === undefined || pid === process.pid ? [] : [{ pid, value: entry.slice(name.length + 1) }];
    } catch {
      return [];
    }
  });
}

function processNumbers(): number[] {
  return readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

/** The numbers of a process and all it descends from, nearest first. */
export function ancestryOf(pid: number): number[] {
  const line: number[] = [];
  for (let current: number | undefined = pid; current !== undefined && current > 1 && line.length < 1000;) {
    line.push(current);
    current = readStat(current)?.parentPid;
  }
  return line;
}
