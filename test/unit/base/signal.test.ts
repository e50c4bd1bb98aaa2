import { describe, expect, it } from "vitest";

import { createSignal } from "../../../src/base/signal.ts";
import { until } from "../../fixtures/until.ts";

describe("a signal", () => {
  it("raised many times before its listener runs makes it run once", async () => {
    let runs = 0;
    const signal = createSignal(async () => void (runs += 1));
    for (let index = 0; index < 100; index += 1) signal.raise();
    expect(runs).toBe(0);
    await until(() => runs > 0, "the listener runs");
    await new Promise((turn) => setImmediate(turn));
    expect(runs).toBe(1);
  });

  it("raised while its listener runs makes it run again afterwards, never twice at once", async () => {
    let [running, most, runs] = [0, 0, 0];
    let release = (): void => undefined;
    const signal = createSignal(async () => {
      runs += 1;
      running += 1;
      most = Math.max(most, running);
      if (runs === 1) await new Promise<void>((resolve) => (release = resolve));
      running -= 1;
    });
    signal.raise();
    await until(() => runs === 1, "the listener runs");
    for (let index = 0; index < 10; index += 1) signal.raise();
    await new Promise((turn) => setImmediate(turn));
    expect(runs).toBe(1);
    release();
    await until(() => runs === 2, "the listener runs again");
    await new Promise((turn) => setImmediate(turn));
    expect([runs, most]).toEqual([2, 1]);
  });

  it("raised by its own listener is heard", async () => {
    let runs = 0;
    const signal = createSignal(async () => {
      runs += 1;
      if (runs < 5) signal.raise();
    });
    signal.raise();
    await until(() => runs === 5, "five runs");
  });
});
