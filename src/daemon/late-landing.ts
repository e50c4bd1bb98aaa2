import { AnabranchError } from "../base/errors.ts";
import type { Candidate } from "../landing/compose-changesets.ts";
import type { LandingRecord } from "../landing/receipt.ts";
import { loadConflicts } from "../store/conflicts.ts";
import { loadLandings, type LandingRow } from "../store/landings.ts";
import type { ConflictRecord } from "./settlement.ts";
import { findLanded } from "./landed-work.ts";
import type { Lander } from "./lander.ts";
import { lateInputs } from "./late-inputs.ts";
import type { LiveRun, LiveTask } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { intentOf } from "../workflows/intent.ts";

/** Who asks for a landing, and with which environment. */
export interface LandingWish {
  readonly environment: Readonly<Record<string, string>>;
  /** Aborts when whoever asked is gone. */
  readonly signal: AbortSignal;
}

/** A landing that a person asked for. */
export interface LateLanding {
  readonly row: LandingRow<LandingRecord>;
  /** Whether it had landed before they asked. */
  readonly already: boolean;
}

/**
 * Lands the changeset of a task that has ended and has not landed: it failed, was cancelled, was refused by
 * verification, or conflicted and may merge by now.
 *
 * @throws {AnabranchError} `LAND_REFUSED`, `NO_CHANGESET`, and whatever keeps it from landing
 */
export async function landTask(
  parts: Parts,
  lander: Lander,
  run: LiveRun,
  task: LiveTask,
  wish: LandingWish,
): Promise<LateLanding> {
  const landed = await findLanded(parts, run, task.row.name);
  if (landed !== undefined) return { row: landed, already: true };
  requireEnded(run, task);
  const { number, changeset } = task.attempt ?? {};
  if (number === undefined || changeset === undefined || changeset.paths === 0 || task.spec.writes === "none") {
    throw new AnabranchError("NO_CHANGESET", {
      message: `${run.row.id}/${task.row.name} has no changeset that could land (${task.row.outcome ?? task.row.state})`,
      hint: `anabranch show ${run.row.id}/${task.row.name}`,
    });
  }
  const { base, snapshot } = changeset;
  const conflict = await openConflictOf(parts, run, task.row.name);
  return landCandidate(parts, lander, run, wish, {
    run: run.row.id,
    task: task.row.name,
    attempt: number,
    base,
    snapshot,
    intent: intentOf(task.spec),
    ...(conflict === undefined ? {} : { conflict }),
  });
}

/** @throws {AnabranchError} `LAND_REFUSED` while the task, or the run that lands as a whole, goes on */
export function requireEnded({ row }: LiveRun, task: LiveTask): void {
  const name = `${row.id}/${task.row.name}`;
  if (task.row.state !== "ended") {
    throw new AnabranchError("LAND_REFUSED", {
      message: `${name} has not ended: what it does lands by itself when it succeeds`,
      hint: `anabranch wait ${name}`,
    });
  }
  if (row.spec.land !== "together" || row.state === "ended") return;
  throw new AnabranchError("LAND_REFUSED", {
    message: `run ${row.id} lands as a whole, and has not ended`,
    hint: `anabranch wait ${row.id}`,
  });
}

// One that is being fixed in a workspace is not passed over.
async function openConflictOf(parts: Parts, run: LiveRun, task: string): Promise<string | undefined> {
  const conflicts = await loadConflicts<ConflictRecord>(parts.store, run.row.id);
  const open = conflicts.find((conflict) => conflict.task === task && conflict.state === "open");
  if (open?.workspaceId === undefined) return open?.id;
  throw new AnabranchError("LAND_REFUSED", {
    message: `${run.row.id}/${task} conflicts with what has landed, and is being fixed`,
    hint: `anabranch land ${open.id}`,
    data: { conflict: open.id },
  });
}

/** Lands what a candidate says onto its run's lane. */
export async function landCandidate(
  parts: Parts,
  lander: Lander,
  run: LiveRun,
  { environment, signal }: LandingWish,
  candidate: Candidate,
): Promise<LateLanding> {
  const { id, already } = await lander.landLate(run, candidate, () => lateInputs(parts, run, environment), signal);
  const row = (await loadLandings<LandingRecord>(parts.store, run.row.id)).find((landing) => landing.id === id);
  if (row === undefined) throw new AnabranchError("INTERNAL", { message: `landing ${id} is not recorded` });
  return { row, already };
}
