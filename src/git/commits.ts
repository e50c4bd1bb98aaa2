import { openLooseWriter } from "./loose-objects.ts";

/** A commit to be made. */
interface CommitContent {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  /** Seconds since the epoch. */
  readonly atSeconds: number;
  /** `NAME <MAIL>`, where it is not Anabranch itself. */
  readonly author?: string | undefined;
}

/** Makes commits in one repository. */
export interface CommitWriter {
  write(commit: CommitContent): Promise<string>;
}

/** Who Anabranch's own commits are by. They live in the vault only. */
const COMMITTER = "Anabranch <anabranch@localhost>";

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

function formatCommit({ tree, parents, message, atSeconds, author }: CommitContent): string {
  const when = `${Math.floor(atSeconds)} +0000`;
  const lines = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${author ?? COMMITTER} ${when}`,
    `committer ${COMMITTER} ${when}`,
  ];
  return `${lines.join("\n")}\n\n${message}\n`;
}
