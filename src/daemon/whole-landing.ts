import { composeChangesets, type Candidate, type Composed } from "../landing/compose-changesets.ts";
import type { LandedChangeset } from "../landing/receipt.ts";
import type { RulesSource } from "../landing/tree-merge.ts";
import type { Reason } from "../store/runs.ts";
import { intentOf } from "../workflows/intent.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { judgeFor } from "./semantic-check.ts";

/** Changesets of a run that were put together to land at once, and what they come to. */
export interface Whole {
  readonly tip: string;
  readonly changesets: readonly LandedChangeset[];
}

/**
 * Puts what was put together on a run's base on top of where its lane stands by now: the lane may hold what came onto it
 * meanwhile, and must not lose it.
 *
 * @returns the reason where a changeset cannot be merged with that
 */
export async function putOnTop(
  parts: Parts,
  run: LiveRun,
  whole: Whole,
  before: string,
  rules: RulesSource,
): Promise<Whole | Reason> {
  if (before === run.row.baseCommit) return whole;
  const candidates = whole.changesets.map((changeset) => candidateOf(run, changeset));
  const composed = await composeChangesets(parts.git, parts.vaultOf(run.row.repositoryId), before, candidates, {
    landing: run.row.id,
    atSeconds: parts.clock.wallMs() / 1000,
    rules,
    judge: judgeFor(parts, run, before),
  });
  if (composed.conflicting.length > 0) return conflictOf(run, composed);
  return { tip: composed.tip, changesets: composed.landed.map(({ changeset }) => changeset) };
}

function candidateOf(
  run: LiveRun,
  { task, attempt, base, snapshot, waivers, byHand, conflict }: LandedChangeset,
): Candidate {
  const spec = run.tasks.get(task)?.spec;
  const byPerson = waivers.filter(({ by }) => by === "person");
  return {
    run: run.row.id,
    task,
    attempt,
    base,
    snapshot,
    intent: spec === undefined ? "" : intentOf(spec),
    waivers: byPerson,
    byHand,
    conflict,
  };
}

function conflictOf(run: LiveRun, { conflicting }: Composed): Reason {
  const [first] = conflicting;
  const task = first?.candidate.task ?? "";
  const why = first?.conflicts[0]?.message ?? "it cannot be merged";
  return {
    code: "MERGE_CONFLICT",
    message: `nothing landed: ${task} conflicts with what came onto the target while the run was at work: ${why}`,
    hint: `land what does not conflict by itself: anabranch land ${run.row.id}/TASK`,
    data: { task, paths: conflicting.flatMap(({ conflicts }) => conflicts.map(({ path }) => path)).slice(0, 100) },
  };
}
