import { describe, expect, it } from "vitest";

import { Hold, RECHECK_MS } from "../../../src/daemon/hold.ts";
import type { MachineRoom } from "../../../src/daemon/room.ts";
import { handClock } from "../../fixtures/hand-clock.ts";

const [MB, GB] = [1024 ** 2, 1024 ** 3];

function makeHold(
  given: { disk?: number; memory?: number } = {},
  bounds: { diskBytes?: number; memoryBytes?: number } = {},
) {
  const clock = handClock();
  const room = { disk: 100 * GB, memory: 8 * GB, readings: 0, broken: false, ...given };
  const read = async (): Promise<MachineRoom> => {
    room.readings += 1;
    if (room.broken) throw new Error("EIO");
    return {
      disk: { freeBytes: room.disk, allBytes: 100 * GB },
      memory: { freeBytes: room.memory, allBytes: 16 * GB },
    };
  };
  const hold = new Hold(clock, "/home/ada", read, { diskBytes: bounds.diskBytes, memoryBytes: bounds.memoryBytes });
  return { clock, room, hold };
}

describe("new starts", () => {
  it("are held while the disk is too full, with the reason, whatever is at work, and go on once there is room", async () => {
    const { clock, room, hold } = makeHold({ disk: 300 * MB });
    expect(await hold.admits(0)).toBe(0);
    expect(await hold.admits(3)).toBe(0);
    expect(hold.why).toBe("held: 300 MB free at /home/ada, 1.0 GB wanted");
    room.disk = 2 * GB;
    clock.advance(RECHECK_MS);
    expect(await hold.admits(0)).toBe(Number.POSITIVE_INFINITY);
    expect(hold.why).toBeUndefined();
  });

  it("are held while memory is low, but one task at a time goes on", async () => {
    const { hold } = makeHold({ memory: 100 * MB }, { memoryBytes: 512 * MB });
    expect(await hold.admits(2)).toBe(0);
    expect(await hold.admits(1)).toBe(0);
    expect(await hold.admits(0)).toBe(1);
    expect(hold.why).toBe("held: 100 MB of memory free, 512 MB wanted");
  });

  it("rest on readings that are a moment old at most", async () => {
    const { clock, room, hold } = makeHold();
    for (let times = 0; times < 1000; times += 1) await hold.admits(1);
    expect(room.readings).toBe(1);
    clock.advance(RECHECK_MS - 1);
    await hold.admits(1);
    expect(room.readings).toBe(1);
    clock.advance(1);
    await hold.admits(1);
    expect(room.readings).toBe(2);
  });

  it("want no more than a twentieth of a small machine, unless told so, and nothing where it is turned off", async () => {
    const small = handClock();
    const read = async (): Promise<MachineRoom> => ({
      disk: { freeBytes: 40 * MB, allBytes: 48 * MB },
      memory: undefined,
    });
    const usual = new Hold(small, "/tmp", read, { diskBytes: undefined, memoryBytes: undefined });
    expect(await usual.admits(0)).toBe(Number.POSITIVE_INFINITY);
    const told = new Hold(small, "/tmp", read, { diskBytes: 41 * MB, memoryBytes: undefined });
    expect(await told.admits(0)).toBe(0);
    const { hold } = makeHold({ disk: 0, memory: 0 }, { diskBytes: 0, memoryBytes: 0 });
    expect(await hold.admits(0)).toBe(Number.POSITIVE_INFINITY);
  });

  it("are not held by what cannot be read", async () => {
    const { clock, room, hold } = makeHold({ disk: 0 });
    expect(await hold.admits(0)).toBe(0);
    room.broken = true;
    clock.advance(RECHECK_MS);
    expect(await hold.admits(0)).toBe(Number.POSITIVE_INFINITY);
  });
});
