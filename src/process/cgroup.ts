import { accessSync, constants, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * A Linux control group (version 2) holds every descendant of a task, also one that dropped its environment,
 * its session and its working directory. It is used where making one succeeds, never because a version says so.
 */
export interface ControlGroups {
  /** Makes the group of one attempt and returns its folder. */
  create(name: string): string | undefined;
}

/**
 * Probes, by doing, for a place where control groups can be made.
 * @param name of the folder that holds the groups of this daemon
 */
export function probeControlGroups(name: string): ControlGroups | undefined {
  const own = ownControlGroup();
  if (own === undefined) return undefined;
  const root = join(own, name);
  try {
    mkdirSync(root, { recursive: true });
    accessSync(join(root, "cgroup.kill"), constants.W_OK);
    accessSync(join(root, "cgroup.procs"), constants.W_OK);
    // What an earlier daemon left; those that still hold processes cannot be removed, and stay.
    for (const entry of readdirSync(root, { withFileTypes: true })) {
      if (entry.isDirectory()) removeControlGroup(join(root, entry.name));
    }
  } catch {
    removeControlGroup(root);
    return undefined;
  }
  return {
    create(attempt) {
      const directory = join(root, attempt);
      try {
        mkdirSync(directory, { recursive: true });
        return directory;
      } catch {
        return undefined;
      }
    },
  };
}

/** Whether any process is left in the group. A group that is gone is empty. */
export function isPopulated(directory: string): boolean {
  try {
    return /^populated 1$/m.test(readFileSync(join(directory, "cgroup.events"), "utf8"));
  } catch {
    return false;
  }
}

/** The numbers of the processes in the group itself, not in groups below it. */
export function processesIn(directory: string): number[] {
  try {
    const listing = readFileSync(join(directory, "cgroup.procs"), "utf8");
    return listing.split("\n").flatMap((line) => (line === "" ? [] : [Number(line)]));
  } catch {
    return [];
  }
}

/** How long something in the group could have run but had to wait for a processor, as far as the kernel tells. */
export function stalledMs(directory: string): number {
  try {
    const some = /^some .*\btotal=(\d+)/m.exec(readFileSync(join(directory, "cpu.pressure"), "utf8"))?.[1];
    return Number(some ?? 0) / 1000;
  } catch {
    return 0;
  }
}

/** Kills every process of the group at once; the kernel leaves none out, however fast they fork. */
export function killControlGroup(directory: string): void {
  try {
    writeFileSync(join(directory, "cgroup.kill"), "1");
  } catch {
    // The group is gone, and its processes with it.
  }
}

/** Removes an empty group. One that is not empty yet stays for the next look. */
export function removeControlGroup(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Gone already, or still populated.
  }
}

/** Moves this process out of any task's group, so that it does not end with the task that happened to start it. */
export function leaveTaskControlGroup(name: string): void {
  const own = ownControlGroup();
  const at = own === undefined ? -1 : own.split("/").indexOf(name);
  if (own === undefined || at < 0) return;
  try {
    writeFileSync(
      join(
        dirname(
          own
            .split("/")
            .slice(0, at + 1)
            .join("/"),
        ),
        "cgroup.procs",
      ),
      "0",
    );
  } catch {
    // Without the right to move it, the marker sweep still spares a daemon.
  }
}

function ownControlGroup(): string | undefined {
  try {
    const path = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1];
    const mount = readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .find((line) => line.includes(" - cgroup2 "))
      ?.split(" ")[4];
    return path === undefined || mount === undefined ? undefined : join(mount, path);
  } catch {
    return undefined;
  }
}

/** Moves a process into a group, as far as the system lets it. */
export function joinControlGroup(directory: string, pid: number): void {
  try {
    writeFileSync(join(directory, "cgroup.procs"), String(pid));
  } catch {
    // It is found by its marker and its folder then.
  }
}
