import { systemClock } from "../../base/clock.ts";
import { printable } from "../../base/printable.ts";
import type { CommandResponse } from "../../protocol/commands.ts";
import type { NoticeView } from "../../protocol/views.ts";
import { formatAge, formatDuration, formatTable, plural } from "../format.ts";
import type { CommandAction } from "../command.ts";
import { subjectOf } from "../notice-text.ts";
import { wholeNumber, withSession } from "../session.ts";
import { colourState, markOf, wordFor } from "../state-text.ts";
import { answer, type Terminal } from "../terminal.ts";

type Overview = CommandResponse<"overview">;
type ListedRun = Overview["runs"][number];

/** `anabranch ls`: lists what needs a person, what goes on and why it waits, and what has ended last. */
export const action: CommandAction<{ readonly all?: boolean; readonly limit: string }> = (_args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    const limit = wholeNumber(options.limit, "--limit");
    const overview = await anabranch.ask("overview", { limit, ...(options.all === true ? {} : { directory }) });
    answer(terminal, overview.runs, () =>
      terminal.plain ? overview.runs.map(plainLine).join("\n") : format(overview, terminal, options.all === true),
    );
    return 0;
  });

function plainLine({ id, state, outcome, name, repository }: ListedRun): string {
  return [id, state, outcome ?? "-", name ?? "-", repository].map(printable).join("\t");
}

function format(overview: Overview, { colour }: Terminal, all: boolean): string {
  const { runs, notices, unread, held, runningLeft } = overview;
  const groups = (["needs-you", "running", "finished"] as const).map((group) => {
    const own = runs.filter((run) => run.group === group);
    const rows = formatRuns(own, colour, all);
    if (group === "needs-you") return needsYou(notices, rows, colour);
    const more = group === "running" && runningLeft > 0 ? [`  … and ${runningLeft.toLocaleString("en")} more`] : [];
    return rows.length === 0 ? [] : [colour.dim(group), ...rows, ...more];
  });
  const lines = [
    ...(held === undefined ? [] : [colour.yellow(`nothing new starts: ${printable(held)}`)]),
    ...groups.flat(),
    ...(unread === 0 ? [] : [`${unread.toLocaleString("en")} unread: anabranch inbox`]),
  ];
  if (runs.length === 0) lines.push("No runs here yet. Start one: anabranch run -t tests='npm test'");
  return lines.join("\n");
}

function needsYou(notices: readonly NoticeView[], rows: readonly string[], colour: Terminal["colour"]): string[] {
  if (notices.length === 0) return [];
  const asked = notices.map((notice) => [notice.id, subjectOf(notice), printable(notice.title)]);
  return [
    colour.yellow("needs you"),
    formatTable(asked, "  "),
    "  anabranch approve ID, or anabranch deny ID",
    ...rows,
  ];
}

/** A line for each run, with what its tasks wait for below it. */
function formatRuns(runs: readonly ListedRun[], colour: Terminal["colour"], all: boolean): string[] {
  const nowMs = systemClock.wallMs();
  const table = runs.map((run) => [
    markOf(wordFor(run), colour),
    run.id,
    colourState(wordFor(run), colour),
    printable(run.name ?? "-"),
    taskCounts(run),
    formatDuration((run.endedMs ?? nowMs) - run.createdMs),
    formatAge(nowMs - run.createdMs),
    ...(all ? [printable(run.repository)] : []),
  ]);
  const lines = formatTable(table, "  ").split("\n");
  return runs.flatMap(({ waits, waitsLeft }, index) => [
    lines[index] ?? "",
    ...waits.map(({ task, reason }) => colour.dim(`      ${printable(`${task}: ${reason}`)}`)),
    ...(waitsLeft === 0 ? [] : [colour.dim(`      … and ${plural(waitsLeft, "more task")} waiting`)]),
  ]);
}

function taskCounts(run: ListedRun): string {
  const counts = new Map<string, number>();
  for (const { state, outcome, count } of run.tasks) {
    const word = outcome ?? state;
    counts.set(word, (counts.get(word) ?? 0) + count);
  }
  return [...counts].map(([word, count]) => `${count} ${word}`).join(", ");
}
