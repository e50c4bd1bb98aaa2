import type { Outcome } from "../engine/task.ts";
import type { SqlRow, Statement, Store } from "./port.ts";
import type { Reason } from "./runs.ts";
import { jsonOf, numberOf, optionalNumberOf, optionalTextOf, textOf } from "./statements.ts";

/** What an entry tells of: the end of a run, or of a detached task; what needs a person; what was not done. */
type InboxKind = "run" | "task" | "notice" | "dead-letter";

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
    sql: `update inbox set state = 'read', read_ms = ? where id in (${marks(ids)}) and state = 'unread'`,
    values: [atMs, ...ids],
  };
}

/** The same by keys, for who was told in another way. */
export function markReadByKey(keys: readonly string[], atMs: number): Statement {
  return {
    sql: `update inbox set state = 'read', read_ms = ? where key in (${marks(keys)}) and state = 'unread'`,
    values: [atMs, ...keys],
  };
}

/** Who reads. */
export interface InboxReader {
  readonly address: string;
  /** Also what conversations have not come for since then. */
  readonly leftBeforeMs: number | undefined;
}

/** Says that a reader was told, by ids or keys; what is not in its inbox stays as it is. */
export function acknowledgeInbox(reader: InboxReader, names: readonly string[], atMs: number): Statement {
  const { where, values } = isOf(reader);
  return {
    sql: `update inbox set state = 'read', read_ms = ?
      where (id in (${marks(names)}) or key in (${marks(names)})) and state = 'unread' and ${where}`,
    values: [atMs, ...names, ...names, ...values],
  };
}

/** Which entries to read. */
export interface InboxQuery {
  readonly repositoryId?: string | undefined;
  /** Also what was read. */
  readonly read?: boolean | undefined;
  readonly limit: number;
}

/** The entries for a reader: the unread oldest first, with the read ones newest first. */
export async function loadInbox(
  store: Store,
  reader: InboxReader,
  { repositoryId, read = false, limit }: InboxQuery,
): Promise<InboxRow[]> {
  const { where, values } = isOf(reader, repositoryId);
  const rows = read
    ? await store.read(`select * from inbox where ${where} order by created_ms desc, rowid desc limit ?`, [
        ...values,
        limit,
      ])
    : await store.read(`select * from inbox where state = 'unread' and ${where} order by created_ms, rowid limit ?`, [
        ...values,
        limit,
      ]);
  return rows.map(parseInboxRow);
}

/** How many entries a reader has not read. */
export async function countUnread(store: Store, reader: InboxReader, repositoryId?: string): Promise<number> {
  const { where, values } = isOf(reader, repositoryId);
  const [row] = await store.read(`select count(*) as count from inbox where state = 'unread' and ${where}`, values);
  return row === undefined ? 0 : numberOf(row, "count");
}

function isOf(
  { address, leftBeforeMs }: InboxReader,
  repositoryId?: string,
): { readonly where: string; readonly values: (string | number)[] } {
  const left = "(addressee >= 'conversation:' and addressee < 'conversation;' and created_ms < ?)";
  const [whose, values] =
    leftBeforeMs === undefined ? ["addressee = ?", [address]] : [`(addressee = ? or ${left})`, [address, leftBeforeMs]];
  if (repositoryId === undefined) return { where: whose, values };
  return { where: `${whose} and (repository_id = ? or repository_id is null)`, values: [...values, repositoryId] };
}

function marks(list: readonly string[]): string {
  return list.map(() => "?").join(", ");
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
