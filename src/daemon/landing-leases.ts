/** What the leases of a repository say about work that is to land in it. */
import { Recent } from "../base/recent.ts";
import { describeEnd, describeLease, type Holder, type Lease } from "../engine/leases.ts";
import type { Candidate } from "../landing/compose-changesets.ts";
import type { LeaseRow } from "../store/leases.ts";
import type { Statement } from "../store/port.ts";
import type { Reason } from "../store/runs.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import type { Contribution } from "./settlement.ts";

/** Whether work may land as far as leases go; `held`: once somebody else's lease is not held any more. */
export type LandingVerdict =
  | { readonly type: "free" }
  | { readonly type: "held"; readonly lease: Lease }
  | { readonly type: "refused"; readonly reason: Reason };

/** What a task says of itself whose work waits for somebody else's lease. */
export const HELD = "held: ";

const MOST_PATHS = 200_000;
const compared = new Recent<readonly string[]>({ entries: 1000, weight: MOST_PATHS });
const written = new WeakMap<Candidate, readonly string[]>();

/** Judges a changeset that is to land. */
export async function judgeWork(parts: Parts, run: LiveRun, contribution: Contribution): Promise<LandingVerdict> {
  if (parts.leases.isQuiet(run.row.repositoryId)) return { type: "free" };
  const { candidate } = contribution;
  const { base, snapshot } = candidate;
  const paths = written.get(candidate) ?? (await loadPaths(parts, run, base, snapshot));
  written.set(candidate, paths);
  return verdictOn(parts, run, contribution, paths);
}

/** Judges everything a run is to land at once; what is returned can be asked again and again. */
export async function judgeWhole(parts: Parts, run: LiveRun, commit: string): Promise<() => LandingVerdict> {
  const paths = await loadPaths(parts, run, run.row.baseCommit, commit);
  // A run as a whole acts for whoever started it.
  const holder = { run: run.row.id, task: "" };
  return () => verdictOver(parts, run, holder, paths, false);
}

/** Whether nothing has come in the way since it was last judged: for the transaction that has the lane move. */
export function mayMove(parts: Parts, run: LiveRun, contributions: readonly Contribution[]): boolean {
  if (parts.leases.isQuiet(run.row.repositoryId)) return true;
  return contributions.every((one) => {
    const paths = written.get(one.candidate);
    return paths !== undefined && verdictOn(parts, run, one, paths).type === "free";
  });
}

/** Fails the transaction unless everything is still held that the work was done under. */
export function fencingOf(parts: Parts, contributions: readonly Contribution[]): Statement[] {
  return contributions.flatMap(({ candidate, isLate }) =>
    isLate ? [] : parts.leases.fencing(candidate, written.get(candidate) ?? []),
  );
}

/** What a task says of itself that waits for a lease. */
export function describeHold(lease: Lease): string {
  return `${HELD}lease of ${lease.run}/${lease.task} ${describeEnd(lease)}`;
}

/** Why work does not land, or not yet, over which somebody else has a lease. */
export function leaseHeldReason(lease: Lease): Reason {
  const { id, run, task, scope, expiresMs } = lease;
  return {
    code: "LEASE_HELD",
    message: `it has changed what is in the scope of a ${describeLease(lease)}`,
    hint: "anabranch leases",
    data: { lease: id, run, task, scope: [...scope], expiresMs },
  };
}

function verdictOn(
  parts: Parts,
  run: LiveRun,
  { candidate, isLate }: Contribution,
  paths: readonly string[],
): LandingVerdict {
  // What a person lands by hand is theirs to decide.
  const lost = isLate ? undefined : parts.leases.fence(candidate, paths);
  if (lost !== undefined) return { type: "refused", reason: leaseLostReason(lost) };
  return verdictOver(parts, run, candidate, paths, isLate);
}

function verdictOver(
  parts: Parts,
  run: LiveRun,
  holder: Holder,
  paths: readonly string[],
  isLate: boolean,
): LandingVerdict {
  const over = parts.leases.over(run.row.repositoryId, holder, paths);
  if (over === undefined) return { type: "free" };
  // Whoever asks for it by hand is told instead of kept waiting, and keeps nobody else waiting.
  if (isLate || !over.mayWait) return { type: "refused", reason: leaseHeldReason(over.lease) };
  return { type: "held", lease: over.lease };
}

function leaseLostReason({ run, task, scope, token, expiresMs }: LeaseRow): Reason {
  return {
    code: "LEASE_LOST",
    message: `its lease of ${scope.join(", ")} ran out before it had landed`,
    hint: `anabranch diff ${run}/${task}; to land it all the same: anabranch land ${run}/${task}`,
    data: { scope: [...scope], token, expiresMs },
  };
}

async function loadPaths(parts: Parts, run: LiveRun, from: string, to: string): Promise<readonly string[]> {
  const key = `${from} ${to}`;
  const known = compared.get(key);
  if (known !== undefined) return known;
  const changes = await parts.vaultOf(run.row.repositoryId).objects.compare(from, to);
  const paths = changes.map(({ path }) => path);
  compared.set(key, paths, paths.length + 1);
  return paths;
}
