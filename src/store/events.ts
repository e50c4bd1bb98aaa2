import type { Cause } from "../engine/cause.ts";
import type { SqlRow, Statement, Store } from "./port.ts";
import { jsonOf, numberOf, optionalJsonOf, optionalTextOf, textOf, toJson } from "./statements.ts";

/** A fact, appended once. `seq` is its place in the order of commits. */
export interface EventRow {
  readonly seq: number;
  readonly atMs: number;
  readonly type: string;
  readonly run: string | undefined;
  readonly task: string | undefined;
  /** The repository it happened in, where it did in one. */
  readonly repositoryId?: string | undefined;
  /** What led to it; of an event of a run, what led to the run. */
  readonly cause?: Cause | undefined;
  /** Made by its source from what it tells of: the same is never appended twice. */
  readonly key?: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

/** An event that has no place yet. */
export type NewEvent = Omit<EventRow, "seq">;

/** Appends an event, in the transaction of the change it tells of. One whose key is known changes nothing. */
export function appendEvent(event: NewEvent): Statement {
  return {
    sql: `insert into events (at_ms, type, run_id, task, repository_id, cause_json, key, data_json)
      values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (key) where key is not null do nothing`,
    values: [
      event.atMs,
      event.type,
      event.run ?? null,
      event.task ?? null,
      event.repositoryId ?? null,
      toJson(event.cause),
      event.key ?? null,
      JSON.stringify(event.data),
    ],
    ...(event.key === undefined ? { expectRows: 1 } : {}),
  };
}

/** Which events to read. */
export interface EventQuery {
  readonly afterSeq: number;
  readonly run?: string | undefined;
  readonly limit: number;
}

/** Events in the order they were committed. */
export async function loadEvents(store: Store, { afterSeq, run, limit }: EventQuery): Promise<EventRow[]> {
  const rows =
    run === undefined
      ? await store.read("select * from events where seq > ? order by seq limit ?", [afterSeq, limit])
      : await store.read("select * from events where run_id = ? and seq > ? order by seq limit ?", [
          run,
          afterSeq,
          limit,
        ]);
  return rows.map(parseEvent);
}

/** The numbers of the oldest and the newest event that is kept; 0 where there is none. */
export async function loadEventRange(store: Store): Promise<{ oldestSeq: number; newestSeq: number }> {
  const [row] = await store.read(
    "select coalesce((select min(seq) from events), 0) as oldest, coalesce((select max(seq) from events), 0) as newest",
  );
  return row === undefined
    ? { oldestSeq: 0, newestSeq: 0 }
    : { oldestSeq: numberOf(row, "oldest"), newestSeq: numberOf(row, "newest") };
}

function parseEvent(row: SqlRow): EventRow {
  return {
    seq: numberOf(row, "seq"),
    atMs: numberOf(row, "at_ms"),
    type: textOf(row, "type"),
    run: optionalTextOf(row, "run_id"),
    task: optionalTextOf(row, "task"),
    repositoryId: optionalTextOf(row, "repository_id"),
    cause: optionalJsonOf<Cause>(row, "cause_json"),
    key: optionalTextOf(row, "key"),
    data: jsonOf(row, "data_json"),
  };
}
