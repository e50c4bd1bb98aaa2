import type { Cause } from "../engine/cause.ts";
import type { SqlRow, Statement, Store } from "./port.ts";
import { numberOf, optionalTextOf, textOf, toJson } from "./statements.ts";

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

/** An event with about how much memory it takes. */
export interface SizedEvent {
  readonly event: EventRow;
  readonly bytes: number;
}

// Events may be large: a few at a time are read, until it is enough.
const [ROWS_AT_ONCE, ENOUGH_BYTES] = [64, 4 * 1024 * 1024];

/** Some events, and whether these were all. */
export interface SomeEvents {
  readonly events: readonly SizedEvent[];
  readonly areAll: boolean;
}

/**
 * Events in the order they were committed; fewer than asked for where they are large.
 * What a newer version has written is read as far as it can be, and never an error.
 */
export async function loadSomeEvents(store: Store, { afterSeq, run, limit }: EventQuery): Promise<SomeEvents> {
  const events: SizedEvent[] = [];
  for (let bytes = 0; events.length < limit && bytes < ENOUGH_BYTES;) {
    const after = events.at(-1)?.event.seq ?? afterSeq;
    const size = Math.min(ROWS_AT_ONCE, limit - events.length);
    const rows = await loadRows(store, after, run, size);
    for (const row of rows) {
      const sized = { event: parseEvent(row), bytes: bytesOf(row) };
      bytes += sized.bytes;
      events.push(sized);
    }
    if (rows.length < size) return { events, areAll: true };
  }
  return { events, areAll: false };
}

/** Events in the order they were committed. There may be more, however few are returned, but not after none. */
export async function loadEvents(store: Store, query: EventQuery): Promise<EventRow[]> {
  return (await loadSomeEvents(store, query)).events.map(({ event }) => event);
}

/** The event at a place, as long as it is kept. */
export async function loadEventAt(store: Store, seq: number): Promise<EventRow | undefined> {
  const [row] = await store.read("select * from events where seq = ?", [seq]);
  return row === undefined ? undefined : parseEvent(row);
}

/** The number of the newest event there ever was; 0 where there was none. */
export async function loadNewestSeq(store: Store): Promise<number> {
  const [row] = await store.read("select coalesce(max(seq), 0) as newest from events");
  return row === undefined ? 0 : numberOf(row, "newest");
}

/** The number before the first event since a time. */
export async function loadSeqBefore(store: Store, sinceMs: number): Promise<number> {
  const [row] = await store.read("select seq from events where at_ms >= ? order by at_ms, seq limit 1", [sinceMs]);
  return row === undefined ? loadNewestSeq(store) : numberOf(row, "seq") - 1;
}

/** Where an event stands and when it was: what its age is told by. */
export interface EventPlace {
  readonly seq: number;
  readonly atMs: number;
}

/** The places of the oldest events after a number. */
export async function loadEventPlaces(store: Store, afterSeq: number, limit: number): Promise<EventPlace[]> {
  const rows = await store.read("select seq, at_ms from events where seq > ? order by seq limit ?", [afterSeq, limit]);
  return rows.map((row) => ({ seq: numberOf(row, "seq"), atMs: numberOf(row, "at_ms") }));
}

// An open firing or dead letter needs the event that it is about.
const UNNEEDED = `not exists (select 1 from firings where firings.seq = events.seq and ended_ms is null)
  and not exists (select 1 from dead_letters where dead_letters.seq = events.seq and dead_letters.state = 'open')`;

/** Removes the events after a number and up to another, without those that something open is about. */
export function removeEvents(afterSeq: number, throughSeq: number): Statement {
  return { sql: `delete from events where seq > ? and seq <= ? and ${UNNEEDED}`, values: [afterSeq, throughSeq] };
}

/** How many events {@link removeEvents} would remove. */
export async function countRemovable(store: Store, afterSeq: number, throughSeq: number): Promise<number> {
  const [row] = await store.read(`select count(*) as count from events where seq > ? and seq <= ? and ${UNNEEDED}`, [
    afterSeq,
    throughSeq,
  ]);
  return row === undefined ? 0 : numberOf(row, "count");
}

function loadRows(store: Store, afterSeq: number, run: string | undefined, limit: number): Promise<SqlRow[]> {
  return run === undefined
    ? store.read("select * from events where seq > ? order by seq limit ?", [afterSeq, limit])
    : store.read("select * from events where run_id = ? and seq > ? order by seq limit ?", [run, afterSeq, limit]);
}

const FIELDS_BYTES = 400;

function bytesOf(row: SqlRow): number {
  return FIELDS_BYTES + textOf(row, "data_json").length + (optionalTextOf(row, "cause_json")?.length ?? 0);
}

function parseEvent(row: SqlRow): EventRow {
  return {
    seq: numberOf(row, "seq"),
    atMs: numberOf(row, "at_ms"),
    type: textOf(row, "type"),
    run: optionalTextOf(row, "run_id"),
    task: optionalTextOf(row, "task"),
    repositoryId: optionalTextOf(row, "repository_id"),
    cause: parseCause(optionalTextOf(row, "cause_json")),
    key: optionalTextOf(row, "key"),
    data: parseData(textOf(row, "data_json")),
  };
}

function parseData(text: string): Readonly<Record<string, unknown>> {
  const found = parse(text);
  const isRecord = typeof found === "object" && found !== null && !Array.isArray(found);
  return isRecord ? (found as Readonly<Record<string, unknown>>) : { unreadable: text.slice(0, 1000) };
}

/** What nobody can read may be as deep as a chain can get: so that no trigger fires on it. */
const UNREADABLE: Cause = { chain: "unreadable", depth: Number.MAX_SAFE_INTEGER, triggers: [] };

function parseCause(text: string | undefined): Cause | undefined {
  if (text === undefined) return undefined;
  const { chain, depth, triggers } = (parse(text) ?? {}) as Partial<Cause>;
  const isReadable =
    typeof chain === "string" &&
    typeof depth === "number" &&
    Array.isArray(triggers) &&
    triggers.every((trigger) => typeof trigger === "string");
  return isReadable ? { chain, depth, triggers } : UNREADABLE;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
