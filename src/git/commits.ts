import { openLooseWriter } from "./loose-objects.ts";

/** A commit to be made. */
export interface CommitContent {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  /** Seconds since the epoch. */
  readonly atSeconds: number;
}

/** Makes commits in one repository. */
export interface CommitWriter {
  write(commit: CommitContent): Promise<string>;
}

/** Who Anabranch's own commits are by. They live in the vault only. */
export const COMMITTER = "Anabranch <anabranch@localhost>";

/** A writer into one repository's own store. */
export function openCommitWriter(gitDirectory: string): CommitWriter {
  const writer = openLooseWriter(gitDirectory);
  return {
    async write(commit) {
      const { oid, written } = writer.stage("commit", Buffer.from(formatCommit(commit)));
      await written;
      return oid;
    },
  };
}

function formatCommit({ tree, parents, message, atSeconds }: CommitContent): string {
  const who = `${COMMITTER} ${Math.floor(atSeconds)} +0000`;
  const lines = [`tree ${tree}`, ...parents.map((parent) => `parent ${parent}`), `author ${who}`, `committer ${who}`];
  return `${lines.join("\n")}\n\n${message}\n`;
}
