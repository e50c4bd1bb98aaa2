import { createHash } from "node:crypto";

type Environment = Readonly<Record<string, string | undefined>>;

/** What a service of the user's runs. */
export interface ServiceProgram {
  /** The daemon's own name among services: one for each home. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** All that the daemon needs of the user's environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Tells where things are kept, and where git is. */
const NEEDED = ["ANABRANCH_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "PATH"];

/** The daemon of an environment, as a service runs it: in the foreground. */
export function serviceProgram(script: string, environment: Environment): ServiceProgram {
  const needed = NEEDED.flatMap((name) => {
    const value = environment[name];
    return value === undefined || value === "" ? [] : [[name, value] as const];
  });
  const home = environment["ANABRANCH_HOME"];
  const suffix =
    home === undefined || home === "" ? "" : `-${createHash("sha256").update(home).digest("hex").slice(0, 8)}`;
  return {
    name: `anabranch${suffix}`,
    command: [process.execPath, script],
    environment: Object.fromEntries(needed),
  };
}
