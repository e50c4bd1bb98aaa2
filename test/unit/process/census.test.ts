import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it, onTestFinished } from "vitest";

import { lookForMarked } from "../../../src/process/census.ts";
import type { ProcessMark } from "../../../src/process/table.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";

const OLD = "0";

/** A process that sleeps until the test is over. */
async function sleeper(marker: string, cwd: string): Promise<number> {
  const child = spawn("sleep", ["600"], { cwd, env: { MARKER: marker }, detached: true, stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  return child.pid ?? 0;
}

const mark = (marker: string, more: Partial<ProcessMark> = {}): ProcessMark => ({
  marker: `MARKER=${marker}`,
  groupId: undefined,
  directory: undefined,
  startTime: undefined,
  ...more,
});

it("many ask at the same moment, and each is told of its own processes alone", async () => {
  const folder = temporaryFolder();
  const [one, two] = [await sleeper("census-one", "/"), await sleeper("census-two", folder)];
  const marks = [
    mark("census-one"),
    mark("census-two"),
    mark("census-none"),
    // One process may be looked for in several ways at once, by more than one who asks.
    mark("census-none", { groupId: two }),
    mark("census-none", { directory: folder, startTime: OLD }),
    mark("census-two"),
  ];
  const found = await Promise.all(marks.map(lookForMarked));
  expect(found.map((stats) => stats.map(({ pid }) => pid))).toEqual([[one], [two], [], [two], [two], [two]]);
});

it("a process that began after one look is found by the next", async () => {
  expect(await lookForMarked(mark("census-late"))).toEqual([]);
  const pid = await sleeper("census-late", "/");
  expect((await lookForMarked(mark("census-late"))).map((stat) => stat.pid)).toEqual([pid]);
});
