import { readFile, statfs } from "node:fs/promises";

/** How much of something is free, and how much there is. */
export interface Room {
  readonly freeBytes: number;
  readonly allBytes: number;
}

/** What the machine has left for new work. */
export interface MachineRoom {
  readonly disk: Room;
  /** What can be used without swapping; absent where the system does not tell. */
  readonly memory: Room | undefined;
}

/** Reads how much room the file system of a folder and the memory have left. */
export async function readRoom(folder: string): Promise<MachineRoom> {
  const [{ bavail, blocks, bsize }, memory] = await Promise.all([statfs(folder), readMemory()]);
  return { disk: { freeBytes: bavail * bsize, allBytes: blocks * bsize }, memory };
}

// What other systems call free leaves out all that they would give back.
async function readMemory(): Promise<Room | undefined> {
  const text = await readFile("/proc/meminfo", "utf8").catch(() => "");
  const bytesOf = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1]) * 1024;
  const [freeBytes, allBytes] = [bytesOf("MemAvailable"), bytesOf("MemTotal")];
  return Number.isFinite(freeBytes) && Number.isFinite(allBytes) ? { freeBytes, allBytes } : undefined;
}
