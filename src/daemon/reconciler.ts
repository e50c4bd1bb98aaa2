/**
 * Keeps every run moving: what is ready is started as the limits allow, what was left by an earlier daemon is taken up
 * again, what is done is given back.
 *
 * It acts on state, never on messages: a change only means "look at these tasks". Looking once too often is harmless.
 */
import type { CancelTimer } from "../base/clock.ts";
import { toAnabranchError } from "../base/errors.ts";
import { faultPoint } from "../base/fault.ts";
import { newId } from "../base/ids.ts";
import { createSignal, type Signal } from "../base/signal.ts";
import type { Scheduler } from "../engine/scheduler.ts";
import { attemptName, loadAttempts, type AttemptRow } from "../store/attempts.ts";
import type { Statement } from "../store/port.ts";
import { loadRunIdsBelow } from "../store/runs.ts";
import type { WorkspaceRow } from "../store/workspaces.ts";
import { Approvals } from "./approvals.ts";
import type { Draft } from "./draft.ts";
import { readyTask, taskKey, type LiveRun, type LiveTask } from "./live-run.ts";
import { RECHECK_MS } from "./hold.ts";
import type { Lander } from "./lander.ts";
import type { ReservedLease } from "./lease-book.ts";
import type { Limits } from "./limits.ts";
import type { Parts } from "./parts.ts";
import { persist } from "./patience.ts";
import { releaseWorkspace } from "./release.ts";
import { TaskDriver } from "./task-driver.ts";

const NEVER_MS = Number.POSITIVE_INFINITY;

/** See the head of this file. */
export class Reconciler {
  readonly #parts: Parts;
  readonly #lander: Lander;
  readonly #limits: Limits;
  readonly #scheduler: Scheduler;
  readonly #approvals: Approvals;
  readonly #signal: Signal;
  readonly #drivers = new Map<string, TaskDriver>();
  readonly #changed = new Map<LiveRun, Set<string>>();
  /** For each run whose tasks share a workspace: that workspace, once somebody has asked for it. */
  readonly #shared = new Map<string, Promise<WorkspaceRow | undefined>>();
  readonly #releasing = new Map<string, Promise<void>>();
  /** Tasks that are ready and wait for somebody's lease: they are not offered to start until something is free. */
  readonly #heldBack = new Map<string, { readonly run: LiveRun; readonly task: LiveTask }>();
  #cancelWake: CancelTimer = () => undefined;
  /** Until everything an earlier daemon left is taken up, nothing starts: it would not know what is held already. */
  #recovered = false;
  #stopped = false;

  constructor(parts: Parts, lander: Lander) {
    const { limits, scheduler } = parts;
    this.#parts = parts;
    this.#lander = lander;
    this.#limits = limits;
    this.#scheduler = scheduler;
    this.#approvals = new Approvals(parts, {
      baseOf: (run, task) => this.#baseOf(run, task),
      granted: (run, task) => this.#note(run, [task.row.name]),
      failed: (run, task, cause) => this.#fail(run, task, cause),
    });
    this.#signal = createSignal(() => this.#look());
    parts.book.onChange((run, tasks) => this.#note(run, tasks));
    parts.leases.onFree((repositoryId) => this.#letGo(repositoryId));
  }

  /** Takes up everything an earlier daemon left. */
  async recover(): Promise<void> {
    const runs = await this.#parts.book.load();
    await Promise.all([this.#parts.leases.load(), this.#parts.spending.load(), this.#approvals.recover(runs)]);
    for (const run of runs) {
      this.#limits.learn(run);
      for (const task of run.tasks.values()) this.#takeUp(run, task);
      await this.#parts.book.change(run, () => undefined, [...run.tasks.keys()]);
      this.#note(run, [...run.tasks.keys()]);
    }
    for (const run of runs) await this.#settleFamily(run);
    await this.#lander.recover();
    for (const row of this.#parts.pool.leased()) await this.#releaseLeftOver(row);
    this.#recovered = true;
    this.#signal.raise();
  }

  /** Takes in a run that was just committed. */
  submit(run: LiveRun): void {
    this.#limits.learn(run);
    this.#parts.book.add(run);
    this.#lander.begin(run);
    // Whoever started it may have ended while its base was taken.
    if (run.row.owner !== undefined && !this.#parts.book.isLive(run.row.owner)) void this.#settleFamily(run);
    this.#note(run, [...run.tasks.keys()]);
  }

  /** Asks for a run, or one of its tasks, to stop, together with every run its tasks have started. */
  async cancel(run: LiveRun, task: string | undefined, force: boolean): Promise<{ runs: string[]; tasks: string[] }> {
    const own = await this.#stop(run, task, force, "user");
    faultPoint("cancel.cascade");
    const below = await this.#stopBelow(run, task, force);
    return { runs: [...own.runs, ...below.runs], tasks: [...own.tasks, ...below.tasks] };
  }

  async #stop(
    run: LiveRun,
    task: string | undefined,
    force: boolean,
    by: "user" | "parent",
  ): Promise<{ runs: string[]; tasks: string[] }> {
    const names = task === undefined ? [...run.tasks.keys()] : [task];
    const stopped = names.filter((name) => run.tasks.get(name)?.row.state !== "ended");
    await this.#parts.book.change(run, (draft) => {
      if (task === undefined && run.row.state === "active") draft.cancelRun();
      for (const name of names) draft.stopTask(name, { by, force });
    });
    return {
      runs: task === undefined ? [run.row.id] : [],
      tasks: stopped.map((name) => taskKey(run.row.id, name)),
    };
  }

  async #stopBelow(
    run: LiveRun,
    task: string | undefined,
    force: boolean,
  ): Promise<{ runs: string[]; tasks: string[] }> {
    const all: { runs: string[]; tasks: string[] } = { runs: [], tasks: [] };
    for (const id of await loadRunIdsBelow(this.#parts.store, run.row.id, task)) {
      const below = this.#parts.book.get(id);
      if (below === undefined) continue;
      const { runs, tasks } = await this.#stop(below, undefined, force, "parent");
      all.runs.push(...runs);
      all.tasks.push(...tasks);
    }
    return all;
  }

  /** Starts nothing more. What runs goes on. */
  stop(): void {
    this.#stopped = true;
    this.#cancelWake();
  }

  /** How many tasks are at work, and how many wait for a place. */
  counts(): { working: number; ready: number } {
    const runs = this.#parts.book.all();
    const ready = runs.reduce(
      (sum, run) => sum + [...run.tasks.values()].filter((task) => task.row.state === "ready").length,
      0,
    );
    return { working: this.#drivers.size, ready };
  }

  /** Resolves when all workspaces of a run that are being given back are free. */
  async settled(run: string): Promise<void> {
    await Promise.all([...this.#releasing].filter(([key]) => key.startsWith(`${run}/`)).map(([, done]) => done));
  }

  #note(run: LiveRun, tasks: readonly string[]): void {
    if (tasks.length === 0) return;
    const known = this.#changed.get(run) ?? new Set();
    for (const task of tasks) known.add(task);
    this.#changed.set(run, known);
    this.#signal.raise();
  }

  async #look(): Promise<void> {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const [run, tasks] of changed) {
      for (const name of tasks) this.#lookAt(run, name);
      if (run.unended === 0) this.#giveBackShared(run);
      this.#retire(run);
    }
    if (this.#stopped || !this.#recovered) return;
    const most = await this.#admits();
    for (const ready of this.#scheduler.next(this.#parts.clock.monotonicMs(), most)) {
      const run = this.#parts.book.get(ready.run);
      const task = run?.tasks.get(ready.key.slice(ready.run.length + 1));
      if (run === undefined || task === undefined) this.#scheduler.withdraw(ready.key);
      else void this.#start(run, task);
    }
    this.#wakeLater();
  }

  /** How many tasks may start; where that changes, whoever looks at those that wait is told why. */
  async #admits(): Promise<number> {
    const { scheduler, hold, book, log } = this.#parts;
    if (scheduler.queuedCount === 0) return Number.POSITIVE_INFINITY;
    const before = hold.why;
    const most = await hold.admits(scheduler.workingCount);
    if (hold.why === before) return most;
    if ((hold.why === undefined) !== (before === undefined)) {
      log("info", hold.why === undefined ? "there is room again: tasks start" : "no task starts", { why: hold.why });
    }
    for (const run of book.all()) if (run.unended > 0) book.touch(run);
    return most;
  }

  #wakeLater(): void {
    const { clock, scheduler, hold } = this.#parts;
    this.#cancelWake();
    const nowMs = clock.monotonicMs();
    const held = hold.why !== undefined && scheduler.queuedCount > 0;
    const wakeAtMs = Math.min(scheduler.wakeAtMs ?? NEVER_MS, held ? nowMs + RECHECK_MS : NEVER_MS);
    if (wakeAtMs === NEVER_MS) return;
    this.#cancelWake = clock.after(wakeAtMs - nowMs, () => this.#signal.raise());
  }

  #lookAt(run: LiveRun, name: string): void {
    const key = taskKey(run.row.id, name);
    const task = run.tasks.get(name);
    this.#drivers.get(key)?.attend();
    if (task?.row.state !== "ready") this.#heldBack.delete(key);
    else if (!this.#heldBack.has(key) && this.#approvals.mayStart(run, task))
      this.#scheduler.add(readyTask(run, name, this.#parts.clock.bootId));
    if (task?.row.state !== "ended") return;
    this.#scheduler.remove(key);
    this.#approvals.forget(run, name);
    // What a loser has started loses with it.
    if (task.row.cancel?.by === "race") void this.#stopBelow(run, name, task.row.cancel.force);
  }

  /** A task that an earlier daemon was at work on. */
  #takeUp(run: LiveRun, task: LiveTask): void {
    const { state } = task.row;
    if (state !== "preparing" && state !== "working" && state !== "captured") return;
    this.#scheduler.adopt(readyTask(run, task.row.name, this.#parts.clock.bootId));
    void this.#drive(run, task, true);
  }

  /** A run whose starter was cancelled ends with it, also when a kill came between; one whose starter ended has an heir. */
  async #settleFamily(run: LiveRun): Promise<void> {
    try {
      await this.#parts.book.inherit(run);
      for (let { parent } = run.row; parent !== undefined;) {
        const above: LiveRun | undefined = await this.#parts.book.find(parent.run);
        const stopped = above?.tasks.get(parent.task)?.row.cancel;
        if (stopped !== undefined || above?.row.cancelRequested === true) {
          await this.#stop(run, undefined, stopped?.force === true, "parent");
          return;
        }
        parent = above?.row.parent;
      }
    } catch (cause) {
      this.#parts.log("error", "a run could not be given to its heir", { run: run.row.id, cause: String(cause) });
    }
  }

  /** Something that somebody waits for is free: those who wait are offered to start again, in their order. */
  #letGo(repositoryId: string): void {
    for (const [key, { run, task }] of this.#heldBack) {
      if (run.row.repositoryId !== repositoryId) continue;
      this.#heldBack.delete(key);
      this.#note(run, [task.row.name]);
    }
  }

  async #start(run: LiveRun, task: LiveTask): Promise<void> {
    const key = taskKey(run.row.id, task.row.name);
    try {
      if (await this.#begin(run, task)) await this.#drive(run, task, false);
      else this.#scheduler.withdraw(key);
    } catch (cause) {
      this.#scheduler.release(key);
      await this.#fail(run, task, cause);
    }
    this.#note(run, [task.row.name]);
  }

  async #fail(run: LiveRun, task: LiveTask, cause: unknown): Promise<void> {
    const { kind: _kind, ...reason } = toAnabranchError(cause).toJSON();
    this.#parts.log("error", "a task could not be started", {
      run: run.row.id,
      task: task.row.name,
      cause: reason.message,
    });
    await this.#parts.book.change(run, (draft) => {
      const name = task.row.name;
      if (draft.task(name).state !== "ready") return;
      draft.setTask(name, { state: "ended", outcome: "failed", reason }, "task.ended", { outcome: "failed", reason });
    });
  }

  /**
   * Leases a workspace and begins an attempt, in one transaction; `false` when the task is no longer ready, or waits for
   * somebody's lease.
   */
  async #begin(run: LiveRun, task: LiveTask): Promise<boolean> {
    const lease = this.#claim(run, task);
    if (lease === "held") return false;
    let begun = false;
    try {
      begun = await this.#beginWith(run, task, lease);
    } finally {
      if (begun) lease?.confirm();
      else lease?.cancel();
    }
    return begun;
  }

  /**
   * Sets aside the lease of a task that is to write alone.
   * @throws {AnabranchError} `LEASE_HELD` where waiting for it could never end
   */
  #claim(run: LiveRun, task: LiveTask): ReservedLease | "held" | undefined {
    const { row, spec } = task;
    if (!spec.exclusive || spec.writes === "none" || row.state !== "ready") return undefined;
    const { repositoryId, id } = run.row;
    const attempt = row.attempt + 1;
    const verdict = this.#parts.leases.begin({ repositoryId, run: id, task: row.name, attempt, scope: spec.writes });
    if (verdict.type === "refused") throw verdict.error;
    task.activity = verdict.type === "wait" ? verdict.text : undefined;
    if (verdict.type === "reserved") return verdict;
    this.#heldBack.set(taskKey(id, row.name), { run, task });
    this.#parts.book.touch(run);
    return "held";
  }

  async #beginWith(run: LiveRun, task: LiveTask, lease: ReservedLease | undefined): Promise<boolean> {
    const begin: AttemptBegin = {
      run,
      task,
      number: task.row.attempt + 1,
      chosenMs: this.#parts.clock.wallMs(),
      base: await this.#baseOf(run, task),
      lease,
    };
    // What an agent that writes nothing writes all the same would meet the others.
    if (!run.row.plan.share || task.spec.writes !== "none" || task.spec.agent !== undefined) {
      const key = { run: run.row.id, task: task.row.name, number: begin.number };
      return (await this.#beginInOwn(begin, attemptName(key))) !== undefined;
    }
    const shared = this.#shared.get(run.row.id);
    if (shared === undefined) {
      const claimed = this.#beginInOwn(begin, run.row.id);
      this.#shared.set(
        run.row.id,
        claimed.catch(() => undefined),
      );
      const row = await claimed.catch((cause: unknown) => {
        this.#shared.delete(run.row.id);
        throw cause;
      });
      if (row === undefined) this.#shared.delete(run.row.id);
      return row !== undefined;
    }
    const row = await shared;
    return row === undefined ? this.#beginWith(run, task, lease) : this.#commitAttempt(begin, row.id, []);
  }

  /** Leases a workspace for a holder and begins an attempt in it; `undefined` when the task is no longer ready. */
  async #beginInOwn(begin: AttemptBegin, holder: string): Promise<WorkspaceRow | undefined> {
    const { repositoryId, plan } = begin.run.row;
    const reservation = await this.#parts.pool.reserve({
      repositoryId,
      holder,
      base: begin.base,
      dependenciesKey: plan.dependencies.key,
      atMs: begin.chosenMs,
    });
    const begun = await this.#commitAttempt(begin, reservation.row.id, [reservation.statement]).catch(
      (cause: unknown) => {
        reservation.cancel();
        throw cause;
      },
    );
    if (begun) return reservation.confirm();
    reservation.cancel();
    return undefined;
  }

  async #commitAttempt(begin: AttemptBegin, workspaceId: string, also: readonly Statement[]): Promise<boolean> {
    const { clock, random, book } = this.#parts;
    const { run, task, number, chosenMs, base } = begin;
    const name = task.row.name;
    const marker = newId(random, 24);
    let begun = false;
    const build = (draft: Draft): void => {
      begun = draft.task(name).state === "ready";
      if (!begun) return;
      draft.also([...also, ...(begin.lease?.statements() ?? [])]);
      draft.addAttempt({
        run: run.row.id,
        task: name,
        number,
        version: 1,
        state: "starting",
        marker,
        workspaceId,
        baseCommit: base,
        bootId: clock.bootId,
        process: undefined,
        exit: undefined,
        changeset: undefined,
        discarded: undefined,
        timings: { chosenMs, claimedMs: clock.wallMs() },
      });
      const patch = { state: "preparing", attempt: number, notBeforeMs: null } as const;
      draft.setTask(name, patch, "task.preparing", { attempt: number });
    };
    await persist(
      this.#parts,
      `starting ${name}`,
      () => undefined,
      () => book.change(run, build),
    );
    return begun;
  }

  /**
   * The commit a task starts from: the run's base; or what has landed by now, where it comes after tasks that write or
   * is done again because its work did not fit what had landed. A person's yes is about one commit, and that it is.
   */
  #baseOf(run: LiveRun, task: LiveTask): Promise<string> {
    const { row } = task;
    const again = row.reason?.code === "MERGE_CONFLICT" || row.reason?.code === "VERIFY_FAILED";
    const approved = again ? undefined : this.#approvals.baseOf(run, task);
    if (approved !== undefined) return Promise.resolve(approved);
    const onLane = run.onLane.has(row.name) || again;
    return onLane ? this.#lander.tipOf(run) : Promise.resolve(run.row.baseCommit);
  }

  async #drive(run: LiveRun, task: LiveTask, recovered: boolean): Promise<void> {
    const key = taskKey(run.row.id, task.row.name);
    const driver = new TaskDriver(this.#parts, run, task);
    const { attempt } = task;
    this.#drivers.set(key, driver);
    try {
      await driver.drive(recovered);
    } catch (cause) {
      this.#parts.log("error", "a driver failed", {
        task: key,
        cause: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
      });
    } finally {
      this.#drivers.delete(key);
      this.#scheduler.release(key);
      if (attempt !== undefined) this.#giveBack(run, task.attempt ?? attempt);
      this.#note(run, [task.row.name]);
    }
  }

  /** Gives back the workspace of an attempt that is over. One that is shared goes when all of its run has ended. */
  #giveBack(run: LiveRun, attempt: AttemptRow): void {
    const row = this.#parts.pool.find(attempt.workspaceId);
    if (row?.state === "leased" && row.holder === attemptName(attempt)) this.#release(run, row, [attempt]);
  }

  #giveBackShared(run: LiveRun): void {
    const shared = this.#shared.get(run.row.id);
    if (shared === undefined) return;
    this.#shared.delete(run.row.id);
    void shared.then((row) => {
      if (row !== undefined) this.#release(run, row, attemptsIn(run, row));
    });
  }

  #release(run: LiveRun, row: WorkspaceRow, attempts: readonly AttemptRow[]): void {
    const key = `${run.row.id}/${row.id}`;
    const done = releaseWorkspace(this.#parts, run, row, attempts).finally(() => {
      this.#releasing.delete(key);
      this.#retire(run);
    });
    this.#releasing.set(key, done);
  }

  /** A workspace that was held when the daemon started: its holder may be over. */
  async #releaseLeftOver(row: WorkspaceRow): Promise<void> {
    const [id = "", name, number] = (row.holder ?? "").split("/");
    const run = await this.#parts.book.find(id);
    if (run === undefined) return;
    if (name === undefined) {
      if (run.unended > 0) this.#shared.set(id, Promise.resolve(row));
      else this.#release(run, row, attemptsIn(run, row));
      return;
    }
    if (this.#drivers.has(taskKey(id, name)) && run.tasks.get(name)?.attempt?.number === Number(number)) return;
    const attempts = await loadAttempts(this.#parts.store, id);
    this.#release(
      run,
      row,
      attempts.filter((attempt) => attempt.task === name && attempt.number === Number(number)),
    );
  }

  /** Forgets a run whose work is all done. */
  #retire(run: LiveRun): void {
    if (run.unended > 0 || run.row.state !== "ended") return;
    if ([...this.#releasing.keys()].some((key) => key.startsWith(`${run.row.id}/`))) return;
    if (this.#parts.pool.leased().some((row) => row.holder?.split("/")[0] === run.row.id)) return;
    this.#parts.book.remove(run.row.id);
    this.#limits.forget(run);
    this.#parts.spending.forget(run);
    void this.#parts.files.forget(run.row.id);
  }
}

/** What an attempt begins with. */
interface AttemptBegin {
  readonly run: LiveRun;
  readonly task: LiveTask;
  readonly number: number;
  readonly chosenMs: number;
  readonly base: string;
  /** That of a task that is to write alone. */
  readonly lease: ReservedLease | undefined;
}

/** The newest attempts of a run's tasks that worked in one workspace. */
function attemptsIn(run: LiveRun, row: WorkspaceRow): AttemptRow[] {
  return [...run.tasks.values()].flatMap((task) => (task.attempt?.workspaceId === row.id ? [task.attempt] : []));
}
