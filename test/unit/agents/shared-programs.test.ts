import { describe, expect, it } from "vitest";

import { createSharedPrograms } from "../../../src/agents/shared-programs.ts";
import { AnabranchError } from "../../../src/base/errors.ts";
import { handClock } from "../../fixtures/hand-clock.ts";
import { until } from "../../fixtures/until.ts";

const NEVER = new Promise<never>(() => undefined);

describe("programs that sessions share", () => {
  const call = (
    environment: Record<string, string>,
  ): { path: string; args: string[]; environment: typeof environment } => ({
    path: "/bin/codex",
    args: [],
    environment,
  });

  it("are one for each environment, and end when nobody has needed them for a minute", async () => {
    const clock = handClock();
    const [started, ended]: [string[], string[]] = [[], []];
    const programs = createSharedPrograms(clock, ({ environment }) => {
      const name = environment["A"] ?? "";
      started.push(name);
      const close = (): Promise<void> => Promise.resolve(void ended.push(name));
      return Promise.resolve({ gone: NEVER, close });
    });
    const [one, two] = [await programs.take(call({ A: "1", B: "2" })), await programs.take(call({ B: "2", A: "1" }))];
    await programs.take(call({ A: "other" }));
    expect([started, two.program === one.program]).toEqual([["1", "other"], true]);
    one.giveBack();
    one.giveBack();
    clock.advance(120_000);
    expect(ended).toEqual([]);
    two.giveBack();
    clock.advance(59_000);
    const again = await programs.take(call({ A: "1", B: "2" }));
    clock.advance(120_000);
    expect([started.length, ended]).toEqual([2, []]);
    again.giveBack();
    clock.advance(60_000);
    await until(() => ended.length > 0, "one has ended");
    expect(ended).toEqual(["1"]);
    await programs.close();
    expect(ended).toEqual(["1", "other"]);
  });

  it("are started again when one could not start", async () => {
    let tries = 0;
    const programs = createSharedPrograms(handClock(), () => {
      tries += 1;
      if (tries === 1) return Promise.reject(new AnabranchError("AGENT_FAILED", { message: "not today" }));
      return Promise.resolve({ gone: NEVER, close: () => Promise.resolve() });
    });
    await expect(programs.take(call({}))).rejects.toMatchObject({ code: "AGENT_FAILED" });
    await expect(programs.take(call({}))).resolves.toBeDefined();
  });

  it("that are gone are not kept: the next session gets another, and no timer is left", async () => {
    const clock = handClock();
    let leave: () => void = () => undefined;
    let started = 0;
    const programs = createSharedPrograms(clock, () => {
      started += 1;
      const gone = new Promise<void>((resolve) => (leave = resolve));
      return Promise.resolve({ gone, close: () => Promise.resolve() });
    });
    const one = await programs.take(call({}));
    leave();
    await Promise.resolve();
    await programs.take(call({}));
    expect(started).toBe(2);
    // What was given back late belongs to nobody any more, and does not end the other.
    one.giveBack();
    clock.advance(120_000);
    await programs.take(call({}));
    expect(started).toBe(2);
  });

  it("that never started are closed without a word", async () => {
    const programs = createSharedPrograms(handClock(), () =>
      Promise.reject(new AnabranchError("AGENT_FAILED", { message: "not today" })),
    );
    const taking = programs.take(call({}));
    await Promise.all([expect(taking).rejects.toMatchObject({ code: "AGENT_FAILED" }), programs.close()]);
  });
});
