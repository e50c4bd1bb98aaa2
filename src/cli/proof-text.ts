import { printable } from "../base/printable.ts";
import type { LandingView, RunView, TaskView } from "../protocol/views.ts";
import { formatWaivers } from "./commands/land.ts";
import { formatDuration, plural } from "./format.ts";
import type { Colours } from "./terminal.ts";

/** What a landing proved: its receipt, each command of its verification, and what was given up for it. */
export function formatProof(landing: LandingView, colour: Colours): string {
  const { id, receipt, after, target, verification, changesets } = landing;
  const what = `${plural(changesets.length, "changeset")} on ${target.kind} ${printable(target.name)}`;
  return [
    `${colour.bold(`landing ${id}`)}  ${what}, commit ${after.slice(0, 10)}`,
    `  receipt  ${receipt}`,
    ...verificationLines(verification),
    ...formatWaivers(
      changesets.flatMap(({ waivers }) => waivers),
      colour.yellow,
    ),
  ].join("\n");
}

function verificationLines({ status, commands }: LandingView["verification"]): string[] {
  if (status === "unverified") return ["  not verified: the target names no verify: commands"];
  return commands.map(({ command, outcome, durationMs, remembered, log }) => {
    const took = remembered ? "remembered, of the same tree" : formatDuration(durationMs);
    return `  ${outcome}  ${printable(command.split("\n")[0] ?? "")}  ${took}  ${log}`;
  });
}

/** Where a task's work has landed, and the conflicts there were about it; empty where there is nothing to say. */
export function formatTaskLanding(run: RunView, task: TaskView, colour: Colours): string {
  const landing = run.landings.find(({ id }) => id === task.landing);
  const conflicts = run.conflicts.filter((conflict) => conflict.task === task.name);
  const lines = conflicts.map(({ id, state, paths }) => {
    const names = paths.slice(0, 3).map(({ path }) => printable(path));
    const more = paths.length > 3 ? ` and ${paths.length - 3} more` : "";
    return `${colour.bold(`conflict ${id}`)}  ${state}: ${names.join(", ")}${more}   anabranch conflicts show ${id}`;
  });
  return [...(landing === undefined ? [] : [formatProof(landing, colour)]), ...lines].join("\n");
}
