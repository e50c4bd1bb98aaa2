import { printable } from "../../base/printable.ts";
import type { CommandResponse } from "../../protocol/commands.ts";
import type { CommandAction } from "../command.ts";
import { plural } from "../format.ts";
import { withSession } from "../session.ts";
import { answer } from "../terminal.ts";

type Accepted = CommandResponse<"accept">;

const MOST_LINES = 20;

/** `anabranch accept`: brings what a run has landed into the working tree and onto the branch, or takes it back. */
export const action: CommandAction<{ readonly undo?: boolean }> = (args, options) =>
  withSession(options, async ({ anabranch, terminal, directory, environment }) => {
    const undo = options.undo === true;
    const defined = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const request = { id: args[0] ?? "", directory, environment: Object.fromEntries(defined), undo };
    const done = await anabranch.ask("accept", request);
    answer(terminal, done, () => {
      if (terminal.plain) return [...done.written, ...done.removed].join("\n");
      return (done.status === "already" ? describeNothing(done, undo) : describe(done)).join("\n");
    });
    return 0;
  });

function describeNothing({ run, acceptance }: Accepted, undo: boolean): string[] {
  if (undo) return [`Nothing to take back: run ${run} is not in your working tree.`];
  if (acceptance === undefined) return [`Nothing to accept: your working tree has everything of run ${run} already.`];
  return [
    `Nothing to accept: run ${run} is in your working tree already.`,
    `  anabranch accept --undo ${run}   takes it back`,
  ];
}

function describe(done: Accepted): string[] {
  const undone = done.status === "undone";
  return [
    headline(done),
    ...done.commits.map(({ oid, subject }) => `  ${undone ? "gone " : ""}${oid.slice(0, 10)} ${printable(subject)}`),
    ...listed(done.written, undone ? "restored" : "wrote"),
    ...listed(done.removed, "removed"),
    ...(undone ? [] : standing(done)),
    ...(undone
      ? [`  anabranch accept ${done.run}   accepts it again`]
      : [`  anabranch accept --undo ${done.run}   takes all of it back`]),
  ];
}

function headline(done: Accepted): string {
  const files = plural(done.written.length + done.removed.length, "file");
  if (done.status === "undone") return `Took back run ${done.run}: ${files} as they were before.`;
  if (done.target === "tree") {
    return `Accepted run ${done.run}: ${files} of your working tree changed; nothing was staged or committed.`;
  }
  const where = done.branch === undefined ? "the detached HEAD" : printable(done.branch);
  return `Accepted run ${done.run}: ${plural(done.commits.length, "commit")} on ${where}, ${files} changed.`;
}

function standing({ unchanged, uncommitted, verification, notices }: Accepted): string[] {
  return [
    ...(unchanged.length === 0 ? [] : [`  ${plural(unchanged.length, "file")} had it already`]),
    ...uncommitted.slice(0, MOST_LINES).map(({ path, why }) => `  not committed: ${printable(path)} (${why})`),
    `  ${verification === "passed" ? "verified as a whole before it was written" : "unverified: no verify: in anabranch.yaml"}`,
    ...notices.map((notice) => `  note: ${printable(notice)}`),
  ];
}

function listed(paths: readonly string[], verb: string): string[] {
  const lines = paths.slice(0, MOST_LINES).map((path) => `  ${verb} ${printable(path)}`);
  return paths.length > MOST_LINES ? [...lines, `  … and ${paths.length - MOST_LINES} more`] : lines;
}
