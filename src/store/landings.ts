import type { SqlRow, Statement, Store } from "./port.ts";
import { insertInto, jsonOf, numberOf, optionalNumberOf, textOf, updateVersioned } from "./statements.ts";

/**
 * A landing whose ref is about to move, or has. `moving`: everything is decided and its commits are written; whether
 * the ref moved, the ref tells. `landed`: it moved, and the receipt is written.
 */
export interface LandingRow<Record> {
  readonly id: string;
  readonly version: number;
  readonly run: string;
  readonly state: "moving" | "landed";
  /** What lands where, and what was proved of it: whatever the layer above keeps. */
  readonly record: Record;
  readonly createdMs: number;
  readonly endedMs: number | undefined;
}

/** Adds a landing that is about to move its ref. */
export function insertLanding(landing: Omit<LandingRow<unknown>, "version" | "state" | "endedMs">): Statement {
  return insertInto("landings", {
    id: landing.id,
    version: 1,
    run_id: landing.run,
    state: "moving",
    record_json: JSON.stringify(landing.record),
    created_ms: landing.createdMs,
  });
}

/** Its ref has moved. */
export function finishLanding(landing: { id: string; version: number }, endedMs: number): Statement {
  return updateVersioned("landings", { id: landing.id }, landing.version, { state: "landed", ended_ms: endedMs });
}

/** Its ref has not moved and will not: somebody else moved it first. */
export function dropLanding(landing: { id: string; version: number }): Statement {
  return {
    sql: "delete from landings where id = ? and version = ? and state = 'moving'",
    values: [landing.id, landing.version],
    expectRows: 1,
  };
}

/** The landings of a run, oldest first. */
export async function loadLandings<Record>(store: Store, run: string): Promise<LandingRow<Record>[]> {
  const rows = await store.read("select * from landings where run_id = ? order by created_ms, rowid", [run]);
  return rows.map((row) => parseLanding<Record>(row));
}

/** The landings that were about to move a ref when they were last heard of. */
export async function loadMovingLandings<Record>(store: Store): Promise<LandingRow<Record>[]> {
  const rows = await store.read("select * from landings where state = 'moving' order by created_ms, rowid");
  return rows.map((row) => parseLanding<Record>(row));
}

function parseLanding<Record>(row: SqlRow): LandingRow<Record> {
  return {
    id: textOf(row, "id"),
    version: numberOf(row, "version"),
    run: textOf(row, "run_id"),
    state: textOf(row, "state") as LandingRow<Record>["state"],
    record: jsonOf<Record>(row, "record_json"),
    createdMs: numberOf(row, "created_ms"),
    endedMs: optionalNumberOf(row, "ended_ms"),
  };
}
