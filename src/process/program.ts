import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";

import { AnabranchError, systemCodeOf } from "../base/errors.ts";

/** A program to run to its end. */
export interface ProgramCall {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Written to its standard input, which is then closed. */
  readonly input?: string | Uint8Array | undefined;
  /** More than this on standard output fails the call instead of filling the memory. */
  readonly outputCapBytes?: number | undefined;
  /** Gets standard output piece by piece; it is then not collected. The program waits while the promise is open. */
  readonly onOutput?: ((piece: Buffer) => void | Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Whether everything it has started is killed with it when the signal aborts. */
  readonly group?: true | undefined;
}

/** How a program ended. */
export interface ProgramEnd {
  /** Its exit status, or `null` when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

const DEFAULT_CAP_BYTES = 256 * 1024 * 1024;
const STDERR_KEPT_BYTES = 64 * 1024;

/**
 * Runs a program to its end and returns how it ended; a status other than 0 is not an error here.
 *
 * @throws {AnabranchError} `COMMAND_MISSING` when it cannot be started, `INTERNAL` past the output cap.
 */
export async function runProgram(call: ProgramCall): Promise<ProgramEnd> {
  const child = spawnProgram(call);
  const ended = new Promise<{ status: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once("error", (cause) => reject(startFailure(call, cause)));
    child.once("close", (status, signal) => resolve({ status, signal }));
  });
  // A program may end before it reads all of its input; its exit status tells that story.
  child.stdin.on("error", () => undefined);
  child.stdin.end(call.input);

  const output = collectOutput(child.stdout, call);
  const stderr = collectTail(child.stderr);
  try {
    const [end, stdout] = await Promise.all([ended, output]);
    return { ...end, stdout, stderr: stderr() };
  } catch (cause) {
    child.kill("SIGKILL");
    throw cause;
  }
}

function spawnProgram(call: ProgramCall): ChildProcessWithoutNullStreams {
  const { program, args, cwd, environment, signal, group = false } = call;
  try {
    const child = spawn(program, [...args], { cwd, env: environment, stdio: "pipe", signal, detached: group });
    if (group) signal?.addEventListener("abort", () => killGroup(child), { once: true });
    return child;
  } catch (cause) {
    // Arguments that are too large are thrown here instead of being told by an event.
    throw startFailure(call, cause);
  }
}

function killGroup({ pid, exitCode, signalCode }: ChildProcessWithoutNullStreams): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

async function collectOutput(stream: NodeJS.ReadableStream, call: ProgramCall): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  const capBytes = call.outputCapBytes ?? DEFAULT_CAP_BYTES;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    if (call.onOutput !== undefined) {
      await call.onOutput(piece);
      continue;
    }
    sizeBytes += piece.length;
    if (sizeBytes > capBytes) {
      throw new AnabranchError("INTERNAL", {
        message: `${call.program} ${call.args[0] ?? ""} printed more than ${capBytes} bytes`,
      });
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function collectTail(stream: NodeJS.ReadableStream): () => string {
  let kept = Buffer.alloc(0);
  stream.on("data", (piece: Buffer) => {
    kept = Buffer.concat([kept, piece]).subarray(-STDERR_KEPT_BYTES);
  });
  return () => kept.toString("utf8");
}

function startFailure(call: ProgramCall, cause: unknown): unknown {
  if (cause instanceof Error && cause.name === "AbortError") return cause;
  return new AnabranchError("COMMAND_MISSING", {
    message: `cannot start ${call.program}: ${systemCodeOf(cause) ?? String(cause)}`,
    hint: `check that ${call.program} is installed and on the PATH`,
    cause,
  });
}
