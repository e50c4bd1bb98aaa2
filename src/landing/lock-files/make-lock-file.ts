import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { isAnabranchError } from "../../base/errors.ts";
import { hasMarkers } from "../../merge/text.ts";
import { lockFileOwner } from "../../merge/lock-file.ts";
import { ownerMark } from "../../process/own-programs.ts";
import { runProgram, type ProgramEnd } from "../../process/program.ts";
import { nameOf, type LockProgram } from "./program.ts";
import { LOCK_PROGRAMS } from "./programs.ts";
import { environmentFor, tameSettings } from "./settings.ts";

/** A lock file to be made anew. */
export interface LockFileWish {
  /** Its path in the repository. */
  readonly path: string;
  /** The files that its program needs, by their paths from its folder: the lock file it starts from is among them. */
  readonly files: ReadonlyMap<string, Buffer>;
}

/** What the program may use. */
export interface LockFileMeans {
  /** An empty folder, for this only. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** A lock file that was made, or why it was not and what makes it. */
export type LockFileMade =
  | { readonly status: "made"; readonly content: Buffer; readonly program: string }
  | { readonly status: "refused"; readonly why: string; readonly command: string };

const LARGEST_OUTPUT_BYTES = 8 * 1024 * 1024;
const LARGEST_LOCK_FILE_BYTES = 64 * 1024 * 1024;

/**
 * Has the program that owns a lock file make it anew from merged manifests, starting from the lock file that is there:
 * with scripts off, in a folder that holds nothing else, and within a time limit. The result counts if it has what the
 * manifests ask for, and no manifest was changed on the way.
 */
export async function makeLockFile({ path, files }: LockFileWish, means: LockFileMeans): Promise<LockFileMade> {
  const owner = lockFileOwner(path);
  if (owner === undefined) throw new TypeError(`${path} is no lock file`);
  const program = LOCK_PROGRAMS[owner];
  const written = await writeFiles(means.folder, files);
  const failed = await runAttempts(program, written.get(nameOf(path)) ?? "", means);
  const refuse = (why: string): LockFileMade => ({ status: "refused", why, command: program.command });
  if (failed !== undefined) return refuse(failed);
  const content = await readLockFile(join(means.folder, nameOf(path)));
  if (content === undefined) return refuse(`${program.program} left no lock file that could be read`);
  const changed = await findChanged(means.folder, written, nameOf(path));
  if (changed !== undefined) return refuse(`${program.program} would change ${changed} too`);
  const text = content.toString("utf8");
  const wrong = hasMarkers(text) ? "it has conflict markers" : program.check(text, written);
  return wrong === undefined
    ? { status: "made", content, program: program.program }
    : refuse(`what ${program.program} made is not right: ${wrong}`);
}

async function writeFiles(folder: string, files: ReadonlyMap<string, Buffer>): Promise<Map<string, string>> {
  const written = new Map<string, string>();
  for (const [path, content] of files) {
    const text = tameSettings(path, content.toString("utf8"));
    const isTame = text === content.toString("utf8");
    await mkdir(join(folder, dirname(path)), { recursive: true });
    await writeFile(join(folder, path), isTame ? content : text, { flag: "wx" });
    written.set(path, text);
  }
  return written;
}

/** Runs the program, and says why it failed if it did. */
async function runAttempts(program: LockProgram, start: string, means: LockFileMeans): Promise<string | undefined> {
  let failed = `${program.program} was not run`;
  for (const args of program.attempts(start)) {
    const end = await run(program, args, means);
    if (typeof end === "string") return end;
    if (end.status === 0) return undefined;
    failed = `${program.program} ${args.join(" ")} failed: ${wordsOf(end)}`;
  }
  return failed;
}

async function run(
  { program, environment: own }: LockProgram,
  args: readonly string[],
  { folder, environment, limitMs, signal }: LockFileMeans,
): Promise<ProgramEnd | string> {
  const limit = AbortSignal.timeout(limitMs);
  try {
    return await runProgram({
      program,
      args,
      cwd: folder,
      environment: { ...environmentFor(environment, own), ...ownerMark() },
      outputCapBytes: LARGEST_OUTPUT_BYTES,
      signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
      group: true,
    });
  } catch (cause) {
    signal?.throwIfAborted();
    if (limit.aborted) return `${program} took more than ${Math.round(limitMs / 1000)} s`;
    if (isAnabranchError(cause) && cause.code === "COMMAND_MISSING") return `${program} is not installed`;
    return `${program} could not be run: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
}

/** What a program said of its failure, on one line. */
function wordsOf({ stdout, stderr, status, signal }: ProgramEnd): string {
  const said = stderr.trim() === "" ? stdout.toString("utf8") : stderr;
  const lines = said.split("\n").map((line) => line.trim());
  const words = lines.filter((line) => line !== "");
  const errors = words.filter((line) => /err/i.test(line));
  const telling = errors.length > 0 ? errors.slice(0, 3) : words.slice(-3);
  return telling.join("; ").slice(0, 500) || `it ended with ${status ?? signal ?? "nothing"}`;
}

async function readLockFile(path: string): Promise<Buffer | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true || found.size > LARGEST_LOCK_FILE_BYTES) return undefined;
  return readFile(path);
}

/** The first file besides the lock file that is not as it was. */
async function findChanged(
  folder: string,
  written: ReadonlyMap<string, string>,
  lockFile: string,
): Promise<string | undefined> {
  for (const [path, text] of written) {
    if (path === lockFile) continue;
    const now = await readFile(join(folder, path), "utf8").catch(() => undefined);
    if (now !== text) return path;
  }
  return undefined;
}
