import { decideGroup, type GroupDecision } from "../../engine/firing-group.ts";
import type { GroupSpec } from "../../engine/trigger.ts";
import type { FiringRow } from "../../store/firings.ts";
import type { OpenFirings } from "./event-batch.ts";

/** The firings that wait or run under one name. */
export interface FiringGroup {
  readonly newest: FiringRow | undefined;
  /** What becomes of them; those that may not start now are left alone. */
  decide(spec: GroupSpec | undefined, mayStart: (firing: FiringRow) => boolean): GroupDecision;
}

/** The firings that have not come to their end: a copy of committed rows. */
export class OpenFiringBook {
  readonly #rows = new Map<string, FiringRow>();
  readonly #byTrigger = new Map<string, Set<string>>();
  readonly #byGroup = new Map<string, Set<string>>();
  readonly #byRun = new Map<string, string>();
  readonly #starting = new Set<string>();
  readonly #cancelling = new Set<string>();
  readonly #touched = new Set<string>();

  get size(): number {
    return this.#rows.size;
  }

  all(): FiringRow[] {
    return [...this.#rows.values()];
  }

  get(id: string): FiringRow | undefined {
    return this.#rows.get(id);
  }

  /** The firing whose run this is. */
  ofRun(run: string): FiringRow | undefined {
    return this.#rows.get(this.#byRun.get(run) ?? "");
  }

  /** Those of one trigger. */
  of(triggerId: string): OpenFirings {
    const ids = this.#byTrigger.get(triggerId) ?? new Set<string>();
    return {
      count: ids.size,
      held: () => [...ids].flatMap((id) => this.#rows.get(id) ?? []).filter(({ state }) => state === "held"),
    };
  }

  /** Takes in a firing as it was just committed. */
  put(row: FiringRow): void {
    if (row.endedMs !== undefined) {
      this.remove(row.id);
      return;
    }
    this.#rows.set(row.id, row);
    addTo(this.#byTrigger, row.triggerId, row.id);
    addTo(this.#byGroup, groupOf(row), row.id);
    if (row.run !== undefined) this.#byRun.set(row.run, row.id);
    if (row.state !== "queued") this.#starting.delete(row.id);
    this.#touched.add(groupOf(row));
  }

  /** Forgets a firing that has come to its end. */
  remove(id: string): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    this.#rows.delete(id);
    removeFrom(this.#byTrigger, row.triggerId, id);
    removeFrom(this.#byGroup, groupOf(row), id);
    if (row.run !== undefined) this.#byRun.delete(row.run);
    this.#starting.delete(id);
    this.#cancelling.delete(id);
    this.#touched.add(groupOf(row));
  }

  /** A firing is being started. */
  starting(id: string): void {
    this.#starting.add(id);
  }

  /** A firing was not started after all, and may be another time. */
  started(id: string): void {
    this.#starting.delete(id);
  }

  /** The run of a firing was asked to stop. */
  cancelling(id: string): void {
    this.#cancelling.add(id);
  }

  isCancelling(id: string): boolean {
    return this.#cancelling.has(id);
  }

  /** What may start has changed for all of them. */
  touchAll(): void {
    for (const group of this.#byGroup.keys()) this.#touched.add(group);
  }

  /** The groups in which something has changed since this was asked last. */
  *touched(): Generator<FiringGroup> {
    const names = [...this.#touched];
    this.#touched.clear();
    for (const name of names) {
      const rows = [...(this.#byGroup.get(name) ?? [])].flatMap((id) => this.#rows.get(id) ?? []);
      if (rows.length > 0) yield this.#group(rows);
    }
  }

  #group(rows: readonly FiringRow[]): FiringGroup {
    const isRunning = (row: FiringRow): boolean => row.state === "running" || this.#starting.has(row.id);
    const running = rows.filter(isRunning).map(({ id, createdMs }) => ({
      id,
      startedMs: createdMs,
      cancelling: this.#cancelling.has(id),
    }));
    return {
      newest: rows.at(-1),
      decide: (spec, mayStart) =>
        decideGroup(
          spec,
          rows.filter((row) => row.state === "queued" && !isRunning(row) && mayStart(row)),
          running,
        ),
    };
  }
}

// Without a group, each is one of its own.
function groupOf({ id, repositoryId, group }: FiringRow): string {
  return group === undefined ? id : `${repositoryId}/${group}`;
}

function addTo(map: Map<string, Set<string>>, key: string, id: string): void {
  const ids = map.get(key);
  if (ids === undefined) map.set(key, new Set([id]));
  else ids.add(id);
}

function removeFrom(map: Map<string, Set<string>>, key: string, id: string): void {
  const ids = map.get(key);
  ids?.delete(id);
  if (ids?.size === 0) map.delete(key);
}
