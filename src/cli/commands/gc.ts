import { systemClock } from "../../base/clock.ts";
import { printable } from "../../base/printable.ts";
import type { CommandResponse } from "../../protocol/commands.ts";
import { formatAge, formatSize, formatTable, plural } from "../format.ts";
import type { CommandAction } from "../command.ts";
import { durationOption, withSession } from "../session.ts";
import { answer, type Terminal } from "../terminal.ts";

/** `anabranch gc`: shows what is no longer needed; removes it with `--yes`. */
export const action: CommandAction<{ readonly yes?: boolean; readonly olderThan?: string }> = (_args, options) =>
  withSession(options, async ({ anabranch, terminal }) => {
    const found = await anabranch.ask("gc", {
      ...(options.olderThan === undefined ? {} : { olderThanMs: durationOption(options.olderThan, "--older-than") }),
      ...(options.yes === true ? { confirm: true } : {}),
    });
    answer(terminal, found, () => formatFound(found, terminal));
    return 0;
  });

function formatFound(found: CommandResponse<"gc">, { colour }: Terminal): string {
  const nowMs = systemClock.wallMs();
  const runs = found.runs
    .slice(0, 20)
    .map((run) => [run.id, printable(run.name ?? "-"), formatAge(nowMs - run.endedMs)]);
  const lines = [
    `${plural(found.runs.length, "run")} with snapshots and logs, ${plural(found.workspaces.length, "idle workspace")}, ${plural(found.pins, "pin")}, ${plural(found.events, "old event")}: ${formatSize(found.bytes)}`,
    ...(runs.length > 0 ? [formatTable(runs, "  ")] : []),
    ...found.workspaces.map((workspace) => `  ${workspace.path}`),
    ...found.retained.map(
      (one) =>
        `${colour.yellow("kept:")} ${one.path} holds work of ${one.holder} that could not be made safe (why: anabranch show ${one.holder.split("/").slice(0, 2).join("/")}); mend it, then: anabranch daemon restart`,
    ),
  ];
  if (found.removed) lines.push("All of this was removed.");
  else if (found.runs.length + found.workspaces.length + found.pins + found.events > 0)
    lines.push("Nothing was removed yet: anabranch gc --yes");
  return lines.join("\n");
}
