import { AnabranchError } from "../base/errors.ts";
import { findConflicts, type ConflictRow } from "../store/conflicts.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import type { ConflictRecord } from "./settlement.ts";

/** A conflict, as it is kept. */
export type KeptConflict = ConflictRow<ConflictRecord>;

/**
 * Finds the conflict whose id starts so.
 * @throws {AnabranchError} `NOT_FOUND`, `AMBIGUOUS_ID`
 */
export async function requireConflict(parts: Parts, id: string): Promise<KeptConflict> {
  const found = await findConflict(parts, id);
  if (found !== undefined) return found;
  throw new AnabranchError("NOT_FOUND", {
    message: `there is no conflict ${JSON.stringify(id)}`,
    hint: "anabranch conflicts",
    data: { id },
  });
}

/**
 * The conflict whose id starts so, if there is one.
 * @throws {AnabranchError} `AMBIGUOUS_ID`
 */
export async function findConflict(parts: Parts, id: string): Promise<KeptConflict | undefined> {
  if (!/^[0-9a-z]+$/.test(id)) return undefined;
  const rows = await findConflicts<ConflictRecord>(parts.store, id);
  const exact = rows.find((row) => row.id === id);
  if (exact !== undefined || rows.length <= 1) return exact ?? rows[0];
  const ids = rows.map((row) => row.id);
  throw new AnabranchError("AMBIGUOUS_ID", {
    message: `${id} is the start of several conflicts: ${ids.join(", ")}`,
    hint: "give more characters",
    data: { ids },
  });
}

/**
 * Refuses what can only be done while a conflict waits for somebody.
 * @throws {AnabranchError} `CONFLICT_CLOSED`
 */
export function requireOpen(row: KeptConflict): void {
  if (row.state === "open") return;
  const name = `${row.run}/${row.task}`;
  throw new AnabranchError("CONFLICT_CLOSED", {
    message:
      row.state === "settled"
        ? `conflict ${row.id} is settled: the work of ${name} has landed`
        : `conflict ${row.id} was given up; the work of ${name} is kept in the vault`,
    hint: row.state === "settled" ? `anabranch show ${name}` : `anabranch land ${name}`,
    data: { conflict: row.id, run: row.run, task: row.task, landing: row.landing },
  });
}

/** The run that a conflict belongs to. */
export async function runOf(parts: Parts, row: KeptConflict): Promise<LiveRun> {
  const run = await parts.book.find(row.run);
  if (run === undefined) throw new AnabranchError("INTERNAL", { message: `conflict ${row.id} has no run` });
  return run;
}
