import { systemClock } from "../base/clock.ts";
import { printable } from "../base/printable.ts";
import type { RunView, TaskView } from "../protocol/views.ts";
import type { AttemptView } from "../protocol/views/attempt.ts";
import { fit, formatDuration, formatTable, plural } from "./format.ts";
import { formatLandings } from "./landing-report.ts";
import type { ReportStyle } from "./report-style.ts";
import { formatUsage } from "./usage-text.ts";
import { colourState, explainTask, markOf, wordFor } from "./state-text.ts";

/** What a run came to, on one page: outcomes, times, changes, outputs, and what comes next. */
export function formatReport(run: RunView, style: ReportStyle): string {
  const sections = [
    headline(run, style),
    formatTasks(run, style),
    formatTimeline(run, style),
    formatLandings(run, style),
    outputs(run, style),
    problems(run, style),
    whatNext(run, style),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function headline(run: RunView, { colour }: ReportStyle): string {
  const word = wordFor(run);
  const { wallMs, sequentialMs } = run.times;
  const sequence = run.taskList.length > 1 ? `; one after another its tasks took ${formatDuration(sequentialMs)}` : "";
  const expected =
    run.state === "ended" && run.plan.measuredTasks > 0
      ? `\n${colour.dim(`${run.plan.mode}: ${printable(run.plan.reason)}; it took ${formatDuration(wallMs)}`)}`
      : `\n${colour.dim(`${run.plan.mode}: ${printable(run.plan.reason)}`)}`;
  const used = run.usage === undefined ? "" : `\n${colour.dim(`used with all it started: ${formatUsage(run.usage)}`)}`;
  const name = run.name === undefined ? "" : ` (${printable(run.name)})`;
  return `${colour.bold(`run ${run.id}`)}${name} ${colourState(word, colour)} in ${formatDuration(wallMs)}${sequence}${expected}${used}`;
}

/** A row for each task. */
function formatTasks(run: RunView, { colour, columns }: ReportStyle): string {
  const rows = run.taskList.map((task) => {
    const attempt = task.attempts.at(-1);
    return [
      markOf(wordFor(task), colour),
      printable(task.name),
      colourState(wordFor(task), colour),
      attempt === undefined ? "" : formatDuration(runTime(attempt)),
      changesOf(task, attempt),
      task.outcome === "succeeded" ? retried(task) : explainTask(task, run.taskList),
    ];
  });
  return formatTable(rows, "  ")
    .split("\n")
    .map((line) => fit(line, columns))
    .join("\n");
}

function runTime({ timings }: AttemptView): number {
  const { startedMs, exitedMs } = timings;
  return startedMs === undefined ? 0 : (exitedMs ?? systemClock.wallMs()) - startedMs;
}

function changesOf(task: TaskView, attempt: AttemptView | undefined): string {
  const { changeset, discarded } = attempt ?? {};
  if (changeset !== undefined && changeset.paths > 0) {
    const landed = task.landing === undefined || task.state !== "ended" ? "" : " landed";
    return `${plural(changeset.paths, "file")} +${changeset.addedLines} -${changeset.deletedLines}${landed}`;
  }
  if (discarded !== undefined && discarded.length > 0) return `${plural(discarded.length, "change")} thrown away`;
  return task.writesNone ? "" : "no changes";
}

function retried(task: TaskView): string {
  return task.attempts.length > 1 ? `attempt ${task.attempts.length}` : "";
}

/** A bar for each task on one scale of time: light while its workspace was made ready, dark while it ran. */
function formatTimeline(run: RunView, { colour, columns }: ReportStyle): string {
  const attempts = run.taskList.flatMap((task) => task.attempts.map((attempt) => ({ task, attempt })));
  if (attempts.length < 2) return "";
  const endMs = Math.max(...attempts.map(({ attempt }) => endOf(attempt)), run.createdMs + 1);
  const nameWidth = Math.min(24, Math.max(...run.taskList.map((task) => task.name.length)));
  const width = Math.max(10, Math.min(60, columns - nameWidth - 14));
  // A clock that was set meanwhile puts what came later before what came first.
  const scale = (ms: number, least: number): number =>
    Math.min(width, Math.max(least, Math.round(((ms - run.createdMs) / (endMs - run.createdMs)) * width)));
  const lines = attempts.map(({ task, attempt }) => {
    const { chosenMs, startedMs, exitedMs } = attempt.timings;
    const from = scale(chosenMs, 0);
    const start = scale(startedMs ?? endOf(attempt), from);
    const end = scale(exitedMs ?? endOf(attempt), start);
    const bar =
      " ".repeat(from) +
      colour.dim("░".repeat(start - from)) +
      colourState(wordFor(task), colour, "█".repeat(Math.max(1, end - start)));
    return `  ${fit(printable(task.name), nameWidth).padEnd(nameWidth)} ${bar}`;
  });
  const axis = `  ${" ".repeat(nameWidth)} ${colour.dim(`0${" ".repeat(width - 1)}${formatDuration(endMs - run.createdMs)}`)}`;
  return [...lines, axis].join("\n");
}

function endOf({ timings }: AttemptView): number {
  return timings.exitedMs ?? timings.startedMs ?? timings.preparedMs ?? timings.claimedMs ?? timings.chosenMs;
}

const LONGEST_OUTPUT = 400;

function outputs(run: RunView, { colour, columns }: ReportStyle): string {
  const given = run.taskList.filter((task) => task.output !== undefined);
  return given
    .map((task) => {
      const text = printable(JSON.stringify(task.output));
      return `${colour.bold(`output of ${printable(task.name)}:`)} ${fit(text, Math.max(columns, LONGEST_OUTPUT))}`;
    })
    .join("\n");
}

function problems(run: RunView, { colour }: ReportStyle): string {
  const lines = run.notices.map((notice) => `${colour.yellow("note:")} ${printable(notice)}`);
  for (const task of run.taskList) {
    const attempt = task.attempts.at(-1);
    const name = `${run.id}/${task.name}`;
    if (task.outcome === "failed" || task.outcome === "lost") {
      if (task.reason?.hint !== undefined)
        lines.push(`${colour.bold(printable(task.name))}: ${printable(task.reason.hint)}`);
      if (attempt !== undefined) lines.push(`${colour.bold(printable(task.name))}: anabranch logs ${name}`);
    }
    for (const path of (attempt?.discarded ?? []).slice(0, 5)) {
      lines.push(
        colour.dim(`${printable(task.name)} changed ${printable(path)}, which was thrown away (writes: none)`),
      );
    }
    lines.push(...archived(task, attempt, name).map((line) => colour.dim(line)));
    if ((attempt?.stragglers ?? 0) > 0) {
      lines.push(
        colour.dim(
          `${printable(task.name)} left ${plural(attempt?.stragglers ?? 0, "process", "processes")} running; ended`,
        ),
      );
    }
  }
  return lines.join("\n");
}

/** What a task left besides its changeset, and where that is. */
function archived(task: TaskView, attempt: AttemptView | undefined, name: string): string[] {
  if (attempt?.archive === undefined) return [];
  const { commits, nested, submodules, ignoredFiles, ignoredFilesLeftOut, leftOut } = attempt.archive;
  const refs = `${name}/${attempt.number}`;
  const kept = [
    { count: commits, what: plural(commits, "commit"), command: `log --oneline --glob=refs/commits/${refs}` },
    {
      count: nested + submodules,
      what: plural(nested + submodules, "repository", "repositories"),
      command: `for-each-ref refs/nested/${refs} refs/commits/${refs}`,
    },
    {
      count: ignoredFiles,
      what: plural(ignoredFiles, "ignored file"),
      command: `ls-tree -r --name-only refs/ignored/${refs}`,
    },
  ].filter(({ count }) => count > 0);
  const lines = kept.map(
    ({ what, command }) => `${task.name} left ${what} beside its changes: anabranch git -- ${command}`,
  );
  if (ignoredFilesLeftOut === 0) return lines;
  const names = leftOut.map((path) => printable(path)).join(", ");
  return [...lines, `${plural(ignoredFilesLeftOut, "ignored file")} of ${task.name}, too large, not kept: ${names}`];
}

function whatNext(run: RunView, { colour }: ReportStyle): string {
  const detached = run.taskList.filter((task) => task.detach && task.state !== "ended");
  const lines = [
    "Your files are untouched.",
    ...nextCommands(run).map(([command, why]) => `  ${command.padEnd(NEXT_WIDTH)} ${colour.dim(why)}`),
  ];
  for (const task of detached) {
    lines.push(`  ${`anabranch wait ${run.id}/${task.name}`.padEnd(NEXT_WIDTH)} ${colour.dim("(detached, goes on)")}`);
  }
  lines.push(colour.dim(`logs: ${run.folder}`));
  return lines.join("\n");
}

const NEXT_WIDTH = 36;

/** The commands a person would give next, most likely first. */
function nextCommands(run: RunView): [command: string, why: string][] {
  const commands: [string, string][] = [];
  const open = run.conflicts.filter((conflict) => conflict.state === "open");
  for (const { id, task } of open.slice(0, 5)) {
    commands.push([`anabranch conflicts show ${id}`, `both sides of what ${printable(task)} could not land`]);
  }
  for (const task of run.taskList.filter(isLeftOut).slice(0, 5)) {
    commands.push([`anabranch diff ${run.id}/${task.name}`, "its changes are kept, and did not land"]);
  }
  if (run.lane.tip !== undefined && run.lane.kind === "lane" && run.state === "ended") {
    commands.push([`anabranch diff ${run.id}`, "everything that landed"]);
    commands.push([`anabranch accept ${run.id}`, "bring it into your working tree"]);
  }
  return commands.length > 0 ? commands : [[`anabranch show ${run.id}`, "this page again"]];
}

function isLeftOut(task: TaskView): boolean {
  const changed = (task.attempts.at(-1)?.changeset?.paths ?? 0) > 0;
  return changed && task.state === "ended" && task.landing === undefined && task.reason?.code !== "MERGE_CONFLICT";
}
