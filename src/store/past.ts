import type { Statement, Store } from "./port.ts";

/** What is over and done with, in tables that only grow: which rows, and when each was over. */
const PAST = [
  { table: "inbox", over: "state = 'read'", at: "read_ms" },
  { table: "outbox", over: "state = 'sent'", at: "ended_ms" },
  { table: "firings", over: "ended_ms is not null", at: "ended_ms" },
  { table: "dead_letters", over: "state = 'replayed'", at: "updated_ms" },
] as const;

const AT_ONCE = 200;

/**
 * Removes what was read, sent, ended or replayed before a time, a few rows in each transaction.
 * @returns how many rows that were
 */
export async function removePast(store: Store, beforeMs: number, signal: AbortSignal): Promise<number> {
  let count = 0;
  for (const past of PAST) {
    for (let found = AT_ONCE; found === AT_ONCE && !signal.aborted; count += found) {
      const [rows = []] = await store.commit([removeSome(past, beforeMs)]);
      found = rows.length;
    }
  }
  return count;
}

function removeSome({ table, over, at }: (typeof PAST)[number], beforeMs: number): Statement {
  return {
    sql: `delete from ${table} where id in (select id from ${table} where ${over} and ${at} < ? limit ?) returning id`,
    values: [beforeMs, AT_ONCE],
  };
}
