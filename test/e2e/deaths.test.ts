import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { Anabranch } from "../../src/index.ts";
import { makeHome } from "../fixtures/home.ts";
import { makeRepository, temporaryFolder } from "../fixtures/repository.ts";
import { until } from "../fixtures/until.ts";

const LONGEST_MS = 2000;
const SLEEPER = { run: 'echo > "$STARTED/$ANABRANCH_TASK"; sleep 600', writes: "none" } as const;

/** The shims of a run's tasks, by the task, once all of them have started their commands. */
async function shimsOf(client: Anabranch, run: string, started: string): Promise<Map<string, number>> {
  const shims = new Map<string, number>();
  await until(async () => {
    const { taskList } = await client.ask("show", { id: run });
    for (const { name, attempts } of taskList) {
      const pid = attempts.at(-1)?.pid;
      if (pid !== undefined) shims.set(name, pid);
    }
    return shims.size === taskList.length && readdirSync(started).length === taskList.length;
  }, "all commands have started");
  return shims;
}

/** The command that a shim runs: the sleep that its shell waits for. */
function commandOf(shim: number): number {
  const parents = new Map(
    readdirSync("/proc").flatMap((name) => {
      if (!/^\d+$/.test(name)) return [];
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "latin1");
        return [[Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])] as const];
      } catch {
        return [];
      }
    }),
  );
  const isBelow = (pid: number): boolean => pid === shim || (parents.has(pid) && isBelow(parents.get(pid) ?? 0));
  const below = [...parents.keys()].filter((pid) => pid !== shim && isBelow(pid));
  const sleep = below.find((pid) => readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith("sleep"));
  return parents.get(sleep ?? 0) ?? 0;
}

/** When a task ended, and how, in milliseconds after a moment. */
async function endAfter(client: Anabranch, run: string, sinceMs: number): Promise<Map<string, [string, number]>> {
  const ends = new Map<string, [string, number]>();
  await client.wait(run);
  for await (const { type, task = "", atMs, data } of client.events({ run })) {
    if (type === "task.ended") ends.set(task, [String(data["outcome"]), atMs - sinceMs]);
  }
  return ends;
}

describe("a dead process is noticed within two seconds", () => {
  for (const daemon of ["that started it", "that came after"] as const) {
    for (const [victim, outcome, targetOf] of [
      ["the command", "failed", commandOf],
      ["its shim", "lost", (shim: number) => shim],
      ["its whole group", "lost", (shim: number) => -shim],
    ] as const) {
      it(`by the daemon ${daemon}, when ${victim} is killed`, async () => {
        const home = makeHome();
        const started = temporaryFolder();
        const client = home.client({ STARTED: started });
        const root = makeRepository({ "a.txt": "a\n" });
        const { id } = await client.start({ directory: root, tasks: { task: SLEEPER } });
        const shim = (await shimsOf(client, id, started)).get("task") ?? 0;
        if (daemon === "that came after") {
          process.kill(home.daemonPid() ?? 0, "SIGKILL");
          await client.ask("status", {});
        }
        const killedMs = Date.now();
        process.kill(targetOf(shim), "SIGKILL");
        const [ended, afterMs] = (await endAfter(client, id, killedMs)).get("task") ?? [];
        expect(ended).toBe(outcome);
        expect(afterMs).toBeLessThan(LONGEST_MS);
      });
    }
  }

  it("when it dies while no daemon is there, by the next one", async () => {
    const home = makeHome();
    const started = temporaryFolder();
    const client = home.client({ STARTED: started });
    const root = makeRepository({ "a.txt": "a\n" });
    const tasks = { killed: SLEEPER, ended: { ...SLEEPER, run: `${SLEEPER.run} & wait` } };
    const { id } = await client.start({ directory: root, tasks, mode: "parallel" });
    const shims = await shimsOf(client, id, started);
    process.kill(home.daemonPid() ?? 0, "SIGKILL");
    process.kill(shims.get("killed") ?? 0, "SIGKILL");
    process.kill(commandOf(shims.get("ended") ?? 0), "SIGKILL");
    await until(() => home.daemonPid() === undefined, "the daemon is gone");
    const nextMs = Date.now();
    const ends = await endAfter(client, id, nextMs);
    expect(ends.get("killed")?.[0]).toBe("lost");
    expect(ends.get("ended")?.[0]).toBe("failed");
    for (const [, afterMs] of ends.values()) expect(afterMs).toBeLessThan(LONGEST_MS);
  });

  it("when what it left behind still holds its output", async () => {
    const home = makeHome();
    const started = temporaryFolder();
    const client = home.client({ STARTED: started });
    const root = makeRepository({ "a.txt": "a\n" });
    const run = `(setsid sleep 700 &); ${SLEEPER.run}`;
    const { id } = await client.start({ directory: root, tasks: { task: { ...SLEEPER, run } } });
    const shim = (await shimsOf(client, id, started)).get("task") ?? 0;
    const killedMs = Date.now();
    process.kill(commandOf(shim), "SIGKILL");
    const [ended, afterMs] = (await endAfter(client, id, killedMs)).get("task") ?? [];
    expect(ended).toBe("failed");
    expect(afterMs).toBeLessThan(LONGEST_MS);
  });

  it("when two dozen die at the same moment", async () => {
    const home = makeHome();
    const started = temporaryFolder();
    mkdirSync(join(home.folder, "config"));
    writeFileSync(join(home.folder, "config/config.yaml"), "parallel: 24\n");
    const client = home.client({ STARTED: started });
    const root = makeRepository({ "a.txt": "a\n" });
    const tasks = Object.fromEntries(Array.from({ length: 24 }, (_, index) => [`task-${index}`, SLEEPER]));
    const { id } = await client.start({ directory: root, tasks, mode: "parallel", share: false });
    const shims = await shimsOf(client, id, started);
    const killedMs = Date.now();
    for (const pid of shims.values()) process.kill(pid, "SIGKILL");
    const ends = [...(await endAfter(client, id, killedMs)).values()];
    expect(ends).toHaveLength(24);
    expect(Math.max(...ends.map(([, afterMs]) => afterMs))).toBeLessThan(LONGEST_MS);
  });

  it("when it is the daemon, by a client that waits", async () => {
    const home = makeHome();
    const started = temporaryFolder();
    const client = home.client({ STARTED: started });
    const root = makeRepository({ "a.txt": "a\n" });
    const { id } = await client.start({ directory: root, tasks: { task: SLEEPER } });
    const shim = (await shimsOf(client, id, started)).get("task") ?? 0;
    const waiting = client.wait(id);
    const dead = home.daemonPid() ?? 0;
    const killedMs = Date.now();
    process.kill(dead, "SIGKILL");
    await until(() => home.daemonPid() !== undefined && home.daemonPid() !== dead, "another one is there");
    expect(Date.now() - killedMs).toBeLessThan(LONGEST_MS);
    process.kill(shim, "SIGKILL");
    expect(await waiting).toMatchObject([{ id, ended: true, outcome: "failed" }]);
  });
});
