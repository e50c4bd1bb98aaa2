/**
 * Takes one task from `preparing` to the end of its attempt.
 *
 * It reads the task's state and does what that state asks for, until the state is none of its own. Killed at any
 * instruction, the next driver reads the state that is left and goes on from there:
 *
 * preparing  no record of a start → the attempt is declared void, exactly once, and the task is ready again;
 *            a record of a start → it runs or has run: working
 * working    the process is found again by its identity, or its exit record is, or neither: lost
 * captured   what was recorded is judged again; work that is to land is left to the lander
 */
import { delay, type CancelTimer } from "../base/clock.ts";
import { isAnabranchError, toAnabranchError, type AnabranchError } from "../base/errors.ts";
import { faultPoint } from "../base/fault.ts";
import { stalledMs } from "../process/cgroup.ts";
import { AT_ONCE, endProcesses, endStragglers, type AttemptProcesses } from "../process/ladder.ts";
import { startOf } from "../process/identity.ts";
import { forestallShim, launchShim, readExit, readStart, reserveAttempt, type LaunchedShim } from "../process/shim.ts";
import { waitForExit } from "../process/watch.ts";
import { MARKER_VARIABLE } from "../protocol/wire.ts";
import type { AttemptPatch, AttemptRow, AttemptTimings, ProcessRecord } from "../store/attempts.ts";
import type { Reason } from "../store/runs.ts";
import { findSession } from "../store/sessions.ts";
import type { AgentSpec } from "../workflows/spec.ts";
import { treeOf } from "../workspaces/layout.ts";
import { AgentWork, type AgentEnd, type AgentWorkContext } from "./agents/agent-work.ts";
import { watchBudget } from "./budget-watch.ts";
import { captureAttempt } from "./capture-attempt.ts";
import type { Draft } from "./draft.ts";
import { failTask } from "./failing.ts";
import { requireAttempt, type LiveRun, type LiveTask } from "./live-run.ts";
import { rememberAttempt, rememberSpinUp, type SpinUpKind } from "./memory.ts";
import { removeOldFolder, restartMonitor, type Restarted } from "./monitor.ts";
import type { Parts } from "./parts.ts";
import { isTemporary, persist } from "./patience.ts";
import { prepareWorkspace, type Prepared } from "./preparation.ts";
import { taskVariables } from "./task-environment.ts";
import { forgetReports, ReportReader } from "./report-reader.ts";
import { checkOutput, passOnResults } from "./task-results.ts";
import { judgeAttempt } from "./verdict.ts";

// Between a shim's making its record and filling it there is next to no time.
const [LOOK_EVERY_MS, MOST_LOOKS] = [10, 20];

/** See the head of this file. */
export class TaskDriver {
  readonly #parts: Parts;
  readonly #run: LiveRun;
  readonly #task: LiveTask;
  readonly #stop = new AbortController();
  readonly #hurry = new AbortController();
  #child: LaunchedShim["child"] | undefined;
  /** What went wrong in this driver's own steps: judged with the attempt. */
  #trouble: Reason | undefined;

  constructor(parts: Parts, run: LiveRun, task: LiveTask) {
    this.#parts = parts;
    this.#run = run;
    this.#task = task;
  }

  /** Looks whether the task was asked to stop. */
  attend(): void {
    const { cancel } = this.#task.row;
    if (cancel === undefined) return;
    this.#stop.abort();
    if (cancel.force) this.#hurry.abort();
  }

  /**
   * Drives the task until its attempt is over.
   * @param recovered whether the attempt was begun by an earlier daemon
   */
  async drive(recovered: boolean): Promise<void> {
    this.attend();
    if (recovered && this.#task.row.state === "preparing") await this.#recover();
    for (;;) {
      switch (this.#task.row.state) {
        case "preparing":
          await this.#prepare();
          break;
        case "working":
          await this.#work();
          break;
        case "captured":
          await this.#conclude();
          break;
        default:
          return;
      }
    }
  }

  /** Finds out whether an attempt that an earlier daemon prepared was started. */
  async #recover(): Promise<void> {
    reserveAttempt(this.#folder());
    const process = forestallShim(this.#folder()) ? undefined : await this.#findStart();
    if (process !== undefined) {
      await this.#toWorking(process);
      return;
    }
    // Whatever its setup had started carries its marker.
    await endProcesses(this.#processes(undefined), AT_ONCE, this.#parts.clock);
    await this.#change((draft) => {
      draft.setAttempt(this.#name, { state: "stopped" });
      if (this.#task.row.cancel === undefined)
        draft.setTask(this.#name, { state: "ready", reason: null }, "task.ready");
      else draft.setTask(this.#name, { state: "ended", outcome: "cancelled" }, "task.ended", { outcome: "cancelled" });
    });
  }

  async #prepare(): Promise<void> {
    try {
      const launched = await persist(
        this.#parts,
        `preparing ${this.#name}`,
        this.#held,
        () => this.#launch(),
        this.#stop.signal,
      );
      if (launched !== undefined) {
        await this.#toWorking(launched.process, launched.spinUp);
        return;
      }
    } catch (cause) {
      if (!isTemporary(cause)) this.#trouble = reasonOf(cause);
    }
    this.#setTimings({});
    await this.#change((draft) => draft.setAttempt(this.#name, { state: "stopped" }));
    await this.#conclude();
  }

  /** Prepares the workspace and starts the command; `undefined` when it was asked to stop before. */
  async #launch(): Promise<{ process: ProcessRecord | undefined; spinUp: SpinUpKind } | undefined> {
    const { clock } = this.#parts;
    const beganMs = clock.monotonicMs();
    const attempt = this.#attempt();
    const directory = this.#folder();
    reserveAttempt(directory);
    const prepared = await this.#prepareWorkspace();
    if (this.#stop.signal.aborted) return undefined;
    this.#setTimings({ preparedMs: clock.wallMs() });
    this.#report("");
    const { agent } = this.#task.spec;
    if (agent !== undefined) {
      this.#agentWork = await AgentWork.open(this.#agentContext(agent, prepared));
      this.#setTimings({ startedMs: clock.wallMs() });
      this.#spinUpMs = clock.monotonicMs() - beganMs;
      return { process: this.#agentWork.process, spinUp: prepared.spinUp };
    }
    const controlGroup = this.#parts.controlGroups?.create(`${attempt.run}-${attempt.task}-${attempt.number}`);
    faultPoint("attempt.launch.before");
    const { child, identity } = await launchShim(
      {
        directory,
        command: this.#task.spec.command,
        cwd: prepared.cwd,
        environment: prepared.environment,
        capBytes: this.#run.row.spec.logCapBytes,
        splitOutput: this.#task.spec.output !== undefined,
        controlGroup,
      },
      clock,
    );
    faultPoint("attempt.launch.after");
    this.#child = child;
    this.#setTimings({ startedMs: clock.wallMs() });
    const startedAtMs = clock.monotonicMs();
    this.#spinUpMs = startedAtMs - beganMs;
    return { process: { ...identity, startedAtMs }, spinUp: prepared.spinUp };
  }

  async #prepareWorkspace(): Promise<Prepared> {
    const attempt = this.#attempt();
    const { input, variables } = await passOnResults(this.#parts.layout, this.#run, this.#task);
    const { files } = this.#parts;
    const inputs = await files.load(this.#run.row.id);
    const event = inputs.event === undefined ? undefined : files.event(this.#run.row.id);
    return prepareWorkspace({
      parts: this.#parts,
      run: this.#run.row,
      inputs,
      workspaceId: attempt.workspaceId,
      base: attempt.baseCommit,
      marker: attempt.marker,
      folder: this.#folder(),
      directory: this.#task.spec.directory,
      variables: { ...variables, ...taskVariables(attempt, input, event) },
      templates: this.#task.spec.environment,
      report: this.#report,
      signal: this.#stop.signal,
    });
  }

  #agentWork: AgentWork | undefined;

  #agentContext(agent: AgentSpec, prepared: Prepared): AgentWorkContext {
    const { parts, run, task, report } = { parts: this.#parts, run: this.#run, task: this.#task, report: this.#report };
    return { parts, run, task, agent, attempt: this.#attempt(), folder: this.#folder(), prepared, report };
  }

  #spinUpMs = 0;

  async #toWorking(process: ProcessRecord | undefined, spinUp?: SpinUpKind): Promise<void> {
    const patch: AttemptPatch = { state: "running", ...(process === undefined ? {} : { process }) };
    await this.#change((draft) => {
      draft.setAttempt(this.#name, { ...patch, timings: this.#timings });
      if (spinUp !== undefined) draft.also([rememberSpinUp(this.#parts, this.#run, spinUp, this.#spinUpMs)]);
      if (this.#agentWork !== undefined) draft.also([this.#agentWork.begun]);
      draft.setTask(this.#name, { state: "working", reason: null }, "task.started", {
        attempt: this.#attempt().number,
        pid: process?.pid,
      });
    });
    this.#agentWork?.stored();
  }

  /** What the shim itself recorded of its start, when an earlier daemon launched it. */
  async #findStart(): Promise<ProcessRecord | undefined> {
    const { clock } = this.#parts;
    for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
      const start = readStart(this.#folder(), this.#attempt().bootId);
      if (start !== undefined) {
        this.#setTimings({ startedMs: clock.wallMs() });
        return { ...start.identity, startedAtMs: startOf(start.identity) ?? clock.monotonicMs() };
      }
      await delay(clock, LOOK_EVERY_MS);
    }
    return undefined;
  }

  async #work(): Promise<void> {
    const { agent } = this.#task.spec;
    const unwatch = watchBudget(this.#parts, this.#attempt(), (error) => this.#stop.abort(error));
    try {
      if (agent === undefined) await this.#waitForCommand();
      else await this.#talk(agent);
    } finally {
      unwatch();
    }
  }

  /** Where a budget is why it was stopped, that is what went wrong. */
  #blameBudget(): void {
    const { reason } = this.#stop.signal as { readonly reason: unknown };
    if (isAnabranchError(reason)) this.#trouble = reasonOf(reason);
  }

  /** Lets an agent work, then ends what it has left running. */
  async #talk(agent: AgentSpec): Promise<void> {
    let end: AgentEnd = { how: "stopped" };
    try {
      this.#agentWork ??= await this.#takeUpAgain(agent);
      const pid = this.#agentWork.process?.pid;
      if (pid !== undefined) this.#parts.memory.add(pid);
      const deadline = this.#armTimeout(this.#agentWork.startedAtMs);
      end = await this.#agentWork.converse(this.#stop.signal);
      deadline();
      if (end.how === "failed") this.#trouble = end.reason;
    } catch (cause) {
      this.#trouble = reasonOf(cause);
    }
    this.#setTimings({ exitedMs: this.#parts.clock.wallMs() });
    if (end.how === "stopped") {
      this.#report("stopping");
      this.#blameBudget();
    }
    const startedAtMs = this.#agentWork?.startedAtMs ?? this.#parts.clock.monotonicMs();
    const runMs = this.#parts.clock.monotonicMs() - startedAtMs;
    const memoryBytes = this.#parts.memory.remove(this.#agentWork?.process?.pid ?? 0);
    await this.#agentWork?.finish();
    const stragglers = await endStragglers(this.#processes(undefined), this.#parts.clock);
    const exit = { status: end.how === "done" ? 0 : 1, runMs, cpuMs: 0, stalledMs: 0, memoryBytes, stragglers };
    const patch: AttemptPatch = {
      state: end.how === "stopped" && this.#trouble === undefined ? "stopped" : "exited",
      exit,
    };
    if (this.#task.spec.writes === "none") await this.#conclude(patch);
    else await this.#capture(patch);
  }

  /** Goes on with the conversation that an earlier daemon had, in the workspace as it was left. */
  async #takeUpAgain(agent: AgentSpec): Promise<AgentWork> {
    const attempt = this.#attempt();
    const row = await findSession(this.#parts.store, attempt);
    await endProcesses(
      { ...this.#processes(undefined), controlGroup: row?.record.controlGroup },
      AT_ONCE,
      this.#parts.clock,
    );
    return AgentWork.open(this.#agentContext(agent, await this.#prepareWorkspace()), row);
  }

  async #waitForCommand(): Promise<void> {
    const { process } = this.#attempt();
    if (process !== undefined) this.#parts.memory.add(process.pid);
    const deadline = this.#armTimeout(process?.startedAtMs);
    this.#task.isAlone = process !== undefined;
    const { reports: reporting } = this.#task.spec;
    const reports =
      reporting === true ? new ReportReader(this.#parts, this.#run, this.#attempt(), this.#folder()) : undefined;
    const ended = process === undefined ? "vanished" : await this.#waitForExit(process);
    this.#task.isAlone = false;
    deadline();
    this.#setTimings({ exitedMs: this.#parts.clock.wallMs() });
    const runMs = process === undefined ? 0 : this.#parts.clock.monotonicMs() - process.startedAtMs;
    const stopped = ended === "aborted";
    if (stopped) {
      this.#report("stopping");
      this.#blameBudget();
    }
    const processes = this.#processes(process);
    const stragglers = stopped
      ? await endProcesses(processes, this.#parts.ladder, this.#parts.clock, this.#hurry.signal)
      : await endStragglers(processes, this.#parts.clock);
    await reports?.finish();
    const exit = readExit(this.#folder());
    const memoryBytes = this.#parts.memory.remove(process?.pid ?? 0);
    const patch: AttemptPatch = {
      state: stopped ? "stopped" : exit === undefined ? "lost" : "exited",
      ...(exit === undefined ? {} : { exit: { ...exit, runMs, stalledMs: this.#stalledMs, stragglers, memoryBytes } }),
    };
    if (this.#task.spec.writes === "none") await this.#conclude(patch);
    else await this.#capture(patch);
  }

  #stalledMs = 0;

  #waitForExit(process: ProcessRecord): Promise<"exited" | "vanished" | "aborted"> {
    const attempt = { directory: this.#folder(), shim: process, child: this.#child };
    return waitForExit(attempt, this.#parts.clock, this.#stop.signal);
  }

  #armTimeout(startedAtMs: number | undefined): CancelTimer {
    const { timeoutMs } = this.#task.spec;
    if (timeoutMs === undefined || startedAtMs === undefined) return () => undefined;
    const { clock } = this.#parts;
    const leftMs = startedAtMs + timeoutMs - clock.monotonicMs();
    return clock.after(leftMs, () => this.#stop.abort());
  }

  async #capture(patch: AttemptPatch): Promise<void> {
    this.#report("taking a snapshot");
    let changeset: AttemptPatch = {};
    try {
      changeset = await persist(this.#parts, `the snapshot of ${this.#name}`, this.#held, () =>
        captureAttempt(this.#parts, this.#run, this.#attempt()),
      );
      this.#setTimings({ capturedMs: this.#parts.clock.wallMs() });
    } catch (cause) {
      this.#trouble = reasonOf(cause);
      this.#parts.log("error", "a snapshot could not be taken", { task: this.#name, cause: String(cause) });
    }
    faultPoint("attempt.captured");
    this.#report("");
    const trouble = this.#trouble;
    await this.#change((draft) => {
      draft.setAttempt(this.#name, { ...patch, ...changeset, timings: this.#timings });
      this.#keepSession(draft, changeset.changeset?.changes.map(({ path }) => path) ?? []);
      const reason = trouble === undefined ? {} : { reason: trouble };
      draft.setTask(this.#name, { state: "captured", ...reason }, "task.captured", {
        paths: changeset.changeset?.paths ?? 0,
      });
    });
  }

  /** Judges the attempt and ends the task, or makes it ready for the next attempt. */
  async #conclude(patch: AttemptPatch = {}): Promise<void> {
    const { spec } = this.#task;
    const output = await checkOutput(spec, this.#folder());
    if (spec.restart !== undefined) await removeOldFolder(this.#parts, this.#attempt());
    let restarted: Restarted | undefined;
    // A reason that the captured state kept is trouble an earlier driver had.
    const trouble = this.#trouble ?? (this.#task.row.state === "captured" ? this.#task.row.reason : undefined);
    await this.#change((draft) => {
      const attempt: AttemptRow = { ...this.#attempt(), ...patch };
      const verdict = judgeAttempt(spec, draft.task(this.#name), attempt, output, trouble);
      if (Object.keys(patch).length > 0) {
        draft.setAttempt(this.#name, { ...patch, timings: this.#timings });
        this.#keepSession(draft, []);
      }
      draft.also(rememberAttempt(this.#parts, this.#run, this.#task, { ...attempt, timings: this.#timings }));
      const result = { exitStatus: attempt.exit?.status, ...("output" in output ? { output: output.output } : {}) };
      const { outcome, reason } = verdict;
      if (spec.reports === true) draft.also([forgetReports(attempt)]);
      restarted = restartMonitor(this.#parts, draft, spec, { attempt, outcome, reason });
      if (restarted !== undefined) return;
      if (outcome === "failed" || outcome === "lost") {
        const data = { exitStatus: attempt.exit?.status };
        failTask(draft, this.#parts.clock, spec, { outcome, reason, result, data });
        return;
      }
      if (outcome === "succeeded" && hasWork(attempt)) {
        draft.setTask(this.#name, { state: "landing", reason: null, result }, "task.landing");
        return;
      }
      draft.setTask(this.#name, { state: "ended", outcome, reason: reason ?? null, result }, "task.ended", {
        outcome,
        exitStatus: attempt.exit?.status,
        reason,
      });
    });
    restarted?.notice?.opened();
  }

  /** What is kept of an agent's session, once. */
  #keepSession(draft: Draft, changed: readonly string[]): void {
    const work = this.#agentWork;
    if (work === undefined) return;
    draft.also([work.kept(changed)]);
  }

  #processes(process: ProcessRecord | undefined): AttemptProcesses {
    const attempt = this.#attempt();
    const controlGroup = this.#agentWork?.controlGroup ?? readStart(this.#folder(), attempt.bootId)?.controlGroup;
    if (controlGroup !== undefined) this.#stalledMs = stalledMs(controlGroup);
    const row = this.#parts.pool.find(attempt.workspaceId);
    const alone = row?.holder !== attempt.run;
    return {
      directory: this.#folder(),
      shim: process,
      groupIsCurrent: this.#child !== undefined,
      marker: `${MARKER_VARIABLE}=${attempt.marker}`,
      controlGroup,
      workspace: row !== undefined && alone ? treeOf(this.#parts.layout.slot(row.repositoryId, row.slot)) : undefined,
    };
  }

  get #name(): string {
    return this.#task.row.name;
  }

  #attempt(): AttemptRow {
    return requireAttempt(this.#task);
  }

  #folder(): string {
    return this.#parts.layout.attempt(this.#attempt());
  }

  #extraTimings: Partial<AttemptTimings> = {};

  #setTimings(timings: Partial<AttemptTimings>): void {
    this.#extraTimings = { ...this.#extraTimings, ...timings };
  }

  get #timings(): AttemptTimings {
    return { ...this.#attempt().timings, ...this.#extraTimings };
  }

  readonly #report = (activity: string): void => {
    this.#task.activity = activity === "" ? undefined : activity;
    this.#parts.book.touch(this.#run);
  };

  readonly #held = (error: AnabranchError): void => this.#report(`held: ${error.message}`);

  #change(build: Parameters<Parts["book"]["change"]>[1]): Promise<void> {
    return persist(this.#parts, `recording ${this.#name}`, this.#held, () => this.#parts.book.change(this.#run, build));
  }
}

function reasonOf(cause: unknown): Reason {
  const { kind: _kind, ...reason } = toAnabranchError(cause).toJSON();
  return reason;
}

function hasWork({ changeset }: AttemptRow): boolean {
  return changeset !== undefined && changeset.paths > 0;
}
