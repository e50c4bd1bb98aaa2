import { systemClock } from "../base/clock.ts";
import { createGit } from "../git/git.ts";
import { installMergeDriver, uninstallMergeDriver, type DriverChange, type DriverScope } from "../git/merge-driver.ts";

export type { DriverChange } from "../git/merge-driver.ts";

const NAME = "anabranch";

/** The endings of files that git is to merge with the engine. */
export const MERGED_ENDINGS: readonly string[] =
  "ts mts cts tsx js mjs cjs jsx py pyi go rs java json jsonc yaml yml".split(" ");

/** For whom git is set up, and in whose environment. */
export interface GitSetupPlace {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A folder of the repository; without it, all repositories of the user. */
  readonly directory: string | undefined;
}

/**
 * Lets git merge with the engine.
 *
 * @param command starts the merge driver; git fills in `%O %A %B %P`
 * @throws {AnabranchError} `NOT_A_REPOSITORY`, `GIT_FAILED`
 */
export async function setUpGit(place: GitSetupPlace, command: string): Promise<DriverChange> {
  return installMergeDriver(createGit(place.environment, systemClock), scopeOf(place), {
    name: NAME,
    about: "merges by syntax, and loses no edit",
    command,
    patterns: MERGED_ENDINGS.map((ending) => `*.${ending}`),
  });
}

/** Lets git merge by itself again. */
export async function undoGitSetup(place: GitSetupPlace): Promise<DriverChange> {
  return uninstallMergeDriver(createGit(place.environment, systemClock), scopeOf(place), NAME);
}

function scopeOf({ directory, environment }: GitSetupPlace): DriverScope {
  return directory === undefined ? { kind: "user", environment } : { kind: "repository", directory };
}
