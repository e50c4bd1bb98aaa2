/**
 * One landing: merge, verify, move.
 *
 * Nothing is kept before everything is decided; then
 * moving     one transaction says what is about to move where, and who can no longer be stopped; then the lane moves
 * landed     one transaction, with the end of every task of it
 *
 * Found `moving` after a crash, the lane tells whether it moved.
 *
 * Invariants:
 * 1. A lane moves only to what was verified, or to what no rule asks to verify.
 * 2. What nobody wants any more when the lane is about to move does not land.
 */
import { isAnabranchError, toAnabranchError } from "../base/errors.ts";
import { faultPoint } from "../base/fault.ts";
import { newId } from "../base/ids.ts";
import { composeChangesets, type Composed, type Conflicting } from "../landing/compose-changesets.ts";
import { stagingRef, type Lane } from "../landing/lane.ts";
import { receiptRef, writeReceipt, type LandedChangeset, type LandingRecord } from "../landing/receipt.ts";
import { rulePaths } from "../landing/rules.ts";
import { isPassing, type Verification } from "../landing/verification.ts";
import { insertConflict, replaceConflict, settleConflicts } from "../store/conflicts.ts";
import { dropLanding, finishLanding, insertLanding, type LandingRow } from "../store/landings.ts";
import type { Statement } from "../store/port.ts";
import type { Reason } from "../store/runs.ts";
import { redBaseReason, toleratedCommands } from "./base-verdict.ts";
import { Draft } from "./draft.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { isPassing as isPassingTrouble } from "./patience.ts";
import type { RunInputs } from "./run-files.ts";
import { conflictReason, type ConflictRecord, type Contribution } from "./settlement.ts";
import type { Verifier } from "./verifier.ts";

/** What is to land where. */
export interface LandingOrder {
  readonly run: LiveRun;
  readonly inputs: RunInputs;
  readonly lane: Lane;
  readonly contributions: readonly Contribution[];
  /** What the run's base came to; absent where this lane is only for putting work together, unverified. */
  readonly base: LiveRun["row"]["landing"] | undefined;
  /** Whether verification that failed before is done again: a person asks. */
  readonly again?: boolean | undefined;
}

/** Lands changesets, as one landing where that passes; those that make it fail are found by halves. */
export async function land(parts: Parts, verifier: Verifier, order: LandingOrder): Promise<void> {
  for (
    let wanted = await keepWanted(parts, order);
    wanted.length > 0;
    wanted = await keepWanted(parts, order, wanted)
  ) {
    try {
      if (await landOnce(parts, verifier, { ...order, contributions: wanted })) return;
    } catch (cause) {
      if (isPassingTrouble(cause)) throw cause;
      if (isAnabranchError(cause) && cause.code === "CANCELLED") continue;
      parts.log("error", "a landing failed", { run: order.run.row.id, cause: String(cause) });
      const { kind: _kind, ...reason } = toAnabranchError(cause).toJSON();
      await refuse(parts, order.run, wanted, reason);
      return;
    }
  }
}

/** Lets go of the contributions that nobody wants any more. */
async function keepWanted(
  parts: Parts,
  { run, contributions }: LandingOrder,
  among: readonly Contribution[] = contributions,
): Promise<Contribution[]> {
  const now = new Draft(run, 0);
  const unwanted = among.filter((one) => !one.isWanted(now));
  if (unwanted.length > 0) {
    await refuse(parts, run, unwanted, { code: "CANCELLED", message: "it was cancelled before it landed" });
  }
  return among.filter((one) => !unwanted.includes(one));
}

/** @returns whether there is nothing left to do; `false`: the lane, or who wants to land, has changed meanwhile */
async function landOnce(parts: Parts, verifier: Verifier, order: LandingOrder): Promise<boolean> {
  const { run, lane, contributions, base } = order;
  if (base?.base === "red" && run.row.spec.redBase === "stop") {
    await refuse(parts, run, contributions, redBaseReason(base));
    return true;
  }
  const vault = parts.vaultOf(run.row.repositoryId);
  const tip = await lane.tip();
  const before = tip ?? run.row.baseCommit;
  const id = newId(parts.random);
  const candidates = contributions.map((one) => one.candidate);
  const trailer = base === undefined ? run.row.id : id;
  const composed = await composeChangesets(parts.git, vault, before, candidates, {
    landing: trailer,
    atSeconds: parts.clock.wallMs() / 1000,
  });
  faultPoint("landing.merged");
  await keepConflicts(parts, order, composed.conflicting);
  const merged = contributions.filter((one) => composed.landed.some(({ candidate }) => candidate === one.candidate));
  if (merged.length === 0) return true;
  const verification =
    base === undefined
      ? await stagedOnly(parts, order, composed.tip)
      : await verifyComposed(parts, verifier, { ...order, contributions: merged }, before, composed.tip);
  faultPoint("landing.verified");
  if (verification.status === "failed") {
    await halve(parts, verifier, { ...order, contributions: merged }, verification);
    return true;
  }
  const record = recordOf(order, before, composed, verification, await lane.notices(), parts.clock.wallMs());
  return moveLane(parts, { ...order, contributions: merged }, id, tip, record);
}

async function keepConflicts(
  parts: Parts,
  { run, lane, contributions }: LandingOrder,
  all: readonly Conflicting[],
): Promise<void> {
  for (const conflicting of all) {
    const { candidate, ours, conflicts } = conflicting;
    const contribution = contributions.find((one) => one.candidate === candidate);
    const id = newId(parts.random);
    const record: ConflictRecord = {
      candidate: withoutDecisions(candidate),
      ours,
      conflicts: conflicts.map(({ hunks: _hunks, ...conflict }) => conflict),
      lane: lane.name,
    };
    // One that was settled by hand and conflicts anew takes the place of the old one.
    const replaced =
      candidate.conflict === undefined ? [] : [replaceConflict(candidate.conflict, parts.clock.wallMs())];
    await parts.book.change(run, (draft) => {
      draft.also([
        ...replaced,
        insertConflict({ id, run: run.row.id, task: candidate.task, record, createdMs: parts.clock.wallMs() }),
      ]);
      draft.event(
        "task.conflict",
        { conflict: id, paths: conflicts.slice(0, 100).map(({ path }) => path) },
        candidate.task,
      );
      contribution?.refused(draft, conflictReason(id, conflicting));
    });
  }
}

// What was decided was decided about another version of ours.
function withoutDecisions({
  choices: _choices,
  conflict: _conflict,
  ...candidate
}: Contribution["candidate"]): ConflictRecord["candidate"] {
  return candidate;
}

async function stagedOnly(parts: Parts, { run }: LandingOrder, commit: string): Promise<Verification> {
  const place = parts.vaultOf(run.row.repositoryId).place;
  const tree = await parts.git.text(place, ["rev-parse", `${commit}^{tree}`]);
  return { status: "unverified", tree, rulesFrom: run.row.baseCommit, commands: [], notices: [] };
}

async function verifyComposed(
  parts: Parts,
  verifier: Verifier,
  { run, inputs, contributions, base, again }: LandingOrder,
  before: string,
  commit: string,
): Promise<Verification> {
  const stop = new AbortController();
  const unsubscribe = parts.book.onChange((other) => {
    const now = new Draft(run, 0);
    if (other === run && contributions.every((one) => !one.isWanted(now))) stop.abort();
  });
  const report = (activity: string): void => {
    for (const { candidate } of contributions) {
      const task = run.tasks.get(candidate.task);
      if (task !== undefined && task.row.state === "landing") task.activity = activity;
    }
    parts.book.touch(run);
  };
  try {
    const tolerated = toleratedCommands(run, base ?? {});
    return await verifier.verify({
      row: run.row,
      inputs,
      commit,
      rulesFrom: before,
      tolerated,
      again,
      report,
      signal: stop.signal,
    });
  } finally {
    unsubscribe();
  }
}

/** A batch that fails is tried in halves, one after the other; one alone does not land. */
async function halve(parts: Parts, verifier: Verifier, order: LandingOrder, verification: Verification): Promise<void> {
  const { run, contributions } = order;
  if (contributions.length === 1) {
    await refuse(parts, run, contributions, failedReason(verification));
    return;
  }
  const middle = Math.ceil(contributions.length / 2);
  for (const half of [contributions.slice(0, middle), contributions.slice(middle)]) {
    await land(parts, verifier, { ...order, contributions: half });
  }
}

/** Why what fails verification does not land. */
export function failedReason({ commands }: Verification): Reason {
  const failed = commands.find((result) => !isPassing(result));
  const how =
    failed?.outcome === "timed-out"
      ? "ran out of time"
      : failed?.outcome === "missing"
        ? "was not found"
        : `ended with exit status ${failed?.status ?? "unknown"}`;
  return {
    code: "VERIFY_FAILED",
    message: `verification failed on the merged result: ${JSON.stringify(failed?.command ?? "")} ${how}`,
    hint: `look at ${failed?.log ?? "the log"}`,
    data: { command: failed?.command, status: failed?.status, log: failed?.log },
  };
}

function recordOf(
  { run, lane, base }: LandingOrder,
  before: string,
  composed: Composed,
  verification: Verification,
  about: readonly string[],
  atMs: number,
): LandingRecord {
  const changed = composed.landed.flatMap(({ candidate }) => pathsOf(run, candidate.task));
  const rules =
    base === undefined
      ? []
      : rulePaths(
          changed,
          verification.commands.map(({ command }) => command),
        );
  const flaky = verification.commands.filter(({ outcome }) => outcome === "flaky");
  return {
    target: { kind: lane.kind, name: lane.name },
    before,
    after: composed.tip,
    tree: verification.tree,
    changesets: composed.landed.map(({ changeset }) => changeset),
    verification,
    notices: [
      ...about,
      ...rules.map((path) => `${path} has a say in what verification runs, and is changed`),
      ...flaky.map(({ command }) => `${JSON.stringify(command)} failed once and then passed on the same tree`),
      ...verification.notices,
    ],
    atMs,
  };
}

function pathsOf(run: LiveRun, task: string): string[] {
  return run.tasks.get(task)?.attempt?.changeset?.changes.map(({ path }) => path) ?? [];
}

/**
 * Says what is about to happen, moves the lane, and notes that it moved.
 * @returns whether it is done; `false`: the lane had been moved by somebody else, or somebody was cancelled
 */
export async function moveLane(
  parts: Parts,
  { run, lane, contributions }: LandingOrder,
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
  let isWanted = true;
  await parts.book.change(run, (draft) => {
    isWanted = contributions.every((one) => one.isWanted(draft)) && (!isWhole || isStillWanted(run));
    if (!isWanted) return;
    if (isWhole) draft.setLanding({ together: "moving" });
    draft.also([insertLanding(row)]);
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

async function refuse(
  parts: Parts,
  run: LiveRun,
  contributions: readonly Contribution[],
  reason: Reason,
): Promise<void> {
  await parts.book.change(run, (draft) => {
    for (const one of contributions) one.refused(draft, reason);
  });
}
