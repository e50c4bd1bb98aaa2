import type { Cause } from "../engine/cause.ts";
import type { SqlRow, Statement, Store } from "./port.ts";
import {
  insertInto,
  jsonOf,
  numberOf,
  optionalNumberOf,
  optionalTextOf,
  textOf,
  updateVersioned,
} from "./statements.ts";

/** What a notice is about, and what was answered. */
export interface NoticeRecord {
  /** One line for people. */
  readonly title: string;
  /** Everything a person needs to decide: the command, the paths. */
  readonly detail: string;
  readonly paths: readonly string[];
  /** What happens after a yes. */
  readonly consequence?: string | undefined;
  /** What whoever asked needs to go on after the answer. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  /** What led to whatever asks. */
  readonly cause?: Cause | undefined;
  /** Who has answered. */
  readonly by?: string | undefined;
  readonly answer?: string | undefined;
}

/**
 * What notices are about. `permission`: an agent asks before it uses a tool; `approval`: something waits for a yes before
 * it starts; `triggers`: what a repository's file would start by itself; `trouble`: something went wrong and stays so.
 */
export type NoticeKind = "permission" | "approval" | "triggers" | "trouble";

/** Something that only a person can do. */
export interface NoticeRow {
  readonly id: string;
  readonly version: number;
  /** Absent where it is about the machine. */
  readonly repositoryId: string | undefined;
  readonly run: string | undefined;
  readonly task: string | undefined;
  readonly kind: NoticeKind;
  /** `withdrawn`: what it was about is over; `expired`: nobody answered in time. */
  readonly state: "open" | "approved" | "denied" | "withdrawn" | "expired";
  readonly record: NoticeRecord;
  readonly createdMs: number;
  readonly expiresMs: number | undefined;
  readonly endedMs: number | undefined;
}

/** Adds an open notice. */
export function insertNotice(notice: Omit<NoticeRow, "version" | "state" | "endedMs">): Statement {
  return insertInto("notices", {
    id: notice.id,
    version: 1,
    repository_id: notice.repositoryId ?? null,
    run_id: notice.run ?? null,
    task: notice.task ?? null,
    kind: notice.kind,
    state: "open",
    record_json: JSON.stringify(notice.record),
    created_ms: notice.createdMs,
    expires_ms: notice.expiresMs ?? null,
  });
}

/** Settles a notice that still has the version it was read with. */
export function settleNotice(
  notice: NoticeRow,
  state: Exclude<NoticeRow["state"], "open">,
  record: NoticeRecord,
  atMs: number,
): Statement {
  return updateVersioned("notices", { id: notice.id }, notice.version, {
    state,
    record_json: JSON.stringify(record),
    ended_ms: atMs,
  });
}

/** The open notices, oldest first. */
export async function loadOpenNotices(store: Store): Promise<NoticeRow[]> {
  return (await store.read("select * from notices where state = 'open' order by created_ms, rowid")).map(parseNotice);
}

/** The newest notice of a kind about each task of a run. */
export async function loadNewestNotices(store: Store, run: string, kind: NoticeKind): Promise<NoticeRow[]> {
  const rows = await store.read(
    `select * from notices where run_id = ? and kind = ? and rowid in
     (select max(rowid) from notices where run_id = ? and kind = ? group by task)`,
    [run, kind, run, kind],
  );
  return rows.map(parseNotice);
}

/** The notice with this id, or the only one whose id starts so. */
export async function findNotices(store: Store, start: string): Promise<NoticeRow[]> {
  const rows = await store.read("select * from notices where substr(id, 1, ?) = ? order by created_ms limit 3", [
    start.length,
    start,
  ]);
  return rows.map(parseNotice);
}

function parseNotice(row: SqlRow): NoticeRow {
  return {
    id: textOf(row, "id"),
    version: numberOf(row, "version"),
    repositoryId: optionalTextOf(row, "repository_id"),
    run: optionalTextOf(row, "run_id"),
    task: optionalTextOf(row, "task"),
    kind: textOf(row, "kind") as NoticeKind,
    state: textOf(row, "state") as NoticeRow["state"],
    record: jsonOf<NoticeRecord>(row, "record_json"),
    createdMs: numberOf(row, "created_ms"),
    expiresMs: optionalNumberOf(row, "expires_ms"),
    endedMs: optionalNumberOf(row, "ended_ms"),
  };
}
