import { printable } from "../../base/printable.ts";
import type { CommandResponse } from "../../protocol/commands.ts";
import { plural } from "../format.ts";
import type { CommandAction } from "../command.ts";
import { withSession } from "../session.ts";
import { answer, type Terminal } from "../terminal.ts";

/** `anabranch land`: lands a conflict that was fixed, or a task's work that has not landed. */
export const action: CommandAction<object> = (args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    const [id = ""] = args;
    if (!terminal.quiet && !terminal.json) terminal.err(terminal.errorColour.dim("merging and verifying …\n"));
    const landed = await anabranch.land(id, directory);
    answer(terminal, landed, () => formatLanded(landed, terminal));
    return 0;
  });

/** What landed where, and what was given up for it. */
export function formatLanded(landed: CommandResponse<"land">, { colour, plain }: Terminal): string {
  const { run, task, landing, already, kept } = landed;
  const { target, after, verification } = landing;
  if (plain) return [landing.id, `${run}/${task}`, target.name, after].join("\t");
  const waivers = landing.changesets.flatMap((changeset) => (changeset.task === task ? changeset.waivers : []));
  const verified = verification.status === "passed" ? "verified" : "not verified: no verify: commands";
  const lines = [
    `${colour.green(already ? "had landed already:" : "landed:")} ${run}/${printable(task)} on ${target.kind} ${printable(target.name)}, ${verified}`,
    `  landing ${landing.id}, commit ${after.slice(0, 12)}`,
    ...formatWaivers(waivers, colour.yellow),
    ...landing.notices.map((notice) => `  ${colour.yellow("note:")} ${printable(notice)}`),
    ...(kept === undefined ? [] : [`  what was in its workspace: anabranch git -- show ${kept}`]),
    `  anabranch show ${run}`,
  ];
  return lines.join("\n");
}

const MOST_WAIVERS = 20;

/** The edits that are not in a result, and who said so. */
export function formatWaivers(
  waivers: CommandResponse<"land">["landing"]["changesets"][number]["waivers"],
  paint: (text: string) => string,
): string[] {
  const shown = waivers.slice(0, MOST_WAIVERS).map(({ path, what, by }) => {
    return `  ${paint("given up:")} ${printable(path)}: ${printable(what)} (${printable(by)})`;
  });
  const left = waivers.length - shown.length;
  return left > 0 ? [...shown, `  … and ${plural(left, "more waiver")}`] : shown;
}
