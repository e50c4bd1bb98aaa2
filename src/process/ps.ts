import { spawnSync } from "node:child_process";

import type { ProcessStat } from "./identity.ts";

/**
 * All processes as `ps` tells them: the way for systems without `/proc`.
 * One process start for the whole table.
 */
export function listWithPs(): ProcessStat[] {
  const listing = spawnSync("ps", ["-A", "-o", "pid=,ppid=,pgid=,tty=,stat=,rss=,lstart="], {
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
    maxBuffer: 64 * 1024 * 1024,
  });
  return (listing.stdout ?? "").split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S)\S*\s+(\d+)\s+(.+?)\s*$/.exec(line);
    if (match === null) return [];
    const [, pid, parentPid, groupId, terminal, state, kilobytes, startTime] = match;
    return [
      {
        pid: Number(pid),
        parentPid: Number(parentPid),
        groupId: Number(groupId),
        hasTerminal: !/^[?-]+$/.test(terminal ?? "?"),
        state: state ?? "",
        startTime: startTime ?? "",
        residentBytes: Number(kilobytes) * 1024,
      },
    ];
  });
}

/** Numbers of the processes whose environment, as `ps` shows it to their owner, holds one of the texts. */
export function findByEnvironmentWithPs(texts: ReadonlySet<string>): number[] {
  const listing = spawnSync("ps", ["axeww", "-o", "pid=,command="], {
    encoding: "latin1",
    env: { ...process.env, LC_ALL: "C" },
    maxBuffer: 256 * 1024 * 1024,
  });
  return (listing.stdout ?? "").split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(.*)$/.exec(line);
    if (match === null) return [];
    return (match[2] ?? "").split(" ").some((word) => texts.has(word)) ? [Number(match[1])] : [];
  });
}
