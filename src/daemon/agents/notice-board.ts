/**
 * What only a person can do: shown until it is settled.
 *
 * open → approved | denied (a person's answer) | withdrawn (what it was about is over)
 *
 * Invariants:
 * 1. Nothing but a person's yes makes a notice approved; no answer never means yes.
 * 2. It is settled once, and what waits for it is told only after that is durable.
 */
import { AnabranchError } from "../../base/errors.ts";
import { newId, type RandomBytes } from "../../base/ids.ts";
import type { Clock } from "../../base/clock.ts";
import { appendEvent } from "../../store/events.ts";
import {
  findNotices,
  insertNotice,
  loadOpenNotices,
  settleNotice,
  type NoticeRecord,
  type NoticeRow,
} from "../../store/notices.ts";
import type { Store } from "../../store/port.ts";

/** A person's answer. */
export interface NoticeAnswer {
  readonly approved: boolean;
  /** In the person's words. */
  readonly reason: string | undefined;
}

/** What is asked, for whom. */
export interface Question {
  readonly repositoryId: string;
  readonly run: string;
  readonly task: string;
  readonly kind: NoticeRow["kind"];
  readonly record: NoticeRecord;
}

interface OpenNotice {
  row: NoticeRow;
  readonly answered: (answer: NoticeAnswer | undefined) => void;
}

/** See the head of this file. */
export class NoticeBoard {
  readonly #open = new Map<string, OpenNotice>();
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: RandomBytes;

  constructor(store: Store, clock: Clock, random: RandomBytes) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
  }

  /** Withdraws what an earlier daemon asked: whoever waited for it is gone and will ask again. */
  async recover(): Promise<void> {
    for (const row of await loadOpenNotices(this.#store)) await this.#settle(row, "withdrawn", undefined);
  }

  /** Asks, and resolves with the answer, or with `undefined` when it was withdrawn because `signal` aborted. */
  async ask(question: Question, signal: AbortSignal): Promise<NoticeAnswer | undefined> {
    const row: NoticeRow = {
      ...question,
      id: newId(this.#random),
      version: 1,
      state: "open",
      createdMs: this.#clock.wallMs(),
      endedMs: undefined,
    };
    const { run, task, kind, id } = row;
    const data = { notice: id, kind, title: row.record.title };
    await this.#store.commit([
      insertNotice(row),
      appendEvent({ atMs: row.createdMs, type: "notice.opened", run, task, data }),
    ]);
    return new Promise((resolve, reject) => {
      const withdraw = (): void => {
        if (this.#open.has(id)) this.#settle(row, "withdrawn", undefined).catch(reject);
      };
      const answered = (answer: NoticeAnswer | undefined): void => {
        signal.removeEventListener("abort", withdraw);
        resolve(answer);
      };
      this.#open.set(id, { row, answered });
      signal.addEventListener("abort", withdraw);
      if (signal.aborted) withdraw();
    });
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
    return this.#settle(row, answer.approved ? "approved" : "denied", answer);
  }

  async #find(start: string): Promise<NoticeRow> {
    const ofTask = this.open().filter(({ run, task }) => start === `${run}/${task}` || start === run);
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
    const record = { ...row.record, ...(answer?.reason === undefined ? {} : { answer: answer.reason }) };
    const { run, task, id } = row;
    const entry = this.#open.get(id);
    this.#open.delete(id);
    try {
      await this.#store.commit([
        settleNotice(row, state, record, atMs),
        appendEvent({ atMs, type: `notice.${state}`, run, task, data: { notice: id, title: record.title } }),
      ]);
    } catch (cause) {
      if (entry !== undefined) this.#open.set(id, entry);
      throw cause;
    }
    entry?.answered(answer);
    return { ...row, state, record, endedMs: atMs, version: row.version + 1 };
  }
}

function closed(row: NoticeRow): AnabranchError {
  return new AnabranchError("NOTICE_CLOSED", {
    message: `notice ${row.id} is ${row.state} already: ${row.record.title}`,
    hint: "anabranch approve",
    data: { notice: row.id, state: row.state },
  });
}
