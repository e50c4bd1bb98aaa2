import { EventEmitter } from "node:events";
import { Readable, Writable } from "node:stream";

import type { Clock } from "../../base/clock.ts";
import { startLineProgram, type LineProgram } from "../../process/line-program.ts";
import { parseFields, textOf } from "../fields.ts";

/** What the SDK wants to be started. */
export interface SdkSpawn {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What the SDK does not know of. */
export interface SdkSurroundings {
  readonly clock: Clock;
  readonly controlGroup: string | undefined;
  readonly through: readonly string[] | undefined;
  readonly onOverlong: (sizeBytes: number) => void;
  /** Told of a line that is no message: the SDK gives up on some of those. */
  readonly onStray: (line: string) => void;
}

/** A program of ours in the shape of the processes that the SDK knows. */
export interface SdkProcess {
  readonly process: EventEmitter & { readonly stdin: Writable; readonly stdout: Readable };
  /** The program, once it runs. */
  readonly program: Promise<LineProgram>;
}

/** Starts a program for the SDK: it has no way to wait for one, so what it writes meanwhile waits. */
export function startSdkProcess(spawn: SdkSpawn, surroundings: SdkSurroundings): SdkProcess {
  const stdout = new Readable({ read: () => undefined });
  const program = startLineProgram({
    program: spawn.command,
    args: spawn.args,
    cwd: spawn.cwd ?? "/",
    environment: definedOf(spawn.env),
    onLine(line) {
      if (textOf(parseFields(line)?.["type"]) === undefined) surroundings.onStray(line);
      else stdout.push(`${line}\n`);
    },
    ...surroundings,
  });
  const state = { killed: false, exitCode: null as number | null, signalCode: null as NodeJS.Signals | null };
  const process = Object.assign(new EventEmitter(), state, {
    stdin: stdinOf(program),
    stdout,
    kill(signal: NodeJS.Signals) {
      process.killed = true;
      void program.then((running) => running.signal(signal));
      return true;
    },
  });
  program
    .then(({ gone }) => gone)
    .then(({ status, signal }) => {
      [process.exitCode, process.signalCode] = [status, signal];
      stdout.push(null);
      process.emit("exit", status, signal);
    })
    .catch((error: unknown) => {
      stdout.push(null);
      process.emit("error", error);
    });
  return { process, program };
}

function stdinOf(program: Promise<LineProgram>): Writable {
  let rest = "";
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      program
        .then(async (running) => {
          for (const line of lines) await running.write(line);
        })
        .then(() => done(), done);
    },
    final(done) {
      program.then((running) => running.end()).then(() => done(), done);
    },
  });
}

function definedOf(environment: SdkSpawn["env"]): Record<string, string> {
  const entries = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}
