import type { Outcome } from "../engine/task.ts";
import type { SqlRow, Statement, Store } from "./port.ts";
import type { Reason } from "./runs.ts";
import { jsonOf, numberOf, optionalNumberOf, optionalTextOf, textOf } from "./statements.ts";

/** What an entry tells of: the end of a run, or of a detached task; what needs a person; what was not done. */
export type InboxKind = "run" | "task" | "notice" | "dead-letter";

/** What is kept of an entry. */
export interface InboxRecord {
  /** One line for people. */
  readonly title: string;
  readonly outcome?: Outcome | undefined;
  /** How many tasks there were, and of how many something has landed. */
  readonly tasks?: number | undefined;
  readonly landed?: number | undefined;
  readonly reason?: Reason | undefined;
  /** What shows more of it, or what a person does about it. */
  readonly command: string;
}

/** Something that somebody is to be told: kept until they were. */
export interface InboxRow {
  /** Where it is told twice, this is the same both times. */
  readonly id: string;
  /** Of the same thing there is one entry: `run:ID`, `task:RUN/NAME`, `notice:ID`, `dead-letter:ID:COUNT`. */
  readonly key: string;
  readonly repositoryId: string | undefined;
  /** See {@link addressOfTask}, {@link addressOfConversation} and {@link PERSON}. */
  readonly addressee: string;
  readonly kind: InboxKind;
  readonly run: string | undefined;
  readonly task: string | undefined;
  readonly record: InboxRecord;
  readonly state: "unread" | "read";
  readonly createdMs: number;
  readonly readMs: number | undefined;
}

/** An entry that nobody was told of yet. */
export type NewInboxEntry = Omit<InboxRow, "addressee" | "state" | "readMs">;

/** Whoever sits at the machine. */
export const PERSON = "person";

/** A task, as it is addressed. */
export function addressOfTask(run: string, task: string): string {
  return `task:${run}/${task}`;
}

/** A conversation outside of all tasks, as it is addressed. */
export function addressOfConversation(id: string): string {
  return `conversation:${id}`;
}

// Found in the transaction itself: a parent that ends at the same time is either seen as ended, or passes the entry on.
const WAITS_FOR_RUN = `(
  with recursive above (run_id, task, asker, live) as (
    select r.owner_run, r.owner_task, r.asker, (
      select 1 from tasks t where t.run_id = r.owner_run and t.name = r.owner_task and t.state <> 'ended'
    ) from runs r where r.id = ?
    union all
    select r.owner_run, r.owner_task, r.asker, (
      select 1 from tasks t where t.run_id = r.owner_run and t.name = r.owner_task and t.state <> 'ended'
    ) from above a join runs r on r.id = a.run_id where a.live is null
  )
  select coalesce(
    (select 'task:' || run_id || '/' || task from above where live = 1),
    (select 'conversation:' || asker from above where run_id is null and asker is not null),
    '${PERSON}'
  )
)`;

/** Puts an entry into the inbox of one addressee; one whose key is known changes nothing. */
export function putInbox(entry: NewInboxEntry & { readonly addressee: string }): Statement {
  return insertEntry(entry, "?", entry.addressee);
}

/** Puts an entry into an inbox; where one of its key was read already, it is unread once more. */
export function putInboxAgain(entry: NewInboxEntry & { readonly addressee: string }): Statement {
  const { sql, values } = putInbox(entry);
  const again = `do update set state = 'unread', read_ms = null, record_json = excluded.record_json,
    created_ms = excluded.created_ms`;
  return { sql: sql.replace(/do nothing$/, again), values };
}

/**
 * Puts an entry into the inbox of whoever waits for a run: the task that owns it, where that has not ended; else
 * whoever waits for that task's run; in the end the conversation that asked, or the person.
 */
export function putOutcome(entry: NewInboxEntry & { readonly run: string }): Statement {
  return insertEntry(entry, WAITS_FOR_RUN, entry.run);
}

function insertEntry(entry: NewInboxEntry, addressee: string, value: string): Statement {
  return {
    sql: `insert into inbox
      (id, key, repository_id, addressee, kind, run_id, task, record_json, state, created_ms)
      values (?, ?, ?, ${addressee}, ?, ?, ?, ?, 'unread', ?) on conflict (key) do nothing`,
    values: [
      entry.id,
      entry.key,
      entry.repositoryId ?? null,
      value,
      entry.kind,
      entry.run ?? null,
      entry.task ?? null,
      JSON.stringify(entry.record),
      entry.createdMs,
    ],
  };
}

/** Passes on what a task was not told of, in the transaction of its end: to whoever waits for the run it is part of. */
export function passOnInbox(run: string, task: string): Statement {
  return {
    sql: `update inbox set addressee = ${WAITS_FOR_RUN} where addressee = ? and state = 'unread'`,
    values: [run, addressOfTask(run, task)],
  };
}

/** Says that entries have reached their addressee; those that had before stay as they are. */
export function markRead(ids: readonly string[], atMs: number): Statement {
  return {
    sql: `update inbox set state = 'read', read_ms = ? where id in (${ids.map(() => "?").join(", ")}) and state = 'unread'`,
    values: [atMs, ...ids],
  };
}

/** The same by keys, for who was told in another way. */
export function markReadByKey(keys: readonly string[], atMs: number): Statement {
  return {
    sql: `update inbox set state = 'read', read_ms = ? where key in (${keys.map(() => "?").join(", ")}) and state = 'unread'`,
    values: [atMs, ...keys],
  };
}

/** Which entries to read. */
export interface InboxQuery {
  readonly addressee: string;
  readonly repositoryId?: string | undefined;
  /** Also what was read. */
  readonly all?: boolean | undefined;
  readonly limit: number;
}

/** The entries of one addressee: of the unread the oldest first, of all the newest. */
export async function loadInbox(
  store: Store,
  { addressee, repositoryId, all, limit }: InboxQuery,
): Promise<InboxRow[]> {
  const wheres = [
    "addressee = ?",
    ...(repositoryId === undefined ? [] : ["(repository_id = ? or repository_id is null)"]),
    ...(all === true ? [] : ["state = 'unread'"]),
  ];
  const rows = await store.read(
    `select * from inbox where ${wheres.join(" and ")} order by created_ms ${all === true ? "desc" : ""}, rowid ${all === true ? "desc" : ""} limit ?`,
    [addressee, ...(repositoryId === undefined ? [] : [repositoryId]), limit],
  );
  return rows.map(parseInboxRow);
}

/** How many entries somebody has not read. */
export async function countUnread(store: Store, addressee: string, repositoryId?: string): Promise<number> {
  const [row] =
    repositoryId === undefined
      ? await store.read("select count(*) as count from inbox where addressee = ? and state = 'unread'", [addressee])
      : await store.read(
          `select count(*) as count from inbox
           where addressee = ? and state = 'unread' and (repository_id = ? or repository_id is null)`,
          [addressee, repositoryId],
        );
  return row === undefined ? 0 : numberOf(row, "count");
}

function parseInboxRow(row: SqlRow): InboxRow {
  return {
    id: textOf(row, "id"),
    key: textOf(row, "key"),
    repositoryId: optionalTextOf(row, "repository_id"),
    addressee: textOf(row, "addressee"),
    kind: textOf(row, "kind") as InboxKind,
    run: optionalTextOf(row, "run_id"),
    task: optionalTextOf(row, "task"),
    record: jsonOf<InboxRecord>(row, "record_json"),
    state: textOf(row, "state") as InboxRow["state"],
    createdMs: numberOf(row, "created_ms"),
    readMs: optionalNumberOf(row, "read_ms"),
  };
}
