import { availableParallelism } from "node:os";

import { groupBy } from "../base/group.ts";
import type { PlanView, RunSummary, RunView, TaskView } from "../protocol/views.ts";
import type { AttemptView } from "../protocol/views/attempt.ts";
import type { UsageView } from "../protocol/views/usage.ts";
import type { LandingRecord } from "../landing/receipt.ts";
import { loadAttempts, type AttemptRow } from "../store/attempts.ts";
import { loadConflicts } from "../store/conflicts.ts";
import { loadNewestSeq } from "../store/events.ts";
import { loadSessions, type SessionRow } from "../store/sessions.ts";
import { loadLandings } from "../store/landings.ts";
import { outputPath } from "../process/output.ts";
import type { Layout } from "../workspaces/layout.ts";
import { treeOf } from "../workspaces/layout.ts";
import { viewAgent, viewNotice } from "./agents/agent-views.ts";
import { landingOf, summarizeConflict, viewLandings, viewLane } from "./landing-views.ts";
import type { LiveRun, LiveTask, PlanRecord } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import type { ConflictRecord } from "./settlement.ts";
import type { PlannedRun } from "./submission.ts";
import { tasksOnLane } from "../engine/bases.ts";
import { tokensOf, type Spent } from "../engine/budget.ts";
import { withoutWaiting } from "../engine/estimate.ts";
import type { Graph } from "../engine/graph.ts";
import type { RunSpec } from "../workflows/spec.ts";
import type { RunRow, StartingTask } from "../store/runs.ts";
import { waitsFor } from "./waiting.ts";
import { intentOf } from "../workflows/intent.ts";

/** A run with everything that is known of it. */
export async function viewRun(parts: Parts, run: LiveRun): Promise<RunView> {
  const [attempts, sessions, landings, conflicts, newestSeq, spending] = await Promise.all([
    loadAttempts(parts.store, run.row.id),
    loadSessions(parts.store, run.row.id),
    loadLandings<LandingRecord>(parts.store, run.row.id),
    loadConflicts<ConflictRecord>(parts.store, run.row.id),
    loadNewestSeq(parts.store),
    parts.spending.spentBy(run),
  ]);
  const byTask = groupBy(attempts, (attempt) => attempt.task);
  const sessionsByTask = groupBy(sessions, (session) => session.task);
  const { row } = run;
  return {
    ...summarize(row, countStates(run)),
    join: row.spec.join,
    base: {
      commit: row.baseCommit,
      uncommittedPaths: row.plan.uncommittedPaths,
      untrackedPaths: row.plan.untrackedPaths,
    },
    plan: viewPlan(row.plan, row.spec, run.graph, run.onLane),
    taskList: [...run.tasks.values()].map((task) =>
      viewTask(
        parts,
        run,
        task,
        byTask.get(task.row.name) ?? [],
        sessionsByTask.get(task.row.name) ?? [],
        spending.of(task.row.name),
        landingOf(row.id, task.row.name, landings),
      ),
    ),
    lane: viewLane(run, landings),
    landings: viewLandings(row.id, landings),
    conflicts: conflicts.map(summarizeConflict),
    notices: [...row.plan.notices],
    times: { wallMs: (row.endedMs ?? parts.clock.wallMs()) - row.createdMs, sequentialMs: sequentialMs(run, attempts) },
    ...viewUsage(spending.run),
    vault: parts.layout.vault(row.repositoryId),
    folder: parts.layout.run(row.id),
    seq: newestSeq,
  };
}

/** A run in one line. */
export function summarize(row: RunRow<RunSpec, PlanRecord>, tasks: RunSummary["tasks"]): RunSummary {
  return {
    id: row.id,
    ...(row.spec.name === undefined ? {} : { name: row.spec.name }),
    state: row.state,
    ...(row.outcome === undefined ? {} : { outcome: row.outcome }),
    cancelRequested: row.cancelRequested,
    repository: row.plan.root,
    ...(row.parent === undefined ? {} : { parent: row.parent }),
    ...(row.parent === undefined || isSameTask(row.parent, row.owner) ? {} : { adoptedBy: row.owner ?? "person" }),
    tasks,
    createdMs: row.createdMs,
    ...(row.endedMs === undefined ? {} : { endedMs: row.endedMs }),
  };
}

function isSameTask(one: StartingTask, other: StartingTask | undefined): boolean {
  return one.run === other?.run && one.task === other.task;
}

/** How many tasks of a run stand in each state and outcome. */
export function countStates(run: LiveRun): RunSummary["tasks"] {
  const groups = groupBy(run.tasks.values(), (task) => `${task.row.state} ${task.row.outcome ?? ""}`);
  return [...groups.values()].map((tasks) => {
    const { state, outcome } = tasks[0]?.row ?? { state: "waiting" as const, outcome: undefined };
    return { state, ...(outcome === undefined ? {} : { outcome }), count: tasks.length };
  });
}

/** How a run's tasks start. */
function viewPlan(
  decision: PlannedRun["decision"] & { readonly expected: PlanRecord["expected"] },
  spec: RunSpec,
  graph: Graph,
  onLane: ReadonlySet<string>,
): PlanView {
  const specs = new Map(spec.tasks.map((task) => [task.name, task]));
  return {
    mode: decision.mode,
    width: decision.width,
    share: decision.share,
    exclusive: decision.exclusive.map((group) => [...group]),
    reason: decision.reason,
    predictedMs: decision.predictedMs,
    measuredTasks: decision.measuredTasks,
    alternatives: decision.alternatives.map(({ arrangement, predictedMs }) => ({ ...arrangement, predictedMs })),
    tasks: graph.order.flatMap((name) => {
      const task = specs.get(name);
      if (task === undefined) return [];
      return [
        {
          name,
          needs: [...task.needs],
          after: [...task.after],
          when: task.when,
          writes: task.writes === "none" ? ("none" as const) : [...task.writes],
          detach: task.detach,
          startsFrom: onLane.has(name) ? ("lane" as const) : ("base" as const),
          expectedMs: Math.round(decision.expected[name]?.runMs ?? 0),
          samples: decision.expected[name]?.samples ?? 0,
          command: intentOf(task),
        },
      ];
    }),
  };
}

/** The plan of a run that was not started. */
export function viewPlannedRun(planned: PlannedRun): PlanView {
  const decision = { ...planned.decision, expected: planned.expected };
  return viewPlan(decision, planned.spec, planned.graph, tasksOnLane(planned.graph));
}

function viewTask(
  parts: Parts,
  run: LiveRun,
  task: LiveTask,
  attempts: readonly AttemptRow[],
  sessions: readonly SessionRow[],
  spent: Spent,
  late: string | undefined,
): TaskView {
  const { row, spec, overlaps } = task;
  const activity = row.state === "ready" ? waitsFor(parts, run, task) : task.activity;
  const landing = row.landing ?? late;
  const needsYou = parts.notices.open(row.run, row.name);
  return {
    run: row.run,
    name: row.name,
    command: intentOf(spec),
    state: row.state,
    ...(row.outcome === undefined ? {} : { outcome: row.outcome }),
    detach: spec.detach,
    writesNone: spec.writes === "none",
    needs: [...spec.needs],
    ...(row.reason === undefined ? {} : { reason: { ...row.reason, data: { ...row.reason.data } } }),
    ...(activity === undefined ? {} : { activity }),
    ...(overlaps.length === 0 ? {} : { overlaps: overlaps.map((one) => ({ ...one, paths: [...one.paths] })) }),
    cancelRequested: row.cancel !== undefined,
    ...(row.readyMs === undefined ? {} : { readyMs: row.readyMs }),
    ...(row.endedMs === undefined ? {} : { endedMs: row.endedMs }),
    ...(row.result?.output === undefined ? {} : { output: row.result.output }),
    ...viewUsage(spent),
    ...(landing === undefined ? {} : { landing }),
    ...(spec.agent === undefined ? {} : { agent: viewAgent(spec.agent, sessions) }),
    ...(needsYou.length === 0 ? {} : { needsYou: needsYou.map(viewNotice) }),
    attempts: attempts.map((attempt) => viewAttempt(parts.layout, parts, attempt)),
  };
}

function viewUsage({ usage, estimated }: Spent): { usage?: UsageView } {
  const { usd, ...counts } = usage;
  if (tokensOf(usage) === 0 && usage.turns === 0 && usd === undefined) return {};
  return { usage: { ...counts, ...(usd === undefined ? {} : { usd }), estimated } };
}

function viewAttempt(layout: Layout, parts: Parts, attempt: AttemptRow): AttemptView {
  const row = parts.pool.find(attempt.workspaceId);
  const { exit, changeset } = attempt;
  return {
    number: attempt.number,
    state: attempt.state,
    ...(attempt.state === "running" && attempt.process !== undefined ? { pid: attempt.process.pid } : {}),
    ...(exit === undefined
      ? {}
      : { exitStatus: exit.status, cpuMs: exit.cpuMs, memoryBytes: exit.memoryBytes, stragglers: exit.stragglers }),
    workspace: row === undefined ? "" : treeOf(layout.slot(row.repositoryId, row.slot)),
    base: attempt.baseCommit,
    log: outputPath(layout.attempt(attempt), "log"),
    ...(changeset === undefined
      ? {}
      : {
          changeset: {
            base: changeset.base,
            snapshot: changeset.snapshot,
            paths: changeset.paths,
            addedLines: changeset.addedLines,
            deletedLines: changeset.deletedLines,
            changes: changeset.changes.map(({ path, kind, added, deleted }) => ({
              path,
              kind,
              ...(added === undefined ? {} : { added }),
              ...(deleted === undefined ? {} : { deleted }),
            })),
          },
        }),
    ...(changeset?.archive === undefined
      ? {}
      : { archive: { ...changeset.archive, leftOut: [...changeset.archive.leftOut] } }),
    ...(attempt.discarded === undefined ? {} : { discarded: [...attempt.discarded] }),
    timings: attempt.timings,
  };
}

/** What the attempts of a run's tasks would have taken one after another, each with the processors to itself. */
function sequentialMs(run: LiveRun, attempts: readonly AttemptRow[]): number {
  const counted = attempts.filter((attempt) => run.tasks.get(attempt.task)?.spec.detach !== true);
  return counted.reduce((sum, attempt) => sum + aloneMs(attempt), 0);
}

function aloneMs({ timings, exit }: AttemptRow): number {
  const { chosenMs, startedMs, exitedMs, capturedMs } = timings;
  if (startedMs === undefined || exitedMs === undefined) return 0;
  const ranMs = exitedMs - startedMs;
  const alone = exit === undefined ? ranMs : withoutWaiting(ranMs, exit.stalledMs, exit.cpuMs, availableParallelism());
  return Math.max(0, startedMs - chosenMs) + Math.max(0, alone) + Math.max(0, (capturedMs ?? exitedMs) - exitedMs);
}
