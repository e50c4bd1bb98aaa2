import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { Anabranch } from "../../src/index.ts";
import type { EventView, TaskView } from "../../src/protocol/views.ts";
import { makeHome } from "../fixtures/home.ts";
import { makeRepository, temporaryFolder } from "../fixtures/repository.ts";
import { taskOf } from "../fixtures/runs.ts";
import { until } from "../fixtures/until.ts";

const lines = (path: string): string[] => (existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : []);
const QUICK = { limit: 1000, within: "1s", delay: "1ms" } as const;

async function watchOf(client: Anabranch, id: string): Promise<TaskView> {
  return taskOf(await client.ask("show", { id }), "watch");
}

async function eventsOf(client: Anabranch, run: string, type: string): Promise<EventView[]> {
  const events: EventView[] = [];
  for await (const event of client.events({ run })) if (event.type === type) events.push(event);
  return events;
}

describe("a monitor", () => {
  it("is started again whenever it ends, does not hold its run open, and stays down once it is cancelled", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const began = join(temporaryFolder(), "began");
    const client = home.client();
    const watch = {
      run: `echo begun >> ${began}; test $(wc -l < ${began}) -lt 3 || sleep 600`,
      restart: { when: "always", ...QUICK },
    } as const;
    const run = await client.start({ directory: root, tasks: { watch } });
    expect((await run.wait()).outcome).toBe("succeeded");
    await until(() => lines(began).length === 3, "it has been restarted twice");

    process.kill(home.daemonPid() ?? 0, "SIGKILL");
    await until(() => home.daemonPid() === undefined, "the daemon is gone");
    const next = home.client();
    expect(await watchOf(next, run.id)).toMatchObject({ state: "working", attempts: [{}, {}, { number: 3 }] });
    await next.ask("cancel", { id: `${run.id}/watch` });
    await next.wait(`${run.id}/watch`);
    await home.cli(root, ["daemon", "restart"]);
    const last = home.client();
    expect(await watchOf(last, run.id)).toMatchObject({ state: "ended", outcome: "cancelled", attempts: [{}, {}, {}] });
    expect(lines(began)).toHaveLength(3);
  });

  it("that succeeded is done, where it is only restarted on failure; one that was killed is not", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const began = join(temporaryFolder(), "began");
    const client = home.client();
    const watch = {
      run: `echo begun >> ${began}; test $(wc -l < ${began}) -ge 2 || sleep 600`,
      restart: { when: "on-failure", ...QUICK },
    } as const;
    const run = await client.start({ directory: root, tasks: { watch } });
    await until(() => lines(began).length === 1, "it has begun");
    await until(async () => (await watchOf(client, run.id)).attempts[0]?.pid !== undefined, "it works");
    process.kill((await watchOf(client, run.id)).attempts[0]?.pid ?? 0, "SIGKILL");
    const [end] = await client.wait(`${run.id}/watch`);
    expect(end?.outcome).toBe("succeeded");
    const [restarting] = await eventsOf(client, run.id, "task.restarting");
    expect(restarting?.data).toMatchObject({ attempt: 1, outcome: "lost" });
  });

  it("that ends too often stays down, and a person is told with the end of its log", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const client = home.client();
    const restart = { when: "always", limit: 2, within: "10m", delay: "1ms" } as const;
    const run = await client.start({
      directory: root,
      tasks: { watch: { run: "echo no such host; exit 3", restart } },
    });
    const [end] = await client.wait(`${run.id}/watch`);
    expect(end?.outcome).toBe("failed");
    const watch = await watchOf(client, run.id);
    expect(watch.attempts).toHaveLength(3);
    expect(watch.reason).toMatchObject({ code: "RESTART_LIMIT", hint: `anabranch logs ${run.id}/watch` });
    expect(watch.reason?.message).toBe("it was restarted 2 times within 600 s and ended again: exit status 3");
    await home.cli(root, ["daemon", "restart"]);
    const listed = (await home.cli(root, ["approve"])).stdout;
    expect(listed).toContain("watch stays down: it was restarted 2 times within 600 s");
    expect(listed).toContain("    no such host\n");
    const [notice] = JSON.parse((await home.cli(root, ["approve", "--json"])).stdout).data as { id: string }[];
    await home.cli(root, ["approve", notice?.id ?? ""]);
    expect((await home.cli(root, ["approve"])).stdout).toBe("Nothing waits for you.\n");
  });

  it("leaves no more than its newest twenty attempts, however often it is restarted", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const began = join(temporaryFolder(), "began");
    const client = home.client();
    const watch = {
      run: `echo begun >> ${began}; test $(wc -l < ${began}) -lt 24 || sleep 600`,
      restart: { when: "always", ...QUICK },
    } as const;
    const run = await client.start({ directory: root, tasks: { watch } });
    await until(() => lines(began).length === 24, "it has been restarted often", 60_000);
    await until(async () => (await watchOf(client, run.id)).state === "working", "it works");
    const numbers = (await watchOf(client, run.id)).attempts.map(({ number }) => number);
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, index) => index + 5));
    const folder = join(home.folder, "state/runs", run.id, "watch");
    expect(
      readdirSync(folder)
        .map(Number)
        .toSorted((a, b) => a - b),
    ).toEqual(numbers);
    expect((await home.cli(root, ["show", `${run.id}/watch`])).stdout).toContain("the newest 20 attempts are kept");
    await client.ask("cancel", { id: `${run.id}/watch` });
    await client.wait(`${run.id}/watch`);
  });
});

describe("what a command reports", () => {
  it("becomes an event while it runs, and its log shows it like any line", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const go = join(temporaryFolder(), "go");
    const client = home.client();
    const command = `echo @report plain words; echo '@report {"up":3}'; echo ' @report no'; while [ ! -e ${go} ]; do sleep 0.02; done; printf '@report last'`;
    const run = await client.start({
      directory: root,
      tasks: { watch: { run: command, writes: "none", reports: true } },
    });
    await until(async () => (await eventsOf(client, run.id, "task.report")).length === 2, "two have come");
    writeFileSync(go, "");
    await run.wait();
    const reports = await eventsOf(client, run.id, "task.report");
    expect(reports.map(({ data }) => data)).toEqual([
      { attempt: 1, text: "plain words" },
      { attempt: 1, text: '{"up":3}', value: { up: 3 } },
      { attempt: 1, text: "last" },
    ]);
    expect(reports.every(({ task }) => task === "watch")).toBe(true);
    const [ended] = await eventsOf(client, run.id, "task.ended");
    expect(ended?.seq).toBeGreaterThan(reports.at(-1)?.seq ?? 0);
    expect((await home.cli(root, ["logs", `${run.id}/watch`])).stdout).toContain("@report plain words");
  });

  it.each(["reports.read@1", "reports.read@3", "reports.told@1", "reports.told@2", "store.commit.before@8"])(
    "becomes an event exactly once when the daemon is killed at %s, and what came meanwhile is not lost",
    async (fault) => {
      const home = makeHome();
      const root = makeRepository({ "a.txt": "a\n" });
      const [go, counted] = [join(temporaryFolder(), "go"), join(temporaryFolder(), "counted")];
      const daemon = await home.startDaemon({ ANABRANCH_FAULT: fault });
      const client = home.client();
      const command = `n=0; until [ -e ${go} ] && [ $n -gt 40 ]; do n=$((n+1)); echo "@report $n"; echo $n > ${counted}; sleep 0.03; done`;
      const run = await client.start({
        directory: root,
        tasks: { watch: { run: command, writes: "none", reports: true } },
      });
      await until(() => daemon.signalCode === "SIGKILL", "it is killed");
      const before = Number(lines(counted)[0] ?? 0);
      await until(() => Number(lines(counted)[0]) > before + 5, "it goes on while no daemon runs", 30_000).catch(
        () => undefined,
      );
      writeFileSync(go, "");
      const [end] = await home.client().wait(run.id);
      expect(end?.outcome).toBe("succeeded");
      const values = (await eventsOf(client, run.id, "task.report")).map(({ data }) => data["value"]);
      const last = Number(lines(counted)[0]);
      expect(values).toEqual(Array.from({ length: last }, (_, index) => index + 1));
    },
  );
});
