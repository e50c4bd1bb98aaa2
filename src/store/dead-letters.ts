import type { Cause } from "../engine/cause.ts";
import type { SqlRow, Statement, Store } from "./port.ts";
import type { Reason } from "./runs.ts";
import { insertInto, jsonOf, numberOf, optionalTextOf, textOf, updateVersioned } from "./statements.ts";

/**
 * Why something was not done: a chain met its own work, its depth or its budget; a firing could not be started or was
 * not approved; too much waited; a target did not take what was delivered.
 */
export type DeadLetterKind = "own-work" | "depth" | "budget" | "start" | "approval" | "overflow" | "delivery";

/** What is kept of something that was not done. */
interface DeadLetterRecord {
  /** One line for people. */
  readonly title: string;
  readonly reason: Reason;
  /** The trigger that did not fire, `REPOSITORY/NAME`, and the newest event it did not fire on. */
  readonly trigger?: string | undefined;
  readonly seq?: number | undefined;
  readonly cause?: Cause | undefined;
  /** The entry of the outbox that was not delivered. */
  readonly delivery?: string | undefined;
}

/** Something that was not delivered, or was stopped, kept until somebody has looked at it. */
export interface DeadLetterRow {
  readonly id: string;
  readonly version: number;
  /** The same thing again is counted, not kept again. */
  readonly key: string;
  readonly repositoryId: string | undefined;
  readonly kind: DeadLetterKind;
  readonly count: number;
  readonly record: DeadLetterRecord;
  readonly state: "open" | "replayed";
  readonly createdMs: number;
  readonly updatedMs: number;
}

/** Keeps a dead letter, or counts it where one of its key is kept already. */
export function putDeadLetter(
  letter: Pick<DeadLetterRow, "id" | "key" | "repositoryId" | "kind" | "record" | "createdMs">,
): Statement {
  const { sql, values = [] } = insertInto("dead_letters", {
    id: letter.id,
    version: 1,
    key: letter.key,
    repository_id: letter.repositoryId ?? null,
    kind: letter.kind,
    count: 1,
    record_json: JSON.stringify(letter.record),
    seq: letter.record.seq ?? null,
    state: "open",
    created_ms: letter.createdMs,
    updated_ms: letter.createdMs,
  });
  return {
    sql: `${sql} on conflict (key) do update set count = count + 1, version = version + 1, state = 'open',
      record_json = excluded.record_json, seq = excluded.seq, updated_ms = excluded.updated_ms`,
    values,
  };
}

/** Says that what a dead letter is about was done after all. */
export function replayDeadLetter(letter: DeadLetterRow, atMs: number): Statement {
  return updateVersioned("dead_letters", { id: letter.id }, letter.version, { state: "replayed", updated_ms: atMs });
}

/** The open dead letters, oldest first. */
export async function loadDeadLetters(store: Store, limit: number): Promise<DeadLetterRow[]> {
  const rows = await store.read("select * from dead_letters where state = 'open' order by created_ms, rowid limit ?", [
    limit,
  ]);
  return rows.map(parseDeadLetter);
}

/** Dead letters whose id starts so, at most three. */
export async function findDeadLetters(store: Store, start: string): Promise<DeadLetterRow[]> {
  const rows = await store.read("select * from dead_letters where substr(id, 1, ?) = ? order by id limit 3", [
    start.length,
    start,
  ]);
  return rows.map(parseDeadLetter);
}

function parseDeadLetter(row: SqlRow): DeadLetterRow {
  return {
    id: textOf(row, "id"),
    version: numberOf(row, "version"),
    key: textOf(row, "key"),
    repositoryId: optionalTextOf(row, "repository_id"),
    kind: textOf(row, "kind") as DeadLetterKind,
    count: numberOf(row, "count"),
    record: jsonOf<DeadLetterRecord>(row, "record_json"),
    state: textOf(row, "state") as DeadLetterRow["state"],
    createdMs: numberOf(row, "created_ms"),
    updatedMs: numberOf(row, "updated_ms"),
  };
}
