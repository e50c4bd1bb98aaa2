/**
 * What only a person can do: shown until it is settled.
 *
 * open → approved | denied (a person's answer) | expired (nobody answered in time) | withdrawn (what it was about is over)
 *
 * Invariants:
 * 1. Nothing but a person's yes makes a notice approved. No answer never means yes, and neither does one that comes late.
 * 2. It is settled once, and what waits for it is told only after that is durable.
 * 3. It stays open across restarts. Only where whoever asked is gone with the daemon it is withdrawn, to be asked again.
 */
import { AnabranchError, isAnabranchError } from "../base/errors.ts";
import type { CancelTimer, Clock } from "../base/clock.ts";
import { newId, type RandomBytes } from "../base/ids.ts";
import { appendEvent } from "../store/events.ts";
import {
  findNotices,
  insertNotice,
  loadOpenNotices,
  settleNotice,
  type NoticeRecord,
  type NoticeRow,
} from "../store/notices.ts";
import type { Statement, Store } from "../store/port.ts";
import { Announcements } from "./announcements.ts";

/** A person's answer. */
export interface NoticeAnswer {
  readonly approved: boolean;
  /** Who gave it. */
  readonly by: string;
  /** In the person's words. */
  readonly reason: string | undefined;
}

/** What is asked, or told, and about what. */
export interface Question {
  /** Absent where it is about the machine. */
  readonly repositoryId: string | undefined;
  readonly run?: string | undefined;
  readonly task?: string | undefined;
  readonly kind: NoticeRow["kind"];
  readonly record: NoticeRecord;
  /** From when it is asked until it is settled as expired. */
  readonly expiresAfterMs?: number | undefined;
}

/** A notice that is about to be opened, as part of a larger transaction. */
export interface PreparedNotice {
  readonly row: NoticeRow;
  readonly statements: readonly Statement[];
  /** The transaction is durable: it shows from now on. */
  readonly opened: () => void;
}

interface OpenNotice {
  readonly row: NoticeRow;
  readonly cancelTimer: CancelTimer;
  readonly answered: ((answer: NoticeAnswer | undefined) => void) | undefined;
}

/** A machine that slept through the end of a notice finds out at most this long after it woke. */
const LOOK_EVERY_MS = 3_600_000;
const RETRY_MS = 1000;

/** See the head of this file. */
export class NoticeBoard {
  readonly #open = new Map<string, OpenNotice>();
  readonly #listeners = new Set<(row: NoticeRow) => void>();
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #announcements: Announcements;

  constructor(store: Store, clock: Clock, random: RandomBytes, announcements = new Announcements([])) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
    this.#announcements = announcements;
  }

  /** Takes up what an earlier daemon left open. An agent that asked is gone, and will ask again. */
  async recover(): Promise<void> {
    for (const row of await loadOpenNotices(this.#store)) {
      this.#show(row);
      if (row.kind === "permission") await this.#settle(row, "withdrawn", undefined);
    }
  }

  /** Opens a notice together with `also`, durably; it is answered, today or in a week, by way of {@link onSettled}. */
  async post(question: Question, also: readonly Statement[] = []): Promise<NoticeRow> {
    const { row, statements, opened } = this.prepare(question);
    await this.#store.commit([...also, ...statements]);
    opened();
    return row;
  }

  /** What opens a notice, for a transaction of the caller's. */
  prepare(question: Question): PreparedNotice {
    const { expiresAfterMs, ...rest } = question;
    const createdMs = this.#clock.wallMs();
    const row: NoticeRow = {
      ...rest,
      run: rest.run,
      task: rest.task,
      id: newId(this.#random),
      version: 1,
      state: "open",
      createdMs,
      expiresMs: expiresAfterMs === undefined ? undefined : createdMs + expiresAfterMs,
      endedMs: undefined,
    };
    const { id, kind, record, expiresMs } = row;
    const data = { notice: id, kind, title: record.title, ...(expiresMs === undefined ? {} : { expiresMs }) };
    const statements = [
      insertNotice(row),
      eventOf(row, "notice.opened", createdMs, data),
      ...this.#announcements.noticed(row, createdMs),
    ];
    return { row, statements, opened: () => this.#show(row) };
  }

  /** Asks, and resolves with the answer, or with `undefined` when it was withdrawn because `signal` aborted. */
  async ask(question: Question, signal: AbortSignal): Promise<NoticeAnswer | undefined> {
    const { row, statements } = this.prepare(question);
    await this.#store.commit(statements);
    return new Promise((resolve, reject) => {
      const withdraw = (): void => {
        if (this.#open.has(row.id)) this.#settle(row, "withdrawn", undefined).catch(reject);
      };
      this.#show(row, (answer) => {
        signal.removeEventListener("abort", withdraw);
        resolve(answer);
      });
      signal.addEventListener("abort", withdraw);
      if (signal.aborted) withdraw();
    });
  }

  /** Calls `listener` after each notice was settled. Returns the way to stop that. */
  onSettled(listener: (row: NoticeRow) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The open notices of one task, of one run, or all. */
  open(run?: string, task?: string): NoticeRow[] {
    return [...this.#open.values()]
      .map(({ row }) => row)
      .filter((row) => (run === undefined || row.run === run) && (task === undefined || row.task === task));
  }

  /**
   * Settles a notice by a person's answer.
   * @param start the start of its id, or of the id of a task that has only one open
   * @throws {AnabranchError} `NOT_FOUND`, `AMBIGUOUS_ID`, `NOTICE_CLOSED`
   */
  async answer(start: string, answer: NoticeAnswer): Promise<NoticeRow> {
    const row = await this.#find(start);
    if (row.state !== "open" || !this.#open.has(row.id)) throw closed(row);
    if (this.#isLate(row)) throw closed(await this.#settle(row, "expired", undefined));
    return this.#settle(row, answer.approved ? "approved" : "denied", answer);
  }

  /** Takes back a notice that is open: what it was about is over. */
  async withdraw(id: string): Promise<void> {
    const entry = this.#open.get(id);
    if (entry !== undefined) await this.#settle(entry.row, "withdrawn", undefined);
  }

  #show(row: NoticeRow, answered?: OpenNotice["answered"]): void {
    const { expiresMs } = row;
    const leftMs = expiresMs === undefined ? undefined : Math.max(0, expiresMs - this.#clock.wallMs());
    const cancelTimer =
      leftMs === undefined
        ? () => undefined
        : this.#clock.after(Math.min(leftMs, LOOK_EVERY_MS), () => this.#lookAt(row.id));
    this.#open.set(row.id, { row, cancelTimer, answered });
  }

  #lookAt(id: string): void {
    const entry = this.#open.get(id);
    if (entry === undefined) return;
    if (!this.#isLate(entry.row)) this.#show(entry.row, entry.answered);
    // Where that cannot be written now, it is looked at again.
    else this.#settle(entry.row, "expired", undefined).catch(() => this.#clock.after(RETRY_MS, () => this.#lookAt(id)));
  }

  #isLate({ expiresMs }: NoticeRow): boolean {
    return expiresMs !== undefined && this.#clock.wallMs() >= expiresMs;
  }

  async #find(start: string): Promise<NoticeRow> {
    const ofTask = this.open().filter(
      ({ run, task }) => run !== undefined && (start === `${run}/${task}` || start === run),
    );
    const found = ofTask.length > 0 ? ofTask : await findNotices(this.#store, start);
    const [row, other] = found;
    if (row === undefined) {
      throw new AnabranchError("NOT_FOUND", { message: `there is no notice ${start}`, hint: "anabranch approve" });
    }
    if (other !== undefined) {
      throw new AnabranchError("AMBIGUOUS_ID", {
        message: `${start} may mean ${found.map(({ id }) => id).join(" or ")}`,
        hint: "anabranch approve",
      });
    }
    return row;
  }

  async #settle(
    row: NoticeRow,
    state: Exclude<NoticeRow["state"], "open">,
    answer: NoticeAnswer | undefined,
  ): Promise<NoticeRow> {
    const atMs = this.#clock.wallMs();
    const { by, reason } = answer ?? {};
    const record = {
      ...row.record,
      ...(by === undefined ? {} : { by }),
      ...(reason === undefined ? {} : { answer: reason }),
    };
    const entry = this.#open.get(row.id);
    this.#open.delete(row.id);
    const data = { notice: row.id, kind: row.kind, title: record.title, ...(by === undefined ? {} : { by }) };
    try {
      await this.#store.commit([
        settleNotice(row, state, record, atMs),
        eventOf(row, `notice.${state}`, atMs, data),
        // That it came to nothing because nobody answered is still to be read.
        ...(state === "expired" ? [] : [this.#announcements.noticeSettled(row.id, atMs)]),
      ]);
    } catch (cause) {
      // What is gone together with its run comes back no more.
      const isGone = isAnabranchError(cause) && cause.code === "STORE_CONFLICT";
      if (entry !== undefined && !isGone) this.#open.set(row.id, entry);
      throw cause;
    }
    entry?.cancelTimer();
    entry?.answered?.(answer);
    const settled = { ...row, state, record, endedMs: atMs, version: row.version + 1 };
    for (const listener of this.#listeners) listener(settled);
    return settled;
  }
}

function eventOf(
  { run, task, repositoryId, record }: NoticeRow,
  type: string,
  atMs: number,
  data: Readonly<Record<string, unknown>>,
): Statement {
  return appendEvent({ atMs, type, run, task, repositoryId, cause: record.cause, data });
}

function closed(row: NoticeRow): AnabranchError {
  return new AnabranchError("NOTICE_CLOSED", {
    message: `notice ${row.id} is ${row.state === "open" ? "being settled" : row.state} already: ${row.record.title}`,
    hint: "anabranch approve",
    data: { notice: row.id, state: row.state },
  });
}
