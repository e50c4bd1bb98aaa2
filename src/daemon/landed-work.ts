import { stagingRef } from "../landing/lane.ts";
import type { LandingRecord } from "../landing/receipt.ts";
import { loadLandings, type LandingRow } from "../store/landings.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";

/** The landing by which a task's work is on the run's target, if it is. */
export async function findLanded(
  parts: Parts,
  run: LiveRun,
  task: string,
): Promise<LandingRow<LandingRecord> | undefined> {
  const rows = await loadLandings<LandingRecord>(parts.store, run.row.id);
  return rows.findLast(
    ({ state, record }) =>
      state === "landed" &&
      record.target.name !== stagingRef(run.row.id) &&
      record.changesets.some((changeset) => changeset.task === task),
  );
}
