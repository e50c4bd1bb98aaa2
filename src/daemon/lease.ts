import type { WorkspaceRow } from "../store/workspaces.ts";
import type { WorkspaceWish } from "../workspaces/pool.ts";
import type { Parts } from "./parts.ts";

/** Leases a workspace for something that is no attempt at a task, in a transaction of its own. */
export async function leaseWorkspace(parts: Parts, wish: WorkspaceWish): Promise<WorkspaceRow> {
  const reservation = await parts.pool.reserve(wish);
  try {
    await parts.book.commit([reservation.statement]);
  } catch (cause) {
    reservation.cancel();
    throw cause;
  }
  return reservation.confirm();
}
