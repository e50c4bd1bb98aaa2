import { describe, expect, it, onTestFinished, vi } from "vitest";

import { delay, systemClock } from "../../../src/base/clock.ts";

describe("the clock", () => {
  it("runs forward, and names the boot it counts from", () => {
    const first = systemClock.monotonicMs();
    let last = first;
    for (let index = 0; index < 1000; index += 1) {
      const now = systemClock.monotonicMs();
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
    expect(last).toBeGreaterThan(first);
    expect(systemClock.bootId).toMatch(/\S{8,}/);
    expect(systemClock.bootId).toBe(systemClock.bootId);
    expect(Math.abs(systemClock.wallMs() - Date.now())).toBeLessThan(1000);
  });

  it("waits as long as asked, and not at all for what lies in the past", async () => {
    const start = systemClock.monotonicMs();
    await delay(systemClock, 30);
    expect(systemClock.monotonicMs() - start).toBeGreaterThanOrEqual(29);
    await delay(systemClock, -5);
    await delay(systemClock, Number.NaN);
  });

  it("fires once, and not after it was cancelled", async () => {
    const fired: string[] = [];
    const cancel = systemClock.after(5, () => fired.push("cancelled"));
    cancel();
    cancel();
    const cancelLate = systemClock.after(1, () => fired.push("kept"));
    await delay(systemClock, 20);
    cancelLate();
    expect(fired).toEqual(["kept"]);
  });

  it("waits also longer than a timer of the machine can, and can be stopped in all that time", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "hrtime"] });
    onTestFinished(() => void vi.useRealTimers());
    const day = 86_400_000;
    const fired: string[] = [];
    systemClock.after(60 * day, () => fired.push("sixty days"));
    const cancel = systemClock.after(40 * day, () => fired.push("forty days"));
    vi.advanceTimersByTime(30 * day);
    expect(fired).toEqual([]);
    cancel();
    vi.advanceTimersByTime(30 * day - 1);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual(["sixty days"]);
  });
});
