import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { Turns } from "../base/turns.ts";
import { loadAttempts } from "../store/attempts.ts";
import { appendEvent } from "../store/events.ts";
import type { Statement, Store } from "../store/port.ts";
import { adoptRun, findRun, inheritRun, loadOpenRuns, type RunRow, type StartingTask } from "../store/runs.ts";
import { loadTasks } from "../store/tasks.ts";
import type { RunSpec } from "../workflows/spec.ts";
import type { Announcements } from "./announcements.ts";
import { Draft } from "./draft.ts";
import { makeLiveRun, taskKey, type LiveRun, type PlanRecord } from "./live-run.ts";

/** Told after a change of a run became durable, with the tasks it changed. */
export type RunListener = (run: LiveRun, tasks: readonly string[]) => void;

/**
 * The runs with work left. Every change of one goes through {@link RunBook.change}: one at a time per run, durable
 * before it shows.
 */
export class RunBook {
  readonly #runs = new Map<string, LiveRun>();
  /** By the task that owns them. */
  readonly #owned = new Map<string, Set<LiveRun>>();
  readonly #turns = new Turns();
  readonly #listeners = new Set<RunListener>();
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #announcements: Announcements;

  constructor(store: Store, clock: Clock, log: Log, announcements: Announcements) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#announcements = announcements;
  }

  /** Reads every run with work left: at start-up. */
  async load(): Promise<LiveRun[]> {
    for (const row of await loadOpenRuns<RunSpec, PlanRecord>(this.#store)) this.add(await this.#assemble(row));
    return [...this.#runs.values()];
  }

  /** Takes in a run that was just committed. */
  add(run: LiveRun): void {
    this.#runs.set(run.row.id, run);
    this.#noteOwner(run);
  }

  /** A run with work left. */
  get(id: string): LiveRun | undefined {
    return this.#runs.get(id);
  }

  all(): LiveRun[] {
    return [...this.#runs.values()];
  }

  /** Forgets a run whose work is all done. */
  remove(id: string): void {
    const run = this.#runs.get(id);
    if (run === undefined) return;
    this.#runs.delete(id);
    this.#forgetOwner(run);
  }

  /** The runs with work left that belong to a task. */
  ownedBy({ run, task }: StartingTask): readonly LiveRun[] {
    return [...(this.#owned.get(taskKey(run, task)) ?? [])];
  }

  /** Whether a task that owns runs can still be told of them. */
  isLive({ run, task }: StartingTask): boolean {
    const state = this.#runs.get(run)?.tasks.get(task)?.row.state;
    return state !== undefined && state !== "ended";
  }

  /**
   * Gives a run to another task, or to the person: it is cancelled with that from now on, its budget counts there, and
   * its outcome is told there.
   * @throws {AnabranchError} `STORE_CONFLICT` when it has got another owner meanwhile
   */
  async adopt(run: LiveRun, to: StartingTask | undefined): Promise<void> {
    const { id, parent, owner } = run.row;
    await this.#store.commit([adoptRun(id, owner, to), this.#adopted(run, to, parent)]);
    this.#setOwner(run, { parent: to, owner: to });
    this.touch(run);
  }

  /** Gives a run whose owner has ended to whoever comes next. */
  async inherit(run: LiveRun): Promise<void> {
    for (let { owner } = run.row; owner !== undefined && !this.isLive(owner); { owner } = run.row) {
      const above = await this.find(owner.run);
      const next = { owner: above?.row.owner, asker: above?.row.asker };
      await this.#store.commit([inheritRun(run.row.id, owner, next), this.#adopted(run, next.owner, owner)]);
      this.#setOwner(run, { owner: next.owner, asker: run.row.asker ?? next.asker });
    }
  }

  /** Any run: from memory where it has work left, else from the store. */
  async find(id: string): Promise<LiveRun | undefined> {
    const live = this.#runs.get(id);
    if (live !== undefined) return live;
    const row = await findRun<RunSpec, PlanRecord>(this.#store, id);
    return row === undefined ? undefined : this.#assemble(row);
  }

  /**
   * Changes a run: `build` says what happened, what follows is worked out, all of it is committed as one transaction,
   * and only then shows in memory.
   *
   * @param build is called when it is this change's turn; it sees the run as it then is, and may find nothing to do
   * @param changed tasks whose followers are to be looked at although `build` does not change them
   * @throws {AnabranchError} as the store does; then nothing has changed
   */
  change(run: LiveRun, build: (draft: Draft) => void, changed: readonly string[] = []): Promise<void> {
    return this.#turns.run(run.row.id, () => this.#commit(run, build, changed));
  }

  /** Commits statements that belong to no run's graph. */
  async commit(statements: readonly Statement[]): Promise<void> {
    await this.#store.commit(statements);
  }

  /** Calls `listener` after each change of a run. Returns the way to stop that. */
  onChange(listener: RunListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Something that is not kept has changed, such as what a task is doing right now. */
  touch(run: LiveRun, tasks: readonly string[] = []): void {
    for (const listener of this.#listeners) listener(run, tasks);
  }

  async #commit(run: LiveRun, build: (draft: Draft) => void, changed: readonly string[]): Promise<void> {
    const draft = new Draft(run, this.#clock.wallMs(), this.#announcements);
    build(draft);
    const { statements, install, tasks, ended } = draft.finish(changed);
    if (statements.length === 0) return;
    const heirs = ended.flatMap((task) => this.ownedBy({ run: run.row.id, task }).map((child) => ({ task, child })));
    const inheriting = heirs.flatMap(({ task, child }) => {
      const from = { run: run.row.id, task };
      return [inheritRun(child.row.id, from, run.row), this.#adopted(child, run.row.owner, from)];
    });
    try {
      await this.#store.commit([...statements, ...inheriting]);
    } catch (cause) {
      this.#log("error", "a change of a run could not be committed", { run: run.row.id, cause: String(cause) });
      throw cause;
    }
    install();
    for (const { task, child } of heirs) {
      const { owner, asker } = child.row;
      if (owner?.run !== run.row.id || owner.task !== task) continue;
      this.#setOwner(child, { owner: run.row.owner, asker: asker ?? run.row.asker });
    }
    this.touch(run, tasks);
  }

  #setOwner(run: LiveRun, patch: Partial<Pick<LiveRun["row"], "parent" | "owner" | "asker">>): void {
    this.#forgetOwner(run);
    run.row = { ...run.row, ...patch };
    if (this.#runs.get(run.row.id) === run) this.#noteOwner(run);
  }

  #noteOwner(run: LiveRun): void {
    const { owner } = run.row;
    if (owner === undefined) return;
    const key = taskKey(owner.run, owner.task);
    const owned = this.#owned.get(key) ?? new Set();
    this.#owned.set(key, owned.add(run));
  }

  #forgetOwner(run: LiveRun): void {
    const { owner } = run.row;
    if (owner === undefined) return;
    const key = taskKey(owner.run, owner.task);
    const owned = this.#owned.get(key);
    owned?.delete(run);
    if (owned?.size === 0) this.#owned.delete(key);
  }

  #adopted({ row }: LiveRun, to: StartingTask | undefined, from: StartingTask | undefined): Statement {
    return appendEvent({
      atMs: this.#clock.wallMs(),
      type: "run.adopted",
      run: row.id,
      task: undefined,
      repositoryId: row.repositoryId,
      cause: row.cause,
      data: { by: to === undefined ? "person" : to, ...(from === undefined ? {} : { from }) },
    });
  }

  async #assemble(row: RunRow<RunSpec, PlanRecord>): Promise<LiveRun> {
    const [tasks, attempts] = await Promise.all([loadTasks(this.#store, row.id), loadAttempts(this.#store, row.id)]);
    return makeLiveRun(row, tasks, attempts);
  }
}
