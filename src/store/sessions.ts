import type { Usage } from "../engine/agent.ts";
import type { AttemptKey } from "./attempts.ts";
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

/** What is kept of a session. */
export interface SessionRecord {
  /** The folder it works in. */
  readonly directory: string;
  readonly model: string | undefined;
  /** The conversation it began with a copy of, or that it goes on with. */
  readonly from:
    | { readonly conversation: string; readonly way: "copy" | "digest"; readonly directory: string }
    | undefined;
  /** From zero, for this session alone; over all the times it was taken up again. */
  readonly usage: Usage;
  /** Whether the money in it is worked out from a price list. */
  readonly estimated: boolean;
  /** The tokens of its last request. */
  readonly contextTokens: number | undefined;
  /** When it began to work, on the monotonic clock of its attempt's boot. */
  readonly startedAtMs: number;
  /** The control group that its own program is in. */
  readonly controlGroup: string | undefined;
  readonly sets: FileSets | undefined;
}

/** Which files a session has read and written. */
export interface FileSets {
  readonly reads: readonly FileEntry[];
  /** Whether those are all. Where commands have run, they are not, unless the commands were traced. */
  readonly readsComplete: boolean;
  readonly writes: readonly FileEntry[];
  /** Paths outside of the workspace that it touched, or was kept from touching. */
  readonly outside: readonly string[];
  /** Whether entries were left out because there were too many. */
  readonly cut: boolean;
}

/**
 * One file of a set, from the root of the workspace. `exact`: a tool of the agent said so. `traced`: its commands were
 * traced. `found`: the workspace differs from its base there, whatever made it so.
 */
export interface FileEntry {
  readonly path: string;
  readonly confidence: "exact" | "traced" | "found";
}

/** One live conversation of an agent, or one that was. */
export interface SessionRow {
  readonly run: string;
  readonly task: string;
  readonly attempt: number;
  readonly version: number;
  readonly kind: string;
  /** The agent's own id of it. */
  readonly conversation: string | undefined;
  readonly state: "open" | "closed";
  readonly record: SessionRecord;
  readonly createdMs: number;
  readonly endedMs: number | undefined;
}

/** What may change in a session. */
export type SessionPatch = Partial<Pick<SessionRow, "conversation" | "state" | "record" | "endedMs">>;

/** Adds a session. */
export function insertSession(session: Omit<SessionRow, "version" | "endedMs">): Statement {
  return insertInto("sessions", {
    ...keyOf(session),
    version: 1,
    kind: session.kind,
    conversation: session.conversation ?? null,
    state: session.state,
    record_json: JSON.stringify(session.record),
    created_ms: session.createdMs,
  });
}

/** Changes a session that still has the version it was read with. */
export function updateSession(session: SessionRow, patch: SessionPatch): Statement {
  return updateVersioned("sessions", keyOf(session), session.version, {
    ...(patch.conversation === undefined ? {} : { conversation: patch.conversation }),
    ...(patch.state === undefined ? {} : { state: patch.state }),
    ...(patch.record === undefined ? {} : { record_json: JSON.stringify(patch.record) }),
    ...(patch.endedMs === undefined ? {} : { ended_ms: patch.endedMs }),
  });
}

/** The row after {@link updateSession} took effect. */
export function patchedSession(session: SessionRow, patch: SessionPatch): SessionRow {
  return { ...session, ...patch, version: session.version + 1 };
}

/** The session of an attempt. */
export async function findSession(store: Store, { run, task, number }: AttemptKey): Promise<SessionRow | undefined> {
  const [row] = await store.read("select * from sessions where run_id = ? and task = ? and attempt = ?", [
    run,
    task,
    number,
  ]);
  return row === undefined ? undefined : parseSession(row);
}

/** The sessions of a run, or of one of its tasks, oldest first. */
export async function loadSessions(store: Store, run: string, task?: string): Promise<SessionRow[]> {
  const rows =
    task === undefined
      ? await store.read("select * from sessions where run_id = ? order by task, attempt", [run])
      : await store.read("select * from sessions where run_id = ? and task = ? order by attempt", [run, task]);
  return rows.map(parseSession);
}

/** The newest session that holds a conversation. */
export async function findSessionOf(store: Store, conversation: string): Promise<SessionRow | undefined> {
  const [row] = await store.read("select * from sessions where conversation = ? order by created_ms desc limit 1", [
    conversation,
  ]);
  return row === undefined ? undefined : parseSession(row);
}

function keyOf({ run, task, attempt }: Pick<SessionRow, "run" | "task" | "attempt">): {
  run_id: string;
  task: string;
  attempt: number;
} {
  return { run_id: run, task, attempt };
}

function parseSession(row: SqlRow): SessionRow {
  return {
    run: textOf(row, "run_id"),
    task: textOf(row, "task"),
    attempt: numberOf(row, "attempt"),
    version: numberOf(row, "version"),
    kind: textOf(row, "kind"),
    conversation: optionalTextOf(row, "conversation"),
    state: textOf(row, "state") as SessionRow["state"],
    record: jsonOf<SessionRecord>(row, "record_json"),
    createdMs: numberOf(row, "created_ms"),
    endedMs: optionalNumberOf(row, "ended_ms"),
  };
}
