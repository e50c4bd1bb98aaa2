import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { AnabranchError } from "../base/errors.ts";
import type { Git } from "./git.ts";

/** The user's repository, as one worktree of it shows it. All paths are absolute. */
export interface Repository {
  /** The top of the worktree. */
  readonly root: string;
  /** Where in it the caller stands: `""` or `sub/folder`. */
  readonly subdirectory: string;
  /** This worktree's own git directory. */
  readonly gitDirectory: string;
  /** The git directory all its worktrees share. */
  readonly commonDirectory: string;
  readonly objectsDirectory: string;
  readonly objectFormat: "sha1" | "sha256";
  readonly shallow: boolean;
}

/** One ref and what it stands at. */
export interface Ref {
  readonly name: string;
  readonly oid: string;
  /** For an annotated tag, what it is a tag of. */
  readonly peeledOid?: string | undefined;
}

/** Where the user's worktree stands. */
export interface RepositoryHead {
  /** `undefined` on a branch that has no commit yet. */
  readonly commit: string | undefined;
  /** `undefined` when HEAD is detached. */
  readonly branch: string | undefined;
  /** Every ref but HEAD. */
  readonly refs: readonly Ref[];
}

/**
 * Finds the repository around a folder.
 *
 * @throws {AnabranchError} `NOT_A_REPOSITORY`, `BARE_REPOSITORY`, `REPOSITORY_UNSUPPORTED`.
 */
export async function findRepository(git: Git, directory: string): Promise<Repository> {
  if (!existsSync(directory)) throw notARepository(directory, "there is no such folder");
  const answer = await git.run(
    { cwd: directory },
    [
      "rev-parse",
      "--path-format=absolute",
      "--is-bare-repository",
      "--is-inside-work-tree",
      "--is-shallow-repository",
      "--show-object-format",
      "--git-dir",
      "--git-common-dir",
      "--git-path",
      "objects",
      "--show-prefix",
      "--show-toplevel",
    ],
    { allow: [128] },
  );
  const lines = answer.stdout.toString("utf8").split("\n");
  const [bare, inside, shallow, format, gitDirectory, commonDirectory, objectsDirectory, prefix, root] = lines;
  if (bare === "true" && inside !== "true") {
    throw new AnabranchError("BARE_REPOSITORY", {
      message: `${directory} is a bare repository: it has no files to work on`,
      hint: "run this in a clone of it, or add a worktree: git worktree add ../work",
    });
  }
  if (answer.status !== 0 || root === undefined || root === "") throw notARepository(directory, answer.stderr);
  if (lines.length !== 10) throw unsupported(directory, "its path holds a line break");
  if (format !== "sha1" && format !== "sha256") throw unsupported(directory, `its object format is ${format}`);
  return {
    root,
    subdirectory: (prefix ?? "").replace(/\/$/, ""),
    gitDirectory: gitDirectory ?? "",
    commonDirectory: commonDirectory ?? "",
    objectsDirectory: objectsDirectory ?? "",
    objectFormat: format,
    shallow: shallow === "true",
  };
}

function notARepository(directory: string, words: string): AnabranchError {
  const said = words.replace(/^fatal: /, "").trim();
  const owner = said.includes("dubious ownership");
  return new AnabranchError("NOT_A_REPOSITORY", {
    message: `${directory} is not inside a git repository${said === "" ? "" : ` (${said.split("\n")[0]})`}`,
    hint: owner ? `git config --global --add safe.directory ${directory}` : "git init && git commit, or cd into one",
    data: { directory },
  });
}

function unsupported(directory: string, why: string): AnabranchError {
  return new AnabranchError("REPOSITORY_UNSUPPORTED", {
    message: `the repository at ${directory} cannot be used: ${why}`,
    hint: "move or convert it",
  });
}

/** Reads HEAD and all refs of the user's worktree, in one process. */
export async function readHead(git: Git, repository: Repository): Promise<RepositoryHead> {
  const listing = await git.run({ gitDirectory: repository.gitDirectory }, ["show-ref", "--head", "--dereference"], {
    allow: [1],
  });
  const peeled = new Map<string, string>();
  const found: { name: string; oid: string }[] = [];
  let commit: string | undefined;
  for (const line of listing.stdout.toString("utf8").split("\n")) {
    const at = line.indexOf(" ");
    if (at < 0) continue;
    const [oid, name] = [line.slice(0, at), line.slice(at + 1)];
    if (name === "HEAD") commit = oid;
    else if (name.endsWith("^{}")) peeled.set(name.slice(0, -3), oid);
    else found.push({ name, oid });
  }
  const refs = found.map((ref) => ({ ...ref, peeledOid: peeled.get(ref.name) }));
  const head = readFileSync(join(repository.gitDirectory, "HEAD"), "utf8").trim();
  return { commit, branch: /^ref: refs\/heads\/(.+)$/.exec(head)?.[1], refs };
}

/** What the user has begun and not ended in this worktree (`a merge`, `a rebase`, …), if anything. */
export function operationInProgress(repository: Repository): string | undefined {
  const signs: [string, string][] = [
    ["MERGE_HEAD", "a merge"],
    ["rebase-merge", "a rebase"],
    ["rebase-apply", "a rebase or am"],
    ["CHERRY_PICK_HEAD", "a cherry-pick"],
    ["REVERT_HEAD", "a revert"],
  ];
  return signs.find(([file]) => existsSync(join(repository.gitDirectory, file)))?.[1];
}

/** A repository's own configuration entries, without the user's and the system's. */
export async function readLocalConfig(git: Git, repository: Repository): Promise<[key: string, value: string][]> {
  const all = await readScopedConfig(git, repository);
  return all.flatMap(({ scope, key, value }) => (scope === "local" || scope === "worktree" ? [[key, value]] : []));
}

/** Every configuration entry that holds in a repository; of several with one key, the last one. */
export async function readEveryConfig(git: Git, repository: Repository): Promise<ReadonlyMap<string, string>> {
  const all = await readScopedConfig(git, repository);
  // What this program itself adds to every call is no wish of the user's.
  return new Map(all.flatMap(({ scope, key, value }) => (scope === "command" ? [] : [[key, value] as const])));
}

interface ConfigEntry {
  readonly scope: string;
  readonly key: string;
  readonly value: string;
}

async function readScopedConfig(git: Git, repository: Repository): Promise<ConfigEntry[]> {
  const fields = await git.records({ gitDirectory: repository.gitDirectory }, [
    "config",
    "--list",
    "-z",
    "--show-scope",
  ]);
  const entries: ConfigEntry[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const scope = fields[index] ?? "";
    const entry = fields[index + 1] ?? "";
    const at = entry.indexOf("\n");
    entries.push(
      at < 0 ? { scope, key: entry, value: "true" } : { scope, key: entry.slice(0, at), value: entry.slice(at + 1) },
    );
  }
  return entries;
}

/** The text of a git configuration file with these entries, in order. */
export function formatConfig(entries: readonly (readonly [key: string, value: string])[]): string {
  let text = "";
  let lastSection = "";
  for (const [key, value] of entries) {
    const [first, last] = [key.indexOf("."), key.lastIndexOf(".")];
    const subsection = first === last ? "" : ` "${escapeConfig(key.slice(first + 1, last))}"`;
    const section = `[${key.slice(0, first)}${subsection}]\n`;
    if (section !== lastSection) text += section;
    lastSection = section;
    text += `\t${key.slice(last + 1)} = "${escapeConfig(value).replaceAll("\n", "\\n").replaceAll("\t", "\\t")}"\n`;
  }
  return text;
}

function escapeConfig(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
}

/**
 * Finds the commit that a user's word (a branch, a tag, `HEAD~2`, an id) stands for.
 * @throws {AnabranchError} `UNKNOWN_BASE`
 */
export async function resolveCommit(git: Git, repository: Repository, word: string): Promise<string> {
  const answer = await git.run(
    { gitDirectory: repository.gitDirectory },
    // No argument of a program can hold a null byte, and no name does.
    ["rev-parse", "--verify", "--quiet", "--end-of-options", `${word.replaceAll("\0", " ")}^{commit}`],
    { allow: [1, 128] },
  );
  const oid = answer.stdout.toString("utf8").trim();
  if (answer.status === 0 && /^[0-9a-f]{40,64}$/.test(oid)) return oid;
  throw new AnabranchError("UNKNOWN_BASE", {
    message: `${JSON.stringify(word)} names no commit of ${repository.root}`,
    hint: "name a branch, a tag or a commit: git log --oneline --all",
    data: { base: word },
  });
}
