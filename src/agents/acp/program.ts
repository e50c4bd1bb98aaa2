import { readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

import type { Clock } from "../../base/clock.ts";
import { isAnabranchError } from "../../base/errors.ts";
import type { AgentPlace, Detection } from "../port.ts";
import { askVersion, findOnPath, isOlder, missingProgram, remarkOnVersion, tooOld } from "../program-search.ts";
import { DEFAULT_AGENT, knownAgent, type KnownAgent } from "./known-agents.ts";

/** A program that is there. */
export interface FoundProgram {
  readonly path: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly known: KnownAgent | undefined;
  /** `undefined` where it only tells when it is spoken to. */
  readonly version: string | undefined;
  readonly warning: string | undefined;
}

/** Where agents are and which versions they are, asked once for each program as it lies on the disk. */
export interface Programs {
  /** @throws {AnabranchError} `AGENT_MISSING`, `AGENT_TOO_OLD` */
  find(place: AgentPlace): Promise<FoundProgram>;
  detect(place: AgentPlace): Promise<Detection>;
}

const RUNTIMES = new Set(["node", "bun", "deno"]);

/** See {@link Programs}. */
export function createPrograms(clock: Clock): Programs {
  const versions = new Map<string, Promise<string | undefined>>();

  const find = async (place: AgentPlace): Promise<FoundProgram> => {
    const path = findProgram(place);
    const given = place.program?.args ?? [];
    // A script is what its runtime runs, not the runtime.
    const script = RUNTIMES.has(basename(path)) ? given.find((argument) => !argument.startsWith("-")) : undefined;
    const file = script === undefined ? path : resolve(script);
    const origin = packageOf(file);
    const known = knownAgent(origin?.name, file);
    const speaks = known === undefined || given.some((argument) => known.speaksBy.test(argument));
    const args = speaks ? given : [...given, ...known.args];
    const environment = { ...place.environment, ...known?.environment(place.environment) };
    // What is not known may not know the question either, and would begin to work.
    const asks = known !== undefined && known.packageName !== origin?.name;
    const version = asks ? await versionOf(path, script, environment) : known && origin?.version;
    const warning = judge(known, version, path);
    return { path, args, environment, known, version, warning };
  };

  const versionOf = (
    path: string,
    script: string | undefined,
    environment: Readonly<Record<string, string>>,
  ): Promise<string | undefined> => {
    const { mtimeMs, size } = statSync(path);
    const key = JSON.stringify([realpathSync(path), mtimeMs, size, script]);
    const asked = async (): Promise<string | undefined> =>
      (await askVersion(path, script === undefined ? [] : [script], environment, clock)).version;
    const asking = versions.get(key) ?? asked();
    versions.set(key, asking);
    // One that could not be started once may be there the next time.
    asking.catch(() => versions.delete(key));
    return asking;
  };

  return {
    find,
    async detect(place) {
      try {
        const { path, version, warning } = await find(place);
        return { found: true, path, version: version ?? "unknown", warning };
      } catch (error) {
        if (isAnabranchError(error)) return { found: false, error };
        throw error;
      }
    },
  };
}

/** What is odd about a version, if anything. */
export function judge(known: KnownAgent | undefined, version: string | undefined, path: string): string | undefined {
  if (known?.tried === undefined || version === undefined) return undefined;
  const { oldest, newest } = known.tried;
  if (isOlder(version, oldest)) throw tooOld(known.title, version, oldest, path, known.install);
  return remarkOnVersion(known.title, version, newest);
}

function findProgram({ environment, program }: AgentPlace): string {
  const name = program?.command ?? DEFAULT_AGENT.programs[0] ?? "";
  const path = findOnPath(name, environment);
  if (path !== undefined) return path;
  const known = knownAgent(undefined, name);
  const hint = known?.install ?? `install ${name}, or name another program of the agent in anabranch.yaml`;
  throw missingProgram(known?.title ?? "the agent", name, hint);
}

/** The npm package that a program is part of: reading its manifest costs nothing, asking a program seconds. */
function packageOf(file: string): { readonly name: string; readonly version: string } | undefined {
  try {
    for (let folder = dirname(realpathSync(file)); folder !== dirname(folder); folder = dirname(folder)) {
      const manifest = manifestIn(folder);
      if (manifest !== undefined) return manifest;
    }
  } catch {
    // What cannot be resolved is no part of a package.
  }
  return undefined;
}

function manifestIn(folder: string): { readonly name: string; readonly version: string } | undefined {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, unknown>;
    const { name, version } = manifest;
    return typeof name === "string" && typeof version === "string" ? { name, version } : undefined;
  } catch {
    return undefined;
  }
}
