import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";

import type { Clock } from "../base/clock.ts";
import { AnabranchError, isAnabranchError } from "../base/errors.ts";
import { startLineProgram } from "../process/line-program.ts";
import { ownerMark } from "../process/own-programs.ts";
import type { AgentPlace, Detection } from "./port.ts";

/** An agent's program, as it is looked for and judged. */
export interface WantedProgram {
  /** What people call it. */
  readonly product: string;
  /** What it is called on the PATH. */
  readonly command: string;
  /** The oldest and the newest version that were tried. */
  readonly oldest: string;
  readonly newest: string;
  /** How it is installed, and brought up to date. */
  readonly install: string;
  readonly update: string;
}

/** Where a program is and which version it is, asked once for each program as it lies on the disk. */
export interface ProgramSearch {
  find(place: AgentPlace): Promise<Detection>;
}

const VERSION_PATIENCE_MS = 15_000;

/** See {@link ProgramSearch}. */
export function createProgramSearch(wanted: WantedProgram, clock: Clock): ProgramSearch {
  const versions = new Map<string, Promise<string>>();
  return {
    async find(place) {
      try {
        const path = findProgram(wanted, place);
        const { mtimeMs, size } = statSync(path);
        const key = JSON.stringify([realpathSync(path), mtimeMs, size, place.program?.args]);
        const asking = versions.get(key) ?? requireVersion(path, place, clock);
        versions.set(key, asking);
        asking.catch(() => versions.delete(key));
        return judge(wanted, path, await asking);
      } catch (error) {
        if (isAnabranchError(error)) return { found: false, error };
        throw error;
      }
    },
  };
}

function findProgram({ product, command, install }: WantedProgram, { environment, program }: AgentPlace): string {
  const name = program?.command ?? command;
  const path = findOnPath(name, environment);
  if (path !== undefined) return path;
  throw missingProgram(product, name, install);
}

/** Where a program is: on the PATH, or where a name with a slash says. */
export function findOnPath(name: string, environment: Readonly<Record<string, string>>): string | undefined {
  const folders = (environment["PATH"] ?? "").split(delimiter).filter(isAbsolute);
  const places = name.includes("/") ? [resolve(name)] : folders.map((folder) => join(folder, name));
  return places.find(isProgram);
}

/** The error of a program that is not there. */
export function missingProgram(product: string, name: string, hint: string): AnabranchError {
  const where = name.includes("/") ? "" : " on the PATH";
  return new AnabranchError("AGENT_MISSING", {
    message: `${product} was not found: there is no program ${name}${where}`,
    hint,
    data: { program: name },
  });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

async function requireVersion(path: string, { environment, program }: AgentPlace, clock: Clock): Promise<string> {
  const { version, words } = await askVersion(path, program?.args ?? [], environment, clock);
  if (version !== undefined) return version;
  throw new AnabranchError("AGENT_FAILED", {
    message: `${path} --version did not tell a version: ${words === "" ? "it said nothing" : words}`,
    data: { path },
  });
}

/** What a program says of its version, and whatever else it said. One that says nothing for long is ended. */
export async function askVersion(
  path: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  clock: Clock,
): Promise<{ readonly version: string | undefined; readonly words: string }> {
  const lines: string[] = [];
  const asked = await startLineProgram({
    program: path,
    args: [...args, "--version"],
    cwd: "/",
    // One that hangs must not outlive this daemon.
    environment: { ...environment, ...ownerMark() },
    clock,
    onLine: (line) => void lines.push(line),
    onOverlong: () => undefined,
  });
  asked.end();
  const cancel = clock.after(VERSION_PATIENCE_MS, () => asked.signal("SIGKILL"));
  const { status, lastWords } = await asked.gone;
  cancel();
  const told = lines.map((line) => /\b(\d+\.\d+\.\d+)\b/.exec(line)?.[1]).find((found) => found !== undefined);
  const words = lastWords === "" ? lines.join(" ").slice(0, 200) : lastWords;
  return { version: status === 0 ? told : undefined, words };
}

function judge({ product, oldest, newest, update }: WantedProgram, path: string, version: string): Detection {
  if (isOlder(version, oldest)) return { found: false, error: tooOld(product, version, oldest, path, update) };
  const warning = remarkOnVersion(product, version, newest);
  return { found: true, path, version, ...(warning === undefined ? {} : { warning }) };
}

/** The error of a program that lacks what is needed. */
export function tooOld(product: string, version: string, oldest: string, path: string, hint: string): AnabranchError {
  return new AnabranchError("AGENT_TOO_OLD", {
    message: `${product} ${version} is too old: ${oldest} or later is needed (${path})`,
    hint,
    data: { path, version, needed: oldest },
  });
}

/** What is odd about a version that nobody has tried. */
export function remarkOnVersion(product: string, version: string, newest: string): string | undefined {
  return isOlder(newest, version)
    ? `${product} ${version} is newer than ${newest}, the newest that was tried`
    : undefined;
}

/** Compares the three numbers of versions; what follows them does not count. */
export function isOlder(version: string, than: string): boolean {
  const [one, other] = [version, than].map((text) => text.split(/[.-]/, 3).map(Number));
  const difference = one?.map((part, index) => part - (other?.[index] ?? 0)).find((part) => part !== 0);
  return difference !== undefined && difference < 0;
}
