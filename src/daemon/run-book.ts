import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { Turns } from "../base/turns.ts";
import { loadAttempts } from "../store/attempts.ts";
import type { Statement, Store } from "../store/port.ts";
import { findRun, loadOpenRuns, type RunRow } from "../store/runs.ts";
import { loadTasks } from "../store/tasks.ts";
import type { RunSpec } from "../workflows/spec.ts";
import { Draft } from "./draft.ts";
import { makeLiveRun, type LiveRun, type PlanRecord } from "./live-run.ts";

/** Told after a change of a run became durable, with the tasks it changed. */
export type RunListener = (run: LiveRun, tasks: readonly string[]) => void;

/**
 * The runs with work left. Every change of one goes through {@link RunBook.change}: one at a time per run, durable
 * before it shows.
 */
export class RunBook {
  readonly #runs = new Map<string, LiveRun>();
  readonly #turns = new Turns();
  readonly #listeners = new Set<RunListener>();
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(store: Store, clock: Clock, log: Log) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  /** Reads every run with work left: at start-up. */
  async load(): Promise<LiveRun[]> {
    for (const row of await loadOpenRuns<RunSpec, PlanRecord>(this.#store)) this.add(await this.#assemble(row));
    return [...this.#runs.values()];
  }

  /** Takes in a run that was just committed. */
  add(run: LiveRun): void {
    this.#runs.set(run.row.id, run);
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
    this.#runs.delete(id);
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
    const draft = new Draft(run, this.#clock.wallMs());
    build(draft);
    const { statements, install, tasks } = draft.finish(changed);
    if (statements.length === 0) return;
    try {
      await this.#store.commit(statements);
    } catch (cause) {
      this.#log("error", "a change of a run could not be committed", { run: run.row.id, cause: String(cause) });
      throw cause;
    }
    install();
    this.touch(run, tasks);
  }

  async #assemble(row: RunRow<RunSpec, PlanRecord>): Promise<LiveRun> {
    const [tasks, attempts] = await Promise.all([loadTasks(this.#store, row.id), loadAttempts(this.#store, row.id)]);
    return makeLiveRun(row, tasks, attempts);
  }
}
