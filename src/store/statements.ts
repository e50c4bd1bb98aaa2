import { AnabranchError } from "../base/errors.ts";
import type { SqlRow, SqlValue, Statement } from "./port.ts";

/** The columns of a row to be written. */
export type Columns = Readonly<Record<string, SqlValue>>;

/** `insert into TABLE`, which must add exactly one row. */
export function insertInto(table: string, columns: Columns): Statement {
  const names = Object.keys(columns);
  return {
    sql: `insert into ${table} (${names.join(", ")}) values (${names.map(() => "?").join(", ")})`,
    values: Object.values(columns),
    expectRows: 1,
  };
}

/**
 * `update TABLE` as a compare-and-swap: the row must still have the version it was read with, and gets the next one.
 */
export function updateVersioned(table: string, key: Columns, version: number, columns: Columns): Statement {
  const sets = [...Object.keys(columns).map((name) => `${name} = ?`), "version = version + 1"];
  const wheres = [...Object.keys(key).map((name) => `${name} = ?`), "version = ?"];
  return {
    sql: `update ${table} set ${sets.join(", ")} where ${wheres.join(" and ")}`,
    values: [...Object.values(columns), ...Object.values(key), version],
    expectRows: 1,
  };
}

/** JSON for a column; `null` stays `null`. */
export function toJson(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}

/** A text column. */
export function textOf(row: SqlRow, column: string): string {
  const value = row[column];
  if (typeof value === "string") return value;
  throw damaged(column, value);
}

/** A text column that may be empty. */
export function optionalTextOf(row: SqlRow, column: string): string | undefined {
  const value = row[column];
  return value === null || value === undefined ? undefined : textOf(row, column);
}

/** A number column. */
export function numberOf(row: SqlRow, column: string): number {
  const value = row[column];
  if (typeof value === "number") return value;
  throw damaged(column, value);
}

/** A number column that may be empty. */
export function optionalNumberOf(row: SqlRow, column: string): number | undefined {
  const value = row[column];
  return value === null || value === undefined ? undefined : numberOf(row, column);
}

/** A JSON column. Only this store writes it, so its shape is trusted; that it parses is not. */
export function jsonOf<Value>(row: SqlRow, column: string): Value {
  const value = optionalJsonOf<Value>(row, column);
  if (value === undefined) throw damaged(column, null);
  return value;
}

/** A JSON column that may be empty. */
export function optionalJsonOf<Value>(row: SqlRow, column: string): Value | undefined {
  const text = optionalTextOf(row, column);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Value;
  } catch {
    throw damaged(column, text);
  }
}

function damaged(column: string, value: SqlValue | undefined): AnabranchError {
  return new AnabranchError("STORE_CORRUPT", {
    message: `column ${column} of the database holds ${JSON.stringify(value)?.slice(0, 80)}`,
    hint: "anabranch doctor",
  });
}
