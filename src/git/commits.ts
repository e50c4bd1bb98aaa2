import type { ObjectStore } from "./objects.ts";

/** A commit to be made. */
interface CommitContent {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  /** Seconds since the epoch. */
  readonly atSeconds: number;
  /** `NAME <MAIL>`, where it is not Anabranch itself. */
  readonly author?: string | undefined;
  /** When it was written, in seconds, where that was earlier. */
  readonly authoredSeconds?: number | undefined;
  /** `NAME <MAIL>`, where it is not Anabranch itself. */
  readonly committer?: string | undefined;
}

/** Makes commits in one repository. */
export interface CommitWriter {
  /** Makes a commit; it and all that was staged before is on the disk then. */
  write(commit: CommitContent): Promise<string>;
  /** Makes a commit that is on the disk after the next flush of the objects: for many in a row. */
  stage(commit: CommitContent): string;
}

/** Who Anabranch's own commits are by. They live in the vault only. */
const COMMITTER = "Anabranch <anabranch@localhost>";

/** A writer of commits into a repository's own store. */
export function openCommitWriter(objects: ObjectStore): CommitWriter {
  const stage = (commit: CommitContent): string => objects.stageCommit(Buffer.from(formatCommit(commit)));
  return {
    stage,
    async write(commit) {
      const oid = stage(commit);
      await objects.flush();
      return oid;
    },
  };
}

function formatCommit({ tree, parents, message, atSeconds, ...who }: CommitContent): string {
  const when = (seconds: number): string => `${Math.floor(seconds)} +0000`;
  const lines = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${who.author ?? COMMITTER} ${when(who.authoredSeconds ?? atSeconds)}`,
    `committer ${who.committer ?? COMMITTER} ${when(atSeconds)}`,
  ];
  return `${lines.join("\n")}\n\n${message}\n`;
}
