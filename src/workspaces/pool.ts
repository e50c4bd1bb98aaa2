/**
 * The workspaces of all repositories: which are free, who holds the others.
 *
 * free → reserved (in memory, while its lease is being committed) → leased → releasing (in memory, while it is made
 * safe and reset) → free. One that cannot be made safe stays leased: it is retained, and `gc` shows it.
 *
 * Invariants:
 * 1. A workspace has one holder at most.
 * 2. Only a free one is given away, and a free one stands clean at its base commit, or was never filled.
 */
import { newId, systemRandom } from "../base/ids.ts";
import type { Statement } from "../store/port.ts";
import {
  insertWorkspace,
  patchedWorkspace,
  updateWorkspace,
  type WorkspacePatch,
  type WorkspaceRow,
} from "../store/workspaces.ts";

/** What somebody needs a workspace for. */
export interface WorkspaceWish {
  readonly repositoryId: string;
  readonly holder: string;
  readonly base: string;
  readonly dependenciesKey: string;
  readonly atMs: number;
}

/** A workspace set aside: the lease begins when the statement is committed. */
export interface Reservation {
  readonly row: WorkspaceRow;
  readonly statement: Statement;
  /** Its lease was committed. */
  readonly confirm: () => WorkspaceRow;
  /** Its lease was not committed. */
  readonly cancel: () => void;
}

interface Place {
  row: WorkspaceRow;
  use: "free" | "reserved" | "leased" | "releasing";
}

/** See the head of this file. */
export class WorkspacePool {
  readonly #places = new Map<string, Place>();
  readonly #waiting: { readonly repositoryId: string; readonly wake: () => void }[] = [];
  readonly #mayGrow: (repositoryId: string, size: number) => boolean;

  /**
   * @param rows as they stand in the store
   * @param mayGrow whether a new workspace is made although one of `size` is about to become free
   */
  constructor(rows: readonly WorkspaceRow[], mayGrow: (repositoryId: string, size: number) => boolean) {
    this.#mayGrow = mayGrow;
    for (const row of rows) this.#places.set(row.id, { row, use: row.state });
  }

  /** Sets a workspace aside: one that stands ready at the base, else any free one, else one about to be free, else a new one. */
  async reserve(wish: WorkspaceWish): Promise<Reservation> {
    for (;;) {
      const free = this.#bestFree(wish);
      if (free !== undefined) return this.#reserve(free, wish);
      if (!this.#isWorthWaiting(wish.repositoryId)) return this.#create(wish);
      await new Promise<void>((wake) => this.#waiting.push({ repositoryId: wish.repositoryId, wake }));
    }
  }

  /** The workspace of this id, as it was last committed. */
  find(id: string): WorkspaceRow | undefined {
    return this.#places.get(id)?.row;
  }

  /** All workspaces. */
  all(): WorkspaceRow[] {
    return [...this.#places.values()].map((place) => place.row);
  }

  /** How many free workspaces stand ready at a base. */
  countWarm(repositoryId: string, base: string): number {
    return this.all().filter((row) => this.#isFree(row) && row.repositoryId === repositoryId && row.baseCommit === base)
      .length;
  }

  /** The workspaces that somebody held when the rows were read, or still holds. */
  leased(): WorkspaceRow[] {
    return [...this.#places.values()].filter((place) => place.use === "leased").map((place) => place.row);
  }

  /** Its holder is done; it is being made safe and reset. `false` when that is under way already. */
  beginRelease(id: string): boolean {
    const place = this.#places.get(id);
    if (place?.use !== "leased") return false;
    place.use = "releasing";
    return true;
  }

  /** It could not be made safe: it stays with its holder. */
  retain(id: string): void {
    const place = this.#places.get(id);
    if (place?.use === "releasing") place.use = "leased";
    this.#wake(place?.row.repositoryId);
  }

  /** A committed change of a row. */
  patched(id: string, patch: WorkspacePatch): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    place.row = patchedWorkspace(place.row, patch);
    if (patch.state === "free") place.use = "free";
    if (place.use === "free") this.#wake(place.row.repositoryId);
  }

  /** It was removed for good. */
  forget(id: string): void {
    this.#places.delete(id);
  }

  #bestFree(wish: WorkspaceWish): Place | undefined {
    let best: Place | undefined;
    let bestScore = -1;
    for (const place of this.#places.values()) {
      if (place.use !== "free" || place.row.repositoryId !== wish.repositoryId) continue;
      const { baseCommit, dependenciesKey } = place.row;
      const score =
        (baseCommit === wish.base ? 4 : 0) +
        ((dependenciesKey ?? "") === wish.dependenciesKey ? 2 : 0) +
        (baseCommit === undefined ? 0 : 1);
      if (score > bestScore) [best, bestScore] = [place, score];
    }
    return best;
  }

  #reserve(place: Place, wish: WorkspaceWish): Reservation {
    place.use = "reserved";
    const { row } = place;
    // A base that is not there yet is not claimed to be: a crash in between finds the truth.
    const patch: WorkspacePatch = {
      state: "leased",
      holder: wish.holder,
      usedMs: wish.atMs,
      ...(row.baseCommit === wish.base ? {} : { baseCommit: null }),
    };
    return {
      row: patchedWorkspace(row, patch),
      statement: updateWorkspace(row, patch),
      confirm: () => {
        place.row = patchedWorkspace(row, patch);
        place.use = "leased";
        return place.row;
      },
      cancel: () => {
        place.use = "free";
        this.#wake(row.repositoryId);
      },
    };
  }

  #create(wish: WorkspaceWish): Reservation {
    const used = new Set(
      this.all()
        .filter((row) => row.repositoryId === wish.repositoryId)
        .map((row) => row.slot),
    );
    let slot = 1;
    while (used.has(slot)) slot += 1;
    const row: WorkspaceRow = {
      id: newId(systemRandom),
      version: 1,
      repositoryId: wish.repositoryId,
      slot,
      state: "leased",
      holder: wish.holder,
      baseCommit: undefined,
      dependenciesKey: undefined,
      setupKey: undefined,
      usedMs: wish.atMs,
    };
    const place: Place = { row, use: "reserved" };
    this.#places.set(row.id, place);
    return {
      row,
      statement: insertWorkspace(row),
      confirm: () => {
        place.use = "leased";
        return row;
      },
      cancel: () => this.#places.delete(row.id),
    };
  }

  // Waiting pays while more workspaces are on their way back than others already wait for.
  #isWorthWaiting(repositoryId: string): boolean {
    const places = [...this.#places.values()].filter((place) => place.row.repositoryId === repositoryId);
    const returning = places.filter((place) => place.use === "releasing").length;
    const waiting = this.#waiting.filter((waiter) => waiter.repositoryId === repositoryId).length;
    return returning > waiting && !this.#mayGrow(repositoryId, places.length);
  }

  #isFree(row: WorkspaceRow): boolean {
    return this.#places.get(row.id)?.use === "free";
  }

  #wake(repositoryId: string | undefined): void {
    const index = this.#waiting.findIndex((waiter) => waiter.repositoryId === repositoryId);
    if (index >= 0) this.#waiting.splice(index, 1)[0]?.wake();
  }
}
