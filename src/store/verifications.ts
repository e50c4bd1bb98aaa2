import type { Statement, Store } from "./port.ts";
import { jsonOf, numberOf } from "./statements.ts";

/** Of which tree and command a result is remembered. */
export interface VerificationKey {
  readonly repositoryId: string;
  readonly tree: string;
  readonly commandKey: string;
}

/** Remembers how a command ended on a tree, in place of what was remembered before. */
export function rememberVerification(key: VerificationKey, result: unknown, atMs: number): Statement {
  return {
    sql: `insert into verifications (repository_id, tree, command_key, result_json, created_ms) values (?, ?, ?, ?, ?)
          on conflict (repository_id, tree, command_key) do update set result_json = excluded.result_json, created_ms = excluded.created_ms`,
    values: [key.repositoryId, key.tree, key.commandKey, JSON.stringify(result), atMs],
  };
}

/** How a command ended on a tree, where that is remembered. */
export async function findVerification<Result>(
  store: Store,
  key: VerificationKey,
): Promise<{ readonly result: Result; readonly atMs: number } | undefined> {
  const [row] = await store.read(
    "select * from verifications where repository_id = ? and tree = ? and command_key = ?",
    [key.repositoryId, key.tree, key.commandKey],
  );
  return row === undefined
    ? undefined
    : { result: jsonOf<Result>(row, "result_json"), atMs: numberOf(row, "created_ms") };
}
