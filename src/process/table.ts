import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { sep } from "node:path";

import { parseStat, readStat, type ProcessStat } from "./identity.ts";
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
  return processNumbers().flatMap((pid) => readStat(pid) ?? []);
}

/** Every live process that carries one of the marks, except this one. One pass over the process table. */
export function findMarked(marks: readonly ProcessMark[]): ProcessStat[] {
  const wanted: WantedProcesses = {
    markers: new Set(marks.map((mark) => mark.marker)),
    groups: new Set(marks.flatMap((mark) => mark.groupId ?? [])),
    marks,
  };
  if (process.platform !== "linux") return findMarkedWithPs(wanted);
  return processNumbers().flatMap((pid) => (pid === process.pid ? [] : (wantedProcess(pid, wanted) ?? [])));
}

interface WantedProcesses {
  readonly markers: ReadonlySet<string>;
  readonly groups: ReadonlySet<number>;
  readonly marks: readonly ProcessMark[];
}

function wantedProcess(pid: number, wanted: WantedProcesses): ProcessStat | undefined {
  try {
    const stat = parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
    if (stat === undefined || stat.state === "Z") return undefined;
    if (wanted.groups.has(stat.groupId)) return stat;
    const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
    if (environment.split("\0").some((entry) => wanted.markers.has(entry))) return stat;
    return wanted.marks.some((mark) => worksInside(stat, mark)) ? stat : undefined;
  } catch {
    // It ended meanwhile, or belongs to somebody else.
    return undefined;
  }
}

// A person's own shell or editor may stand in the folder too: it has a terminal, or is older than the attempt.
function worksInside(stat: ProcessStat, mark: ProcessMark): boolean {
  if (mark.directory === undefined || mark.startTime === undefined || stat.hasTerminal) return false;
  if (Number(stat.startTime) < Number(mark.startTime)) return false;
  // The kernel appends this to the path of a folder that was removed.
  const directory = readlinkSync(`/proc/${stat.pid}/cwd`).replace(/ \(deleted\)$/, "");
  return directory === mark.directory || directory.startsWith(mark.directory + sep);
}

function findMarkedWithPs(wanted: WantedProcesses): ProcessStat[] {
  const carriers = new Set(findByEnvironmentWithPs(wanted.markers));
  return listWithPs().filter(
    (stat) =>
      stat.pid !== process.pid && stat.state !== "Z" && (wanted.groups.has(stat.groupId) || carriers.has(stat.pid)),
  );
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
