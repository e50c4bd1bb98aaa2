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

/** The processes whose environment, as `ps` shows it to their owner, holds some of the texts, with those. */
export function findByEnvironmentWithPs(texts: ReadonlySet<string>): Map<number, ReadonlySet<string>> {
  const listing = spawnSync("ps", ["axeww", "-o", "pid=,command="], {
    encoding: "latin1",
    env: { ...process.env, LC_ALL: "C" },
    maxBuffer: 256 * 1024 * 1024,
  });
  const found = new Map<number, ReadonlySet<string>>();
  for (const line of (listing.stdout ?? "").split("\n")) {
    const match = /^\s*(\d+)\s+(.*)$/.exec(line);
    const held = (match?.[2] ?? "").split(" ").filter((word) => texts.has(word));
    if (held.length > 0) found.set(Number(match?.[1]), new Set(held));
  }
  return found;
}
