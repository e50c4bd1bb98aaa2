import { createHmac } from "node:crypto";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { EventView } from "../../src/protocol/views.ts";
import { DIST, makeHome, type Home } from "../fixtures/home.ts";
import { temporaryFolder } from "../fixtures/repository.ts";
import { makeTriggered, runsOf, untilRuns } from "../fixtures/triggers.ts";
import { until } from "../fixtures/until.ts";

const GREET = `workflows: { greet: { tasks: { hello: { run: "cat $ANABRANCH_EVENT", writes: none } } } }\n`;

function triggersOf(...triggers: readonly string[]): string {
  return `${GREET}triggers:\n${triggers.map((trigger) => `  - ${trigger}\n`).join("")}`;
}

function openHooks(home: Home): void {
  mkdirSync(join(home.folder, "config"), { recursive: true });
  writeFileSync(join(home.folder, "config/config.yaml"), "webhooks: { port: 0 }\n");
}

interface Hook {
  readonly address: string;
  readonly secret: string;
}

async function hookOf(home: Home, root: string): Promise<Hook> {
  const { hooks } = await home.client().webhooks({ directory: root, secrets: true });
  return { address: hooks[0]?.address ?? "", secret: hooks[0]?.secret ?? "" };
}

async function eventsOf(home: Home, type: string): Promise<EventView[]> {
  const found: EventView[] = [];
  for await (const event of home.client().events()) {
    if (event.type === type) found.push(event);
  }
  return found;
}

/** A daemon that kills itself at a place, once it has come there. */
async function untilKilled(home: Home, fault: string): Promise<() => Promise<void>> {
  const old = home.daemonPid();
  if (old !== undefined) process.kill(old, "SIGKILL");
  await until(() => home.daemonPid() === undefined, "the daemon before is gone");
  const daemon = await home.startDaemon({ ANABRANCH_FAULT: `${fault}@1` });
  return () => until(() => daemon.signalCode === "SIGKILL", `the daemon dies at ${fault}`);
}

describe("a webhook", () => {
  it("starts a run for whoever knows its secret, and for nobody else", async () => {
    const home = makeHome();
    openHooks(home);
    const root = await makeTriggered(
      home,
      triggersOf(`{ on: { webhook: deploy }, where: { body.stage: beta }, run: greet }`),
    );
    const { address, secret } = await hookOf(home, root);
    const send = (token: string, stage: string): Promise<number> =>
      fetch(address, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
        body: JSON.stringify({ stage }),
      }).then(({ status }) => status);
    expect([await send("guessed", "beta"), await send(secret, "alpha"), await send(secret, "beta")]).toEqual([
      401, 202, 202,
    ]);
    expect(await untilRuns(home, root, "greet", 1)).toHaveLength(1);

    const shown = await home.cli(root, ["webhooks"]);
    expect(shown.stdout).toContain(address);
    expect(shown.stdout).not.toContain(secret);
    const rotated = await home.cli(root, ["webhooks", "rotate", "deploy", "--plain"]);
    expect(rotated.status).toBe(0);
    expect([await send(secret, "beta"), await send(rotated.stdout.trim(), "alpha")]).toEqual([401, 202]);
    expect((await home.cli(root, ["webhooks", "rotate", "other"])).status).toBe(3);
  });

  it("shows its secret to no task", async () => {
    const home = makeHome();
    openHooks(home);
    const root = await makeTriggered(home, triggersOf("{ on: { webhook: deploy }, run: greet }"));
    const client = home.client();
    const cli = `node ${join(DIST, "cli.js")}`;
    const run = await client.start({
      directory: root,
      tasks: {
        show: { run: `${cli} webhooks --show`, writes: "none" },
        rotate: { run: `${cli} webhooks rotate deploy`, writes: "none" },
        list: { run: `${cli} webhooks`, writes: "none" },
      },
    });
    const { taskList } = await run.wait();
    expect(Object.fromEntries(taskList.map(({ name, outcome }) => [name, outcome]))).toEqual({
      show: "failed",
      rotate: "failed",
      list: "succeeded",
    });
  });

  it.each(["webhook.received", "webhook.kept"])("that is sent again after a kill at %s counts once", async (fault) => {
    const home = makeHome();
    openHooks(home);
    const root = await makeTriggered(home, triggersOf("{ on: { webhook: push, signature: github }, run: greet }"));
    const body = JSON.stringify({ ref: "refs/heads/main" });
    const send = async (): Promise<number> => {
      const { address, secret } = await hookOf(home, root);
      const signature = createHmac("sha256", secret).update(body).digest("hex");
      const headers = { "x-hub-signature-256": `sha256=${signature}`, "x-github-delivery": "d-1" };
      return (
        await fetch(address, { method: "POST", body, headers: { ...headers, "content-type": "application/json" } })
      ).status;
    };
    const killed = await untilKilled(home, fault);
    await expect(send()).rejects.toThrow();
    await killed();
    expect(await send()).toBe(fault === "webhook.kept" ? 200 : 202);
    expect(await send()).toBe(200);
    expect(await untilRuns(home, root, "greet", 1)).toHaveLength(1);
    expect(await eventsOf(home, "webhook.received")).toHaveLength(1);
  });
});

describe("a timer", () => {
  it("starts runs again and again, each time once, across kills", async () => {
    const home = makeHome();
    const root = await makeTriggered(
      home,
      triggersOf(`{ on: { cron: "* * * * * *", timeZone: Europe/Berlin }, run: greet }`),
    );
    await untilRuns(home, root, "greet", 1);
    for (const fault of ["timer.due", "timer.kept"]) await (await untilKilled(home, fault))();
    const before = (await runsOf(home, root, "greet")).length;
    await until(async () => (await runsOf(home, root, "greet")).length > before, "another run");
    await home.client().ask("triggers-disable", { directory: root });
    const times = (await eventsOf(home, "timer.due")).map(({ data }) => data["dueMs"]);
    expect(new Set(times).size).toBe(times.length);
    await until(
      async () => (await runsOf(home, root, "greet")).every(({ state }) => state === "ended"),
      "all have ended",
    );
    expect((await runsOf(home, root, "greet")).length).toBeLessThanOrEqual(times.length);
  });
});

describe("a log file", () => {
  it.each(["log.matched", "log.kept"])("whose line was being read at a kill at %s starts one run", async (fault) => {
    const home = makeHome();
    const log = join(temporaryFolder(), "app.log");
    writeFileSync(log, "ERROR old\n");
    const trigger = `{ on: { log: ${log}, match: "^ERROR (?<what>.*)" }, where: { groups.what: "disk*" }, run: greet }`;
    const root = await makeTriggered(home, triggersOf(trigger));
    const killed = await untilKilled(home, fault);
    appendFileSync(log, "INFO fine\nERROR disk full\n");
    await killed();
    await home.client().ask("status", {});
    expect(await untilRuns(home, root, "greet", 1)).toHaveLength(1);
    expect((await eventsOf(home, "log.matched")).map(({ data }) => data["line"])).toEqual(["ERROR disk full"]);
  });

  it("that the run of its own trigger writes to does not start it again", async () => {
    const home = makeHome();
    const log = join(temporaryFolder(), "app.log");
    writeFileSync(log, "");
    home.environment["LOG"] = log;
    const yaml = `
workflows: { greet: { tasks: { hello: { run: "echo ERROR own >> $LOG; sleep 2", writes: none } } } }
triggers: [{ on: { log: ${log}, match: "^ERROR" }, run: greet }]
`;
    const root = await makeTriggered(home, yaml);
    appendFileSync(log, "ERROR theirs\n");
    await untilRuns(home, root, "greet", 1);
    await until(async () => (await home.client().ask("dead-letters", {})).length === 1, "a dead letter");
    expect(await home.client().ask("dead-letters", {})).toMatchObject([{ kind: "own-work", trigger: "greet" }]);
    expect(await untilRuns(home, root, "greet", 1)).toHaveLength(1);
  });
});
