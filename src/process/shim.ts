import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, constants, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Clock } from "../base/clock.ts";
import { AnabranchError, systemCodeOf } from "../base/errors.ts";
import { identify, parseStat, type ProcessIdentity } from "./identity.ts";

/** One attempt at a command, as its shim needs it. */
export interface ShimSpec {
  /** Where the shim leaves its records; made by {@link reserveAttempt}. */
  readonly directory: string;
  readonly command: string;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** How much of the output is kept from its start. */
  readonly capBytes: number;
  /** Whether standard output goes to a file of its own, apart from the log. */
  readonly splitOutput: boolean;
  /** The folder of the attempt's control group, where one could be made. */
  readonly controlGroup?: string | undefined;
}

/** A shim that has just been started. */
export interface LaunchedShim {
  readonly child: ChildProcess;
  readonly identity: ProcessIdentity;
}

/** Who runs an attempt. */
export interface ShimStart {
  readonly identity: ProcessIdentity;
  /** The control group it really is in. */
  readonly controlGroup: string | undefined;
}

/** The exit record of an attempt. */
export interface ShimExit {
  /** Exit status as a shell reports it: above 128 it is 128 + a signal's number. */
  readonly status: number;
  /** Processor time of the command and all it waited for. */
  readonly cpuMs: number;
}

/** How much is kept of what comes after the cap. */
const LOG_TAIL_BYTES = 256 * 1024;

// The kernel's limit for one argument is 128 KiB.
const LONGEST_COMMAND_BYTES = 120 * 1024;
const RESERVED_BYTES = 512;
const SHIM_PATH = fileURLToPath(new URL("./shim.sh", import.meta.url));

/**
 * Makes an attempt's folder and reserves the space of its exit record,
 * so that a disk that fills up later cannot hide how the attempt ended. Harmless when done again.
 */
export function reserveAttempt(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (readExit(directory) === undefined) {
    writeFileSync(join(directory, "exit.tmp"), " ".repeat(RESERVED_BYTES), { mode: 0o600 });
  }
}

/**
 * Starts the shim of an attempt in a session and process group of its own.
 *
 * @throws {AnabranchError} `COMMAND_MISSING` when no process can be started with this folder, environment or command.
 */
export async function launchShim(spec: ShimSpec, clock: Clock): Promise<LaunchedShim> {
  if (Buffer.byteLength(spec.command) > LONGEST_COMMAND_BYTES) {
    throw new AnabranchError("COMMAND_MISSING", {
      message: `the command is longer than ${LONGEST_COMMAND_BYTES} bytes`,
      hint: "put it into a script of the repository and run that",
    });
  }
  const child = spawnShim(spec);
  const identity = await new Promise<ProcessIdentity | undefined>((resolve, reject) => {
    // Until its end is collected, in a later turn of the loop, its number is surely its own.
    child.once("spawn", () => resolve(identify(child.pid ?? 0, clock)));
    child.once("error", (cause) => reject(cannotStart(spec, cause)));
  });
  child.unref();
  return { child, identity: identity ?? { pid: child.pid ?? 0, startTime: "", bootId: clock.bootId } };
}

function spawnShim(spec: ShimSpec): ChildProcess {
  const args = [
    SHIM_PATH,
    spec.directory,
    String(spec.capBytes),
    String(LOG_TAIL_BYTES),
    spec.controlGroup ?? "",
    spec.splitOutput ? "split" : "joined",
    spec.command,
  ];
  try {
    return spawn("/bin/sh", args, { cwd: spec.cwd, env: { ...spec.environment }, detached: true, stdio: "ignore" });
  } catch (cause) {
    // Some of what is in the way is thrown here instead of being told by an event.
    throw cannotStart(spec, cause);
  }
}

function cannotStart(spec: ShimSpec, cause: unknown): AnabranchError {
  const code = systemCodeOf(cause);
  return new AnabranchError("COMMAND_MISSING", {
    message: `cannot start the command in ${spec.cwd}: ${code ?? String(cause)}`,
    hint: code === "E2BIG" ? "start it with a smaller environment" : "anabranch doctor",
    cause,
  });
}

/**
 * Decides, once and for all, that an attempt whose shim has left no record will never run.
 * Returns `false` when the shim was faster: then it runs, and {@link readStart} tells who it is.
 */
export function forestallShim(directory: string): boolean {
  try {
    closeSync(openSync(join(directory, "started"), constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600));
    return true;
  } catch (cause) {
    if (systemCodeOf(cause) === "EEXIST") return false;
    throw cause;
  }
}

/**
 * Who runs the attempt, or `undefined` while nobody does, or when it was forestalled. The record is there before the
 * command starts, so where it is empty the command never ran.
 * @param bootId of the boot the attempt was started in
 */
export function readStart(directory: string, bootId: string): ShimStart | undefined {
  const text = readRecord(join(directory, "started"));
  if (text === undefined) return undefined;
  const [first = "", second = ""] = text.split("\n");
  const controlGroup = /^cgroup (.+)$/.exec(second)?.[1];
  const viaPs = /^(\d+) ps (.+)$/.exec(first);
  if (viaPs !== null) {
    const identity = { pid: Number(viaPs[1]), startTime: (viaPs[2] ?? "").trim(), bootId };
    return { identity, controlGroup };
  }
  const stat = parseStat(first);
  if (stat === undefined) return undefined;
  return { identity: { pid: stat.pid, startTime: stat.startTime, bootId }, controlGroup };
}

/** How the attempt's command ended, or `undefined` while its record is not there. */
export function readExit(directory: string): ShimExit | undefined {
  const text = readRecord(join(directory, "exit"));
  const status = /^status (\d+)$/m.exec(text ?? "")?.[1];
  if (text === undefined || status === undefined) return undefined;
  let cpuMs = 0;
  for (const [, minutes, seconds] of text.matchAll(/(\d+)m([\d.]+)s/g)) {
    cpuMs += Number(minutes) * 60_000 + Number(seconds) * 1000;
  }
  return { status: Number(status), cpuMs: Math.round(cpuMs) };
}

function readRecord(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch (cause) {
    if (systemCodeOf(cause) === "ENOENT") return undefined;
    throw cause;
  }
}
