import { AnabranchError } from "../base/errors.ts";
import { tasksOnLane } from "../engine/bases.ts";
import { candidateGroups } from "../engine/candidates.ts";
import { buildGraph, criticalPathMs, requirePlan, type Graph } from "../engine/graph.ts";
import type { Decision } from "../engine/planner.ts";
import type { ReadyTask } from "../engine/scheduler.ts";
import type { AttemptRow } from "../store/attempts.ts";
import type { RunRow } from "../store/runs.ts";
import type { TaskRow } from "../store/tasks.ts";
import type { RunSpec, TaskSpec } from "../workflows/spec.ts";

/** What is kept of how a run was planned. */
export interface PlanRecord extends Decision {
  /** What each task was expected to take, and on how many earlier attempts that rests. */
  readonly expected: Readonly<Record<string, { readonly runMs: number; readonly samples: number }>>;
  readonly uncommittedPaths: number;
  readonly untrackedPaths: number;
  readonly dependencies: { readonly paths: readonly string[]; readonly key: string };
  readonly lockKey: string;
  /** The user's worktree it was started in. */
  readonly root: string;
  readonly notices: readonly string[];
}

/** A task that has not ended, or whose run has not. */
export interface LiveTask {
  row: TaskRow;
  readonly spec: TaskSpec;
  /** Its newest attempt. */
  attempt: AttemptRow | undefined;
  /** What is going on right now, for people. Not kept. */
  activity: string | undefined;
  /** Whether its command runs and nothing of ours is at work in its workspace. Not kept. */
  isAlone: boolean;
  /** The tasks its work will conflict with, as far as that can be seen by now. Not kept. */
  overlaps: readonly Overlap[];
}

/** What two tasks have changed so that it does not merge, seen from one of them. */
export interface Overlap {
  readonly run: string;
  readonly task: string;
  readonly paths: readonly string[];
}

/** A run with work left, as the daemon holds it in memory: a copy of committed rows. */
export interface LiveRun {
  row: RunRow<RunSpec, PlanRecord>;
  readonly graph: Graph;
  readonly tasks: ReadonlyMap<string, LiveTask>;
  /** The tasks that start from what has landed by then; the others start from the run's base. */
  readonly onLane: ReadonlySet<string>;
  /** The groups of tasks of which only the best lands. */
  readonly candidates: readonly (readonly string[])[];
  readonly priorities: ReadonlyMap<string, number>;
  /** How many tasks that hold it open have not ended. */
  holding: number;
  /** How many tasks have not ended. */
  unended: number;
}

/** Puts a run and its tasks together. */
export function makeLiveRun(
  row: RunRow<RunSpec, PlanRecord>,
  taskRows: readonly TaskRow[],
  attempts: readonly AttemptRow[],
): LiveRun {
  const graph = buildGraph(row.spec.tasks);
  const specs = new Map(row.spec.tasks.map((spec) => [spec.name, spec]));
  const newest = new Map(attempts.map((attempt) => [attempt.task, attempt]));
  const tasks = new Map<string, LiveTask>();
  for (const task of taskRows) {
    const spec = specs.get(task.name);
    if (spec === undefined) continue;
    tasks.set(task.name, {
      row: task,
      spec,
      attempt: newest.get(task.name),
      activity: undefined,
      isAlone: false,
      overlaps: [],
    });
  }
  const unended = [...tasks.values()].filter((task) => task.row.state !== "ended");
  return {
    row,
    graph,
    tasks,
    onLane: tasksOnLane(graph),
    candidates: candidateGroups(graph, row.spec.join),
    priorities: criticalPathMs(graph, (name) => row.plan.expected[name]?.runMs ?? 0),
    holding: unended.filter((task) => !task.spec.detach).length,
    unended: unended.length,
  };
}

/** The newest attempt of a task that surely has one. */
export function requireAttempt(task: LiveTask): AttemptRow {
  if (task.attempt === undefined) throw new AnabranchError("INTERNAL", { message: `${task.row.name} has no attempt` });
  return task.attempt;
}

/** The key by which a task is known among all runs. */
export function taskKey(run: string, task: string): string {
  return `${run}/${task}`;
}

/** A task as the scheduler sees it. */
export function readyTask(run: LiveRun, name: string, bootId: string): ReadyTask {
  const task = run.tasks.get(name);
  const plan = requirePlan(run.graph, name);
  const lock = run.row.plan.exclusive.findIndex((group) => group.includes(name));
  // A time on the monotonic clock of an earlier boot means nothing now.
  const sameBoot = task?.attempt === undefined || task.attempt.bootId === bootId;
  return {
    key: taskKey(run.row.id, name),
    run: run.row.id,
    priority: run.priorities.get(name) ?? 0,
    position: task?.row.position ?? 0,
    notBeforeMs: sameBoot ? task?.row.notBeforeMs : undefined,
    limits: [
      `kind:${plan.kind}`,
      `repository:${run.row.repositoryId}`,
      `run:${run.row.id}`,
      ...plan.resources.map((resource) => `resource:${run.row.repositoryId}:${resource}`),
      ...(lock < 0 ? [] : [`lock:${run.row.id}:${lock}`]),
    ],
  };
}
