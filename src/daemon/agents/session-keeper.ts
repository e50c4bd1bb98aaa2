import { NO_USAGE, type Usage } from "../../engine/agent.ts";
import { addUsage } from "../../engine/budget.ts";
import type { Statement } from "../../store/port.ts";
import {
  insertSession,
  patchedSession,
  updateSession,
  type SessionPatch,
  type SessionRecord,
  type SessionRow,
} from "../../store/sessions.ts";
import type { Parts } from "../parts.ts";
import type { AgentWorkContext } from "./agent-work.ts";
import type { FileSetRecorder } from "./file-sets.ts";

const SAVE_EVERY_MS = 2000;

/**
 * What is known of a session, and its row.
 *
 * unstored → (the transaction that says that the work has begun) stored → closed
 *
 * Whatever changes shows here at once; it is durable after the next `save`, which is at the latest when a turn ends.
 */
export class SessionKeeper {
  readonly #parts: Parts;
  readonly #sets: FileSetRecorder;
  #row: SessionRow;
  #isStored: boolean;
  /** What was used before the program was started anew. */
  #usedBefore: Usage;
  #savedMs = 0;
  #saving: Promise<void> = Promise.resolve();

  constructor(parts: Parts, row: SessionRow, isStored: boolean, sets: FileSetRecorder) {
    this.#parts = parts;
    this.#row = row;
    this.#isStored = isStored;
    this.#sets = sets;
    this.#usedBefore = row.record.usage;
  }

  get record(): SessionRecord {
    return this.#row.record;
  }

  get conversation(): string | undefined {
    return this.#row.conversation;
  }

  /** Adds the row: for the transaction that says that the work has begun. */
  get begun(): Statement {
    return insertSession(this.#row);
  }

  /** That transaction is durable. */
  stored(): void {
    this.#isStored = true;
  }

  /** The program is started anew: it counts from zero again. */
  countAnew(): void {
    this.#usedBefore = this.record.usage;
  }

  /** The size of the conversation, as it was told. */
  measured(contextTokens: number): void {
    this.#patch({ record: { ...this.record, contextTokens } });
  }

  /** What the program says it has used since it was started. */
  used(usage: Usage, model = this.record.model): void {
    const fresh = this.#parts.spending.price(usage, model);
    const estimated = this.record.estimated || fresh.estimated;
    const sum = addUsage(this.#usedBefore, fresh.usage);
    this.#patch({ record: { ...this.record, usage: sum, estimated, model } });
    const { run, task, attempt: number } = this.#row;
    this.#parts.spending.record({ run, task, number }, { usage: sum, estimated });
    if (this.#parts.clock.monotonicMs() - this.#savedMs > SAVE_EVERY_MS) void this.save().catch(() => undefined);
  }

  /** Makes what is known of the session durable, one time after the other. */
  save(patch: SessionPatch = {}): Promise<void> {
    if (!this.#isStored) {
      this.#patch(patch);
      return Promise.resolve();
    }
    this.#savedMs = this.#parts.clock.monotonicMs();
    const saved = this.#saving.then(async () => {
      const sets = this.#sets.sets();
      const before = this.#row;
      await this.#parts.store.commit([updateSession(before, { record: { ...this.record, sets }, ...patch })]);
      this.#row = { ...patchedSession(before, patch), record: { ...this.record, sets } };
    });
    this.#saving = saved.catch(() => undefined);
    return saved;
  }

  /** Resolves when nothing is being saved. */
  settled(): Promise<void> {
    return this.#saving;
  }

  /** Closes the row: for the transaction that says how the attempt ended. */
  get closed(): Statement {
    const record = { ...this.record, sets: this.#sets.sets() };
    return updateSession(this.#row, { state: "closed", record, endedMs: this.#parts.clock.wallMs() });
  }

  #patch(patch: SessionPatch): void {
    this.#row = { ...this.#row, ...patch };
  }
}

/** The row of a session that is about to be opened. */
export function newSession(
  { parts, agent, attempt, prepared, run, task }: AgentWorkContext,
  from: SessionRecord["from"],
): SessionRow {
  const { run: id, task: name, number } = attempt;
  return {
    run: id,
    task: name,
    attempt: number,
    version: 1,
    kind: agent.kind,
    conversation: undefined,
    state: "open",
    record: {
      directory: prepared.cwd,
      model: agent.model,
      from,
      usage: NO_USAGE,
      estimated: false,
      contextTokens: agent.fork?.contextTokens,
      startedAtMs: parts.clock.monotonicMs(),
      controlGroup: parts.controlGroups?.create(`${run.row.id}-${task.row.name}-${number}`),
      sets: undefined,
    },
    createdMs: parts.clock.wallMs(),
    endedMs: undefined,
  };
}
