import { systemClock } from "../../base/clock.ts";
import { printable } from "../../base/printable.ts";
import type { NoticeView, RunSummary } from "../../protocol/views.ts";
import { formatAge, formatDuration, formatTable } from "../format.ts";
import type { CommandAction } from "../command.ts";
import { subjectOf } from "../notice-text.ts";
import { wholeNumber, withSession } from "../session.ts";
import { colourState, markOf, wordFor } from "../state-text.ts";
import { answer, type Terminal } from "../terminal.ts";

/** `anabranch ls`: lists the newest runs. */
export const action: CommandAction<{ readonly all?: boolean; readonly limit: string }> = (_args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    const limit = wholeNumber(options.limit, "--limit");
    const where = options.all === true ? {} : { directory };
    // One after the other: where the first is refused, the client lets go of the daemon.
    const runs = await anabranch.ask("list", { limit, ...where });
    const waiting = await anabranch.ask("needs-you", where);
    answer(terminal, runs, () =>
      [...formatNeedsYou(waiting, terminal), formatRuns(runs, terminal, options.all === true)].join("\n"),
    );
    return 0;
  });

function formatNeedsYou(waiting: readonly NoticeView[], { colour, plain }: Terminal): string[] {
  if (plain || waiting.length === 0) return [];
  const rows = waiting.map((notice) => [notice.id, subjectOf(notice), printable(notice.title)]);
  return [`${colour.yellow("needs you")}\n${formatTable(rows, "  ")}\n  anabranch approve ID, or anabranch deny ID`];
}

function formatRuns(runs: readonly RunSummary[], { colour, plain }: Terminal, all: boolean): string {
  if (plain)
    return runs
      .map((run) => [run.id, run.state, run.outcome ?? "-", run.name ?? "-", run.repository].map(printable).join("\t"))
      .join("\n");
  if (runs.length === 0) return "No runs here yet. Start one: anabranch run -t tests='npm test'";
  const nowMs = systemClock.wallMs();
  const rows = runs.map((run) => [
    markOf(wordFor(run), colour),
    run.id,
    colourState(wordFor(run), colour),
    printable(run.name ?? "-"),
    taskCounts(run),
    formatDuration((run.endedMs ?? nowMs) - run.createdMs),
    formatAge(nowMs - run.createdMs),
    ...(all ? [printable(run.repository)] : []),
  ]);
  const active = rows.filter((_row, index) => runs[index]?.state === "active");
  const ended = rows.filter((_row, index) => runs[index]?.state === "ended");
  const groups = [
    ...(active.length > 0 ? [`${colour.dim("running")}\n${formatTable(active, "  ")}`] : []),
    ...(ended.length > 0 ? [`${colour.dim("finished")}\n${formatTable(ended, "  ")}`] : []),
  ];
  return groups.join("\n");
}

function taskCounts(run: RunSummary): string {
  const counts = new Map<string, number>();
  for (const { state, outcome, count } of run.tasks) {
    const word = outcome ?? state;
    counts.set(word, (counts.get(word) ?? 0) + count);
  }
  return [...counts].map(([word, count]) => `${count} ${word}`).join(", ");
}
