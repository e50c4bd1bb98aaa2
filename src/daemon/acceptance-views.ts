import { AnabranchError } from "../base/errors.ts";
import type { AcceptanceRecord } from "../landing/acceptance.ts";
import type { Verification } from "../landing/verification.ts";
import type { CommandResponse } from "../protocol/commands.ts";
import type { AcceptanceRow } from "../store/acceptances.ts";
import type { LiveRun } from "./live-run.ts";

/** The journal of an acceptance, with what was proved of it. */
export interface AcceptanceJournal extends AcceptanceRecord {
  readonly verification: Verification;
}

type AcceptView = CommandResponse<"accept">;

/** An acceptance as clients see it. */
export function viewAcceptance({ id, run, state, record }: AcceptanceRow<AcceptanceJournal>): AcceptView {
  const { paths, branch, tip, repository, verification } = record;
  const side = state === "undone" ? "before" : "after";
  return {
    run,
    acceptance: id,
    status: state === "undone" ? "undone" : "accepted",
    root: repository.root,
    target: tip === undefined ? "tree" : "branch",
    ...(branch === undefined ? {} : { branch }),
    written: paths.filter((path) => path[side] !== null).map(({ path }) => path),
    removed: paths.filter((path) => path[side] === null).map(({ path }) => path),
    unchanged: [...record.unchanged],
    uncommitted: record.uncommitted.map((note) => ({ ...note })),
    commits: record.commits.map(({ oid, subject, paths: count }) => ({ oid, subject, paths: count })),
    verification: verification.status,
    notices: [...record.notices],
  };
}

/** The answer where everything of a run is there already. */
export function alreadyAccepted(run: LiveRun, last: AcceptanceRow<AcceptanceJournal> | undefined): AcceptView {
  return {
    run: run.row.id,
    ...(last === undefined ? {} : { acceptance: last.id }),
    status: "already",
    root: last?.record.repository.root ?? run.row.plan.root,
    target: "tree",
    written: [],
    removed: [],
    unchanged: [],
    uncommitted: [],
    commits: [],
    verification: "unverified",
    notices: [],
  };
}

/** Why there is nothing to accept, and where what there is can be seen. */
export function nothingToAccept(run: LiveRun): AnabranchError {
  const { id, state, spec } = run.row;
  if (state !== "ended") return stillActive(run);
  const failed = [...run.tasks.values()].filter(({ row }) => row.outcome !== "succeeded");
  const conflict = failed.find(({ row }) => row.reason?.code === "MERGE_CONFLICT");
  const message =
    spec.target !== undefined
      ? `run ${id} landed on the branch ${spec.target} itself`
      : conflict !== undefined
        ? `nothing of run ${id} has landed: ${conflict.row.name} conflicts with another task`
        : failed.length > 0
          ? `nothing of run ${id} has landed: ${failed
              .map(({ row }) => `${row.name} ${row.outcome}`)
              .slice(0, 3)
              .join(", ")}`
          : `run ${id} changed nothing`;
  return new AnabranchError("NOTHING_TO_ACCEPT", {
    message,
    hint: conflict === undefined ? `anabranch show ${id}` : "anabranch conflicts",
    data: { run: id },
  });
}

/** The run may still land more. */
export function stillActive(run: LiveRun): AnabranchError {
  const { id } = run.row;
  return new AnabranchError("RUN_ACTIVE", {
    message: `run ${id} has not ended: ${run.unended} of its tasks are still to come`,
    hint: `anabranch wait ${id} && anabranch accept ${id}`,
    data: { run: id },
  });
}
