/**
 * Tasks that start only after a person's yes.
 *
 * unasked → asked → granted | refused (a no, or no answer in time); a task that ends before is not asked about any more
 *
 * The notice is the only record of all this, so a daemon that is killed anywhere finds the question or its answer again.
 *
 * Invariants:
 * 1. No attempt of such a task begins before a notice about it is approved.
 * 2. What was approved is what runs: the command and the commit that the notice names. A yes counts for all attempts.
 * 3. A task is asked about once, whatever is killed between the question and the answer.
 */
import { faultPoint } from "../base/fault.ts";
import { loadNewestNotices, type NoticeRow } from "../store/notices.ts";
import type { Reason } from "../store/runs.ts";
import { intentOf } from "../workflows/intent.ts";
import { taskKey, type LiveRun, type LiveTask } from "./live-run.ts";
import type { Question } from "./notice-board.ts";
import type { Parts } from "./parts.ts";
import { persist } from "./patience.ts";

type Approval =
  | { readonly type: "asking" }
  | { readonly type: "asked"; readonly notice: string }
  | { readonly type: "granted"; readonly base: string };

/** What of the daemon approvals take. */
type ApprovalParts = Pick<Parts, "book" | "notices" | "store" | "clock" | "log">;

/** What approvals need of whoever starts tasks. */
export interface ApprovalUsers {
  /** The commit a task would start from now. */
  readonly baseOf: (run: LiveRun, task: LiveTask) => Promise<string>;
  /** A task may start now. */
  readonly granted: (run: LiveRun, task: LiveTask) => void;
  /** It could not be asked about. */
  readonly failed: (run: LiveRun, task: LiveTask, cause: unknown) => Promise<void>;
}

/** See the head of this file. */
export class Approvals {
  readonly #parts: ApprovalParts;
  readonly #users: ApprovalUsers;
  readonly #known = new Map<string, Approval>();

  constructor(parts: ApprovalParts, users: ApprovalUsers) {
    this.#parts = parts;
    this.#users = users;
    parts.notices.onSettled((row) => this.#settled(row));
  }

  /** Finds again what earlier daemons have asked, and the answers; before anything of these runs is looked at. */
  async recover(runs: readonly LiveRun[]): Promise<void> {
    const notices: NoticeRow[] = [];
    for (const run of runs) {
      if ([...run.tasks.values()].every(({ spec }) => spec.approval === undefined)) continue;
      notices.push(...(await loadNewestNotices(this.#parts.store, run.row.id, "approval")));
    }
    for (const row of notices) {
      const found = this.#find(row);
      if (found === undefined) continue;
      const key = taskKey(found.run.row.id, found.task.row.name);
      if (row.state === "open") this.#wait(found.run, found.task, row.id);
      if (row.state === "approved") this.#known.set(key, { type: "granted", base: baseIn(row) });
    }
    for (const row of notices) if (row.state === "denied" || row.state === "expired") this.#settled(row);
    for (const row of this.#parts.notices.open()) {
      if (row.kind === "approval" && row.task !== undefined && this.#find(row) === undefined) this.#withdraw(row.id);
    }
  }

  /** Whether a ready task may start; where it may not yet, a person is asked. */
  mayStart(run: LiveRun, task: LiveTask): boolean {
    if (task.spec.approval === undefined) return true;
    const known = this.#known.get(taskKey(run.row.id, task.row.name));
    if (known === undefined) void this.#ask(run, task, task.spec.approval.expiresMs);
    return known?.type === "granted";
  }

  /** The commit that a person's yes was about. */
  baseOf(run: LiveRun, task: LiveTask): string | undefined {
    const known = this.#known.get(taskKey(run.row.id, task.row.name));
    return known?.type === "granted" ? known.base : undefined;
  }

  /** A task has ended: nobody needs to answer for it any more. */
  forget(run: LiveRun, name: string): void {
    const key = taskKey(run.row.id, name);
    const known = this.#known.get(key);
    this.#known.delete(key);
    if (known?.type === "asked") this.#withdraw(known.notice);
  }

  async #ask(run: LiveRun, task: LiveTask, expiresMs: number): Promise<void> {
    const { notices } = this.#parts;
    const key = taskKey(run.row.id, task.row.name);
    this.#known.set(key, { type: "asking" });
    try {
      const base = await this.#users.baseOf(run, task);
      const row = await persist(
        this.#parts,
        `asking for ${task.row.name}`,
        () => undefined,
        () => notices.post(questionOf(run, task, base, expiresMs)),
      );
      faultPoint("approval.asked");
      if (task.row.state === "ready") this.#wait(run, task, row.id);
      else this.#withdraw(row.id);
    } catch (cause) {
      this.#known.delete(key);
      await this.#users.failed(run, task, cause);
    }
  }

  #wait(run: LiveRun, task: LiveTask, notice: string): void {
    this.#known.set(taskKey(run.row.id, task.row.name), { type: "asked", notice });
    this.#parts.book.touch(run);
  }

  /** A person has answered, or has not in time. */
  #settled(row: NoticeRow): void {
    const found = row.kind === "approval" ? this.#find(row) : undefined;
    if (found === undefined) return;
    const { run, task } = found;
    const { book, log } = this.#parts;
    faultPoint("approval.settled");
    if (row.state === "approved") {
      this.#known.set(taskKey(run.row.id, task.row.name), { type: "granted", base: baseIn(row) });
      this.#users.granted(run, task);
      return;
    }
    if (row.state !== "denied" && row.state !== "expired") return;
    const reason = refusalOf(row, run);
    const { name } = task.row;
    const ending = persist(
      this.#parts,
      `ending ${name}`,
      () => undefined,
      () =>
        book.change(run, (draft) => {
          if (draft.task(name).state !== "ready") return;
          const by = row.record.by === undefined ? {} : { by: row.record.by };
          const data = { outcome: "cancelled", reason, ...by };
          draft.setTask(name, { state: "ended", outcome: "cancelled", reason }, "task.ended", data);
        }),
    );
    ending.catch((cause: unknown) =>
      log("error", "a task that was refused could not be ended", { run: run.row.id, task: name, cause: String(cause) }),
    );
  }

  #withdraw(notice: string): void {
    const { notices, log } = this.#parts;
    notices
      .withdraw(notice)
      .catch((cause: unknown) => log("warn", "a notice stays open", { notice, cause: String(cause) }));
  }

  /** The task that a notice is about, where it has not ended. */
  #find({ run: id, task: name }: NoticeRow): { readonly run: LiveRun; readonly task: LiveTask } | undefined {
    const run = this.#parts.book.get(id ?? "");
    const task = run?.tasks.get(name ?? "");
    return run === undefined || task === undefined || task.row.state === "ended" ? undefined : { run, task };
  }
}

const MOST_NAMED = 5;

function questionOf(run: LiveRun, task: LiveTask, base: string, expiresMs: number): Question {
  const { id, repositoryId, cause, spec } = run.row;
  const { name } = task.row;
  const intent = intentOf(task.spec);
  const landed = [...run.tasks.values()].filter(({ row }) => row.state === "ended" && row.landing !== undefined);
  const named = landed.slice(0, MOST_NAMED).map(({ row }) => row.name);
  const more = landed.length > MOST_NAMED ? ` and ${landed.length - MOST_NAMED} more` : "";
  const work = landed.length === 0 ? "to which nothing was added" : `with the work of ${named.join(", ")}${more}`;
  const finality = task.spec.effect === "irreversible" ? "; that cannot be taken back" : "";
  return {
    repositoryId,
    run: id,
    task: name,
    kind: "approval",
    record: {
      title: `${name}${spec.name === undefined ? "" : ` of ${spec.name}`} asks before it runs: ${intent.split("\n")[0] ?? ""}`,
      detail: intent,
      paths: [],
      consequence: `it runs on commit ${base.slice(0, 12)}, ${work}${finality}`,
      data: { base },
      cause,
    },
    expiresAfterMs: expiresMs,
  };
}

function baseIn({ record }: NoticeRow): string {
  return String(record.data?.["base"]);
}

function refusalOf({ id, state, record, task }: NoticeRow, run: LiveRun): Reason {
  const data = { notice: id };
  const again = run.row.spec.name === undefined ? "start it again" : `anabranch run ${run.row.spec.name}`;
  if (state === "expired")
    return { code: "APPROVAL_EXPIRED", message: `nobody said yes to ${task} in time`, hint: again, data };
  const words = record.answer === undefined ? "" : `: ${record.answer}`;
  return { code: "APPROVAL_DENIED", message: `${record.by ?? "a person"} said no${words}`, hint: again, data };
}
