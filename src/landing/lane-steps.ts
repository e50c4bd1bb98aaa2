import type { Change } from "../git/changes.ts";
import type { Git } from "../git/git.ts";
import type { Vault } from "../workspaces/vault.ts";

/** One commit of a lane: one changeset that has landed there. */
export interface LaneStep {
  readonly commit: string;
  readonly parent: string;
  /** `NAME <MAIL>` */
  readonly author: string;
  readonly authoredSeconds: number;
  readonly message: string;
  readonly changes: readonly Change[];
}

/** The commits that lead from one commit of a lane to another, in order. */
export async function readLaneSteps(git: Git, vault: Vault, from: string, tip: string): Promise<LaneStep[]> {
  const format = "--format=%H%n%an <%ae>%n%at%n%B";
  const args = ["log", "-z", "--first-parent", "--reverse", "--encoding=UTF-8", format, `${from}..${tip}`];
  const text = await git.text(vault.place, args);
  const steps: LaneStep[] = [];
  for (const record of text.split("\0")) {
    const [commit = "", author = "", seconds, ...message] = record.split("\n");
    if (commit === "") continue;
    const parent = steps.at(-1)?.commit ?? from;
    const changes = await vault.objects.compare(parent, commit);
    const authoredSeconds = Number(seconds);
    steps.push({ commit, parent, author, authoredSeconds, message: message.join("\n").trimEnd(), changes });
  }
  return steps;
}
