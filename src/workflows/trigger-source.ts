import { closest } from "../base/closest.ts";
import { patternProblem } from "../engine/safe-pattern.ts";
import { checkCron, LEAST_INTERVAL_MS } from "../engine/schedule.ts";
import { OUTCOMES, type Outcome } from "../engine/task.ts";
import { FILE_CHANGES, type EventSource } from "../engine/trigger.ts";
import type { RepositoryFile } from "./schema.ts";
import type { EventSourceDefinition } from "./trigger-schema.ts";
import { checkGlobs, checkPaths, listOf, positiveMs, type Refuse } from "./trigger-values.ts";

type Workflows = NonNullable<RepositoryFile["workflows"]>;

/** Settles what a trigger waits for; what can never come is refused. */
export function compileSource(on: EventSourceDefinition, workflows: Workflows, refuse: Refuse): EventSource {
  if ("files" in on) return filesSource(on, refuse);
  if ("commit" in on) return commitSource(on, refuse);
  if ("branch" in on) return refSource("branch", listOf(on.branch), refuse);
  if ("tag" in on) return refSource("tag", listOf(on.tag), refuse);
  if ("cron" in on || "every" in on || "at" in on) return timerSource(on, refuse);
  if ("webhook" in on) return { type: "webhook", hook: on.webhook, signature: on.signature ?? "token" };
  if ("log" in on) return logSource(on, refuse);
  if ("task" in on) return taskSource(on, workflows, refuse);
  if ("run" in on) return runSource(on, workflows, refuse);
  if ("landing" in on)
    return { type: "landing", workflow: knownWorkflow(on.landing, "on: landing", workflows, refuse) };
  const names = listOf(on.event);
  checkGlobs(names, "on: event", refuse);
  return { type: "custom", names };
}

/** The name of a workflow that there is. */
export function knownWorkflow(name: string, key: string, workflows: Workflows, refuse: Refuse): string {
  return Object.hasOwn(workflows, name)
    ? name
    : refuse(`has ${key}: ${name}, and there is no such workflow`, nearest(name, Object.keys(workflows), "workflow"));
}

function nearest(name: string, known: readonly string[], noun: string): string {
  const near = closest(name, known);
  if (near !== undefined) return `did you mean ${near}?`;
  return known.length === 0 ? `write the ${noun} first` : `name one of: ${known.slice(0, 10).join(", ")}`;
}

type On<Key extends string> = Extract<EventSourceDefinition, Readonly<Record<Key, unknown>>>;

function filesSource(on: On<"files">, refuse: Refuse): EventSource {
  const globs = listOf(on.files);
  checkPaths(globs, "on: files", refuse);
  return { type: "files", globs, changes: on.change === undefined ? FILE_CHANGES : listOf(on.change) };
}

function commitSource(on: On<"commit">, refuse: Refuse): EventSource {
  const [authors, paths] = [listOf(on.author), listOf(on.paths)];
  checkGlobs(authors, "on: author", refuse);
  if (paths.length > 0) checkPaths(paths, "on: paths", refuse);
  return { ...refSource("commit", listOf(on.commit), refuse), authors, paths };
}

function refSource(
  kind: "commit" | "branch" | "tag",
  names: readonly string[],
  refuse: Refuse,
): EventSource & { readonly type: "ref" } {
  checkGlobs(names, `on: ${kind}`, refuse);
  const whole = names.find((name) => name.startsWith("refs/"));
  if (whole !== undefined)
    refuse(
      `has on: ${kind}: ${whole}, and names are without refs/`,
      `say ${whole.replace(/^refs\/(heads|tags)\//, "")}`,
    );
  return { type: "ref", kind, names, authors: [], paths: [] };
}

function timerSource(on: On<"cron"> | On<"every"> | On<"at">, refuse: Refuse): EventSource {
  const missed = on.missed ?? "once";
  if ("every" in on) {
    const everyMs = positiveMs(on.every, "on: every", refuse);
    if (everyMs < LEAST_INTERVAL_MS) refuse(`has on: every: ${on.every}`, "say at least 1s");
    return { type: "timer", when: { everyMs }, missed };
  }
  if ("at" in on) return { type: "timer", when: { atMs: momentMs(on.at, refuse) }, missed };
  const problem = checkCron(on.cron, on.timeZone);
  if (problem !== undefined) refuse(`cannot be timed: ${problem}`, `mend cron: and timeZone:, such as "0 9 * * 1-5"`);
  return { type: "timer", when: { cron: on.cron, timeZone: on.timeZone }, missed };
}

const MOMENT = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)$/;

function momentMs(text: string, refuse: Refuse): number {
  const hint = "write a date, a time and its zone, such as 2027-01-31T09:00:00Z or 2027-01-31T09:00:00+01:00";
  const [whole, day = ""] = MOMENT.exec(text) ?? [];
  if (whole === undefined) return refuse(`has on: at: ${text}, which is not a moment`, hint);
  const ms = Date.parse(text);
  // The 31st of February would be taken as a day of March.
  const dayMs = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(ms) || Number.isNaN(dayMs) || !new Date(dayMs).toISOString().startsWith(day))
    return refuse(`has on: at: ${text}, and there is no such day or time`, hint);
  return ms;
}

function logSource(on: On<"log">, refuse: Refuse): EventSource {
  const problem = patternProblem(on.match);
  if (problem !== undefined) refuse(`has on: match: ${on.match}, which ${problem.why}`, problem.hint);
  return { type: "log", file: on.log, match: on.match };
}

function taskSource(on: On<"task">, workflows: Workflows, refuse: Refuse): EventSource {
  const dot = on.task.indexOf(".");
  if (dot < 1) return refuse(`has on: task: ${on.task}, which names no workflow`, "say WORKFLOW.TASK");
  const workflow = knownWorkflow(on.task.slice(0, dot), "on: task", workflows, refuse);
  const name = on.task.slice(dot + 1);
  const tasks = workflows[workflow]?.tasks ?? {};
  const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined;
  if (task === undefined)
    return refuse(
      `has on: task: ${on.task}, and ${workflow} has no such task`,
      nearest(name, Object.keys(tasks), "task"),
    );
  const outcomes = on.outcome === undefined ? OUTCOMES : listOf(on.outcome);
  if (outcomes.every((outcome) => outcome === "skipped") && listOf(task.needs).length === 0)
    refuse("waits for a task to be skipped that needs nothing, so it never is", "wait for another outcome");
  return { type: "task", workflow, task: name, outcomes };
}

const RUN_OUTCOMES: readonly Outcome[] = ["succeeded", "failed", "cancelled"];

function runSource(on: On<"run">, workflows: Workflows, refuse: Refuse): EventSource {
  const workflow = knownWorkflow(on.run, "on: run", workflows, refuse);
  const outcomes = on.outcome === undefined ? RUN_OUTCOMES : listOf(on.outcome);
  if (!outcomes.some((outcome) => RUN_OUTCOMES.includes(outcome)))
    refuse(`has outcome: ${outcomes.join(", ")}, and no run ends so`, `say one of: ${RUN_OUTCOMES.join(", ")}`);
  return { type: "run", workflow, outcomes };
}
