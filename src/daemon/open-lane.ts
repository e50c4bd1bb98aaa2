import { findRepository } from "../git/repository.ts";
import { branchLane } from "../landing/branch-lane.ts";
import { laneRef, vaultLane, type Lane } from "../landing/lane.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";

/**
 * The lane of a run: a branch of the user's where the run names one as its target, else a ref of the vault.
 *
 * @param ref of the vault, where it is another one than the run's own
 */
export async function openLane(parts: Parts, { row }: LiveRun, ref?: string): Promise<Lane> {
  const vault = parts.vaultOf(row.repositoryId);
  const { target } = row.spec;
  if (ref !== undefined || target === undefined) return vaultLane(parts.git, vault, ref ?? laneRef(row.id));
  return branchLane(parts.git, vault, await findRepository(parts.git, row.plan.root), target);
}
