import { receiptRef, type LandingRecord } from "../landing/receipt.ts";
import { laneRef, stagingRef } from "../landing/lane.ts";
import type { ConflictSummary, LandingView, RunView } from "../protocol/views.ts";
import type { ConflictRow } from "../store/conflicts.ts";
import type { LandingRow } from "../store/landings.ts";
import type { LiveRun } from "./live-run.ts";
import type { ConflictRecord } from "./settlement.ts";

/** Where a run's work lands, and how far that is. */
export function viewLane({ row }: LiveRun, landings: readonly LandingRow<LandingRecord>[]): RunView["lane"] {
  const { together, reason, base, failing = [] } = row.landing;
  const newest = landings.findLast(({ state, record }) => state === "landed" && isTarget(row.id, record));
  return {
    kind: row.spec.target === undefined ? "lane" : "branch",
    name: row.spec.target ?? laneRef(row.id),
    ...(newest === undefined ? {} : { tip: newest.record.after }),
    land: row.spec.land ?? "each",
    ...(together === undefined ? {} : { together }),
    ...(reason === undefined ? {} : { reason: { ...reason, data: { ...reason.data } } }),
    ...(base === undefined ? {} : { base }),
    failing: failing.map((one) => ({ ...one })),
  };
}

// What was only put together has not landed.
function isTarget(run: string, { target }: LandingRecord): boolean {
  return target.name !== stagingRef(run);
}

/** The landings of a run that took effect on its lane. */
export function viewLandings(run: string, rows: readonly LandingRow<LandingRecord>[]): LandingView[] {
  return rows.filter(({ state, record }) => state === "landed" && isTarget(run, record)).map(viewLanding);
}

/** A landing with everything it proved. */
export function viewLanding({ id, run, record }: LandingRow<LandingRecord>): LandingView {
  const { status, tree, commands } = record.verification;
  return {
    id,
    run,
    target: { ...record.target },
    before: record.before,
    after: record.after,
    changesets: record.changesets.map(({ task, attempt, commit, paths, resolved, waivers }) => ({
      task,
      attempt,
      commit,
      paths,
      resolved: resolved.map(({ path, resolver, class: resolverClass }) => ({ path, resolver, class: resolverClass })),
      waivers: waivers.map((one) => ({ ...one })),
    })),
    verification: {
      status,
      tree,
      commands: commands.map(({ status: exit, ...result }) => ({
        ...result,
        ...(exit === undefined ? {} : { status: exit }),
      })),
    },
    notices: [...record.notices],
    receipt: receiptRef(id),
    atMs: record.atMs,
  };
}

/** A conflict in one line. */
export function summarizeConflict(row: ConflictRow<ConflictRecord>): ConflictSummary {
  return {
    id: row.id,
    run: row.run,
    task: row.task,
    state: row.state,
    paths: row.record.conflicts.map(({ path, kind, message }) => {
      const choice = row.choices[path];
      return { path, kind, message, ...(choice === undefined ? {} : { choice }) };
    }),
    createdMs: row.createdMs,
    ...(row.endedMs === undefined ? {} : { endedMs: row.endedMs }),
  };
}

/** The landing by which a task's work is on its run's target, also where a person landed it after the task had ended. */
export function landingOf(run: string, task: string, rows: readonly LandingRow<LandingRecord>[]): string | undefined {
  const landed = rows.filter(({ state, record }) => state === "landed" && isTarget(run, record));
  return landed.findLast(({ record }) => record.changesets.some((changeset) => changeset.task === task))?.id;
}
