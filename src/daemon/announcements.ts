import { idFrom } from "../base/ids.ts";
import type { Outcome } from "../engine/task.ts";
import type { NotifyKind, NotifyTarget } from "../notify/target.ts";
import type { DeadLetterRow } from "../store/dead-letters.ts";
import {
  markReadByKey,
  PERSON,
  passOnInbox,
  putInbox,
  putInboxAgain,
  putOutcome,
  type InboxRecord,
  type NewInboxEntry,
} from "../store/inbox.ts";
import type { NoticeRow } from "../store/notices.ts";
import { putOutbox } from "../store/outbox.ts";
import type { Statement } from "../store/port.ts";
import type { TaskRow } from "../store/tasks.ts";
import type { LiveRun } from "./live-run.ts";

const HOUR_MS = 3_600_000;

/** What goes into the inbox and the outbox with a change, in the transaction of that change. */
export class Announcements {
  readonly #targets: readonly NotifyTarget[];

  constructor(targets: readonly NotifyTarget[]) {
    this.#targets = targets;
  }

  /** A run has ended: whoever waits for it is told. */
  runEnded(run: LiveRun, outcome: Outcome, tasks: readonly TaskRow[], atMs: number): Statement[] {
    const { id } = run.row;
    return this.#ended(run, {
      key: `run:${id}`,
      kind: "run",
      task: undefined,
      createdMs: atMs,
      record: recordOfRun(run, outcome, tasks),
    });
  }

  /**
   * A task has ended. What it was not told of goes to whoever waits for its run; where it is detached, its run may have
   * ended long ago, so its own end is told too.
   */
  taskEnded(run: LiveRun, task: TaskRow, atMs: number): Statement[] {
    const { id } = run.row;
    const passed = passOnInbox(id, task.name);
    if (run.tasks.get(task.name)?.spec.detach !== true) return [passed];
    const record = recordOfTask(run, task);
    return [
      passed,
      ...this.#ended(run, { key: `task:${id}/${task.name}`, kind: "task", task: task.name, createdMs: atMs, record }),
    ];
  }

  /** Something waits for a person. */
  noticed({ id, repositoryId, run, task, kind, record }: NoticeRow, atMs: number): Statement[] {
    const { title } = record;
    const command = `anabranch approve ${id}`;
    const key = `notice:${id}`;
    const about = { repositoryId, title, run, task, command, createdMs: atMs };
    return [
      putInbox({
        id: idFrom(key),
        key,
        repositoryId,
        run,
        task,
        createdMs: atMs,
        addressee: PERSON,
        kind: "notice",
        record: { title, command },
      }),
      ...this.#notify(kind === "trouble" ? "restart-limit" : "needs-you", key, about),
    ];
  }

  /** What has waited for a person is settled: nobody needs to be told of it any more. */
  noticeSettled(id: string, atMs: number): Statement {
    return markReadByKey([`notice:${id}`], atMs);
  }

  /** Something was not done. The same again makes one entry, and at most one notification an hour. */
  deadLetter(letter: Pick<DeadLetterRow, "key" | "repositoryId" | "kind" | "record" | "createdMs">): Statement[] {
    const { repositoryId, kind, record, createdMs } = letter;
    const { title, reason } = record;
    const command = "anabranch events --dead";
    const key = `dead-letter:${letter.key}`;
    const entry = putInboxAgain({
      id: idFrom(key),
      key,
      repositoryId,
      run: undefined,
      task: undefined,
      createdMs,
      addressee: PERSON,
      kind: "dead-letter",
      record: { title, reason, command },
    });
    // What could not be delivered is not told by way of deliveries.
    if (kind === "delivery") return [entry];
    const hour = Math.floor(createdMs / HOUR_MS);
    return [entry, ...this.#notify("dead-letter", `${key}:${hour}`, { repositoryId, title, command, createdMs })];
  }

  #ended(run: LiveRun, entry: Pick<NewInboxEntry, "key" | "kind" | "task" | "createdMs" | "record">): Statement[] {
    const { id, repositoryId, parent } = run.row;
    const { key, task, createdMs, record } = entry;
    const told = putOutcome({ ...entry, id: idFrom(key), repositoryId, run: id });
    // A run whose task was lost has failed; those who want to know of the one or of the other mean that task.
    const kind = record.reason?.code === "TASK_LOST" ? "lost" : KINDS[record.outcome ?? "cancelled"];
    // What a task has started is that task's business.
    if (kind === undefined || parent !== undefined) return [told];
    const { title, command } = record;
    const data = {
      outcome: record.outcome,
      ...(run.row.spec.name === undefined ? {} : { workflow: run.row.spec.name }),
    };
    return [told, ...this.#notify(kind, key, { repositoryId, title, run: id, task, command, createdMs, data })];
  }

  #notify(
    kind: NotifyKind,
    key: string,
    {
      repositoryId,
      createdMs,
      ...about
    }: {
      readonly repositoryId: string | undefined;
      readonly createdMs: number;
      readonly title: string;
      readonly run?: string | undefined;
      readonly task?: string | undefined;
      readonly command: string;
      readonly data?: Readonly<Record<string, unknown>> | undefined;
    },
  ): Statement[] {
    return this.#targets
      .filter(({ on }) => on.includes(kind))
      .map(({ name }) => {
        const one = `${name}:${key}`;
        return putOutbox({
          id: idFrom(one),
          key: one,
          repositoryId,
          target: name,
          createdMs,
          record: { kind, ...about },
        });
      });
  }
}

const KINDS: Readonly<Record<Outcome, NotifyKind | undefined>> = {
  succeeded: "succeeded",
  failed: "failed",
  lost: "lost",
  skipped: undefined,
  cancelled: undefined,
};

const MOST_NAMED = 5;

function recordOfRun(run: LiveRun, outcome: Outcome, tasks: readonly TaskRow[]): InboxRecord {
  const { id, spec } = run.row;
  const landed = tasks.filter((task) => task.landing !== undefined && task.outcome === "succeeded").length;
  const bad = tasks.filter((task) => task.outcome === "failed" || task.outcome === "lost");
  const [only] = tasks;
  const name = spec.name ?? (tasks.length === 1 && only !== undefined ? only.name : `run ${id}`);
  const named = bad.slice(0, MOST_NAMED).map((task) => `${task.name} ${task.outcome}`);
  const more = bad.length > named.length ? [`${bad.length - named.length} more`] : [];
  const counts = [
    `${tasks.length} ${tasks.length === 1 ? "task" : "tasks"}`,
    ...(landed === 0 ? [] : [`${landed} landed`]),
    ...named,
    ...more,
  ];
  const reason = bad[0]?.reason ?? run.row.landing.reason;
  return {
    title: `${name} ${outcome}: ${counts.join(", ")}`,
    outcome,
    tasks: tasks.length,
    landed,
    ...(outcome === "succeeded" || reason === undefined ? {} : { reason }),
    command: `anabranch show ${id}`,
  };
}

function recordOfTask(run: LiveRun, { name, outcome, reason, landing }: TaskRow): InboxRecord {
  const { id, spec } = run.row;
  const landed = landing !== undefined && outcome === "succeeded" ? 1 : 0;
  return {
    title: `${spec.name === undefined ? name : `${spec.name}.${name}`} ${outcome ?? "ended"}${landed === 0 ? "" : ": landed"}`,
    outcome,
    tasks: 1,
    landed,
    ...(outcome === "succeeded" || reason === undefined ? {} : { reason }),
    command: `anabranch show ${id}/${name}`,
  };
}
