import { describe, expect, it, onTestFinished, vi } from "vitest";

import { systemClock } from "../../../src/base/clock.ts";
import { Progress } from "../../../src/mcp/progress.ts";

function watch(): { progress: Progress; told: [number, string][] } {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "hrtime"] });
  onTestFinished(() => void vi.useRealTimers());
  const told: [number, string][] = [];
  return { progress: new Progress(systemClock, (value, text) => told.push([value, text])), told };
}

describe("progress", () => {
  it("is told at once when it is the first, then at most twice a second, and the newest only", () => {
    const { progress, told } = watch();
    progress.tell("one");
    vi.advanceTimersByTime(0);
    for (const text of ["two", "three", "three"]) progress.tell(text);
    vi.advanceTimersByTime(499);
    expect(told.map(([, text]) => text)).toEqual(["one"]);
    vi.advanceTimersByTime(1);
    expect(told.map(([, text]) => text)).toEqual(["one", "three"]);
    progress.end();
  });

  it("goes on when nothing changes, always rising, until the call is over", () => {
    const { progress, told } = watch();
    progress.tell("waits");
    vi.advanceTimersByTime(30_001);
    expect(told.map(([, text]) => text)).toEqual(["waits", "waits", "waits", "waits"]);
    const values = told.map(([value]) => value);
    expect(values.every((value, index) => index === 0 || value > (values[index - 1] ?? 0))).toBe(true);
    progress.end();
    vi.advanceTimersByTime(60_000);
    expect(told).toHaveLength(4);
  });
});
