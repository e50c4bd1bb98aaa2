import { printable } from "../../base/printable.ts";
import type { RunView, TaskView } from "../../protocol/views.ts";
import { formatDuration, formatSize, formatTable } from "../format.ts";
import type { CommandAction } from "../command.ts";
import { withSession } from "../session.ts";
import { explainTask, wordFor } from "../state-text.ts";
import { answer, type Terminal } from "../terminal.ts";
import { formatProof, formatTaskLanding } from "../proof-text.ts";
import { formatUsage } from "../usage-text.ts";
import { reportText } from "./run.ts";

/** `anabranch show`: shows a run, or one of its tasks in detail. */
export const action: CommandAction<object> = (args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    const [id = "@last"] = args;
    const run = await anabranch.ask("show", { id, directory });
    const task = namedTask(run, id);
    answer(terminal, task ?? run, () =>
      task === undefined ? formatRun(run, terminal) : formatTask(run, task, terminal),
    );
    return 0;
  });

function formatRun(run: RunView, terminal: Terminal): string {
  const report = reportText(terminal, run);
  if (terminal.plain || run.landings.length === 0) return report;
  const proofs = run.landings.map((landing) => formatProof(landing, terminal.colour));
  return `${report.trimEnd()}\n\n${proofs.join("\n")}`;
}

function namedTask(run: RunView, id: string): TaskView | undefined {
  const name = id.includes("/") ? id.slice(id.indexOf("/") + 1) : id;
  return run.taskList.find((task) => task.name === name);
}

/** What is done, by a command or by an agent. */
function workRows({ command, agent }: TaskView): string[][] {
  const asked = printable(command.split("\n")[0] ?? "");
  if (agent === undefined) return [["command", asked]];
  const session = agent.sessions.at(-1);
  const { reads = [], writes = [], readsComplete = false, outside = [] } = session?.sets ?? {};
  const known = readsComplete ? "" : ", and what its commands read is not known";
  return [
    [
      "agent",
      `${printable(agent.name)} (${[agent.kind, session?.model].filter(Boolean).map(String).map(printable).join(", ")})`,
    ],
    ["asked", asked],
    ["conversation", printable(session?.conversation ?? "-")],
    ["files", `read ${reads.length}, written ${writes.length}${known}`],
    ...(outside.length === 0 ? [] : [["outside", outside.slice(0, 5).map(printable).join(", ")]]),
  ];
}

function formatTask(run: RunView, task: TaskView, { colour }: Terminal): string {
  const landing = formatTaskLanding(run, task, colour);
  const rows = [
    ...workRows(task),
    ["state", `${wordFor(task)}${task.reason === undefined ? "" : `: ${explainTask(task, run.taskList)}`}`],
    ["needs", task.needs.join(", ") || "-"],
    ["writes", task.writesNone ? "nothing" : "files"],
    ...(task.usage === undefined ? [] : [["used", formatUsage(task.usage)]]),
  ];
  const attempts = task.attempts.map((attempt) => {
    const { timings, changeset } = attempt;
    const details = [
      [
        "state",
        attempt.exitStatus === undefined ? attempt.state : `${attempt.state}, exit status ${attempt.exitStatus}`,
      ],
      ["spin-up", timings.startedMs === undefined ? "-" : formatDuration(timings.startedMs - timings.chosenMs)],
      [
        "run time",
        timings.exitedMs === undefined || timings.startedMs === undefined
          ? "-"
          : formatDuration(timings.exitedMs - timings.startedMs),
      ],
      ["processor", attempt.cpuMs === undefined ? "-" : formatDuration(attempt.cpuMs)],
      [
        "memory",
        attempt.memoryBytes === undefined || attempt.memoryBytes === 0 ? "-" : formatSize(attempt.memoryBytes),
      ],
      ["base", attempt.base],
      ...(changeset === undefined ? [] : [["snapshot", changeset.snapshot]]),
      ["workspace", attempt.workspace || "-"],
      ["log", attempt.log],
    ];
    const changes = (changeset?.changes ?? []).map((change) => [
      `    ${change.kind[0]?.toUpperCase()}`,
      printable(change.path),
      change.added === undefined ? "binary" : `+${change.added} -${change.deleted ?? 0}`,
    ]);
    return `${colour.bold(`attempt ${attempt.number}`)}\n${formatTable(details, "  ")}${changes.length > 0 ? `\n${formatTable(changes)}` : ""}`;
  });
  const head = `${colour.bold(`${run.id}/${task.name}`)}\n${formatTable(rows, "  ")}`;
  // Of a task that is started again and again the first ones go.
  const first = task.attempts[0]?.number ?? 1;
  const gone = first > 1 ? [colour.dim(`the newest ${task.attempts.length} attempts are kept`)] : [];
  return [head, ...(landing === "" ? [] : [landing]), ...gone, ...attempts].join("\n\n");
}
