import type { SqlRow, Statement, Store } from "./port.ts";
import { insertInto, jsonOf, numberOf, optionalNumberOf, textOf, updateVersioned } from "./statements.ts";

/** How far an acceptance is; the layer above says what each state means. */
export type AcceptanceState = "writing" | "accepted" | "undoing" | "undone";

/** A run's work on its way into the user's working tree. */
export interface AcceptanceRow<Record> {
  readonly id: string;
  readonly version: number;
  readonly run: string;
  readonly state: AcceptanceState;
  /** Its journal: whatever the layer above keeps. */
  readonly record: Record;
  readonly createdMs: number;
  readonly endedMs: number | undefined;
}

/** Adds an acceptance that is about to be written. */
export function insertAcceptance(
  acceptance: Pick<AcceptanceRow<unknown>, "id" | "run" | "record" | "createdMs">,
): Statement {
  return insertInto("acceptances", {
    id: acceptance.id,
    version: 1,
    run_id: acceptance.run,
    state: "writing",
    record_json: JSON.stringify(acceptance.record),
    created_ms: acceptance.createdMs,
  });
}

/** Moves an acceptance that still has the version it was read with to another state. */
export function moveAcceptance(
  acceptance: { readonly id: string; readonly version: number },
  state: AcceptanceState,
  endedMs: number | null,
): Statement {
  return updateVersioned("acceptances", { id: acceptance.id }, acceptance.version, { state, ended_ms: endedMs });
}

/** The acceptances of a run, oldest first. */
export async function loadAcceptances<Record>(store: Store, run: string): Promise<AcceptanceRow<Record>[]> {
  const rows = await store.read("select * from acceptances where run_id = ? order by created_ms, rowid", [run]);
  return rows.map((row) => parseAcceptance<Record>(row));
}

/** The acceptances that were being written or taken back when they were last heard of. */
export async function loadOpenAcceptances<Record>(store: Store): Promise<AcceptanceRow<Record>[]> {
  const rows = await store.read(
    "select * from acceptances where state in ('writing', 'undoing') order by created_ms, rowid",
  );
  return rows.map((row) => parseAcceptance<Record>(row));
}

function parseAcceptance<Record>(row: SqlRow): AcceptanceRow<Record> {
  return {
    id: textOf(row, "id"),
    version: numberOf(row, "version"),
    run: textOf(row, "run_id"),
    state: textOf(row, "state") as AcceptanceState,
    record: jsonOf<Record>(row, "record_json"),
    createdMs: numberOf(row, "created_ms"),
    endedMs: optionalNumberOf(row, "ended_ms"),
  };
}
