import type { SqlValue, Statement, Store } from "./port.ts";
import { numberOf, optionalJsonOf, optionalNumberOf, toJson } from "./statements.ts";

/** How far a reader has read: of events a sequence number, of a file a place. */
export interface Cursor<Data> {
  readonly position: number;
  /** What else the reader needs to go on. */
  readonly data: Data | undefined;
}

/** Where a reader stands; `undefined` where it has never read. */
export async function loadCursor<Data = never>(store: Store, name: string): Promise<Cursor<Data> | undefined> {
  const [row] = await store.read("select * from cursors where name = ?", [name]);
  return row === undefined
    ? undefined
    : { position: numberOf(row, "position"), data: optionalJsonOf<Data>(row, "data_json") };
}

/** Moves a reader on, in the transaction of what it made of what it read. */
export function moveCursor(name: string, position: number, data?: unknown): Statement {
  const values: SqlValue[] = [name, position, toJson(data)];
  return {
    sql: `insert into cursors (name, position, data_json) values (?, ?, ?)
      on conflict (name) do update set position = excluded.position, data_json = excluded.data_json`,
    values,
    expectRows: 1,
  };
}

/** Forgets readers whose name starts so: what they read is gone. */
export function forgetCursors(start: string): Statement {
  return { sql: "delete from cursors where substr(name, 1, ?) = ?", values: [start.length, start] };
}

const EVENT_READERS = "events/";

/** The name of a reader of events: what it has not read yet is not removed. Who has no more use for it forgets it. */
export function eventReader(name: string): string {
  return `${EVENT_READERS}${name}`;
}

/** How far the slowest reader of events has read; `undefined` where there is none. */
export async function loadSlowestReader(store: Store): Promise<number | undefined> {
  const [row] = await store.read("select min(position) as slowest from cursors where substr(name, 1, ?) = ?", [
    EVENT_READERS.length,
    EVENT_READERS,
  ]);
  return row === undefined ? undefined : optionalNumberOf(row, "slowest");
}
