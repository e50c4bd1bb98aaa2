import { textMatches } from "../engine/glob.ts";
import { pathInScope } from "../engine/scope.ts";
import { durationMs } from "./units.ts";

/** Refuses a trigger: what is wrong with it, as what follows its name, and how that is mended. */
export type Refuse = (why: string, hint: string) => never;

const LONGEST = "366d";

/** A duration of some length, but not of years. */
export function positiveMs(text: string, key: string, refuse: Refuse): number {
  const ms = durationMs(text);
  if (ms < 1) return refuse(`has ${key}: ${text}, which is no time at all`, `leave ${key} out, or say how long`);
  if (ms > durationMs(LONGEST))
    return refuse(`has ${key}: ${text}, which is longer than a year`, `say at most ${LONGEST}`);
  return ms;
}

/** One or several, as several. */
export function listOf<Item>(value: Item | readonly Item[] | undefined): readonly Item[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly Item[]) : [value as Item];
}

/** Refuses globs that mean more than is understood. */
export function checkGlobs(globs: readonly string[], key: string, refuse: Refuse): void {
  const odd = globs.find((glob) => /(?<!\\)[?*+@!]\(/.test(glob));
  if (odd !== undefined)
    refuse(`has ${key}: ${odd}, and patterns in parentheses are not understood`, "use *, **, ?, […] and {a,b}");
  const excluding = globs.find((glob) => glob.startsWith("!"));
  if (excluding !== undefined)
    refuse(`has ${key}: ${excluding}, and nothing can be excluded`, "name what is wanted instead");
}

/** Refuses globs of paths that name nothing in the repository, or all of it. */
export function checkPaths(globs: readonly string[], key: string, refuse: Refuse): void {
  checkGlobs(globs, key, refuse);
  const outside = globs.find((glob) => glob.startsWith("/") || glob.split("/").includes(".."));
  if (outside !== undefined)
    refuse(`has ${key}: ${outside}, which is not inside the repository`, "name paths from the repository's root");
  const own = globs.find((glob) => /^(\.\/)*\.git(\/|$)/.test(glob));
  if (own !== undefined)
    refuse(`has ${key}: ${own}, and git's own files are not watched`, `wait for a commit, branch or tag instead`);
  if (SOME_PATHS.every((path) => pathInScope(path, globs)))
    refuse(
      `has ${key}: ${globs.join(", ")}, which matches every file`,
      `name the folders or endings that matter, such as "src/**" or "**/*.ts"`,
    );
}

/** Names of all kinds, at the root and below: what matches all of them matches everything. */
const SOME_PATHS = Array.from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-é", (character) => [
  character === "." ? ".x" : character,
  `${character}1/${character}2`,
]).flat();

/** Whether any of some values could match. */
export function couldMatch(globs: readonly string[], values: readonly string[]): boolean {
  return values.some((value) => textMatches(value, globs));
}
