import type { SqlRow, Statement, Store } from "./port.ts";
import { insertInto, jsonOf, numberOf, optionalJsonOf, textOf, toJson, updateVersioned } from "./statements.ts";

/** Which attempt. */
export interface AttemptKey {
  readonly run: string;
  readonly task: string;
  readonly number: number;
}

/** Who runs an attempt, as it is kept. */
export interface ProcessRecord {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
  /** On the monotonic clock of that boot. */
  readonly startedAtMs: number;
}

/** How an attempt's command ended. */
interface ExitRecord {
  readonly status: number;
  /** From its start to when its end was seen, by the monotonic clock. */
  readonly runMs: number;
  readonly cpuMs: number;
  /** How long it could have run but no processor was free, as far as the system tells. */
  readonly stalledMs: number;
  readonly memoryBytes: number;
  /** How many processes had outlived the command and were ended. */
  readonly stragglers: number;
}

/** One path of a changeset. */
export interface ChangedPath {
  readonly path: string;
  readonly kind: "added" | "modified" | "deleted" | "type-changed";
  readonly added?: number | undefined;
  readonly deleted?: number | undefined;
}

/** The difference of a workspace from its base, safe in the vault. */
export interface Changeset {
  readonly base: string;
  /** The commit in the vault that holds the workspace's state; the base itself when nothing changed. */
  readonly snapshot: string;
  readonly paths: number;
  readonly addedLines: number;
  readonly deletedLines: number;
  /** The first paths; all of them are in the vault. */
  readonly changes: readonly ChangedPath[];
  /** Repositories inside the workspace: kept apart in the vault, not part of the snapshot. */
  readonly nested: readonly string[];
  /** Where the base's ignore rules and the workspace's differ: what those hid is in the snapshot, what they revealed is not. */
  readonly rules?: { readonly hidden: readonly string[]; readonly revealed: readonly string[] };
  /** What is kept in the vault besides the snapshot, once that is done. */
  readonly archive?: ArchiveRecord;
}

/** What is kept of an attempt besides its snapshot: how many of each, and which files were too large. */
export interface ArchiveRecord {
  readonly commits: number;
  readonly nested: number;
  readonly submodules: number;
  readonly ignoredFiles: number;
  readonly ignoredFilesLeftOut: number;
  readonly leftOut: readonly string[];
}

/** When what happened, in milliseconds since the epoch. */
export interface AttemptTimings {
  readonly chosenMs: number;
  readonly claimedMs?: number;
  readonly preparedMs?: number;
  readonly startedMs?: number;
  readonly exitedMs?: number;
  readonly capturedMs?: number;
}

/**
 * An attempt. `starting`: its shim may or may not run, its folder tells. `running`: its shim was started.
 * `exited`: its exit record was read. `stopped`: it was ended by us. `lost`: it vanished.
 */
type AttemptState = "starting" | "running" | "exited" | "stopped" | "lost";

/** One try at a task. */
export interface AttemptRow extends AttemptKey {
  readonly version: number;
  readonly state: AttemptState;
  /** The secret its processes carry in their environment. */
  readonly marker: string;
  readonly workspaceId: string;
  readonly baseCommit: string;
  readonly bootId: string;
  readonly process: ProcessRecord | undefined;
  readonly exit: ExitRecord | undefined;
  readonly changeset: Changeset | undefined;
  /** What a task that should write nothing changed all the same. */
  readonly discarded: readonly string[] | undefined;
  readonly timings: AttemptTimings;
}

/** What may change in an attempt. */
export type AttemptPatch = Partial<
  Pick<AttemptRow, "state" | "process" | "exit" | "changeset" | "discarded" | "timings">
>;

/** Adds an attempt. */
export function insertAttempt(attempt: Omit<AttemptRow, "version">): Statement {
  return insertInto("attempts", {
    ...keyColumns(attempt),
    version: 1,
    state: attempt.state,
    marker: attempt.marker,
    workspace_id: attempt.workspaceId,
    base_commit: attempt.baseCommit,
    boot_id: attempt.bootId,
    timings_json: JSON.stringify(attempt.timings),
  });
}

/** Changes an attempt that still has the version it was read with. */
export function updateAttempt(attempt: AttemptKey & { readonly version: number }, patch: AttemptPatch): Statement {
  return updateVersioned("attempts", keyColumns(attempt), attempt.version, {
    ...(patch.state === undefined ? {} : { state: patch.state }),
    ...(patch.process === undefined ? {} : { process_json: toJson(patch.process) }),
    ...(patch.exit === undefined ? {} : { exit_json: toJson(patch.exit) }),
    ...(patch.changeset === undefined ? {} : { changeset_json: toJson(patch.changeset) }),
    ...(patch.discarded === undefined ? {} : { discarded_json: toJson(patch.discarded) }),
    ...(patch.timings === undefined ? {} : { timings_json: toJson(patch.timings) }),
  });
}

/** The row after {@link updateAttempt} took effect. */
export function patchedAttempt(attempt: AttemptRow, patch: AttemptPatch): AttemptRow {
  return { ...attempt, ...patch, version: attempt.version + 1 };
}

/** All attempts of a run's tasks, oldest first. */
export async function loadAttempts(store: Store, run: string): Promise<AttemptRow[]> {
  return (await store.read("select * from attempts where run_id = ? order by task, number", [run])).map(parseAttempt);
}

/** Removes the attempts of a task up to a number, with all that belongs to them. */
export function deleteAttempts({ run, task, number }: AttemptKey): Statement {
  return { sql: "delete from attempts where run_id = ? and task = ? and number <= ?", values: [run, task, number] };
}

/** The attempt whose processes carry this marker. */
export async function findAttemptByMarker(store: Store, marker: string): Promise<AttemptRow | undefined> {
  const [row] = await store.read("select * from attempts where marker = ?", [marker]);
  return row === undefined ? undefined : parseAttempt(row);
}

function keyColumns(attempt: AttemptKey): { run_id: string; task: string; number: number } {
  return { run_id: attempt.run, task: attempt.task, number: attempt.number };
}

function parseAttempt(row: SqlRow): AttemptRow {
  return {
    run: textOf(row, "run_id"),
    task: textOf(row, "task"),
    number: numberOf(row, "number"),
    version: numberOf(row, "version"),
    state: textOf(row, "state") as AttemptState,
    marker: textOf(row, "marker"),
    workspaceId: textOf(row, "workspace_id"),
    baseCommit: textOf(row, "base_commit"),
    bootId: textOf(row, "boot_id"),
    process: optionalJsonOf(row, "process_json"),
    exit: optionalJsonOf(row, "exit_json"),
    changeset: optionalJsonOf(row, "changeset_json"),
    discarded: optionalJsonOf(row, "discarded_json"),
    timings: jsonOf(row, "timings_json"),
  };
}

/** The text by which an attempt is named in messages, refs and folders. */
export function attemptName({ run, task, number }: AttemptKey): string {
  return `${run}/${task}/${number}`;
}
