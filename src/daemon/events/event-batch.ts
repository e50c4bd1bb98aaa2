import { newId } from "../../base/ids.ts";
import { causeOfFiring, stopOf, type Cause, type Stop } from "../../engine/cause.ts";
import { fieldText } from "../../engine/event-fields.ts";
import { matchEvent } from "../../engine/event-match.ts";
import { stepFlow, type FlowFiring, type FlowInput, type FlowState } from "../../engine/flow.ts";
import type { TriggerEvent } from "../../engine/trigger.ts";
import type { EventRow } from "../../store/events.ts";
import { insertFiring, updateFiring, type FiringRow } from "../../store/firings.ts";
import type { Statement } from "../../store/port.ts";
import { hasTriggerKey, putTriggerKey } from "../../store/trigger-keys.ts";
import { updateTrigger, type TriggerPatch } from "../../store/trigger-sets.ts";
import type { PreparedNotice } from "../notice-board.ts";
import type { Parts } from "../parts.ts";
import { bury } from "./dead-letter.ts";
import { describeFiring } from "./trigger-words.ts";
import { hashOf, type LiveSet, type LiveTrigger, type TriggerBook } from "./trigger-book.ts";

/** How long an event with an idempotency key counts. */
const KEY_COUNTS_MS = 24 * 3_600_000;
const LONGEST_KEY = 200;
/** More firings of one trigger than that are not open at once. */
const MOST_OPEN = 10_000;

/** What is known of the firings of a trigger that have not come to their end. */
export interface OpenFirings {
  readonly count: number;
  /** Those that its throttle holds, the oldest first. */
  readonly held: () => readonly FiringRow[];
}

type BatchParts = Pick<Parts, "store" | "random" | "clock" | "notices" | "announcements">;

/** A transaction that follows from events, and what makes it show once it is durable. */
export interface FinishedBatch {
  readonly statements: readonly Statement[];
  /** The firings that are new or have changed, as they are then. */
  readonly firings: readonly FiringRow[];
  readonly install: () => void;
}

/**
 * What follows from some events, or from time having passed: which triggers fire, and how their flow control stands then.
 * It becomes one transaction; nothing shows before that is durable.
 */
export class EventBatch {
  readonly #parts: BatchParts;
  readonly #book: TriggerBook;
  readonly #openOf: (triggerId: string) => OpenFirings;
  readonly #nowMs: number;
  readonly #patches = new Map<string, { flow: FlowState; dueMs: number | null }>();
  readonly #keys = new Set<string>();
  readonly #statements: Statement[] = [];
  readonly #fired = new Map<string, FiringRow[]>();
  readonly #released = new Map<string, number>();

  constructor(parts: BatchParts, book: TriggerBook, openOf: (triggerId: string) => OpenFirings) {
    this.#parts = parts;
    this.#book = book;
    this.#openOf = openOf;
    this.#nowMs = parts.clock.wallMs();
  }

  /**
   * An event has happened.
   * @param acts whether the triggers of a repository act, as its file is now
   */
  async take(event: EventRow, acts: (repositoryId: string) => Promise<boolean>): Promise<void> {
    for (const { id } of this.#book.index.candidates(asTriggerEvent(event))) {
      const found = this.#book.find(id);
      if (found !== undefined && (await acts(found.trigger.repositoryId))) {
        await this.#offer(found.set, found.trigger, event);
      }
    }
  }

  /** What is due by now is done. */
  due(): void {
    for (const trigger of this.#book.due(this.#nowMs)) this.#step(trigger, { type: "due", atMs: this.#nowMs });
  }

  /** A trigger fires on an event, whatever has kept it from that. */
  replay(trigger: LiveTrigger, event: EventRow): void {
    const match = matchEvent(trigger.spec, trigger.id, asTriggerEvent(event));
    const paths = match.matches ? (match.paths ?? []) : [];
    const { seq, cause } = event;
    const events = { seqs: [seq], firstSeq: seq, lastSeq: seq, count: 1, paths, pathCount: paths.length };
    this.#fire(trigger, { ...events, causes: cause === undefined ? [] : [cause], held: false });
  }

  /** Takes further statements into the transaction. */
  also(statements: readonly Statement[]): void {
    this.#statements.push(...statements);
  }

  /** The transaction; without statements, nothing follows. */
  finish(): FinishedBatch {
    const patches = new Map<string, TriggerPatch<FlowState>>(this.#patches);
    const updates = [...patches].flatMap(([id, patch]) => {
      const trigger = this.#book.find(id)?.trigger;
      return trigger === undefined ? [] : [updateTrigger(trigger, patch)];
    });
    const notices: PreparedNotice[] = [];
    const firings = [...new Set([...this.#fired.keys(), ...this.#released.keys()])].flatMap((id) =>
      this.#settle(id, notices),
    );
    const install = (): void => {
      this.#book.install(patches);
      for (const { opened } of notices) opened();
    };
    const asking = notices.flatMap(({ statements }) => statements);
    return {
      statements: [...this.#statements, ...updates, ...firings.flatMap(({ statements }) => statements), ...asking],
      firings: firings.map(({ row }) => row),
      install,
    };
  }

  /** The firings of a trigger: the new ones, and those that its throttle lets go. */
  #settle(id: string, notices: PreparedNotice[]): { readonly row: FiringRow; readonly statements: Statement[] }[] {
    const found = this.#book.find(id);
    if (found === undefined) return [];
    const { trigger } = found;
    let released = this.#released.get(id) ?? 0;
    const settled: { row: FiringRow; statements: Statement[] }[] = [];
    for (const before of this.#openOf(id).held()) {
      if (released === 0) break;
      released -= 1;
      const row = { ...this.#letGo(trigger, before, notices), version: before.version + 1 };
      const { state, notice } = row;
      settled.push({ row, statements: [updateFiring(before, { state, ...(notice === undefined ? {} : { notice }) })] });
    }
    for (const fired of this.#fired.get(id) ?? []) {
      const isHeld = fired.state === "held" && released === 0;
      if (fired.state === "held" && released > 0) released -= 1;
      const row = isHeld ? fired : this.#letGo(trigger, fired, notices);
      settled.push({ row, statements: [insertFiring(row)] });
    }
    return settled;
  }

  /** A firing that may go on: to a person first, where one is to be asked. */
  #letGo({ repositoryId, spec }: LiveTrigger, firing: FiringRow, notices: PreparedNotice[]): FiringRow {
    if (spec.approval === undefined) return { ...firing, state: "queued" };
    const { title, detail, consequence } = describeFiring(spec, firing);
    const prepared = this.#parts.notices.prepare({
      repositoryId,
      kind: "approval",
      record: {
        title,
        detail,
        consequence,
        paths: firing.events.paths.slice(0, 20),
        data: { firing: firing.id },
        cause: firing.cause,
      },
      expiresAfterMs: spec.approval.expiresMs,
    });
    notices.push(prepared);
    return { ...firing, state: "approval", notice: prepared.row.id };
  }

  async #offer(set: LiveSet, trigger: LiveTrigger, event: EventRow): Promise<void> {
    const { id, spec } = trigger;
    const match = matchEvent(spec, id, asTriggerEvent(event));
    if (!match.matches) return;
    const { cause } = event;
    const stop = stopOf(id, cause, spec.again, set.row.chains.depth);
    if (stop !== undefined && cause !== undefined) {
      this.#statements.push(...this.#stopped(trigger, event, cause, stop, set.row.chains.depth));
      return;
    }
    if (await this.#isKnown(trigger, event)) return;
    const { seq, atMs } = event;
    const flowEvent = { seq, atMs, cause, ...(match.paths === undefined ? {} : { paths: match.paths }) };
    this.#step(trigger, { type: "event", event: flowEvent, atMs: this.#nowMs });
  }

  async #isKnown({ id, spec }: LiveTrigger, event: EventRow): Promise<boolean> {
    if (spec.idempotencyKey === undefined) return false;
    const text = fieldText(asTriggerEvent(event), spec.idempotencyKey);
    if (text === undefined) return false;
    // A field may hold a whole body.
    const key = text.length > LONGEST_KEY ? hashOf(text) : text;
    const name = `${id} ${key}`;
    if (this.#keys.has(name) || (await hasTriggerKey(this.#parts.store, id, key, event.atMs))) return true;
    this.#keys.add(name);
    this.#statements.push(putTriggerKey(id, key, event.atMs + KEY_COUNTS_MS));
    return false;
  }

  #step(trigger: LiveTrigger, input: FlowInput): void {
    const { id, spec } = trigger;
    const { state, firings, released, dueMs } = stepFlow(spec.flow, this.#patches.get(id)?.flow ?? trigger.flow, input);
    this.#patches.set(id, { flow: state, dueMs: dueMs ?? null });
    if (released > 0) this.#released.set(id, (this.#released.get(id) ?? 0) + released);
    for (const firing of firings) this.#fire(trigger, firing);
  }

  #fire({ id, repositoryId, spec }: LiveTrigger, { causes, held, ...events }: FlowFiring): void {
    const cause = causeOfFiring(id, causes, () => newId(this.#parts.random));
    const fired = this.#fired.get(id) ?? [];
    if (this.#openOf(id).count + fired.length >= MOST_OPEN) {
      this.#statements.push(...this.#overflown({ repositoryId, id, spec }, events.lastSeq, cause));
      return;
    }
    fired.push({
      id: newId(this.#parts.random),
      version: 1,
      triggerId: id,
      repositoryId,
      state: held ? "held" : "queued",
      priority: spec.priority,
      group: spec.group?.name,
      cause,
      events,
      notice: undefined,
      run: undefined,
      reason: undefined,
      createdMs: this.#nowMs,
      endedMs: undefined,
    });
    this.#fired.set(id, fired);
  }

  #stopped(
    { id, repositoryId, spec }: LiveTrigger,
    event: EventRow,
    cause: Cause,
    stop: Stop,
    most: number,
  ): Statement[] {
    const message =
      stop === "depth"
        ? `${spec.name} did not fire: ${cause.depth} triggers have fired one after another, and ${most} may`
        : `${spec.name} did not fire on what it has led to itself`;
    const hint =
      stop === "depth"
        ? "break the loop, or allow more: chains: { depth: N } in anabranch.yaml"
        : 'if it is to go round in a loop, say "again: true" in anabranch.yaml; anabranch events replay ID does it once';
    const reason = { code: "CHAIN_STOPPED", message, hint } as const;
    const record = { title: message, reason, trigger: id, seq: event.seq, cause };
    return bury(this.#parts, { key: `${stop} ${id} ${cause.chain}`, repositoryId, kind: stop, record });
  }

  #overflown(
    { id, repositoryId, spec }: Pick<LiveTrigger, "id" | "repositoryId" | "spec">,
    seq: number,
    cause: Cause,
  ): Statement[] {
    const message = `${spec.name} has ${MOST_OPEN.toLocaleString("en")} firings that wait; more are not kept`;
    const hint = `bound it in anabranch.yaml with debounce, batch, rateLimit or concurrency, or let it go on: anabranch triggers resume ${spec.name}`;
    const reason = { code: "CHAIN_STOPPED", message, hint } as const;
    const record = { title: message, reason, trigger: id, seq, cause };
    return bury(this.#parts, { key: `overflow ${id}`, repositoryId, kind: "overflow", record });
  }
}

/** An event as triggers are shown it. */
function asTriggerEvent({ seq, atMs, type, repositoryId, run, task, data }: EventRow): TriggerEvent {
  return { seq, atMs, type, repositoryId, run, task, data };
}
