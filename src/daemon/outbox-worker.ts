/**
 * Brings what is in the outbox to the targets of the user.
 *
 * waiting → (its target takes it) sent
 *         → (it does not) waiting, until a later time | dead, after the last attempt: kept as a dead letter
 * dead → (somebody replays the dead letter) waiting
 *
 * Invariants:
 * 1. What is put into the outbox ends as sent or as a dead letter, whatever kills the daemon meanwhile.
 * 2. A target is told one thing at a time; where it is told something twice, the id is the same.
 * 3. A target that hangs or fails keeps nothing from the others.
 */
import type { CancelTimer } from "../base/clock.ts";
import { isAnabranchError, toAnabranchError, type AnabranchError } from "../base/errors.ts";
import { faultPoint } from "../base/fault.ts";
import { idFrom } from "../base/ids.ts";
import { createSignal, type Signal } from "../base/signal.ts";
import { pathInScope } from "../engine/scope.ts";
import { runCommand } from "../notify/command.ts";
import { showOnDesktop } from "../notify/desktop.ts";
import { notTaken, type Notification, type NotifyTarget } from "../notify/target.ts";
import { postWebhook } from "../notify/webhook.ts";
import { putDeadLetter } from "../store/dead-letters.ts";
import { appendEvent } from "../store/events.ts";
import { loadDue, nextOutboxMs, updateOutbox, type OutboxRow } from "../store/outbox.ts";
import type { Statement } from "../store/port.ts";
import { requireRepositoryRow } from "../store/repositories.ts";
import type { Parts } from "./parts.ts";

const MOST_ATTEMPTS = 10;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 3_600_000;
const WEBHOOK_TIMEOUT_MS = 30_000;
const DESKTOP_TIMEOUT_MS = 10_000;
/** As many targets are told something at once. */
const MOST_BUSY = 8;
const AT_ONCE = 100;

type WorkerParts = Pick<Parts, "clock" | "log" | "store" | "announcements">;

/** A target that is there without being set up, for triggers that name it. */
const DESKTOP: NotifyTarget = { name: "desktop", way: { type: "desktop" }, on: [], repositories: undefined };

/** See the head of this file. */
export class OutboxWorker {
  readonly #parts: WorkerParts;
  readonly #targets: ReadonlyMap<string, NotifyTarget>;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #signal: Signal;
  readonly #busy = new Map<string, Promise<void>>();
  readonly #over = new AbortController();
  #cancelTimer: CancelTimer = () => undefined;
  #stopListening: () => void = () => undefined;

  /** @param environment that commands and the desktop's program are run with */
  constructor(
    parts: WorkerParts,
    targets: readonly NotifyTarget[],
    environment: Readonly<Record<string, string | undefined>>,
  ) {
    this.#parts = parts;
    this.#targets = new Map([DESKTOP, ...targets].map((target) => [target.name, target]));
    this.#environment = environment;
    this.#signal = createSignal(() => this.#look());
  }

  /** From now on, whatever is due is brought. */
  start(): void {
    this.#stopListening = this.#parts.store.onCommit(() => this.#signal.raise());
    this.#signal.raise();
  }

  /** Brings nothing more. What is under way is given up, and brought again by the next daemon. */
  async stop(): Promise<void> {
    this.#over.abort();
    this.#stopListening();
    this.#cancelTimer();
    await Promise.all(this.#busy.values());
  }

  async #look(): Promise<void> {
    if (this.#over.signal.aborted) return;
    const { store, clock, log } = this.#parts;
    const nowMs = clock.wallMs();
    const latestMs = nowMs + LONGEST_PAUSE_MS;
    try {
      if (this.#busy.size < MOST_BUSY) {
        const busy = [...this.#busy.keys()];
        for (const row of await loadDue(store, { nowMs, latestMs, busy, limit: AT_ONCE })) this.#begin(row);
      }
      const nextMs = await nextOutboxMs(store, nowMs);
      this.#wakeAfter(nextMs === undefined ? undefined : Math.min(nextMs - nowMs, LONGEST_PAUSE_MS));
    } catch (cause) {
      if (this.#over.signal.aborted) return;
      log("warn", "the outbox could not be read", { cause: String(cause) });
      this.#wakeAfter(FIRST_PAUSE_MS);
    }
  }

  #wakeAfter(delayMs: number | undefined): void {
    this.#cancelTimer();
    if (delayMs === undefined || this.#over.signal.aborted) return;
    this.#cancelTimer = this.#parts.clock.after(delayMs, () => this.#signal.raise());
  }

  #begin(row: OutboxRow): void {
    const { target } = row;
    if (this.#busy.has(target) || this.#busy.size >= MOST_BUSY || this.#over.signal.aborted) return;
    const done = this.#bring(row).finally(() => {
      this.#busy.delete(target);
      this.#signal.raise();
    });
    this.#busy.set(target, done);
  }

  async #bring(row: OutboxRow): Promise<void> {
    const { clock, log, store } = this.#parts;
    let problem: AnabranchError | undefined;
    try {
      faultPoint("outbox.bring");
      await this.#send(row);
    } catch (cause) {
      // Only because this daemon goes it was given up.
      if (this.#over.signal.aborted) return;
      problem = isAnabranchError(cause) ? cause : toAnabranchError(cause);
    }
    faultPoint("outbox.brought");
    try {
      await store.commit(problem === undefined ? this.#sent(row) : this.#notSent(row, problem));
    } catch (cause) {
      if (this.#over.signal.aborted) return;
      log("warn", "what became of a notification could not be noted", { id: row.id, cause: String(cause) });
      await new Promise<void>((resolve) => clock.after(FIRST_PAUSE_MS, resolve));
    }
    faultPoint("outbox.noted");
  }

  async #send(row: OutboxRow): Promise<void> {
    const target = this.#targets.get(row.target);
    if (target === undefined) {
      throw notTaken(`there is no target ${JSON.stringify(row.target)} under notify: in config.yaml`);
    }
    const repository = row.repositoryId === undefined ? undefined : await this.#rootOf(row.repositoryId);
    if (!mayTell(target, repository)) return;
    const notification = notificationOf(row, repository);
    const { way } = target;
    const timeoutMs =
      way.type === "command" ? way.timeoutMs : way.type === "webhook" ? WEBHOOK_TIMEOUT_MS : DESKTOP_TIMEOUT_MS;
    const late = new AbortController();
    const cancelTimer = this.#parts.clock.after(timeoutMs, () => late.abort());
    const signal = AbortSignal.any([late.signal, this.#over.signal]);
    try {
      if (way.type === "command") await runCommand(way.command, notification, this.#environment, signal);
      else if (way.type === "desktop") await showOnDesktop(notification, this.#environment, signal);
      else await postWebhook(way.url, way.secretFile, notification, this.#parts.clock.wallMs(), signal);
    } finally {
      cancelTimer();
    }
  }

  async #rootOf(repositoryId: string): Promise<string | undefined> {
    return (await requireRepositoryRow(this.#parts.store, repositoryId).catch(() => undefined))?.root;
  }

  #sent(row: OutboxRow): Statement[] {
    const endedMs = this.#parts.clock.wallMs();
    return [
      updateOutbox(row, { state: "sent", attempts: row.attempts + 1, endedMs }),
      eventOf(row, "delivery.sent", endedMs),
    ];
  }

  #notSent(row: OutboxRow, problem: AnabranchError): Statement[] {
    const nowMs = this.#parts.clock.wallMs();
    const attempts = row.attempts + 1;
    const { kind: _kind, ...reason } = problem.toJSON();
    const record = { ...row.record, reason };
    if (attempts >= MOST_ATTEMPTS || !this.#targets.has(row.target)) return this.#bury(row, attempts, record, nowMs);
    const { retryAfterMs } = (problem.data ?? {}) as { readonly retryAfterMs?: number };
    const pauseMs = Math.max(retryAfterMs ?? 0, FIRST_PAUSE_MS * 2 ** row.attempts);
    return [updateOutbox(row, { attempts, notBeforeMs: nowMs + Math.min(pauseMs, LONGEST_PAUSE_MS), record })];
  }

  #bury(
    row: OutboxRow,
    attempts: number,
    record: OutboxRow["record"] & { readonly reason: NonNullable<OutboxRow["record"]["reason"]> },
    nowMs: number,
  ): Statement[] {
    const { id, repositoryId, target } = row;
    const key = `delivery:${id}`;
    const letter = {
      id: idFrom(key),
      key,
      repositoryId,
      kind: "delivery" as const,
      record: { title: `${target} was not told: ${record.title}`, reason: record.reason, delivery: id },
      createdMs: nowMs,
    };
    return [
      updateOutbox(row, { state: "dead", attempts, record, endedMs: nowMs }),
      putDeadLetter(letter),
      ...this.#parts.announcements.deadLetter(letter),
      eventOf(row, "delivery.dead", nowMs),
    ];
  }
}

function mayTell({ repositories }: NotifyTarget, root: string | undefined): boolean {
  if (repositories === undefined) return true;
  const globs = repositories.map((glob) => glob.replace(/^\//, ""));
  return root !== undefined && pathInScope(root.replace(/^\//, ""), globs);
}

function notificationOf({ id, record, createdMs }: OutboxRow, repository: string | undefined): Notification {
  const { reason: _reason, ...rest } = record;
  return { id, ...rest, atMs: createdMs, ...(repository === undefined ? {} : { repository }) };
}

function eventOf({ id, record, repositoryId, target }: OutboxRow, type: string, atMs: number): Statement {
  return appendEvent({
    atMs,
    type,
    repositoryId,
    run: record.run,
    task: record.task,
    data: { delivery: id, target, kind: record.kind },
  });
}
