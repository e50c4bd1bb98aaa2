import { AnabranchError } from "../base/errors.ts";
import { advance, type RunView, type Step } from "../engine/advance.ts";
import { canMove, type TaskState, type TaskStatus } from "../engine/task.ts";
import { insertAttempt, patchedAttempt, updateAttempt, type AttemptPatch, type AttemptRow } from "../store/attempts.ts";
import { appendEvent } from "../store/events.ts";
import { releaseLeases } from "../store/leases.ts";
import type { Statement } from "../store/port.ts";
import { updateRun, type RunLanding, type RunPatch } from "../store/runs.ts";
import { patchedTask, updateTask, type TaskPatch, type TaskRow } from "../store/tasks.ts";
import type { Announcements } from "./announcements.ts";
import type { LiveRun, LiveTask, PlanRecord } from "./live-run.ts";

/** What triggers wait for by the name of the workflow. */
const TOLD_BY_WORKFLOW: ReadonlySet<string> = new Set(["run.ended", "task.ended", "task.landed"]);

/** A change of a run, worked out. */
export interface FinishedDraft {
  /** The transaction; empty when there is nothing to do. */
  readonly statements: readonly Statement[];
  /** The tasks it changes. */
  readonly tasks: readonly string[];
  /** Those that it ends. */
  readonly ended: readonly string[];
  /** Makes the change show in memory, once it is durable. */
  readonly install: () => void;
}

/**
 * One change of a run that is being put together: what happened, and everything that follows from it in the run's
 * graph. It becomes one transaction; nothing in memory changes before that is durable.
 */
export class Draft {
  readonly run: LiveRun;
  readonly #atMs: number;
  readonly #announcements: Announcements | undefined;
  readonly #tasks = new Map<string, TaskRow>();
  readonly #attempts = new Map<string, AttemptRow>();
  readonly #statements: Statement[] = [];
  #runPatch: RunPatch<PlanRecord> | undefined;
  #changed = new Set<string>();
  /** Whether the run may have come to its end although no task has changed. */
  #looksAtEnd = false;

  /** @param announcements tell those who wait; without them nobody is told, which is for looking ahead only */
  constructor(run: LiveRun, atMs: number, announcements?: Announcements) {
    this.run = run;
    this.#atMs = atMs;
    this.#announcements = announcements;
  }

  /** The task as it will stand. */
  task(name: string): TaskRow {
    return this.#tasks.get(name) ?? this.#live(name).row;
  }

  /** Changes a task and appends the event that tells of it. */
  setTask(name: string, patch: TaskPatch, event?: string, data: Readonly<Record<string, unknown>> = {}): void {
    const before = this.task(name);
    const settled = { ...patch, ...this.#stamps(before.state, patch.state) };
    this.#statements.push(updateTask(before, settled));
    if (endsAttempt(before.state, patch.state)) {
      this.#statements.push(releaseLeases(this.run.row.id, name, this.#atMs));
    }
    this.#tasks.set(name, patchedTask(before, settled));
    if (patch.state !== undefined) this.#changed.add(name);
    if (event !== undefined) this.event(event, data, name);
  }

  /** Adds the next attempt of a task. */
  addAttempt(attempt: AttemptRow): void {
    this.#statements.push(insertAttempt(attempt));
    this.#attempts.set(attempt.task, attempt);
  }

  /** Changes a task's newest attempt. */
  setAttempt(name: string, patch: AttemptPatch): void {
    const before = this.#attempts.get(name) ?? this.#live(name).attempt;
    if (before === undefined) throw new AnabranchError("INTERNAL", { message: `task ${name} has no attempt` });
    this.#statements.push(updateAttempt(before, patch));
    this.#attempts.set(name, patchedAttempt(before, patch));
  }

  /** Asks for the whole run to be cancelled. */
  cancelRun(): void {
    const { together } = this.#landing();
    if (this.run.row.cancelRequested || together === "moving" || together === "landed") return;
    this.#patchRun({ cancelRequested: true });
    this.#looksAtEnd = true;
  }

  /** Stops a task: at once where nothing runs yet, else by a request that its driver heeds. */
  stopTask(name: string, request: NonNullable<TaskRow["cancel"]>): void {
    const task = this.task(name);
    // The lane is about to move for it, or has: there is nothing left to stop.
    if (task.state === "landing" && task.landing !== undefined) return;
    if (task.state === "ended" || (task.cancel !== undefined && (task.cancel.force || !request.force))) return;
    const code = request.by === "race" ? "RACE_LOST" : "CANCELLED";
    const { by, winner } = request;
    const cancelled = by === "parent" ? "what has started it was cancelled" : "it was cancelled";
    const reason = { code, message: winner === undefined ? cancelled : `${winner} was first` } as const;
    if (task.state === "waiting" || task.state === "ready") {
      this.setTask(name, { state: "ended", outcome: "cancelled", cancel: request, reason }, "task.ended", {
        outcome: "cancelled",
      });
    } else {
      this.setTask(name, { cancel: request, reason }, "task.cancelling", { by: request.by });
    }
  }

  /** Notes how it stands with landing the run's work. */
  setLanding(patch: RunLanding): void {
    this.#patchRun({ landing: { ...this.#landing(), ...patch } });
    this.#looksAtEnd = true;
  }

  /** Takes further statements into the transaction. */
  also(statements: readonly Statement[]): void {
    this.#statements.push(...statements);
  }

  /** Appends an event of the run, or of one of its tasks. */
  event(type: string, data: Readonly<Record<string, unknown>>, task?: string): void {
    const { id, repositoryId, cause, spec } = this.run.row;
    const named = spec.name === undefined || !TOLD_BY_WORKFLOW.has(type) ? data : { workflow: spec.name, ...data };
    this.#statements.push(appendEvent({ atMs: this.#atMs, type, run: id, task, repositoryId, cause, data: named }));
  }

  /** Works out everything that follows, and returns the transaction. */
  finish(also: readonly string[]): FinishedDraft {
    for (const name of also) this.#changed.add(name);
    while (this.#changed.size > 0 || this.#looksAtEnd) {
      const changed = [...this.#changed];
      this.#changed = new Set();
      this.#looksAtEnd = false;
      for (const step of advance(this.#view(), changed)) this.#take(step);
    }
    const statements = [...this.#statements];
    if (this.#runPatch !== undefined) statements.push(updateRun(this.run.row, this.#runPatch));
    const [tasks, ended] = [[...this.#tasks.keys()], this.#ended()];
    statements.push(...this.#announced(ended));
    return { statements, tasks, ended: ended.map(({ name }) => name), install: () => this.#install() };
  }

  /** What those who wait are told of all that ends with this. */
  #announced(ended: readonly TaskRow[]): Statement[] {
    const { run } = this;
    if (this.#announcements === undefined) return [];
    const told: Statement[] = [];
    for (const task of ended) told.push(...this.#announcements.taskEnded(run, task, this.#atMs));
    const { state, outcome } = this.#runPatch ?? {};
    if (state !== "ended" || outcome === undefined) return told;
    const tasks = [...run.tasks.keys()].map((name) => this.task(name));
    return [...told, ...this.#announcements.runEnded(run, outcome, tasks, this.#atMs)];
  }

  /** The tasks that end with this. */
  #ended(): TaskRow[] {
    return [...this.#tasks.values()].filter(
      (task) => task.state === "ended" && this.#live(task.name).row.state !== "ended",
    );
  }

  #take(step: Step): void {
    switch (step.type) {
      case "ready":
        this.setTask(step.task, { state: "ready" }, "task.ready");
        return;
      case "skip": {
        const reason = { code: "SKIPPED", message: step.because } as const;
        const skipped = { outcome: "skipped", because: step.because };
        this.setTask(step.task, { state: "ended", outcome: "skipped", reason }, "task.ended", skipped);
        return;
      }
      case "stop":
        this.stopTask(step.task, { by: "race", force: false, winner: step.winner });
        return;
      case "land":
        this.#patchRun({ landing: { ...this.#landing(), together: "wanted" } });
        this.event("run.landing", {});
        return;
      case "end":
        if (this.run.row.state === "ended" || this.#runPatch?.state === "ended") return;
        this.#patchRun({ state: "ended", outcome: step.outcome, endedMs: this.#atMs });
        this.event("run.ended", { outcome: step.outcome });
    }
  }

  #view(): RunView {
    const { run } = this;
    const ended = this.#ended();
    return {
      graph: run.graph,
      join: run.row.spec.join,
      cancelRequested: run.row.cancelRequested || this.#runPatch?.cancelRequested === true,
      together: run.row.spec.land === "together" ? (this.#landing().together ?? "open") : undefined,
      ended: run.row.state === "ended" || this.#runPatch?.state === "ended",
      statusOf: (name) => statusOf(this.task(name)),
      openTasks: run.holding - ended.filter((task) => !this.#live(task.name).spec.detach).length,
    };
  }

  #install(): void {
    const { run } = this;
    for (const [name, row] of this.#tasks) {
      const live = this.#live(name);
      if (row.state === "ended" && live.row.state !== "ended") {
        run.unended -= 1;
        if (!live.spec.detach) run.holding -= 1;
      }
      live.row = row;
      if (row.state === "ended") [live.activity, live.overlaps] = [undefined, []];
    }
    for (const [name, attempt] of this.#attempts) this.#live(name).attempt = attempt;
    if (this.#runPatch !== undefined) run.row = { ...run.row, ...this.#runPatch, version: run.row.version + 1 };
  }

  #landing(): RunLanding {
    return { ...this.run.row.landing, ...this.#runPatch?.landing };
  }

  #patchRun(patch: RunPatch<PlanRecord>): void {
    this.#runPatch = { ...this.#runPatch, ...patch };
  }

  #stamps(from: TaskState, to: TaskState | undefined): TaskPatch {
    if (to === undefined || to === from) return {};
    if (!canMove(from, to)) throw new AnabranchError("INTERNAL", { message: `a task cannot go from ${from} to ${to}` });
    if (to === "ready") return { readyMs: this.#atMs };
    return to === "ended" ? { endedMs: this.#atMs } : {};
  }

  #live(name: string): LiveTask {
    const task = this.run.tasks.get(name);
    if (task === undefined)
      throw new AnabranchError("INTERNAL", { message: `run ${this.run.row.id} has no task ${name}` });
    return task;
  }
}

/** Whether an attempt is over: with it, whatever its task had the right to write. */
function endsAttempt(from: TaskState, to: TaskState | undefined): boolean {
  return (to === "ready" || to === "ended") && from !== "waiting" && from !== "ready";
}

function statusOf(task: TaskRow): TaskStatus {
  return { state: task.state, outcome: task.outcome, lostRace: task.cancel?.by === "race" };
}
