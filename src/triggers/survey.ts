import type { Git, GitPlace } from "../git/git.ts";
import { readPaths } from "./ignore-rules.ts";

const NO_CONTENT = ["--raw", "-z", "--no-renames", "--no-abbrev", "--ignore-submodules=all"];

/**
 * The files of a working tree that may not be as in a commit: what git's own notes about files do not vouch for. What
 * is ignored, and what lies in other repositories, is not among them.
 *
 * @param config keeps git from running filters that the repository names
 */
export async function surveyFiles(
  git: Git,
  place: GitPlace,
  commit: string | undefined,
  config: Readonly<Record<string, string>>,
): Promise<string[]> {
  const [touched, staged, untracked] = await Promise.all([
    readChanged(git, place, ["diff-files", ...NO_CONTENT], config),
    commit === undefined
      ? readPaths(git, place, ["ls-files", "--cached", "-z"])
      : readChanged(git, place, ["diff-index", "--cached", ...NO_CONTENT, commit], config),
    readPaths(git, place, ["ls-files", "--others", "--exclude-standard", "-z"]),
  ]);
  return [...touched, ...staged, ...untracked.filter((path) => !path.endsWith("/"))];
}

async function readChanged(
  git: Git,
  place: GitPlace,
  args: readonly string[],
  config: Readonly<Record<string, string>>,
): Promise<string[]> {
  const records = await readPaths(git, place, args, undefined, config);
  return records.filter((_record, index) => index % 2 === 1);
}
