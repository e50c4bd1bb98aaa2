import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";

import type { Clock } from "../base/clock.ts";
import { AnabranchError, systemCodeOf } from "../base/errors.ts";
import { joinControlGroup } from "./cgroup.ts";
import { identify, type ProcessIdentity } from "./identity.ts";

/** A program that is spoken to in lines, in both directions, for as long as it lives. */
export interface LineProgram {
  readonly pid: number;
  readonly identity: ProcessIdentity | undefined;
  /** Writes one line; resolves when the program can take the next one, also when it is gone. */
  write(line: string): Promise<void>;
  /** Closes its standard input: most such programs then end. */
  end(): void;
  /** Sends a signal to its whole process group. */
  signal(name: NodeJS.Signals): void;
  /** Asks it to end, ever more firmly; resolves when it is gone. */
  close(patienceMs: number): Promise<void>;
  /** Resolves, never rejects, when it is gone and everything it said has been passed on. */
  readonly gone: Promise<LineProgramEnd>;
}

/** How a program ended. */
export interface LineProgramEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote to standard error. */
  readonly lastWords: string;
}

/** The program to start. */
export interface LineProgramCall {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** Gets each line without its end. It must not throw. */
  readonly onLine: (line: string) => void;
  /** Told of a line that was longer than the cap and is not passed on. */
  readonly onOverlong: (sizeBytes: number) => void;
  /** Told when it has closed its standard output: it can say nothing any more, though it may live on. */
  readonly onHangUp?: (() => void) | undefined;
  /** Gets what is written to standard error, as it comes. */
  readonly onComplaint?: ((text: string) => void) | undefined;
  /** The folder of the control group it goes into. */
  readonly controlGroup?: string | undefined;
  /** It is started through this one: a program and the arguments before its own. */
  readonly through?: readonly string[] | undefined;
}

const LONGEST_LINE_BYTES = 64 * 1024 * 1024;
const LAST_WORDS_BYTES = 8192;
const NEWLINE = 0x0a;

/**
 * Starts a program in a process group of its own.
 * @throws {AnabranchError} `COMMAND_MISSING` when it cannot be started
 */
export async function startLineProgram(call: LineProgramCall): Promise<LineProgram> {
  const child = await spawned(call);
  child.stdin.on("error", () => undefined);
  const pid = child.pid ?? 0;
  if (call.controlGroup !== undefined) joinControlGroup(call.controlGroup, pid);
  passOnLines(child, call);
  let lastWords = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    lastWords = (lastWords + text).slice(-LAST_WORDS_BYTES);
    call.onComplaint?.(text);
  });
  let isGone = false;
  const gone = new Promise<LineProgramEnd>((resolve) => {
    child.once("close", (status, signal) => {
      isGone = true;
      resolve({ status, signal, lastWords: lastWords.trim() });
    });
  });
  const signal = (name: NodeJS.Signals): void => {
    if (isGone) return;
    try {
      process.kill(-pid, name);
    } catch {
      // It has ended, which is what a signal is for.
    }
  };
  return {
    pid,
    identity: identify(pid, call.clock),
    gone,
    signal,
    end: () => child.stdin.end(),
    write: (line) =>
      new Promise((resolve) => {
        if (isGone || !child.stdin.writable) resolve();
        else if (child.stdin.write(`${line}\n`)) resolve();
        else
          void Promise.race([gone, new Promise((drained) => child.stdin.once("drain", drained))]).then(() => resolve());
      }),
    async close(patienceMs) {
      child.stdin.end();
      for (const name of ["SIGTERM", "SIGKILL"] as const) {
        if (await endsWithin(gone, patienceMs, call.clock)) return;
        signal(name);
      }
      await gone;
    },
  };
}

function spawned(call: LineProgramCall): Promise<ChildProcessWithoutNullStreams> {
  const failure = (cause: unknown): AnabranchError =>
    new AnabranchError("COMMAND_MISSING", {
      message: `cannot start ${call.program}: ${systemCodeOf(cause) ?? String(cause)}`,
      hint: `check that ${call.program} is installed and on the PATH`,
      cause,
    });
  return new Promise((resolve, reject) => {
    try {
      const { cwd, environment } = call;
      const [program = "", ...args] = [...(call.through ?? []), call.program, ...call.args];
      const child = spawn(program, args, { cwd, env: { ...environment }, stdio: "pipe", detached: true });
      child.once("spawn", () => resolve(child));
      child.once("error", (cause) => reject(failure(cause)));
    } catch (cause) {
      reject(failure(cause));
    }
  });
}

function passOnLines(child: ChildProcessWithoutNullStreams, call: LineProgramCall): void {
  let pieces: Buffer[] = [];
  let sizeBytes = 0;
  const finish = (): void => {
    if (sizeBytes > LONGEST_LINE_BYTES) call.onOverlong(sizeBytes);
    else if (sizeBytes > 0) call.onLine(Buffer.concat(pieces).toString("utf8").replace(/\r$/, ""));
    [pieces, sizeBytes] = [[], 0];
  };
  const take = (piece: Buffer): void => {
    sizeBytes += piece.length;
    // What is over the cap is counted and let go.
    if (sizeBytes <= LONGEST_LINE_BYTES) pieces.push(piece);
    else pieces = [];
  };
  child.stdout.on("data", (piece: Buffer) => {
    let from = 0;
    for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, from)) {
      take(piece.subarray(from, at));
      finish();
      from = at + 1;
    }
    if (from < piece.length) take(piece.subarray(from));
  });
  child.stdout.once("end", () => {
    finish();
    call.onHangUp?.();
  });
}

function endsWithin(gone: Promise<unknown>, patienceMs: number, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.after(patienceMs, () => resolve(false));
    void gone.then(() => {
      cancel();
      resolve(true);
    });
  });
}
