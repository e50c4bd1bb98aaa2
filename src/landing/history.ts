import type { Git } from "../git/git.ts";
import type { Vault } from "../workspaces/vault.ts";
import { taskOf } from "./landed-commit.ts";

/** A commit that changed a path. */
export interface PathHistory {
  readonly commit: string;
  readonly subject: string;
  readonly author: string;
  /** `RUN/TASK/NUMBER`, where it is the work of a task. */
  readonly attempt: string | undefined;
}

const MOST_COMMITS = 200;
const MOST_FOR_PATH = 10;

/** What happened between two commits, newest first, by the paths that were changed. */
export async function landedByPath(
  git: Git,
  vault: Vault,
  from: string,
  to: string,
): Promise<ReadonlyMap<string, readonly PathHistory[]>> {
  const args = ["log", "-z", "--first-parent", `--max-count=${MOST_COMMITS}`, "--format=%H%n%P%n%an%n%B"];
  const byPath = new Map<string, PathHistory[]>();
  for (const record of await git.records(vault.place, [...args, `${from}..${to}`, "--"])) {
    const [commit = "", parents = "", author = "", ...message] = record.split("\n");
    const parent = parents.split(" ")[0] || from;
    const entry = { commit, subject: message[0] ?? "", author, attempt: taskOf(message.join("\n")) };
    for (const { path } of await vault.objects.compare(parent, commit)) {
      const known = byPath.get(path) ?? [];
      if (known.length < MOST_FOR_PATH) known.push(entry);
      byPath.set(path, known);
    }
  }
  return byPath;
}
