import type { Clock } from "../base/clock.ts";
import { listProcesses } from "../process/table.ts";

const LOOK_EVERY_MS = 2000;

/** Remembers the most memory that each process group has been seen to use. One look at the process table serves all. */
export class MemoryWatch {
  readonly #peaks = new Map<number, number>();
  readonly #clock: Clock;
  #looking = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins to watch a process group. */
  add(groupId: number): void {
    this.#peaks.set(groupId, this.#peaks.get(groupId) ?? 0);
    if (!this.#looking) this.#lookLater();
  }

  /** Stops watching a group and returns the most bytes seen; 0 when it ended before the first look. */
  remove(groupId: number): number {
    const peak = this.#peaks.get(groupId) ?? 0;
    this.#peaks.delete(groupId);
    return peak;
  }

  #lookLater(): void {
    this.#looking = true;
    this.#clock.after(LOOK_EVERY_MS, () => this.#look());
  }

  #look(): void {
    this.#looking = false;
    if (this.#peaks.size === 0) return;
    const used = new Map<number, number>();
    for (const { groupId, residentBytes } of listProcesses()) {
      if (this.#peaks.has(groupId)) used.set(groupId, (used.get(groupId) ?? 0) + residentBytes);
    }
    for (const [groupId, bytes] of used) this.#peaks.set(groupId, Math.max(this.#peaks.get(groupId) ?? 0, bytes));
    this.#lookLater();
  }
}
