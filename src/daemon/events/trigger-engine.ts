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
import { faultPoint } from "../../base/fault.ts";
import { createSignal, type Signal } from "../../base/signal.ts";
import { Turns } from "../../base/turns.ts";
import { eventReader, loadCursor, moveCursor } from "../../store/cursors.ts";
import { loadEvents, loadNewestSeq, type EventRow } from "../../store/events.ts";
import { loadOpenFirings, updateFiring, type FiringRow } from "../../store/firings.ts";
import { findNotices, type NoticeRow } from "../../store/notices.ts";
import type { Statement } from "../../store/port.ts";
import type { Reason } from "../../store/runs.ts";
import { expireTriggerKeys } from "../../store/trigger-keys.ts";
import type { Parts } from "../parts.ts";
import { isTemporary } from "../patience.ts";
import type { Reconciler } from "../reconciler.ts";
import { EventBatch } from "./event-batch.ts";
import { OpenFiringBook } from "./open-firings.ts";
import { FiringRunner } from "./firing-runner.ts";
import type { LiveSet, TriggerBook } from "./trigger-book.ts";

/** The name of the cursor that says how far events were read. */
export const TRIGGER_CURSOR = eventReader("triggers");

const EVENTS_AT_ONCE = 500;
/** What nothing follows from need not be noted as read at once. */
const MOST_UNNOTED = 1000;
const [LONGEST_SLEEP_MS, RETRY_MS, KEYS_EVERY_MS] = [60_000, 5000, 3_600_000];

/** See the head of this file. */
export class TriggerEngine {
  readonly #parts: Parts;
  readonly #book: TriggerBook;
  readonly #open: OpenFiringBook;
  readonly #signal: Signal;
  readonly #turns = new Turns();
  readonly #runner: FiringRunner;
  #seen = 0;
  #noted = 0;
  #keysExpiredMs = 0;
  #cancelWake = (): void => undefined;
  #recovered = false;

  constructor(parts: Parts, reconciler: Reconciler, book: TriggerBook) {
    this.#parts = parts;
    this.#book = book;
    this.#open = new OpenFiringBook();
    this.#signal = createSignal(() => this.#look());
    this.#runner = new FiringRunner({
      parts,
      reconciler,
      book,
      open: this.#open,
      acts: (repositoryId) => this.#acts(repositoryId),
      wake: () => this.#signal.raise(),
    });
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
      if (triggerIds.has(firing.triggerId) && firing.state !== "running")
        await this.#runner.end(firing, "dropped", reason);
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
        await this.#runner.arrange();
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
        if (rest.length > 0) await this.#runner.arrange();
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

  async #answered(notice: NoticeRow): Promise<void> {
    const id = notice.record.data?.["firing"];
    const firing = typeof id === "string" ? this.#open.get(id) : undefined;
    if (notice.kind !== "approval" || firing?.state !== "approval") return;
    try {
      await this.#turns.run("", () => this.#runner.settleApproval(firing, notice));
    } catch (cause) {
      this.#parts.log("warn", "an answer could not be noted", { firing: firing.id, cause: String(cause) });
      this.#parts.clock.after(RETRY_MS, () => void this.#answered(notice));
    }
    this.#signal.raise();
  }

  async #recoverApproval(firing: FiringRow): Promise<void> {
    const [notice] = await findNotices(this.#parts.store, firing.notice ?? "");
    if (notice !== undefined && notice.state !== "open") await this.#runner.settleApproval(firing, notice);
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
