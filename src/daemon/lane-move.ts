/**
 * The last step of a landing: the lane moves.
 *
 * moving     one transaction says what is about to move where, and who can no longer be stopped; then the lane moves
 * landed     one transaction, with the end of every task of it
 *
 * Found `moving` after a crash, the lane tells whether it moved. What nobody wants any more does not move it.
 */
import { faultPoint } from "../base/fault.ts";
import { stagingRef, type Lane } from "../landing/lane.ts";
import { receiptRef, writeReceipt, type LandedChangeset, type LandingRecord } from "../landing/receipt.ts";
import { settleConflicts } from "../store/conflicts.ts";
import { dropLanding, finishLanding, insertLanding, type LandingRow } from "../store/landings.ts";
import type { Statement } from "../store/port.ts";
import { fencingOf, mayMove as mayMoveNow } from "./landing-leases.ts";
import type { LandingOrder } from "./landing-order.ts";
import type { LiveRun } from "./live-run.ts";
import { expectLanding } from "./own-changes.ts";
import type { Parts } from "./parts.ts";
import type { Contribution } from "./settlement.ts";

/**
 * Says what is about to happen, moves the lane, and notes that it moved.
 * @returns whether it is done; `false`: the lane had been moved by somebody else, somebody was cancelled, or a lease
 * has come in the way or was lost
 */
export async function moveLane(
  parts: Parts,
  { run, lane, contributions, mayMove }: LandingOrder,
  id: string,
  tip: string | undefined,
  record: LandingRecord,
): Promise<boolean> {
  const row: LandingRow<LandingRecord> = {
    id,
    version: 1,
    run: run.row.id,
    state: "moving",
    record,
    createdMs: record.atMs,
    endedMs: undefined,
  };
  const isWhole = id === run.row.id;
  const coming = await expectLanding(parts, run, lane, record);
  let isWanted = true;
  await parts.book.change(run, (draft) => {
    isWanted = contributions.every((one) => one.isWanted(draft)) && (!isWhole || isStillWanted(run));
    isWanted &&= mayMove?.() ?? mayMoveNow(parts, run, contributions);
    if (!isWanted) return;
    if (isWhole) draft.setLanding({ together: "moving", reason: undefined });
    draft.also([...fencingOf(parts, contributions), insertLanding(row), ...coming]);
    for (const one of contributions) one.moving(draft, id);
    if (record.notices.length > 0) draft.event("landing.notice", { landing: id, notices: record.notices });
  });
  if (!isWanted) return false;
  faultPoint("landing.moving");
  const moved = await tryMove(parts, { run, lane, contributions }, row, tip);
  faultPoint("landing.moved");
  await concludeLanding(parts, run, lane, row, moved, contributions);
  return moved;
}

/** Moves the lane. Where that is refused, everything stands again as before. */
async function tryMove(
  parts: Parts,
  { run, lane, contributions }: Pick<LandingOrder, "run" | "lane" | "contributions">,
  row: LandingRow<LandingRecord>,
  tip: string | undefined,
): Promise<boolean> {
  const { before, after } = row.record;
  try {
    return await lane.move(tip, after, await receiptsOf(parts, run, row));
  } catch (cause) {
    const holds = await lane.holds(after, row.id, before).catch(() => false);
    if (holds) return true;
    await concludeLanding(parts, run, lane, row, false, contributions);
    throw cause;
  }
}

function isStillWanted({ row }: LiveRun): boolean {
  return row.state === "active" && !row.cancelRequested;
}

/** The receipt of a landing. Work that is only put together has none yet. */
async function receiptsOf(
  parts: Parts,
  run: LiveRun,
  { id, record }: LandingRow<LandingRecord>,
): Promise<{ ref: string; commit: string }[]> {
  if (record.target.name === stagingRef(run.row.id)) return [];
  const commit = await writeReceipt(parts.vaultOf(run.row.repositoryId), run.row.id, id, record);
  faultPoint("landing.receipt");
  return [{ ref: receiptRef(id), commit }];
}

/** Notes what became of a landing that was about to move its lane. */
export async function concludeLanding(
  parts: Parts,
  run: LiveRun,
  lane: Lane,
  row: LandingRow<LandingRecord>,
  moved: boolean,
  contributions: readonly Contribution[],
): Promise<void> {
  if (moved) await lane.settle(row.record.before, row.record.after);
  const settled = moved ? settledConflicts(parts, row) : [];
  await parts.book.change(run, (draft) => {
    draft.also([moved ? finishLanding(row, parts.clock.wallMs()) : dropLanding(row), ...settled]);
    for (const one of contributions) {
      const changeset = changesetOf(row.record, one);
      if (!moved) one.moving(draft, undefined);
      else if (changeset !== undefined) one.landed(draft, row.id, changeset.commit);
    }
    if (!moved && row.id === run.row.id) draft.setLanding({ together: "wanted" });
    if (!moved) return;
    const { target, after, changesets } = row.record;
    draft.event("run.landed", { landing: row.id, target: target.name, commit: after, changesets: changesets.length });
    if (row.id === run.row.id) draft.setLanding({ together: "landed" });
  });
}

function changesetOf({ changesets }: LandingRecord, { candidate }: Contribution): LandedChangeset | undefined {
  return changesets.find(({ task, attempt }) => task === candidate.task && attempt === candidate.attempt);
}

/** Whatever conflict there was about a task's work is settled when it has landed, in whichever way it came to that. */
function settledConflicts(parts: Parts, { id, run, record }: LandingRow<LandingRecord>): Statement[] {
  const tasks = new Set(record.changesets.map(({ task }) => task));
  return [...tasks].map((task) => settleConflicts({ run, task }, id, parts.clock.wallMs()));
}
