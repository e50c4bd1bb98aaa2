import { readFile, rm } from "node:fs/promises";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

import type { Clock } from "../base/clock.ts";
import { plainEnvironment } from "./own-programs.ts";
import { runProgram } from "./program.ts";

/**
 * Finds out which files below a folder a program and everything it starts have read, by the system calls they make.
 * The list of them is written by strace and awk, once for each file, so that its size is bounded by the folder's.
 */
export interface FileTrace {
  /** What the program is started through: a program and its arguments. */
  readonly through: readonly string[];
  /** The files that were read, absolute, once the program is gone; the list is removed. */
  take(): Promise<string[]>;
}

// With -y, what a call opened stands behind its result; one that only writes, or opens a folder, reads no file.
const FILTER = `
/O_WRONLY|O_DIRECTORY|O_PATH/ { next }
match($0, /= [0-9]+<.*>$/) {
  path = substr($0, RSTART, RLENGTH); sub(/^= [0-9]+</, "", path); sub(/>$/, "", path)
  if (index(path, ENVIRON["TRACED_FOLDER"] "/") == 1 && !seen[path]++) { print path; fflush() }
}`;
const LARGEST_LIST_BYTES = 16 * 1024 * 1024;

/**
 * Prepares a trace; `undefined` where strace is not on the PATH.
 * @param list the file that the list is written to
 */
export function prepareFileTrace(folder: string, list: string, path: string): FileTrace | undefined {
  const strace = findOnPath("strace", path);
  if (strace === undefined) return undefined;
  const filter = `|TRACED_FOLDER=${quote(folder)} exec awk ${quote(FILTER)} >> ${quote(list)}`;
  return {
    through: [strace, "-f", "-qq", "--seccomp-bpf", "-y", "-e", "trace=open,openat", "-e", "signal=none", "-o", filter],
    async take() {
      const text = await readFile(list, "utf8").catch(() => "");
      await rm(list, { force: true });
      return text.slice(0, LARGEST_LIST_BYTES).split("\n").filter(Boolean);
    },
  };
}

/** How many times as long commands take that are traced, measured now; `undefined` where they cannot be. */
export async function measureFileTrace(clock: Clock): Promise<number | undefined> {
  const strace = findOnPath("strace", process.env["PATH"] ?? "");
  if (strace === undefined) return undefined;
  const work = ["-c", "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do cat /dev/null; done"];
  const trace = ["-f", "-qq", "--seccomp-bpf", "-e", "trace=open,openat", "-o", "/dev/null", "/bin/sh"];
  const plainMs = await time(clock, "/bin/sh", work);
  const tracedMs = await time(clock, strace, [...trace, ...work]);
  return tracedMs === undefined || plainMs === undefined ? undefined : tracedMs / plainMs;
}

async function time(clock: Clock, program: string, args: readonly string[]): Promise<number | undefined> {
  const beganMs = clock.monotonicMs();
  const { status } = await runProgram({ program, args, environment: plainEnvironment() });
  return status === 0 ? clock.monotonicMs() - beganMs : undefined;
}

function findOnPath(name: string, path: string): string | undefined {
  for (const folder of path.split(delimiter)) {
    const candidate = join(folder, name);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // The next one may have it.
    }
  }
  return undefined;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
