import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";

import type { Clock } from "../../base/clock.ts";
import { AnabranchError, isAnabranchError } from "../../base/errors.ts";
import { startLineProgram } from "../../process/line-program.ts";
import type { AgentPlace, Detection } from "../port.ts";

/** The oldest version whose server has all that is needed. */
export const OLDEST_VERSION = "1.18.0";
/** The newest version that was tried. */
export const NEWEST_VERSION = "1.18.33";

/** Where opencode is and which version it is, asked once for each program as it lies on the disk. */
export interface Programs {
  find(place: AgentPlace): Promise<Detection>;
}

/** See {@link Programs}. */
export function createPrograms(clock: Clock): Programs {
  const versions = new Map<string, Promise<string>>();
  return {
    async find(place) {
      try {
        const path = findProgram(place);
        const { mtimeMs, size } = statSync(path);
        const key = JSON.stringify([realpathSync(path), mtimeMs, size, place.program?.args]);
        const asking = versions.get(key) ?? askVersion(path, place, clock);
        versions.set(key, asking);
        asking.catch(() => versions.delete(key));
        return judge(path, await asking);
      } catch (error) {
        if (isAnabranchError(error)) return { found: false, error };
        throw error;
      }
    },
  };
}

function findProgram({ environment, program }: AgentPlace): string {
  const name = program?.command ?? "opencode";
  const folders = name.includes("/") ? [""] : (environment["PATH"] ?? "").split(delimiter).filter(isAbsolute);
  const path = folders.map((folder) => (folder === "" ? resolve(name) : join(folder, name))).find(isProgram);
  if (path !== undefined) return path;
  throw new AnabranchError("AGENT_MISSING", {
    message: `opencode was not found: there is no program ${name}${name.includes("/") ? "" : " on the PATH"}`,
    hint: "install it: npm install -g opencode-ai",
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

const VERSION_PATIENCE_MS = 15_000;

async function askVersion(path: string, { environment, program }: AgentPlace, clock: Clock): Promise<string> {
  const lines: string[] = [];
  const asked = await startLineProgram({
    program: path,
    args: [...(program?.args ?? []), "--version"],
    cwd: "/",
    environment: { ...environment, OPENCODE_DISABLE_AUTOUPDATE: "1", OPENCODE_DISABLE_MODELS_FETCH: "1" },
    clock,
    onLine: (line) => void lines.push(line),
    onOverlong: () => undefined,
  });
  asked.end();
  const cancel = clock.after(VERSION_PATIENCE_MS, () => asked.signal("SIGKILL"));
  const { status, lastWords } = await asked.gone;
  cancel();
  const version = lines.map((line) => /^v?(\d+\.\d+\.\d+)\b/.exec(line)?.[1]).find((found) => found !== undefined);
  if (status === 0 && version !== undefined) return version;
  throw new AnabranchError("AGENT_FAILED", {
    message: `${path} --version did not tell a version: ${lastWords || lines.join(" ").slice(0, 200) || "it said nothing"}`,
    data: { path },
  });
}

/** Whether a version can be worked with. */
export function judge(path: string, version: string): Detection {
  if (isOlder(version, OLDEST_VERSION)) {
    const error = new AnabranchError("AGENT_TOO_OLD", {
      message: `opencode ${version} is too old: ${OLDEST_VERSION} or later is needed (${path})`,
      hint: "opencode upgrade",
      data: { path, version, needed: OLDEST_VERSION },
    });
    return { found: false, error };
  }
  if (!isOlder(NEWEST_VERSION, version)) return { found: true, path, version };
  return {
    found: true,
    path,
    version,
    warning: `opencode ${version} is newer than ${NEWEST_VERSION}, the newest that was tried`,
  };
}

function isOlder(version: string, than: string): boolean {
  const [one, other] = [version, than].map((text) => text.split(".").map(Number));
  const difference = one?.map((part, index) => part - (other?.[index] ?? 0)).find((part) => part !== 0);
  return difference !== undefined && difference < 0;
}
