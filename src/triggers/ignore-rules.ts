import { basename } from "node:path";

import { isAnabranchError } from "../base/errors.ts";
import type { Git, GitPlace } from "../git/git.ts";
import { decodePath, encodePath } from "../git/path-bytes.ts";

/** Git's own rules of what is ignored in a working tree, asked only for what is not known yet. */
export class IgnoreRules {
  readonly #git: Git;
  readonly #place: GitPlace;
  #folders = new Set<string>();

  constructor(git: Git, place: GitPlace) {
    this.#git = git;
    this.#place = place;
  }

  /** The folders that are ignored with all that is in them. */
  get folders(): readonly string[] {
    return [...this.#folders];
  }

  /** Reads the rules anew. */
  async refresh(): Promise<void> {
    const listing = ["ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"];
    const paths = await readPaths(this.#git, this.#place, listing);
    this.#folders = new Set(paths.filter((path) => path.endsWith("/")).map((path) => path.slice(0, -1)));
  }

  /** Whether files with these names change the rules. */
  static isRule(path: string): boolean {
    return basename(path) === ".gitignore";
  }

  /** Those of some paths, none of them in the last commit, that are ignored. */
  async ignored(paths: readonly string[]): Promise<Set<string>> {
    const inFolders = paths.filter((path) => foldersAbove(path).some((folder) => this.#folders.has(folder)));
    const ignored = new Set(inFolders);
    const open = paths.filter((path) => !ignored.has(path));
    if (open.length === 0) return ignored;
    const questions = new Set([...open, ...open.flatMap(foldersAbove).map((folder) => `${folder}/`)]);
    const answers = new Set(await this.#ask([...questions]));
    for (const answer of answers) if (answer.endsWith("/")) this.#folders.add(answer.slice(0, -1));
    for (const path of open) if (answers.has(path)) ignored.add(path);
    return ignored;
  }

  async #ask(questions: readonly string[]): Promise<string[]> {
    const ask = (...more: string[]): Promise<string[]> =>
      readPaths(this.#git, this.#place, ["check-ignore", "-z", "--stdin", ...more], questions);
    try {
      return await ask();
    } catch (cause) {
      // It refuses what lies in submodules, which only the index tells.
      if (!isAnabranchError(cause)) throw cause;
      return ask("--no-index");
    }
  }
}

/** Runs git and returns the paths it lists, whatever bytes they are. */
export async function readPaths(
  git: Git,
  place: GitPlace,
  args: readonly string[],
  input?: readonly string[],
  config?: Readonly<Record<string, string>>,
): Promise<string[]> {
  const text = input?.map((path) => `${encodePath(path)}\0`).join("");
  const { stdout } = await git.run(place, args, {
    input: text === undefined ? undefined : Buffer.from(text, "latin1"),
    allow: [1],
    ...(config === undefined ? {} : { config }),
  });
  const records = stdout.toString("latin1").split("\0");
  records.pop();
  return records.map(decodePath);
}

function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) folders.push(path.slice(0, at));
  return folders;
}
