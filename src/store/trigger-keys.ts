import type { Statement, Store } from "./port.ts";

/** Whether a trigger has had an event with this key, not longer ago than it counts. */
export async function hasTriggerKey(store: Store, triggerId: string, key: string, nowMs: number): Promise<boolean> {
  const rows = await store.read(
    "select 1 as known from trigger_keys where trigger_id = ? and key = ? and expires_ms > ?",
    [triggerId, key, nowMs],
  );
  return rows.length > 0;
}

/** Remembers that a trigger has had an event with a key. */
export function putTriggerKey(triggerId: string, key: string, expiresMs: number): Statement {
  return {
    sql: `insert into trigger_keys (trigger_id, key, expires_ms) values (?, ?, ?)
      on conflict (trigger_id, key) do update set expires_ms = excluded.expires_ms`,
    values: [triggerId, key, expiresMs],
    expectRows: 1,
  };
}

/** Forgets the keys that count no more. */
export function expireTriggerKeys(nowMs: number): Statement {
  return { sql: "delete from trigger_keys where expires_ms <= ?", values: [nowMs] };
}
