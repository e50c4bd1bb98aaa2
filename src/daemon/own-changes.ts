import type { AcceptanceRecord } from "../landing/acceptance.ts";
import type { Lane } from "../landing/lane.ts";
import type { LandingRecord } from "../landing/receipt.ts";
import { expectOwnChanges, type ComingChanges } from "../store/own-changes.ts";
import type { Statement } from "../store/port.ts";
import { entryState, markState, NOTHING } from "../triggers/file-state.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";

/** Says what an acceptance is about to make of the user's files and branch, or to make them again when it is undone. */
export function expectAcceptance(
  parts: Parts,
  run: LiveRun,
  { paths, branch, head, tip }: AcceptanceRecord,
  side: "before" | "after",
): Statement[] {
  const stands = side === "after" ? tip : head;
  return [
    ...expected(
      parts,
      run,
      "file",
      paths.map((path) => ({ name: path.path, state: markState(path[side]) })),
    ),
    ...(branch === undefined || tip === undefined || stands === undefined
      ? []
      : expected(parts, run, "ref", [{ name: `refs/heads/${branch}`, state: stands }])),
  ];
}

/** Says what a landing on a branch of the user's is about to change there, and in a working tree that stands on it. */
export async function expectLanding(
  parts: Parts,
  run: LiveRun,
  lane: Lane,
  { before, after }: LandingRecord,
): Promise<Statement[]> {
  if (lane.kind !== "branch") return [];
  const changes = await parts.vaultOf(run.row.repositoryId).objects.compare(before, after);
  const files = changes.map(({ path, kind, newMode, newOid }) => ({
    name: path,
    state: kind === "deleted" ? NOTHING : entryState(newMode, newOid),
  }));
  return [
    ...expected(parts, run, "file", files),
    ...expected(parts, run, "ref", [{ name: `refs/heads/${lane.name}`, state: after }]),
  ];
}

function expected(
  { clock }: Parts,
  { row: { id, repositoryId, cause } }: LiveRun,
  kind: ComingChanges["kind"],
  changes: ComingChanges["changes"],
): Statement[] {
  return expectOwnChanges({ repositoryId, run: id, cause, kind, changes, atMs: clock.wallMs() });
}
