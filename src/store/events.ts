import type { SqlRow, Statement, Store } from "./port.ts";
import { insertInto, jsonOf, numberOf, optionalTextOf, textOf } from "./statements.ts";

/** A fact, appended once. `seq` is its place in the order of commits. */
export interface EventRow {
  readonly seq: number;
  readonly atMs: number;
  readonly type: string;
  readonly run: string | undefined;
  readonly task: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

/** An event that has no place yet. */
export type NewEvent = Omit<EventRow, "seq">;

/** Appends an event, in the transaction of the change it tells of. */
export function appendEvent(event: NewEvent): Statement {
  return insertInto("events", {
    at_ms: event.atMs,
    type: event.type,
    run_id: event.run ?? null,
    task: event.task ?? null,
    data_json: JSON.stringify(event.data),
  });
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
    data: jsonOf(row, "data_json"),
  };
}
