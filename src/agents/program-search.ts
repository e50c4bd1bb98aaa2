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
        const asking = versions.get(key) ?? askVersion(path, place, clock);
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
  const isPath = name.includes("/");
  const folders = (environment["PATH"] ?? "").split(delimiter).filter(isAbsolute);
  const places = isPath ? [resolve(name)] : folders.map((folder) => join(folder, name));
  const path = places.find(isProgram);
  if (path !== undefined) return path;
  throw new AnabranchError("AGENT_MISSING", {
    message: `${product} was not found: there is no program ${name}${isPath ? "" : " on the PATH"}`,
    hint: install,
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

async function askVersion(path: string, { environment, program }: AgentPlace, clock: Clock): Promise<string> {
  const lines: string[] = [];
  const asked = await startLineProgram({
    program: path,
    args: [...(program?.args ?? []), "--version"],
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
  const version = lines.map((line) => /\b(\d+\.\d+\.\d+)\b/.exec(line)?.[1]).find((found) => found !== undefined);
  if (status === 0 && version !== undefined) return version;
  throw new AnabranchError("AGENT_FAILED", {
    message: `${path} --version did not tell a version: ${lastWords || lines.join(" ").slice(0, 200) || "it said nothing"}`,
    data: { path },
  });
}

function judge({ product, oldest, newest, update }: WantedProgram, path: string, version: string): Detection {
  if (isOlder(version, oldest)) {
    const error = new AnabranchError("AGENT_TOO_OLD", {
      message: `${product} ${version} is too old: ${oldest} or later is needed (${path})`,
      hint: update,
      data: { path, version, needed: oldest },
    });
    return { found: false, error };
  }
  if (!isOlder(newest, version)) return { found: true, path, version };
  const warning = `${product} ${version} is newer than ${newest}, the newest that was tried`;
  return { found: true, path, version, warning };
}

function isOlder(version: string, than: string): boolean {
  const [one, other] = [version, than].map((text) => text.split(".").map(Number));
  const difference = one?.map((part, index) => part - (other?.[index] ?? 0)).find((part) => part !== 0);
  return difference !== undefined && difference < 0;
}
