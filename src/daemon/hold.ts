/**
 * Holds new starts back while the disk or the memory has too little room. What is at work goes on.
 *
 * open → held → open, by readings that are taken anew when they are older than {@link RECHECK_MS} and somebody wants to
 * start something.
 *
 * Invariants:
 * 1. While the disk is too full nothing starts: it would only fail, and what is at work needs what is left.
 * 2. While memory is low, one task at a time goes on: where nothing of ours is at work, others use the memory, and
 *    waiting for them might never end.
 */
import type { Clock } from "../base/clock.ts";
import type { MachineRoom, Room } from "./room.ts";

/** How much room is wanted before anything starts; the default where a bound is absent. */
export interface HoldBounds {
  readonly diskBytes: number | undefined;
  readonly memoryBytes: number | undefined;
}

/** How old a reading may be. */
export const RECHECK_MS = 2000;

const MIB = 1024 ** 2;
const [DISK_BYTES, MEMORY_BYTES] = [1024 * MIB, 256 * MIB];
/** On a small machine, no more than this share of it is wanted. */
const MOST_SHARE = 0.05;

/** See the head of this file. */
export class Hold {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #read: () => Promise<MachineRoom>;
  readonly #place: string;
  readonly #bounds: HoldBounds;
  #readMs = Number.NEGATIVE_INFINITY;
  #disk: string | undefined;
  #memory: string | undefined;

  /** @param place the folder whose file system is read */
  constructor(clock: Pick<Clock, "monotonicMs">, place: string, read: () => Promise<MachineRoom>, bounds: HoldBounds) {
    this.#clock = clock;
    this.#place = place;
    this.#read = read;
    this.#bounds = bounds;
  }

  /** Why nothing new starts: `held: 300 MB free at /home/ada, 1.0 GB wanted`. */
  get why(): string | undefined {
    return this.#disk ?? this.#memory;
  }

  /** How many tasks may start now, where so many are at work. */
  async admits(working: number): Promise<number> {
    await this.look();
    if (this.#disk !== undefined) return 0;
    if (this.#memory !== undefined) return working === 0 ? 1 : 0;
    return Number.POSITIVE_INFINITY;
  }

  /** Looks again, unless that was done a moment ago. */
  async look(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#readMs < RECHECK_MS) return;
    this.#readMs = nowMs;
    const room = await this.#read().catch(() => undefined);
    // What cannot be read holds nothing: a task that meets it says what is the matter.
    const disk = room === undefined ? undefined : lackOf(room.disk, this.#bounds.diskBytes, DISK_BYTES);
    const memory = room?.memory === undefined ? undefined : lackOf(room.memory, this.#bounds.memoryBytes, MEMORY_BYTES);
    this.#disk =
      disk && `held: ${sizeText(disk.freeBytes)} free at ${this.#place}, ${sizeText(disk.wantedBytes)} wanted`;
    this.#memory =
      memory && `held: ${sizeText(memory.freeBytes)} of memory free, ${sizeText(memory.wantedBytes)} wanted`;
  }
}

function lackOf(
  { freeBytes, allBytes }: Room,
  given: number | undefined,
  usualBytes: number,
): { readonly freeBytes: number; readonly wantedBytes: number } | undefined {
  const wantedBytes = given ?? Math.min(usualBytes, allBytes * MOST_SHARE);
  return freeBytes < wantedBytes ? { freeBytes, wantedBytes } : undefined;
}

function sizeText(bytes: number): string {
  return bytes < 1000 * MIB ? `${Math.floor(bytes / MIB)} MB` : `${(bytes / MIB / 1024).toFixed(1)} GB`;
}
