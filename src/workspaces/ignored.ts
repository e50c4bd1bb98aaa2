import { lstat, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { systemCodeOf } from "../base/errors.ts";
import type { Git } from "../git/git.ts";
import type { RuleDifference } from "./base-rules.ts";
import { keepIndex } from "./nested.ts";
import { isKept } from "./untracked.ts";
import { stampOf, type Workspace } from "./workspace.ts";

/** The most that is kept of ignored files. */
const CAP_BYTES = 32 * 1024 * 1024;
const CAP_FILES = 2000;

/** The ignored files and folders of a workspace that nobody but its last holder can have made. */
export interface IgnoredWork {
  readonly files: readonly string[];
  /** Those that are repositories of their own. */
  readonly repositories: readonly string[];
  /** Those that were too large, or too many. */
  readonly leftOut: readonly string[];
}

/**
 * Finds the ignored files that are not older than the lease and fit under the caps.
 *
 * @param rules what they hide is in the snapshot; what they reveal is not
 * @param kept names or paths of what is ours
 */
export async function findIgnoredWork(
  git: Git,
  { place, tree, slot }: Workspace,
  rules: RuleDifference,
  kept: readonly string[],
): Promise<IgnoredWork> {
  const listing = ["ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"];
  const entries = [...(await git.records(place, listing)), ...rules.revealed].filter((path) => !isKept(path, kept));
  if (entries.length === 0) return { files: [], repositories: [], leftOut: [] };
  const stamp = await lstat(stampOf(slot)).catch(absent);
  return new Chooser(tree, stamp?.mtimeMs ?? 0, kept, new Set(rules.hidden)).choose(entries);
}

/** Keeps ignored files as a commit under a ref of the vault. */
export async function keepIgnored(
  git: Git,
  { place, slot, vault }: Workspace,
  files: readonly string[],
  ref: string,
  atSeconds: number,
): Promise<void> {
  if (files.length === 0) return;
  const scratch = await mkdtemp(join(slot, "ignored-"));
  try {
    const staged = { ...place, indexFile: join(scratch, "index") };
    const input = files.map((path) => `${path}\0`).join("");
    await git.run(staged, ["update-index", "--add", "-z", "--stdin"], { input });
    await keepIndex(git, vault, staged, ref, "Ignored files that were new", atSeconds);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function absent(cause: unknown): undefined {
  if (systemCodeOf(cause) === "ENOENT") return undefined;
  throw cause;
}

/** Walks files and folders, without following links, and chooses what is new and fits under the caps. */
class Chooser {
  readonly #tree: string;
  readonly #sinceMs: number;
  readonly #kept: readonly string[];
  readonly #captured: ReadonlySet<string>;
  #leftBytes = CAP_BYTES;
  #leftFiles = CAP_FILES;

  constructor(tree: string, sinceMs: number, kept: readonly string[], captured: ReadonlySet<string>) {
    this.#captured = captured;
    this.#tree = tree;
    this.#sinceMs = sinceMs;
    this.#kept = kept;
  }

  async choose(entries: readonly string[]): Promise<IgnoredWork> {
    const files: string[] = [];
    const repositories: string[] = [];
    const leftOut: string[] = [];
    const queue = entries.map((path) => path.replace(/\/$/, ""));
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      const stat = await lstat(join(this.#tree, path)).catch(absent);
      if (stat === undefined || this.#captured.has(path) || isKept(path, this.#kept)) continue;
      if (stat.isDirectory()) {
        const names = await readdir(join(this.#tree, path));
        if (!names.includes(".git")) for (const name of names) queue.push(join(path, name));
        else if (await this.#fits(path)) repositories.push(path);
        else leftOut.push(path);
      } else if (this.#isWork(stat) && (stat.isFile() || stat.isSymbolicLink())) {
        if (this.#take(1, stat.size)) files.push(path);
        else leftOut.push(path);
      }
    }
    return { files, repositories, leftOut };
  }

  // The clock of files stands still for some milliseconds: in doubt it is somebody's work.
  #isWork({ ctimeMs }: { readonly ctimeMs: number }): boolean {
    return ctimeMs >= this.#sinceMs;
  }

  /** Whether a whole folder fits under what is left of the caps; then it is counted. */
  async #fits(folder: string): Promise<boolean> {
    let [files, sizeBytes] = [0, 0];
    const queue = [folder];
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      const stat = await lstat(join(this.#tree, path)).catch(absent);
      if (stat?.isDirectory() === true) {
        const names = await readdir(join(this.#tree, path));
        for (const name of names) queue.push(join(path, name));
      } else [files, sizeBytes] = [files + 1, sizeBytes + (stat?.size ?? 0)];
      if (files > this.#leftFiles || sizeBytes > this.#leftBytes) return false;
    }
    return this.#take(files, sizeBytes);
  }

  #take(files: number, sizeBytes: number): boolean {
    if (files > this.#leftFiles || sizeBytes > this.#leftBytes) return false;
    this.#leftFiles -= files;
    this.#leftBytes -= sizeBytes;
    return true;
  }
}
