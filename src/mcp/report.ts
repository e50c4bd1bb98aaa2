import { printable } from "../base/printable.ts";
import type { RunReport, TaskReport } from "../protocol/tools.ts";
import type { RunView, TaskView } from "../protocol/views.ts";
import type { Answers } from "./answers.ts";

/** How much of all the answers in one report is told, in characters: more would crowd out the parent's own work. */
const MOST_ANSWERS = 40_000;
const MOST_FILES = 40;
const MARKS = { added: "A", modified: "M", deleted: "D", "type-changed": "T" } as const;

/** A run for a parent: what each task came to, what landed, what is open, and what a person does next. */
export function reportRun(run: RunView, answers: Answers, only?: TaskView): RunReport {
  const tasks = only === undefined ? run.taskList : [only];
  const conflicts = run.conflicts
    .filter(({ state, task }) => state === "open" && tasks.some(({ name }) => name === task))
    .map(({ id, task, paths }) => ({ id, task, paths: paths.map(({ path }) => path) }));
  const problem = run.lane.reason;
  const next = nextStep(run);
  return {
    id: run.id,
    state: run.outcome ?? run.state,
    tasks: tasks.map((task) => reportTask(task, answers, Math.max(1000, Math.floor(MOST_ANSWERS / tasks.length)))),
    ...(conflicts.length === 0 ? {} : { conflicts }),
    ...(problem === undefined ? {} : { problem: reasonOf(problem) }),
    ...(run.notices.length === 0 ? {} : { notices: [...run.notices] }),
    ...(next === undefined ? {} : { next }),
  };
}

function reportTask(task: TaskView, answers: Answers, mostAnswer: number): TaskReport {
  const attempt = task.attempts.at(-1);
  const { changes = [], paths = 0 } = attempt?.changeset ?? {};
  const files = changes
    .slice(0, MOST_FILES)
    .map(({ path, kind, added, deleted }) =>
      [MARKS[kind], path, ...(added ? [`+${added}`] : []), ...(deleted ? [`-${deleted}`] : [])].join(" "),
    );
  return {
    name: task.name,
    ...(task.agent === undefined ? {} : { agent: task.agent.name }),
    state: task.outcome ?? task.state,
    ...(task.state === "ended" || task.activity === undefined ? {} : { doing: task.activity }),
    ...(task.needsYou === undefined || task.needsYou.length === 0
      ? {}
      : { needsPerson: task.needsYou.map(({ id, title }) => `${title} (anabranch approve ${id})`) }),
    ...(task.reason === undefined || task.outcome === "succeeded" ? {} : { error: reasonOf(task.reason) }),
    ...shortened(task.output ?? answers.get(task.name), mostAnswer),
    ...(files.length === 0 ? {} : { files }),
    ...(paths > files.length ? { filesLeft: paths - files.length } : {}),
    ...(paths === 0 || task.state !== "ended" ? {} : { landed: task.landing !== undefined }),
  };
}

function reasonOf({ code, message, hint }: NonNullable<TaskView["reason"]>): NonNullable<TaskReport["error"]> {
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

/** An answer that is too long is told from its start. */
function shortened(answer: unknown, most: number): Pick<TaskReport, "answer" | "answerLeft"> {
  if (answer === undefined || answer === "") return {};
  const text = typeof answer === "string" ? answer : JSON.stringify(answer);
  if (text.length <= most) return { answer };
  return { answer: text.slice(0, most), answerLeft: text.length - most };
}

// Some clients show a model the structured part alone, so what comes next is part of it.
function nextStep(run: RunView): string | undefined {
  if (run.state !== "ended") return `not ended yet, and going on: wait_agents {"ids": ["${run.id}"]}`;
  if (run.lane.tip === undefined || run.lane.kind !== "lane") return undefined;
  return `a person takes it over with: anabranch accept ${run.id}`;
}

/** A report as a model reads it: one line for each task, its answer below it. */
export function reportText(report: RunReport): string {
  const lines = [
    `run ${report.id} ${report.state}`,
    ...report.tasks.flatMap((task) => taskLines(report.id, task)),
    ...(report.conflicts ?? []).map(
      ({ id, task, paths }) => `conflict ${id}: ${task} could not land ${paths.join(", ")}`,
    ),
    ...(report.problem === undefined ? [] : [problemText(report.problem)]),
    ...(report.notices ?? []).map((notice) => `note: ${notice}`),
    ...(report.next === undefined ? [] : [report.next]),
  ];
  return lines.map(printable).join("\n");
}

function taskLines(run: string, task: TaskReport): string[] {
  const {
    name,
    agent,
    state,
    doing,
    needsPerson = [],
    error,
    answer,
    answerLeft,
    files = [],
    filesLeft,
    landed,
  } = task;
  const more = filesLeft === undefined ? "" : `, and ${filesLeft} more`;
  const where = landed === undefined ? "" : landed ? " landed" : " not landed";
  const head = [
    `${name}${agent === undefined || agent === name ? "" : ` (${agent})`}: ${doing ?? state}`,
    ...needsPerson.map((what) => `waits for a person: ${what}`),
    ...(files.length === 0 ? [] : [`${files.join(", ")}${more}${where}`]),
    ...(error === undefined ? [] : [problemText(error)]),
  ];
  const said = answer === undefined ? [] : (typeof answer === "string" ? answer : JSON.stringify(answer)).split("\n");
  const rest =
    answerLeft === undefined ? [] : [`(${answerLeft} more characters: anabranch logs ${run}/${name} --output)`];
  return [head.join("; "), ...[...said, ...rest].map((line) => `  ${line}`)];
}

/** An error in one line: its code, what happened and what mends it. */
export function problemText({ code, message, hint }: NonNullable<RunReport["problem"]>): string {
  return `${code}: ${message}${hint === undefined ? "" : ` (${hint})`}`;
}
