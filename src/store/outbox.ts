import type { SqlRow, Statement, Store } from "./port.ts";
import type { Reason } from "./runs.ts";
import { jsonOf, numberOf, optionalNumberOf, optionalTextOf, textOf, updateVersioned } from "./statements.ts";

/** What a target is told. */
export interface OutboxRecord {
  /** What kind of thing happened, such as `failed`, `needs-you`, or `trigger`. */
  readonly kind: string;
  /** One line for people. */
  readonly title: string;
  /** More lines for people. */
  readonly text?: string | undefined;
  readonly run?: string | undefined;
  readonly task?: string | undefined;
  /** What shows more of it, or what a person does about it. */
  readonly command?: string | undefined;
  /** What programs may want of it. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  /** Why it has not been taken, as of the last attempt. */
  readonly reason?: Reason | undefined;
}

/** Something that is to be brought to a target outside. Where it arrives twice, its id is the same both times. */
export interface OutboxRow {
  readonly id: string;
  readonly version: number;
  /** Of the same thing for the same target there is one. */
  readonly key: string;
  readonly repositoryId: string | undefined;
  /** The name of a target of the user's configuration. */
  readonly target: string;
  readonly record: OutboxRecord;
  /** `dead`: given up, and kept as a dead letter. */
  readonly state: "waiting" | "sent" | "dead";
  readonly attempts: number;
  /** By the wall clock: a retry is due after a restart too. */
  readonly notBeforeMs: number;
  readonly createdMs: number;
  readonly endedMs: number | undefined;
}

/** Puts something into the outbox, in the transaction of what it tells of; what is known by its key is put once. */
export function putOutbox(
  entry: Pick<OutboxRow, "id" | "key" | "repositoryId" | "target" | "record" | "createdMs">,
): Statement {
  return {
    sql: `insert into outbox
      (id, version, key, repository_id, target, record_json, state, attempts, not_before_ms, created_ms)
      values (?, 1, ?, ?, ?, ?, 'waiting', 0, ?, ?) on conflict (key) do nothing`,
    values: [
      entry.id,
      entry.key,
      entry.repositoryId ?? null,
      entry.target,
      JSON.stringify(entry.record),
      entry.createdMs,
      entry.createdMs,
    ],
  };
}

/** Changes an entry that still has the version it was read with. */
export function updateOutbox(
  entry: Pick<OutboxRow, "id" | "version">,
  patch: Partial<Pick<OutboxRow, "state" | "attempts" | "notBeforeMs" | "record" | "endedMs">>,
): Statement {
  return updateVersioned("outbox", { id: entry.id }, entry.version, {
    ...(patch.state === undefined ? {} : { state: patch.state }),
    ...(patch.attempts === undefined ? {} : { attempts: patch.attempts }),
    ...(patch.notBeforeMs === undefined ? {} : { not_before_ms: patch.notBeforeMs }),
    ...(patch.record === undefined ? {} : { record_json: JSON.stringify(patch.record) }),
    ...(patch.endedMs === undefined ? {} : { ended_ms: patch.endedMs }),
  });
}

/** Brings what was given up to its target after all, from the first attempt on. */
export function sendAgain(id: string, atMs: number): Statement {
  return {
    sql: `update outbox set state = 'waiting', attempts = 0, not_before_ms = ?, ended_ms = null, version = version + 1
      where id = ? and state = 'dead'`,
    values: [atMs, id],
    expectRows: 1,
  };
}

/**
 * What waits and is due, oldest first.
 * @param busy targets that are being told something
 * @param latestMs nothing is put off for longer: what is, was put off by a clock that was set back since
 */
export async function loadDue(
  store: Store,
  { nowMs, latestMs, busy, limit }: { nowMs: number; latestMs: number; busy: readonly string[]; limit: number },
): Promise<OutboxRow[]> {
  const others = busy.length === 0 ? "" : ` and target not in (${busy.map(() => "?").join(", ")})`;
  const rows = await store.read(
    `select * from outbox where state = 'waiting' and (not_before_ms <= ? or not_before_ms > ?)${others}
     order by not_before_ms, rowid limit ?`,
    [nowMs, latestMs, ...busy, limit],
  );
  return rows.map(parseOutboxRow);
}

/** When the next of what waits is due, after some moment; `undefined` where nothing is. */
export async function nextOutboxMs(store: Store, afterMs = 0): Promise<number | undefined> {
  const [row] = await store.read(
    "select min(not_before_ms) as due from outbox where state = 'waiting' and not_before_ms > ?",
    [afterMs],
  );
  return row === undefined ? undefined : optionalNumberOf(row, "due");
}

function parseOutboxRow(row: SqlRow): OutboxRow {
  return {
    id: textOf(row, "id"),
    version: numberOf(row, "version"),
    key: textOf(row, "key"),
    repositoryId: optionalTextOf(row, "repository_id"),
    target: textOf(row, "target"),
    record: jsonOf<OutboxRecord>(row, "record_json"),
    state: textOf(row, "state") as OutboxRow["state"],
    attempts: numberOf(row, "attempts"),
    notBeforeMs: numberOf(row, "not_before_ms"),
    createdMs: numberOf(row, "created_ms"),
    endedMs: optionalNumberOf(row, "ended_ms"),
  };
}
