import type { Cause } from "../engine/cause.ts";
import type { FiringState } from "../engine/trigger.ts";
import type { SqlRow, Statement, Store } from "./port.ts";
import type { Reason } from "./runs.ts";
import {
  insertInto,
  jsonOf,
  numberOf,
  optionalJsonOf,
  optionalNumberOf,
  optionalTextOf,
  textOf,
  toJson,
  updateVersioned,
} from "./statements.ts";

/** The events that a firing is about, without those beyond a bound. */
interface FiringEvents {
  readonly seqs: readonly number[];
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly count: number;
  /** Of file changes: the paths, and how many there are. */
  readonly paths: readonly string[];
  readonly pathCount: number;
}

/** A trigger that has fired. */
export interface FiringRow {
  readonly id: string;
  readonly version: number;
  readonly triggerId: string;
  readonly repositoryId: string;
  readonly state: FiringState;
  readonly priority: number;
  /** The concurrency group, where it is in one. */
  readonly group: string | undefined;
  readonly cause: Cause;
  readonly events: FiringEvents;
  /** What asks a person first. */
  readonly notice: string | undefined;
  readonly run: string | undefined;
  /** Why it came to nothing, or waits. */
  readonly reason: Reason | undefined;
  readonly createdMs: number;
  readonly endedMs: number | undefined;
}

/** Adds a firing. */
export function insertFiring(firing: Omit<FiringRow, "version" | "run" | "reason" | "endedMs">): Statement {
  return insertInto("firings", {
    id: firing.id,
    version: 1,
    trigger_id: firing.triggerId,
    repository_id: firing.repositoryId,
    state: firing.state,
    priority: firing.priority,
    group_name: firing.group ?? null,
    cause_json: JSON.stringify(firing.cause),
    events_json: JSON.stringify(firing.events),
    seq: firing.events.lastSeq,
    notice_id: firing.notice ?? null,
    created_ms: firing.createdMs,
  });
}

/** What may change of a firing. */
export type FiringPatch = Partial<Pick<FiringRow, "state" | "notice" | "run" | "reason" | "endedMs">>;

/** Changes a firing that still has the version it was read with. */
export function updateFiring({ id, version }: Pick<FiringRow, "id" | "version">, patch: FiringPatch): Statement {
  return updateVersioned("firings", { id }, version, {
    ...(patch.state === undefined ? {} : { state: patch.state }),
    ...(patch.notice === undefined ? {} : { notice_id: patch.notice }),
    ...(patch.run === undefined ? {} : { run_id: patch.run }),
    ...(patch.reason === undefined ? {} : { reason_json: toJson(patch.reason) }),
    ...(patch.endedMs === undefined ? {} : { ended_ms: patch.endedMs }),
  });
}

/** The firings that have not come to their end, oldest first. */
export async function loadOpenFirings(store: Store): Promise<FiringRow[]> {
  return (await store.read("select * from firings where ended_ms is null order by created_ms, rowid")).map(parseFiring);
}

/** The newest firings of a trigger first. */
export async function loadFirings(store: Store, triggerId: string, limit: number): Promise<FiringRow[]> {
  const rows = await store.read(
    "select * from firings where trigger_id = ? order by created_ms desc, rowid desc limit ?",
    [triggerId, limit],
  );
  return rows.map(parseFiring);
}

/** How many firings each trigger of a repository has had, by their state. */
export async function countFirings(
  store: Store,
  repositoryId: string,
): Promise<{ triggerId: string; state: FiringState; count: number }[]> {
  const rows = await store.read(
    "select trigger_id, state, count(*) as count from firings where repository_id = ? group by trigger_id, state",
    [repositoryId],
  );
  return rows.map((row) => ({
    triggerId: textOf(row, "trigger_id"),
    state: textOf(row, "state") as FiringState,
    count: numberOf(row, "count"),
  }));
}

function parseFiring(row: SqlRow): FiringRow {
  return {
    id: textOf(row, "id"),
    version: numberOf(row, "version"),
    triggerId: textOf(row, "trigger_id"),
    repositoryId: textOf(row, "repository_id"),
    state: textOf(row, "state") as FiringState,
    priority: numberOf(row, "priority"),
    group: optionalTextOf(row, "group_name"),
    cause: jsonOf<Cause>(row, "cause_json"),
    events: jsonOf<FiringEvents>(row, "events_json"),
    notice: optionalTextOf(row, "notice_id"),
    run: optionalTextOf(row, "run_id"),
    reason: optionalJsonOf<Reason>(row, "reason_json"),
    createdMs: numberOf(row, "created_ms"),
    endedMs: optionalNumberOf(row, "ended_ms"),
  };
}
