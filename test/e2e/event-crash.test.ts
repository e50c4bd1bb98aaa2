import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { makeHome, type Home } from "../fixtures/home.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../fixtures/repository.ts";
import { makeTriggered, runsOf, untilRuns } from "../fixtures/triggers.ts";
import { until } from "../fixtures/until.ts";

/** Replaces the daemon by one that dies at a point, and the next one then by whoever asks. */
async function arm(home: Home, fault: string): Promise<() => boolean> {
  await home.client().ask("stop", {});
  await until(() => home.daemonPid() === undefined, "the daemon is gone");
  const armed = await home.startDaemon({ ANABRANCH_FAULT: fault });
  return () => armed.signalCode === "SIGKILL";
}

describe("a daemon that is killed", () => {
  for (const point of ["watch.files", "watch.told"]) {
    it(`at ${point} has told of a changed file, or the next one does: once`, async () => {
      const home = makeHome();
      const root = await makeTriggered(
        home,
        `workflows: { seen: { tasks: { one: { run: "cat a.txt", writes: none } } } }
triggers: [{ on: { files: a.txt }, run: seen }]
`,
      );
      const died = await arm(home, `${point}@1`);
      await home.client().ask("status", {});
      writeFileSync(join(root, "a.txt"), "changed\n");
      await until(died, "it is killed");
      await untilRuns(home, root, "seen", 1);
      expect(await runsOf(home, root, "seen")).toHaveLength(1);
    });
  }

  for (const point of ["watch.refs", "watch.refs-told"]) {
    it(`at ${point} has told of a commit, or the next one does: once`, async () => {
      const home = makeHome();
      const root = await makeTriggered(
        home,
        `workflows: { seen: { tasks: { one: { run: "cat a.txt", writes: none } } } }
triggers: [{ on: { commit: main }, run: seen }]
`,
      );
      const died = await arm(home, `${point}@1`);
      await home.client().ask("status", {});
      writeFileSync(join(root, "a.txt"), "changed\n");
      git(root, "commit", "--quiet", "--all", "-m", "second");
      await until(died, "it is killed");
      await untilRuns(home, root, "seen", 1);
      expect(await runsOf(home, root, "seen")).toHaveLength(1);
    });
  }

  for (const point of ["outbox.bring", "outbox.brought", "outbox.noted"]) {
    it(`at ${point} has brought a notification to its target, or the next one does: under one id`, async () => {
      const home = makeHome();
      const told = join(temporaryFolder(), "told.jsonl");
      writeFiles(home.folder, {
        "config/config.yaml": `notify:\n  file: { command: "cat >> '${told}'", on: [failed] }\n`,
      });
      const root = makeRepository({ "a.txt": "a\n" });
      const died = await arm(home, `${point}@1`);
      const run = await home.client().start({ directory: root, tasks: { bad: { run: "exit 3", writes: "none" } } });
      await until(died, "it is killed");
      await run.wait();
      await until(() => existsSync(told), "it is told");
      await home.client().ask("stop", {});
      await until(() => home.daemonPid() === undefined, "the daemon is gone");
      const lines = readFileSync(told, "utf8").trim().split("\n");
      const ids = lines.map((line) => (JSON.parse(line) as { id: string }).id);
      expect(new Set(ids).size).toBe(1);
      expect(ids.length).toBeLessThanOrEqual(2);
    });
  }

  it("at events.remove has removed old events, or the next one does: none of those that are to stay", async () => {
    const home = makeHome();
    writeFiles(home.folder, { "config/config.yaml": "events: { most: 1000 }\n" });
    const root = makeRepository({ "a.txt": "a\n" });
    const died = await arm(home, "events.remove@1");
    for (let number = 0; number < 1200; number += 1) {
      await home
        .client()
        .ask("emit", { directory: root, name: "tick", data: { number } })
        .catch(() => undefined);
      if (number % 100 === 0) await home.client().ask("status", {});
    }
    await until(died, "it is killed", 30_000);
    const numbers: number[] = [];
    await until(async () => {
      numbers.length = 0;
      for await (const { type, data } of home.client().events()) {
        if (type === "custom.tick") numbers.push(Number(data["number"]));
      }
      return numbers.length <= 1000;
    }, "old ones are gone");
    expect(numbers.at(-1)).toBe(1199);
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
  });
});
