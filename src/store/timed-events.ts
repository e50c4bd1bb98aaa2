import type { NewEvent } from "./events.ts";
import type { SqlRow, Statement, Store } from "./port.ts";
import { insertInto, jsonOf, numberOf, textOf } from "./statements.ts";

/** An event that is appended later, as it was given: with its cause, so that waiting sets no depth back. */
export interface TimedEventRow {
  readonly id: string;
  readonly dueMs: number;
  readonly event: NewEvent;
}

/** Keeps an event until it is due. */
export function putTimedEvent({ id, dueMs, event }: TimedEventRow): Statement {
  return insertInto("timed_events", { id, due_ms: dueMs, event_json: JSON.stringify(event) });
}

/** Lets go of an event, in the transaction that appends it. */
export function dropTimedEvent(id: string): Statement {
  return { sql: "delete from timed_events where id = ?", values: [id], expectRows: 1 };
}

/** The events that are due by a moment, in the order in which they are due. */
export async function loadDueEvents(store: Store, untilMs: number, limit: number): Promise<TimedEventRow[]> {
  const rows = await store.read("select * from timed_events where due_ms <= ? order by due_ms, id limit ?", [
    untilMs,
    limit,
  ]);
  return rows.map(parseTimedEvent);
}

/** When the next event is due; `undefined` where none is kept. */
export async function loadNextDueMs(store: Store): Promise<number | undefined> {
  const [row] = await store.read("select due_ms from timed_events order by due_ms limit 1");
  return row === undefined ? undefined : numberOf(row, "due_ms");
}

function parseTimedEvent(row: SqlRow): TimedEventRow {
  return { id: textOf(row, "id"), dueMs: numberOf(row, "due_ms"), event: jsonOf<NewEvent>(row, "event_json") };
}
