import type { Statement, Store } from "./port.ts";
import { optionalJsonOf, textOf } from "./statements.ts";

/** What is remembered of one subject (a task, a kind of spin-up) in one repository. */
export interface MeasurementRow<Value> {
  readonly repositoryId: string;
  readonly subject: string;
  readonly value: Value;
}

/** Remembers a value, in place of what was remembered before. */
export function rememberValue(row: MeasurementRow<unknown>, atMs: number): Statement {
  return {
    sql: `insert into measurements (repository_id, subject, value_json, updated_ms) values (?, ?, ?, ?)
          on conflict (repository_id, subject) do update set value_json = excluded.value_json, updated_ms = excluded.updated_ms`,
    values: [row.repositoryId, row.subject, JSON.stringify(row.value), atMs],
  };
}

/** Everything remembered of a repository, by subject. */
export async function loadValues<Value>(store: Store, repositoryId: string): Promise<Map<string, Value>> {
  const rows = await store.read("select subject, value_json from measurements where repository_id = ?", [repositoryId]);
  const values = new Map<string, Value>();
  for (const row of rows) {
    const value = optionalJsonOf<Value>(row, "value_json");
    if (value !== undefined) values.set(textOf(row, "subject"), value);
  }
  return values;
}
