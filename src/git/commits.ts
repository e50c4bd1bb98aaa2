import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Git } from "./git.ts";

/** A commit to be made. */
interface CommitContent {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  /** Seconds since the epoch. */
  readonly atSeconds: number;
}

/** Makes commits in one repository. */
export interface CommitWriter {
  write(commit: CommitContent): Promise<string>;
  close(): Promise<void>;
}

/** Who Anabranch's own commits are by. They live in the vault only. */
const COMMITTER = "Anabranch <anabranch@localhost>";

/** A writer that keeps one git alive and hands it each commit as a small file. */
export function openCommitWriter(git: Git, gitDirectory: string): CommitWriter {
  const conversation = git.converse({ gitDirectory }, ["hash-object", "-t", "commit", "-w", "--stdin-paths"]);
  let written = 0;
  return {
    async write(commit) {
      written += 1;
      const name = `commit-${process.pid}-${written}.tmp`;
      const path = join(gitDirectory, name);
      await writeFile(path, formatCommit(commit));
      try {
        // A name relative to the git directory, which is where this git works: no line break can be in it.
        const [oid = ""] = await conversation.ask(`${name}\n`, 1);
        return oid;
      } finally {
        await rm(path, { force: true });
      }
    },
    close: () => conversation.close(),
  };
}

function formatCommit({ tree, parents, message, atSeconds }: CommitContent): string {
  const who = `${COMMITTER} ${Math.floor(atSeconds)} +0000`;
  const lines = [`tree ${tree}`, ...parents.map((parent) => `parent ${parent}`), `author ${who}`, `committer ${who}`];
  return `${lines.join("\n")}\n\n${message}\n`;
}
