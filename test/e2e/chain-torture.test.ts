import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { makeHome, type Home } from "../fixtures/home.ts";
import { temporaryFolder } from "../fixtures/repository.ts";
import { makeTriggered, runsOf } from "../fixtures/triggers.ts";
import { until } from "../fixtures/until.ts";

/** Each event leads to a run, whose end leads to another one; every command leaves a line when it really runs. */
const CHAIN = `
workflows:
  first: { tasks: { work: { run: 'echo "first $ANABRANCH_RUN" >> "$EFFECTS"', writes: none } } }
  second: { tasks: { work: { run: 'echo "second $ANABRANCH_RUN" >> "$EFFECTS"', writes: none } } }
triggers:
  - { on: { event: go }, run: first }
  - { on: { run: first, outcome: succeeded }, run: second }
`;
const EVENTS = 8;

/** Everywhere between an event and its run, and between a run and what follows from its end. */
const POINTS = [
  ["events.appended", 3],
  ["events.taken", 4],
  ["firing.started", 4],
  ["emit.timed", 2],
  ["timed-event.due", 1],
  ["store.commit.before", 12],
  ["store.commit.after", 12],
] as const;

/** Numbers that look random and are the same for the same seed. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    yield state >>> 8;
  }
}

describe("exactly one run follows from an accepted event", () => {
  for (const [seed, [point, spread]] of POINTS.entries()) {
    it(`while daemons die at random passes of ${point}`, async () => {
      const home = makeHome();
      const random = numbers(seed + 1);
      const effects = join(temporaryFolder(), "effects");
      home.environment["EFFECTS"] = effects;
      const root = await makeTriggered(home, CHAIN);
      const client = home.client();
      const passes: number[] = [];
      let [armed, deaths]: [ChildProcess | undefined, number] = [undefined, 0];
      for (let index = 0; index < EVENTS; index += 1) {
        if (armed === undefined || hasEnded(armed)) {
          if (armed !== undefined) deaths += 1;
          const { value } = random.next();
          passes.push(1 + (value % spread));
          await killDaemon(home);
          armed = await home.startDaemon({ ANABRANCH_FAULT: `${point}@${passes.at(-1)}` });
        }
        const options = { directory: root, key: `event-${index}`, ...(index % 2 === 0 ? {} : { inMs: 20 }) };
        await client.emit("go", { index }, options);
      }
      const lines = (): string[] => (existsSync(effects) ? readFileSync(effects, "utf8").trim().split("\n") : []);
      await until(
        async () => {
          await client.ask("status", {});
          const [first, second] = await Promise.all([runsOf(home, root, "first"), runsOf(home, root, "second")]);
          return first.length >= EVENTS && second.length >= EVENTS && lines().length >= 2 * EVENTS;
        },
        "all runs are there",
        30_000,
      );
      await until(async () => (await client.ask("status", {})).activeRuns === 0, "all runs are over");
      const why = `${point}@${passes.join(",")}`;
      const seen = lines();
      expect(new Set(seen).size, why).toBe(seen.length);
      expect(
        seen.filter((line) => line.startsWith("first")),
        why,
      ).toHaveLength(EVENTS);
      expect(
        seen.filter((line) => line.startsWith("second")),
        why,
      ).toHaveLength(EVENTS);
      for (const name of ["first", "second"]) expect(await runsOf(home, root, name), why).toHaveLength(EVENTS);
      expect(await client.ask("dead-letters", {}), why).toEqual([]);
      if (armed !== undefined && hasEnded(armed)) deaths += 1;
      expect(deaths, why).toBeGreaterThan(0);
    }, 90_000);
  }
});

function hasEnded(daemon: ChildProcess): boolean {
  return daemon.exitCode !== null || daemon.signalCode !== null;
}

async function killDaemon(home: Home): Promise<void> {
  const pid = home.daemonPid();
  if (pid !== undefined) process.kill(pid, "SIGKILL");
  await until(() => home.daemonPid() === undefined, "the daemon is gone");
}
