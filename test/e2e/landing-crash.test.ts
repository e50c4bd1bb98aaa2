import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { makeHome, type Home } from "../fixtures/home.ts";
import { expectSoundLane, landedSubjects, onLane } from "../fixtures/landings.ts";
import { photograph } from "../fixtures/photograph.ts";
import { makeRepository, temporaryFolder } from "../fixtures/repository.ts";
import { taskOf } from "../fixtures/runs.ts";
import { until } from "../fixtures/until.ts";

const LINES = Array.from({ length: 12 }, (_, index) => `line ${index + 1}\n`).join("");

/** Three that land, the third on what the first two came to; and one that fails verification. */
const FINE = {
  top: 'echo top >> "$EFFECTS"; sed -i 2s/.*/top/ a.txt',
  bottom: 'echo bottom >> "$EFFECTS"; sed -i 11s/.*/bottom/ a.txt',
  sum: { run: 'echo sum >> "$EFFECTS"; grep -c . a.txt > sum.txt', needs: ["top", "bottom"] },
};
const BROKEN = 'echo broken >> "$EFFECTS"; echo broken > b.txt';

/** Kills the daemon at one pass of a fault point and lets the next one bring the run to its end. */
async function runWithFault(home: Home, root: string, land: "each" | "together", fault: string): Promise<boolean> {
  const effects = join(temporaryFolder(), "effects");
  const daemon = await home.startDaemon({ ANABRANCH_FAULT: fault });
  const client = home.client({ EFFECTS: effects });
  const tasks = land === "together" ? FINE : { ...FINE, broken: BROKEN };
  const run = await client.start({ directory: root, mode: "parallel", land, tasks });
  const view = await run.wait();
  expect(readFileSync(effects, "utf8").trim().split("\n").toSorted(), fault).toEqual(Object.keys(tasks).toSorted());
  expect(onLane(view, "a.txt"), fault).toBe(
    LINES.replace("line 2\n", "top\n").replace("line 11\n", "bottom\n").trimEnd(),
  );
  expect(onLane(view, "sum.txt")).toBe("12");
  expect(landedSubjects(view), fault).toHaveLength(3);
  for (const name of Object.keys(FINE)) expect(taskOf(view, name).outcome, `${fault} ${name}`).toBe("succeeded");
  if (land === "each") {
    expect(taskOf(view, "broken")).toMatchObject({ outcome: "failed", reason: { code: "VERIFY_FAILED" } });
    expectSoundLane(view);
  } else expect(view.landings).toHaveLength(1);
  const ends: string[] = [];
  for await (const event of client.events({ run: run.id }))
    if (event.type === "task.ended") ends.push(event.task ?? "");
  expect(ends.toSorted(), fault).toEqual(Object.keys(tasks).toSorted());
  const killed = daemon.signalCode === "SIGKILL";
  await client.ask("stop", {});
  client.close();
  await until(() => home.daemonPid() === undefined, "the daemon ends");
  return killed;
}

async function runWithEveryFault(land: "each" | "together", point: string): Promise<number> {
  const root = makeRepository({ "a.txt": LINES, "anabranch.yaml": "verify: ['! grep -q broken b.txt 2>/dev/null']\n" });
  const before = photograph(root);
  const home = makeHome();
  let kills = 0;
  while (await runWithFault(home, root, land, `${point}@${kills + 1}`)) kills += 1;
  expect(photograph(root)).toEqual(before);
  return kills;
}

describe("the daemon killed while work lands", () => {
  for (const [point, fewest] of [
    ["landing.merged", 3],
    ["landing.verified", 3],
    ["landing.moving", 2],
    ["landing.receipt", 2],
    ["landing.moved", 2],
  ] as const) {
    it(`at each pass of ${point} lands everything exactly once, with its receipt`, async () => {
      expect(await runWithEveryFault("each", point)).toBeGreaterThanOrEqual(fewest);
    }, 300_000);
  }

  for (const point of ["landing.moving", "landing.moved", "landing.receipt"]) {
    it(`at each pass of ${point} lands a whole run at once or goes on until it does`, async () => {
      expect(await runWithEveryFault("together", point)).toBeGreaterThanOrEqual(1);
    }, 300_000);
  }
});
