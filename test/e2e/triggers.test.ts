import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { makeHome } from "../fixtures/home.ts";
import { makeRepository, temporaryFolder, writeFiles } from "../fixtures/repository.ts";
import { enableTriggers, makeTriggered, runsOf, untilRuns } from "../fixtures/triggers.ts";
import { until } from "../fixtures/until.ts";

const CHAIN = `
workflows:
  check: { tasks: { tests: { run: "true", writes: none } } }
  deploy: { tasks: { ship: { run: "cat $ANABRANCH_EVENT > $OUT/event.json", writes: none } } }
triggers:
  - { on: { task: check.tests, outcome: succeeded }, run: deploy }
`;

describe("triggers", () => {
  it("do nothing in a fresh clone, and act once a person has agreed to exactly this file", async () => {
    const home = makeHome();
    const out = temporaryFolder();
    home.environment["OUT"] = out;
    const root = makeRepository({ "anabranch.yaml": CHAIN });
    const client = home.client();
    await (await client.start({ directory: root, workflow: "check" })).wait();
    expect(await client.ask("triggers", { directory: root })).toMatchObject({
      state: "new",
      triggers: [{ name: "deploy", state: "new", on: "task check.tests succeeded", does: "runs deploy" }],
    });
    await expect(
      client.ask("triggers-enable", { directory: root, contentHash: "something else", environment: {} }),
    ).rejects.toMatchObject({ code: "TRIGGERS_CHANGED" });

    expect(await enableTriggers(home, root)).toMatchObject({ state: "enabled", triggers: [{ state: "active" }] });
    const check = await (await client.start({ directory: root, workflow: "check" })).wait();
    const [deploy] = await untilRuns(home, root, "deploy", 1);
    expect(deploy?.outcome).toBe("succeeded");
    expect(JSON.parse(readFileSync(join(out, "event.json"), "utf8"))).toMatchObject({
      trigger: "deploy",
      depth: 1,
      count: 1,
      newest: { type: "task.ended", run: check.id, task: "tests", data: { outcome: "succeeded" } },
    });
    expect(await runsOf(home, root, "deploy"), "the run before had no yes").toHaveLength(1);
  });

  it("wait for a new yes when the file has changed, and go on by themselves when it is as it was", async () => {
    const home = makeHome();
    home.environment["OUT"] = temporaryFolder();
    const root = await makeTriggered(home, CHAIN);
    const client = home.client();
    writeFiles(root, { "anabranch.yaml": `${CHAIN}  - { on: { event: other }, run: check }\n` });
    await (await client.start({ directory: root, workflow: "check" })).wait();
    await until(async () => (await client.needsYou()).some(({ title }) => title.includes("changed")), "a notice");
    const changed = await client.ask("triggers", { directory: root });
    expect(changed).toMatchObject({ state: "changed", triggers: [{ state: "active" }, { state: "new" }] });
    expect(changed.difference).toContain("+  - { on: { event: other }, run: check }");
    expect(await runsOf(home, root, "deploy")).toEqual([]);

    writeFiles(root, { "anabranch.yaml": CHAIN });
    await (await client.start({ directory: root, workflow: "check" })).wait();
    await untilRuns(home, root, "deploy", 1);
    await until(async () => (await client.needsYou()).length === 0, "the notice is taken back");
  });

  it("ask a person before they start what needs an approval; no answer from a task counts", async () => {
    const home = makeHome();
    home.environment["OUT"] = temporaryFolder();
    const root = await makeTriggered(home, CHAIN.replace("run: deploy }", "run: deploy, approval: required }"));
    const client = home.client();
    await (await client.start({ directory: root, workflow: "check" })).wait();
    await until(async () => (await client.needsYou()).length === 1, "a question");
    const [question] = await client.needsYou();
    expect(question).toMatchObject({ kind: "approval", title: "deploy: runs deploy" });
    const sneaky = await client.start({
      directory: root,
      tasks: { sneak: { run: `node ${join(process.cwd(), "dist/cli.js")} approve ${question?.id}`, writes: "none" } },
    });
    expect((await sneaky.wait()).outcome).toBe("failed");
    expect(await runsOf(home, root, "deploy")).toEqual([]);

    await client.approve(question?.id ?? "", true);
    await untilRuns(home, root, "deploy", 1);

    await (await client.start({ directory: root, workflow: "check" })).wait();
    await until(async () => (await client.needsYou()).length === 1, "a second question");
    await client.approve((await client.needsYou())[0]?.id ?? "", false, "not today");
    await until(async () => (await client.ask("dead-letters", {})).length === 1, "a dead letter");
    expect(await client.ask("dead-letters", {})).toMatchObject([
      {
        kind: "approval",
        trigger: "deploy",
        reason: { code: "APPROVAL_DENIED", message: "a person said no: not today" },
      },
    ]);
    expect(await runsOf(home, root, "deploy")).toHaveLength(1);
  });

  it("deploy what was tested, whatever has been written since", async () => {
    const home = makeHome();
    const out = temporaryFolder();
    home.environment["OUT"] = out;
    const yaml = CHAIN.replace("cat $ANABRANCH_EVENT > $OUT/event.json", "cp a.txt $OUT/shipped.txt").replace(
      "run: deploy }",
      "run: deploy, approval: required }",
    );
    const root = await makeTriggered(home, yaml, { "a.txt": "tested\n" });
    const client = home.client();
    await (await client.start({ directory: root, workflow: "check" })).wait();
    await until(async () => (await client.needsYou()).length === 1, "a question");
    writeFiles(root, { "a.txt": "not tested\n" });
    await client.approve((await client.needsYou())[0]?.id ?? "", true);
    await untilRuns(home, root, "deploy", 1);
    expect(readFileSync(join(out, "shipped.txt"), "utf8")).toBe("tested\n");
  });

  it("end a loop at its depth, in a dead letter that can be replayed", async () => {
    const home = makeHome();
    const root = await makeTriggered(
      home,
      `
chains: { depth: 3 }
workflows:
  a: { tasks: { one: { run: "true", writes: none } } }
  b: { tasks: { one: { run: "true", writes: none } } }
triggers:
  - { on: { run: a }, run: b, again: true }
  - { on: { run: b }, run: a, again: true }
`,
    );
    const client = home.client();
    await (await client.start({ directory: root, workflow: "a" })).wait();
    await until(async () => (await client.ask("dead-letters", {})).length === 1, "a dead letter");
    expect(await client.ask("dead-letters", {})).toMatchObject([
      { kind: "depth", depth: 3, reason: { code: "CHAIN_STOPPED" } },
    ]);
    await untilRuns(home, root, "b", 2);
    expect(await runsOf(home, root, "a")).toHaveLength(2);
    const [letter] = await client.ask("dead-letters", {});
    await client.ask("events-replay", { id: letter?.id ?? "" });
    await untilRuns(home, root, "a", 3);
  });

  it("do not fire on what they have led to themselves, unless they are told to", async () => {
    const home = makeHome();
    const root = await makeTriggered(
      home,
      `
workflows:
  a: { tasks: { one: { run: "true", writes: none } } }
  b: { tasks: { one: { run: "true", writes: none } } }
triggers:
  - { on: { run: a }, run: b }
  - { on: { run: b }, run: a }
`,
    );
    const client = home.client();
    await (await client.start({ directory: root, workflow: "a" })).wait();
    await until(async () => (await client.ask("dead-letters", {})).length === 1, "a dead letter");
    expect(await client.ask("dead-letters", {})).toMatchObject([{ kind: "own-work", trigger: "b", depth: 2 }]);
    expect(await runsOf(home, root, "a")).toHaveLength(2);
    expect(await runsOf(home, root, "b")).toHaveLength(1);
  });

  it("tell what they would do about an event, and why not", async () => {
    const home = makeHome();
    const root = await makeTriggered(home, CHAIN);
    const test = (outcome: string) =>
      home.client().ask("triggers-test", {
        directory: root,
        event: { type: "task.ended", task: "tests", data: { workflow: "check", outcome } },
      });
    expect(await test("succeeded")).toMatchObject([
      { trigger: "deploy", fires: true, steps: ["runs deploy (depth 1 of 8)"] },
    ]);
    expect(await test("failed")).toMatchObject([{ trigger: "deploy", fires: false }]);
  });

  it("rest while they are paused, and stop when they are disabled", async () => {
    const home = makeHome();
    home.environment["OUT"] = temporaryFolder();
    const root = await makeTriggered(home, CHAIN);
    const client = home.client();
    await client.ask("triggers-pause", { directory: root, name: "deploy", paused: true });
    await (await client.start({ directory: root, workflow: "check" })).wait();
    await client.ask("triggers-pause", { directory: root, name: "deploy", paused: false });
    expect(await runsOf(home, root, "deploy")).toEqual([]);
    await (await client.start({ directory: root, workflow: "check" })).wait();
    await untilRuns(home, root, "deploy", 1);
    await client.ask("triggers-disable", { directory: root });
    await (await client.start({ directory: root, workflow: "check" })).wait();
    expect(await client.ask("triggers", { directory: root })).toMatchObject({ state: "disabled" });
    expect(await runsOf(home, root, "deploy")).toHaveLength(1);
    await expect(client.ask("triggers-pause", { directory: root, name: "deplo", paused: true })).rejects.toMatchObject({
      code: "TRIGGER_UNKNOWN",
      hint: "did you mean deploy?",
    });
  });

  it.each(["events.taken@1", "firing.started@1", "store.commit.after@12", "store.commit.before@14"])(
    "start one run for an event when the daemon is killed at %s",
    async (fault) => {
      const home = makeHome();
      const out = temporaryFolder();
      home.environment["OUT"] = out;
      const root = await makeTriggered(home, CHAIN.replace("cat $ANABRANCH_EVENT >", "echo x >>"));
      await home.client().ask("stop", {});
      await until(() => home.daemonPid() === undefined, "the daemon is gone");
      await home.startDaemon({ ...home.environment, ANABRANCH_FAULT: fault });
      await (await home.client().start({ directory: root, workflow: "check" })).wait();
      await untilRuns(home, root, "deploy", 1);
      expect(await runsOf(home, root, "deploy")).toHaveLength(1);
      expect(existsSync(join(out, "event.json"))).toBe(true);
      expect(readFileSync(join(out, "event.json"), "utf8")).toBe("x\n");
    },
  );
});
