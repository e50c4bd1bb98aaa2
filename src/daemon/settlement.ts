import type { Clock } from "../base/clock.ts";
import type { Candidate, Conflicting } from "../landing/compose-changesets.ts";
import type { LandedChangeset } from "../landing/receipt.ts";
import { entitiesOf } from "../landing/open-meeting.ts";
import type { PathConflict } from "../landing/tree-merge.ts";
import type { Reason } from "../store/runs.ts";
import type { Draft } from "./draft.ts";
import { failTask } from "./failing.ts";
import { requireAttempt, type LiveRun } from "./live-run.ts";
import { intentOf } from "../workflows/intent.ts";

/** What a conflict is kept as. The places in its files, and what would be merged, are found again from the three versions. */
export interface ConflictRecord {
  readonly candidate: Omit<Candidate, "choices" | "conflict">;
  readonly ours: string;
  readonly conflicts: readonly Omit<PathConflict, "hunks" | "proposed">[];
  /** The ref it was to land on. */
  readonly lane: string;
}

/** A changeset that is to land, and what becomes of whoever waits for it. */
export interface Contribution {
  readonly candidate: Candidate;
  /** Whether a person asked for it, after its task had ended. */
  readonly isLate: boolean;
  /** Whether anybody still wants it to land. */
  readonly isWanted: (draft: Draft) => boolean;
  /** The lane is about to move for it; `undefined`: it did not after all. */
  readonly moving: (draft: Draft, landing: string | undefined) => void;
  readonly landed: (draft: Draft, landing: string, commit: string) => void;
  /** It does not land, for this reason. */
  readonly refused: (draft: Draft, reason: Reason) => void;
}

/** A task's changeset: the task ends as its landing does. */
export function contributionOf(run: LiveRun, name: string, clock: Clock): Contribution | undefined {
  const task = run.tasks.get(name);
  if (task?.row.state !== "landing") return undefined;
  const { number, changeset } = requireAttempt(task);
  if (changeset === undefined) return undefined;
  const { base, snapshot } = changeset;
  const { spec } = task;
  const result = task.row.result ?? { exitStatus: 0 };
  const isLanding = (draft: Draft): boolean => draft.task(name).state === "landing";
  return {
    candidate: { run: run.row.id, task: name, attempt: number, base, snapshot, intent: intentOf(spec) },
    isLate: false,
    isWanted: (draft) => isLanding(draft) && draft.task(name).cancel === undefined,
    moving(draft, landing) {
      if (isLanding(draft)) draft.setTask(name, { landing: landing ?? null });
    },
    landed(draft, landing, commit) {
      if (!isLanding(draft)) return;
      const patch = { state: "ended", outcome: "succeeded", reason: null, landing } as const;
      draft.event("task.landed", { landing, commit }, name);
      draft.setTask(name, patch, "task.ended", { outcome: "succeeded" });
    },
    refused(draft, reason) {
      if (!isLanding(draft)) return;
      if (draft.task(name).cancel !== undefined) endCancelled(draft, name);
      else failTask(draft, clock, spec, { outcome: "failed", reason, result });
    },
  };
}

/**
 * A changeset that lands by a person's wish. Its task has ended and stays as it ended.
 * @param heed is told why it does not land
 */
export function lateContribution(
  candidate: Candidate,
  isWanted: () => boolean,
  heed: (settled: { readonly landing: string } | { readonly reason: Reason }) => void,
): Contribution {
  const { task } = candidate;
  return {
    candidate,
    isLate: true,
    isWanted,
    moving: () => undefined,
    landed(draft, landing, commit) {
      draft.event("task.landed", { landing, commit, late: true }, task);
      heed({ landing });
    },
    refused(draft, reason) {
      draft.event("task.not-landed", { reason }, task);
      heed({ reason });
    },
  };
}

/** What an earlier daemon was about to land by a person's wish; whoever asked is gone. */
export function leftContribution(run: string, changeset: LandedChangeset): Contribution {
  const { task, attempt, base, snapshot } = changeset;
  const candidate = { run, task, attempt, base, snapshot, intent: "" };
  return lateContribution(
    candidate,
    () => true,
    () => undefined,
  );
}

/** Ends a task that was asked to stop before the lane moved for it. */
export function endCancelled(draft: Draft, name: string): void {
  draft.setTask(name, { state: "ended", outcome: "cancelled" }, "task.ended", { outcome: "cancelled" });
}

/** Why a changeset that conflicts does not land. */
export function conflictReason(id: string, { conflicts }: Conflicting): Reason {
  const [first] = conflicts;
  const places = conflicts.flatMap(({ path, hunks = [] }) => entitiesOf(hunks).map((name) => `${path}: ${name}`));
  const more = conflicts.length > 1 ? ` and ${conflicts.length - 1} more` : "";
  return {
    code: "MERGE_CONFLICT",
    message: `its changes conflict with what has landed: ${first?.message ?? "somewhere"}${more}`,
    hint: `anabranch conflicts show ${id}`,
    data: {
      conflict: id,
      paths: conflicts.slice(0, 100).map((conflict) => conflict.path),
      ...(places.length === 0 ? {} : { places: places.slice(0, 100) }),
    },
  };
}
