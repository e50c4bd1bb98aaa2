import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import type { Git, GitPlace } from "../git/git.ts";
import { ignorePattern } from "./workspace.ts";

/** The untracked files that the base's ignore rules and the present ones judge differently. */
export interface RuleDifference {
  /** The present rules hide them: by the base's they are work. */
  readonly hidden: readonly string[];
  /** The present rules reveal them: by the base's they are ignored. */
  readonly revealed: readonly string[];
}

/**
 * Corrects a staged index whose `.gitignore` files differ from the base's: by the base's rules a file that new rules
 * hide is added, and one that new rules reveal is taken out. So nobody hides work, or reveals what was to stay
 * unknown, by editing the rules.
 *
 * @returns what had to be corrected
 */
export async function restoreBaseRules(
  git: Git,
  place: GitPlace,
  scratch: string,
  request: { readonly base: string; readonly kept: readonly string[] },
): Promise<RuleDifference> {
  const rules = await checkOutRules(git, place, scratch, request.base);
  const untracked = await git.records(place, [
    "ls-files",
    "--others",
    "-z",
    ...request.kept.flatMap((name) => ["-x", ignorePattern(name)]),
  ]);
  // A nested repository shows as its folder, with a slash at the end.
  const hidden = await keptByRules(
    git,
    rules,
    untracked.filter((path) => !path.endsWith("/")),
  );
  const added = await git.records(place, [
    "diff-index",
    "--cached",
    "--name-only",
    "--diff-filter=A",
    "-z",
    request.base,
  ]);
  const welcome = new Set(await keptByRules(git, rules, added));
  const revealed = added.filter((path) => !welcome.has(path));
  const nul = (paths: readonly string[]): string => paths.map((path) => `${path}\0`).join("");
  if (hidden.length > 0) await git.run(place, ["update-index", "--add", "-z", "--stdin"], { input: nul(hidden) });
  if (revealed.length > 0) {
    await git.run(place, ["update-index", "--force-remove", "-z", "--stdin"], { input: nul(revealed) });
  }
  return { hidden, revealed };
}

/** A folder with nothing but the base's `.gitignore` files in it. */
async function checkOutRules(git: Git, place: GitPlace, scratch: string, base: string): Promise<GitPlace> {
  const workTree = join(scratch, "rules");
  await mkdir(workTree);
  const rules = { ...place, workTree, indexFile: join(scratch, "rules-index") };
  await git.run(rules, ["read-tree", base]);
  const files = await git.records(rules, ["ls-files", "-z", "--", ".gitignore", "**/.gitignore"]);
  await git.run(rules, ["checkout-index", "-f", "-z", "--stdin"], { input: files.map((path) => `${path}\0`).join("") });
  return rules;
}

/** Those of the paths that the rules do not ignore. */
async function keptByRules(git: Git, rules: GitPlace, paths: readonly string[]): Promise<string[]> {
  if (paths.length === 0) return [];
  const { stdout } = await git.run(rules, ["check-ignore", "--no-index", "-z", "--stdin"], {
    input: paths.map((path) => `${path}\0`).join(""),
    allow: [1],
  });
  const ignored = new Set(stdout.toString("utf8").split("\0"));
  return paths.filter((path) => !ignored.has(path));
}
