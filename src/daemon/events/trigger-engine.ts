/**
 * Turns events into runs. A firing:
 *
 * State     Meaning                                          Next
 * held      its trigger's throttle has no room for it         approval, queued
 * approval  a person has to say yes first                     queued, dead
 * queued    starts as soon as its group lets it               running, ended, replaced, dropped, dead
 * running   its run goes on                                   ended
 * ended     its run has ended, or there was none to start     (none)
 * replaced  a newer one waits in its place                    (none)
 * dropped   one was running when it came                      (none)
 * dead      it never started; a dead letter says why          (none)
 *
 * Invariants:
 * 1. What follows from an event, and that it was read, is one transaction: nothing follows twice, nothing is left out.
 * 2. A firing starts one run at most: the run's request is the firing itself.
 * 3. Nothing of a repository fires or starts while its file is not the one that was agreed to.
 */
import { toAnabranchError } from "../../base/errors.ts";
import { faultPoint } from "../../base/fault.ts";
import { newId } from "../../base/ids.ts";
import { Semaphore } from "../../base/semaphore.ts";
import { createSignal, type Signal } from "../../base/signal.ts";
import { Turns } from "../../base/turns.ts";
import { eventReader, loadCursor, moveCursor } from "../../store/cursors.ts";
import type { DeadLetterKind } from "../../store/dead-letters.ts";
import { loadEvents, loadNewestSeq, type EventRow } from "../../store/events.ts";
import { loadOpenFirings, updateFiring, type FiringPatch, type FiringRow } from "../../store/firings.ts";
import { findNotices, type NoticeRow } from "../../store/notices.ts";
import { putOutbox } from "../../store/outbox.ts";
import type { Statement } from "../../store/port.ts";
import type { Reason } from "../../store/runs.ts";
import { expireTriggerKeys } from "../../store/trigger-keys.ts";
import type { Parts } from "../parts.ts";
import { isTemporary } from "../patience.ts";
import type { Reconciler } from "../reconciler.ts";
import { bury } from "./dead-letter.ts";
import { EventBatch } from "./event-batch.ts";
import { OpenFiringBook } from "./open-firings.ts";
import { startFiring, type Fired } from "./firing-start.ts";
import type { LiveSet, TriggerBook } from "./trigger-book.ts";
import { describeFiring } from "./trigger-words.ts";

/** The name of the cursor that says how far events were read. */
export const TRIGGER_CURSOR = eventReader("triggers");

const EVENTS_AT_ONCE = 500;
/** What nothing follows from need not be noted as read at once. */
const MOST_UNNOTED = 1000;
const STARTS_AT_ONCE = 4;
const [LONGEST_SLEEP_MS, RETRY_MS, KEYS_EVERY_MS] = [60_000, 5000, 3_600_000];

/** See the head of this file. */
export class TriggerEngine {
  readonly #parts: Parts;
  readonly #reconciler: Reconciler;
  readonly #book: TriggerBook;
  readonly #open: OpenFiringBook;
  readonly #signal: Signal;
  readonly #turns = new Turns();
  readonly #starts = new Semaphore(STARTS_AT_ONCE);
  #seen = 0;
  #noted = 0;
  #keysExpiredMs = 0;
  #cancelWake = (): void => undefined;
  #recovered = false;

  constructor(parts: Parts, reconciler: Reconciler, book: TriggerBook) {
    this.#parts = parts;
    this.#reconciler = reconciler;
    this.#book = book;
    this.#open = new OpenFiringBook();
    this.#signal = createSignal(() => this.#look());
    parts.store.onCommit(() => {
      if (this.isActive) this.#signal.raise();
    });
    parts.notices.onSettled((notice) => void this.#answered(notice));
  }

  /** Whether there is anything that events could lead to. */
  get isActive(): boolean {
    return this.#recovered && (this.#book.all().length > 0 || this.#open.size > 0);
  }

  /** Takes up what an earlier daemon left. */
  async recover(): Promise<void> {
    await this.#reload();
    this.#recovered = true;
    for (const firing of this.#open.all()) {
      if (firing.state === "approval") await this.#recoverApproval(firing);
    }
    this.#signal.raise();
  }

  async #reload(): Promise<void> {
    const { store } = this.#parts;
    await this.#book.load();
    for (const row of await loadOpenFirings(store)) this.#open.put(row);
    const cursor = await loadCursor(store, TRIGGER_CURSOR);
    this.#seen = this.#noted = cursor?.position ?? (await loadNewestSeq(store));
  }

  /** Does something when all events until now have been read and nothing else is being decided. */
  exclusively<Result>(action: () => Promise<Result>): Promise<Result> {
    return this.#turns.run("", async () => {
      if (this.isActive) await this.#readAll();
      else this.#seen = await loadNewestSeq(this.#parts.store);
      const result = await action();
      this.#open.touchAll();
      this.#signal.raise();
      return result;
    });
  }

  /** What notes that everything until now was read, for the transaction that enables the first triggers. */
  noteAsRead(): Statement {
    this.#noted = this.#seen;
    return moveCursor(TRIGGER_CURSOR, this.#seen);
  }

  /** Lets a trigger fire on an event, whatever has kept it from that; in the transaction of `also`. */
  async replay(triggerId: string, event: EventRow, also: readonly Statement[]): Promise<FiringRow | undefined> {
    return this.exclusively(async () => {
      const found = this.#book.find(triggerId);
      if (found === undefined) return undefined;
      const batch = this.#newBatch();
      batch.replay(found.trigger, event);
      batch.also(also);
      return (await this.#commit(batch)).at(-1);
    });
  }

  /** Ends the firings of triggers that are there no more. */
  async drop(triggerIds: ReadonlySet<string>, reason: Reason): Promise<void> {
    for (const firing of this.#open.all()) {
      if (triggerIds.has(firing.triggerId) && firing.state !== "running") await this.#end(firing, "dropped", reason);
    }
  }

  /** The firings of a trigger that have not come to their end. */
  openOf(triggerId: string): number {
    return this.#open.of(triggerId).count;
  }

  async #look(): Promise<void> {
    if (this.#parts.stopping.aborted) return;
    try {
      await this.#turns.run("", async () => {
        await this.#readAll();
        await this.#doDue();
        await this.#arrange();
      });
    } catch (cause) {
      if (!isTemporary(cause)) {
        this.#parts.log("error", "events could not be read", {
          cause: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
        });
        // What is in memory may be another than what is in the store.
        await this.#reload().catch(() => undefined);
      }
      this.#parts.clock.after(RETRY_MS, () => this.#signal.raise());
      return;
    }
    this.#sleep();
  }

  /**
   * Reads events until there are none left, each group of them as one transaction. What came while a run of a group went
   * on is settled before its end is read, however late both are read.
   */
  async #readAll(): Promise<void> {
    for (;;) {
      const events = await loadEvents(this.#parts.store, { afterSeq: this.#seen, limit: EVENTS_AT_ONCE });
      if (events.length === 0) return;
      for (let rest = events; rest.length > 0;) {
        const end = rest.findIndex((event) => this.#endedBy(event)?.group !== undefined);
        const size = end < 0 ? rest.length : Math.max(end, 1);
        await this.#readSome(rest.slice(0, size));
        rest = rest.slice(size);
        if (rest.length > 0) await this.#arrange();
      }
    }
  }

  async #readSome(events: readonly EventRow[]): Promise<void> {
    const batch = this.#newBatch();
    const agreed = new Map<string, boolean>();
    const acts = async (repositoryId: string): Promise<boolean> => {
      const known = agreed.get(repositoryId) ?? (await this.#acts(repositoryId));
      agreed.set(repositoryId, known);
      return known;
    };
    const ended: FiringRow[] = [];
    for (const event of events) {
      const firing = this.#endedBy(event);
      if (firing !== undefined) ended.push(firing);
      await batch.take(event, acts);
    }
    const seq = events.at(-1)?.seq ?? this.#seen;
    await this.#commit(batch, seq, ended);
    this.#seen = seq;
  }

  /** The firing that has come to its end with an event. */
  #endedBy({ type, run }: EventRow): FiringRow | undefined {
    return type === "run.ended" && run !== undefined ? this.#open.ofRun(run) : undefined;
  }

  async #doDue(): Promise<void> {
    const batch = this.#newBatch();
    batch.due();
    await this.#commit(batch);
    const nowMs = this.#parts.clock.wallMs();
    if (nowMs - this.#keysExpiredMs < KEYS_EVERY_MS) return;
    this.#keysExpiredMs = nowMs;
    await this.#parts.store.commit([expireTriggerKeys(nowMs)]);
  }

  #newBatch(): EventBatch {
    return new EventBatch(this.#parts, this.#book, (id) => this.#open.of(id));
  }

  /**
   * Makes what follows durable, together with how far events were read, and then shows it.
   * @returns the firings that are new or have changed
   */
  async #commit(batch: EventBatch, seq = this.#seen, ended: readonly FiringRow[] = []): Promise<readonly FiringRow[]> {
    const { statements, firings, install } = batch.finish();
    const endedMs = this.#parts.clock.wallMs();
    const all = [...statements, ...ended.map((firing) => updateFiring(firing, { state: "ended", endedMs }))];
    if (all.length === 0 && seq - this.#noted < MOST_UNNOTED) return [];
    await this.#parts.store.commit([...all, moveCursor(TRIGGER_CURSOR, seq)]);
    faultPoint("events.taken");
    this.#noted = seq;
    install();
    for (const firing of firings) this.#open.put(firing);
    for (const firing of ended) this.#open.remove(firing.id);
    return firings;
  }

  /** Starts, replaces, cancels and drops what waits, group by group. */
  async #arrange(): Promise<void> {
    for (const group of this.#open.touched()) {
      const spec = group.newest === undefined ? undefined : this.#book.find(group.newest.triggerId)?.trigger.spec.group;
      const decision = group.decide(spec, (firing) => this.#mayStart(firing));
      for (const id of decision.replace) await this.#endById(id, "replaced", "a newer one waits in its place");
      for (const id of decision.drop) await this.#endById(id, "dropped", "one was running when it came");
      for (const id of decision.cancel) await this.#cancel(id);
      for (const id of decision.start) this.#begin(id);
    }
  }

  #mayStart({ triggerId, repositoryId }: FiringRow): boolean {
    const set = this.#book.get(repositoryId);
    return set?.isAgreed === true && set.triggers.get(triggerId)?.state === "active";
  }

  #begin(id: string): void {
    const firing = this.#open.get(id);
    if (firing === undefined) return;
    this.#open.starting(id);
    void this.#starts.run(() => this.#start(firing));
  }

  async #start(firing: FiringRow): Promise<void> {
    const found = this.#book.find(firing.triggerId);
    try {
      if (found === undefined || !(await this.#acts(firing.repositoryId))) {
        this.#open.started(firing.id);
        return;
      }
      await this.#run({ firing, ...found });
    } catch (cause) {
      if (isTemporary(cause)) {
        this.#parts.clock.after(RETRY_MS, () => {
          this.#open.started(firing.id);
          this.#signal.raise();
        });
        return;
      }
      const { kind: _kind, ...reason } = toAnabranchError(cause).toJSON();
      this.#parts.log("warn", "a firing could not be started", { firing: firing.id, cause: reason.message });
      await this.#bury(firing, reason.code === "BUDGET_SPENT" ? "budget" : "start", reason).catch(() => undefined);
    }
    this.#signal.raise();
  }

  async #run(fired: Fired): Promise<void> {
    const { firing, trigger } = fired;
    const notify = this.#notify(fired);
    if (trigger.spec.workflow === undefined) {
      await this.#change(firing, { state: "ended", endedMs: this.#parts.clock.wallMs() }, notify);
      return;
    }
    const run = await startFiring(this.#parts, this.#reconciler, fired, await this.#book.fileOf(fired.set));
    faultPoint("firing.started");
    const running = await this.#change(firing, { state: "running", run: run.row.id }, notify);
    // A newer one may have wanted its place while it was being started.
    if (this.#open.isCancelling(firing.id)) await this.#cancel(firing.id);
    // Its end may have been read before anybody knew whose it is.
    if (run.row.state === "ended") await this.#change(running, { state: "ended", endedMs: this.#parts.clock.wallMs() });
  }

  #notify({ firing, trigger }: Fired): Statement[] {
    const { title, detail } = describeFiring(trigger.spec, firing);
    return trigger.spec.notify.map((target) =>
      putOutbox({
        id: newId(this.#parts.random),
        key: `firing:${firing.id}:${target}`,
        repositoryId: firing.repositoryId,
        target,
        record: { kind: "trigger", title, text: detail, command: `anabranch triggers show ${trigger.spec.name}` },
        createdMs: this.#parts.clock.wallMs(),
      }),
    );
  }

  async #cancel(id: string): Promise<void> {
    const run = this.#parts.book.get(this.#open.get(id)?.run ?? "");
    this.#open.cancelling(id);
    if (run !== undefined) await this.#reconciler.cancel(run, undefined, false);
  }

  async #endById(id: string, state: "replaced" | "dropped", message: string): Promise<void> {
    const firing = this.#open.get(id);
    if (firing !== undefined) await this.#end(firing, state, { code: "SKIPPED", message });
  }

  async #end(firing: FiringRow, state: "replaced" | "dropped", reason: Reason): Promise<void> {
    await this.#change(firing, { state, reason, endedMs: this.#parts.clock.wallMs() });
    if (firing.notice !== undefined) await this.#parts.notices.withdraw(firing.notice);
  }

  /** A firing that never starts is kept as a dead letter. */
  async #bury(firing: FiringRow, kind: DeadLetterKind, reason: Reason): Promise<void> {
    const { triggerId, repositoryId, cause, events } = firing;
    const atMs = this.#parts.clock.wallMs();
    const name = triggerId.slice(triggerId.indexOf("/") + 1);
    const title = `${name} did not start: ${reason.message}`;
    const record = { title, reason, trigger: triggerId, seq: events.lastSeq, cause };
    const letter = bury(this.#parts, { key: `${kind} ${firing.id}`, repositoryId, kind, record });
    await this.#change(firing, { state: "dead", reason, endedMs: atMs }, letter);
  }

  async #change(firing: FiringRow, patch: FiringPatch, also: readonly Statement[] = []): Promise<FiringRow> {
    await this.#parts.store.commit([updateFiring(firing, patch), ...also]);
    const after = { ...firing, ...patch, version: firing.version + 1 };
    this.#open.put(after);
    return after;
  }

  async #answered(notice: NoticeRow): Promise<void> {
    const id = notice.record.data?.["firing"];
    const firing = typeof id === "string" ? this.#open.get(id) : undefined;
    if (notice.kind !== "approval" || firing?.state !== "approval") return;
    try {
      await this.#turns.run("", () => this.#settleApproval(firing, notice));
    } catch (cause) {
      this.#parts.log("warn", "an answer could not be noted", { firing: firing.id, cause: String(cause) });
      this.#parts.clock.after(RETRY_MS, () => void this.#answered(notice));
    }
    this.#signal.raise();
  }

  async #recoverApproval(firing: FiringRow): Promise<void> {
    const [notice] = await findNotices(this.#parts.store, firing.notice ?? "");
    if (notice !== undefined && notice.state !== "open") await this.#settleApproval(firing, notice);
  }

  async #settleApproval(firing: FiringRow, { state, record, id }: NoticeRow): Promise<void> {
    if (state === "approved") {
      await this.#change(firing, { state: "queued" });
      return;
    }
    const code = state === "expired" ? "APPROVAL_EXPIRED" : "APPROVAL_DENIED";
    const said = record.answer === undefined ? "" : `: ${record.answer}`;
    const message = state === "expired" ? "nobody has answered in time" : `a person said no${said}`;
    const hint = "anabranch events --dead; anabranch events replay ID asks again";
    await this.#bury(firing, "approval", { code, message, hint, data: { notice: id } });
  }

  /** Whether the triggers of a repository act, as its file is now; where they do no more, a person is told. */
  async #acts(repositoryId: string): Promise<boolean> {
    if (await this.#book.look(repositoryId)) this.#open.touchAll();
    const set = this.#book.get(repositoryId);
    if (set === undefined) return false;
    const told = this.#parts.notices.open().find((one) => one.kind === "triggers" && one.repositoryId === repositoryId);
    if (set.isAgreed && told !== undefined) await this.#parts.notices.withdraw(told.id);
    if (!set.isAgreed && told === undefined) await this.#tellOfChange(set);
    return set.isAgreed;
  }

  async #tellOfChange({ row }: LiveSet): Promise<void> {
    await this.#parts.notices.post({
      repositoryId: row.repositoryId,
      kind: "triggers",
      record: {
        title: `anabranch.yaml has changed: its triggers wait for a new yes`,
        detail: `see what is different and agree: cd ${row.root} && anabranch triggers enable`,
        paths: [`${row.root}/anabranch.yaml`],
      },
    });
  }

  #sleep(): void {
    this.#cancelWake();
    const { nextDueMs } = this.#book;
    if (nextDueMs === undefined) return;
    const leftMs = nextDueMs - this.#parts.clock.wallMs();
    const waitMs = Math.min(Math.max(leftMs, 1), LONGEST_SLEEP_MS);
    this.#cancelWake = this.#parts.clock.after(waitMs, () => this.#signal.raise());
  }
}
