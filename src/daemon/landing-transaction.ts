/**
 * One landing: merge, verify, move. Nothing is kept before everything is decided; how the lane then moves, and what is
 * found after a crash, stands in `lane-move.ts`.
 *
 * Invariant: a lane moves only to what was verified, or to what no rule asks to verify.
 */
import { isAnabranchError, toAnabranchError } from "../base/errors.ts";
import { faultPoint } from "../base/fault.ts";
import { newId } from "../base/ids.ts";
import { composeChangesets, type Conflicting } from "../landing/compose-changesets.ts";
import type { RulesSource } from "../landing/tree-merge.ts";
import type { SemanticHit } from "../landing/receipt.ts";
import type { Verification } from "../landing/verification.ts";
import { insertConflict, replaceConflict } from "../store/conflicts.ts";
import type { Reason } from "../store/runs.ts";
import { redBaseReason, toleratedCommands } from "./base-verdict.ts";
import { Draft } from "./draft.ts";
import { moveLane } from "./lane-move.ts";
import type { LandingOrder } from "./landing-order.ts";
import { judgeWork } from "./landing-leases.ts";
import { failedReason, recordOf } from "./landing-record.ts";
import type { LiveRun } from "./live-run.ts";
import { openLane } from "./open-lane.ts";
import type { Parts } from "./parts.ts";
import { isTemporary } from "./patience.ts";
import { conflictReason, type ConflictRecord, type Contribution } from "./settlement.ts";
import { compileMeeting, judgeFor } from "./semantic-check.ts";
import type { Verifier } from "./verifier.ts";
import { landingRulesOf } from "./verify-rules.ts";

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
      if (isTemporary(cause)) throw cause;
      if (isAnabranchError(cause) && cause.code === "CANCELLED") continue;
      parts.log("error", "a landing failed", { run: order.run.row.id, cause: String(cause) });
      const { kind: _kind, ...reason } = toAnabranchError(cause).toJSON();
      await refuse(parts, order.run, wanted, reason);
      return;
    }
  }
}

/** Lets go of the contributions that nobody wants any more, or that leases keep from landing. */
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
  const wanted: Contribution[] = [];
  for (const one of among.filter((other) => !unwanted.includes(other))) {
    const verdict = await judgeWork(parts, run, one);
    if (verdict.type === "free") wanted.push(one);
    else if (verdict.type === "refused") await refuse(parts, run, [one], verdict.reason);
  }
  return wanted;
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
    rules: await rulesOf(parts, order, before),
    judge: judgeFor(parts, run, base === undefined ? run.row.baseCommit : before),
  });
  faultPoint("landing.merged");
  await keepConflicts(parts, order, composed.conflicting);
  const merged = contributions.filter((one) => composed.landed.some(({ candidate }) => candidate === one.candidate));
  if (merged.length === 0) return true;
  const hits = composed.landed.flatMap(({ changeset }) => changeset.semantic ?? []);
  const verification =
    base === undefined
      ? await stagedOnly(parts, order, composed.tip)
      : await verifyComposed(parts, verifier, { ...order, contributions: merged }, before, composed.tip, hits);
  faultPoint("landing.verified");
  if (verification.status === "failed") {
    await halve(parts, verifier, { ...order, contributions: merged }, verification, hits);
    return true;
  }
  const record = recordOf(order, before, composed, verification, await lane.notices(), parts.clock.wallMs());
  return moveLane(parts, { ...order, contributions: merged }, id, tip, record);
}

/** What is only put together lands on the run's own lane in the end: it is the rules there that count. */
async function rulesOf(parts: Parts, { run, base }: LandingOrder, before: string): Promise<RulesSource> {
  const vault = parts.vaultOf(run.row.repositoryId);
  const lane = base === undefined ? await openLane(parts, run) : undefined;
  const commit = lane === undefined ? before : ((await lane.tip()) ?? run.row.baseCommit);
  return landingRulesOf(parts, vault, commit, toleratedCommands(run, base ?? run.row.landing));
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
      conflicts: conflicts.map(({ hunks: _hunks, proposed: _proposed, ...conflict }) => conflict),
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
  hits: readonly SemanticHit[],
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
    const request = { row: run.row, inputs, commit, rulesFrom: before, tolerated, again, report, signal: stop.signal };
    const verification = await verifier.verify({ ...request, afresh: hits.length > 0 });
    return await compileMeeting(parts, verifier, request, verification, hits);
  } finally {
    unsubscribe();
  }
}

/** A batch that fails is tried in halves, one after the other; one alone does not land. */
async function halve(
  parts: Parts,
  verifier: Verifier,
  order: LandingOrder,
  verification: Verification,
  hits: readonly SemanticHit[],
): Promise<void> {
  const { run, contributions } = order;
  if (contributions.length === 1) {
    await refuse(parts, run, contributions, failedReason(verification, hits));
    return;
  }
  const middle = Math.ceil(contributions.length / 2);
  for (const half of [contributions.slice(0, middle), contributions.slice(middle)]) {
    await land(parts, verifier, { ...order, contributions: half });
  }
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
