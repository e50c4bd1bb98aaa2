import type { Lease } from "../engine/leases.ts";
import type { SqlRow, Statement, Store } from "./port.ts";
import { insertInto, jsonOf, numberOf, optionalNumberOf, textOf } from "./statements.ts";

/**
 * A lease. `held`: nobody else may write its scope, until it expires. `released`: its task gave it up or is over.
 * `expired`: it was not renewed in time, and its task cannot land on it.
 */
export interface LeaseRow extends Lease {
  /** The attempt of its task that took it. */
  readonly attempt: number;
  readonly state: "held" | "released" | "expired";
  readonly endedMs: number | undefined;
}

/** A lease that begins. */
export type NewLease = Omit<LeaseRow, "state" | "endedMs">;

/** Adds a lease. Its token must be larger than every one that its repository ever had. */
export function insertLease(lease: NewLease): Statement[] {
  const { scope, renews, attempt } = lease;
  return [
    {
      sql: `insert into lease_tokens (repository_id, newest) values (?, ?)
            on conflict (repository_id) do update set newest = excluded.newest where newest < excluded.newest`,
      values: [lease.repositoryId, lease.token],
      expectRows: 1,
    },
    insertInto("leases", {
      id: lease.id,
      version: 1,
      repository_id: lease.repositoryId,
      run_id: lease.run,
      task: lease.task,
      token: lease.token,
      record_json: JSON.stringify({ scope, renews, attempt }),
      state: "held",
      created_ms: lease.createdMs,
      expires_ms: lease.expiresMs,
    }),
  ];
}

/** Has a lease end later. It returns a row where that could be done: it was held, and had not expired. */
export function renewLease(id: string, expiresMs: number, nowMs: number): Statement {
  return {
    sql: `update leases set expires_ms = ?, version = version + 1
          where id = ? and state = 'held' and expires_ms > ? returning id`,
    values: [expiresMs, id, nowMs],
  };
}

/** Notes that a lease has expired, where it has. */
export function expireLease(id: string, nowMs: number): Statement {
  return {
    sql: `update leases set state = 'expired', ended_ms = expires_ms, version = version + 1
          where id = ? and state = 'held' and expires_ms <= ?`,
    values: [id, nowMs],
  };
}

/** Gives up a lease, where it is still held. */
export function releaseLease(id: string, endedMs: number): Statement {
  return {
    sql: "update leases set state = 'released', ended_ms = ?, version = version + 1 where id = ? and state = 'held'",
    values: [endedMs, id],
  };
}

/** Gives up every lease of a task, in the transaction that ends its attempt. */
export function releaseLeases(run: string, task: string, endedMs: number): Statement {
  return {
    sql: `update leases set state = 'released', ended_ms = ?, version = version + 1
          where run_id = ? and task = ? and state = 'held'`,
    values: [endedMs, run, task],
  };
}

/** Fails the transaction it is in unless a lease is still held, with the same token. */
export function requireLease({ id, token }: Lease, nowMs: number): Statement {
  return {
    sql: `update leases set version = version + 1
          where id = ? and token = ? and state = 'held' and expires_ms > ?`,
    values: [id, token, nowMs],
    expectRows: 1,
  };
}

/** The leases of tasks that have not ended: those that are held, and those that have expired. */
export async function loadOpenLeases(store: Store): Promise<LeaseRow[]> {
  const rows = await store.read(
    `select leases.* from leases join tasks on tasks.run_id = leases.run_id and tasks.name = leases.task
     where tasks.state <> 'ended' and leases.state <> 'released' order by leases.token`,
  );
  return rows.map(parseLease);
}

/** The newest token that each repository ever had. */
export async function loadLeaseTokens(store: Store): Promise<Map<string, number>> {
  const rows = await store.read("select repository_id, newest from lease_tokens");
  return new Map(rows.map((row) => [textOf(row, "repository_id"), numberOf(row, "newest")]));
}

function parseLease(row: SqlRow): LeaseRow {
  return {
    id: textOf(row, "id"),
    repositoryId: textOf(row, "repository_id"),
    run: textOf(row, "run_id"),
    task: textOf(row, "task"),
    token: numberOf(row, "token"),
    ...jsonOf<Pick<LeaseRow, "scope" | "renews" | "attempt">>(row, "record_json"),
    state: textOf(row, "state") as LeaseRow["state"],
    createdMs: numberOf(row, "created_ms"),
    expiresMs: numberOf(row, "expires_ms"),
    endedMs: optionalNumberOf(row, "ended_ms"),
  };
}
