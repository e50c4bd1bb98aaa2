import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";

import type { RunHandle } from "../../src/index.ts";
import type { RunReport } from "../../src/protocol/tools.ts";
import { makeHome, type Home } from "../fixtures/home.ts";
import { startMcp, type McpClient, type WireResult } from "../fixtures/mcp-client.ts";
import { makeRepository, temporaryFolder } from "../fixtures/repository.ts";
import { until } from "../fixtures/until.ts";

const TASKS = "io.modelcontextprotocol/tasks";

interface Place {
  readonly home: Home;
  readonly root: string;
  /** Tasks of the workflow `gated` end when a file named after them is here. */
  readonly gates: string;
}

/** A repository whose workflows a parent agent can run; they are commands, so no model is needed. */
function makePlace(): Place {
  const [home, gates] = [makeHome(), temporaryFolder()];
  const gate = (name: string): string => `while [ ! -e ${gates}/${name} ]; do sleep 0.02; done`;
  const workflows = {
    two: {
      tasks: {
        make: { run: "echo made > made.txt" },
        fail: { run: "echo '{\"bugs\": 2}'; exit 3", writes: "none", output: "text" },
      },
    },
    gated: {
      tasks: {
        one: { run: `echo work > one.txt; ${gate("one")}` },
        two: { run: `${gate("two")}; echo two said so`, writes: "none", output: "text" },
      },
    },
  };
  return { home, root: makeRepository({ "a.txt": "a\n", "anabranch.yaml": JSON.stringify({ workflows }) }), gates };
}

function reportOf(result: WireResult | undefined): RunReport {
  return result?.structuredContent as unknown as RunReport;
}

function textOf(result: WireResult | undefined): string {
  return result?.content?.[0]?.text ?? "";
}

function textsOf(result: WireResult): string {
  return (result.content ?? []).map(({ text }) => text).join("\n");
}

async function newestRun(place: Place): Promise<string> {
  const found = async () => (await place.home.client().ask("list", { directory: place.root }))[0]?.id;
  let id: string | undefined;
  await until(async () => (id = await found()) !== undefined, "a run is there");
  return id ?? "";
}

function progressOf({ messages }: McpClient): string[] {
  return messages
    .filter(({ method }) => method === "notifications/progress")
    .map(({ params }) => String(params?.["message"]));
}

describe("the server of tools for parent agents", () => {
  it("tells with any answer what has ended since the client last asked, and each end once", async () => {
    const place = makePlace();
    const client = await startMcp(place.root, place.home.environment);
    const person = place.home.client();
    const started = await client.call("run_agents", { workflow: "gated", seconds: 0 });
    const { id } = reportOf(started);
    expect(textsOf(await client.call("list_agents"))).not.toContain("Since you last asked");
    for (const name of ["one", "two"]) writeFileSync(join(place.gates, name), "");
    await person.ask("wait", { ids: [id] });
    const told = textsOf(await client.call("plan", { workflow: "two" }));
    expect(told).toContain("Since you last asked:\n- gated succeeded: 2 tasks, 1 landed");
    expect(told).toContain(`wait_agents {"ids": ["${id}"]}`);
    // That it was told is said after the answer is written.
    await until(async () => !textsOf(await client.call("list_agents")).includes("Since"), "it is told once");
    expect((await person.ask("inbox", {})).entries).toEqual([]);
  });

  it("does not tell again what a report has told", async () => {
    const place = makePlace();
    const client = await startMcp(place.root, place.home.environment);
    const { id } = reportOf(await client.call("run_agents", { workflow: "two" }));
    const lookUp = async () => (await place.home.client().ask("show", { id })).state;
    expect(await lookUp()).toBe("ended");
    expect(textsOf(await client.call("wait_agents", { ids: [id] }))).not.toContain("Since");
    await until(async () => !textsOf(await client.call("list_agents")).includes("Since"), "nothing is left to tell");
  });

  it("runs, reports progress, and answers with one report of all tasks that its schema describes", async () => {
    const place = makePlace();
    const client = await startMcp(place.root, place.home.environment);
    const listed = await client.answer(client.post("tools/list"));
    const result = await client.call("run_agents", { workflow: "two" });
    const report = reportOf(result);
    expect(result.isError).not.toBe(true);
    expect(report).toMatchObject({
      state: "failed",
      tasks: [
        { name: "make", state: "succeeded", files: ["A made.txt +1"], landed: true },
        { name: "fail", state: "failed", error: { code: "TASK_FAILED" }, answer: '{"bugs": 2}' },
      ],
      next: expect.stringContaining(`anabranch accept ${report.id}`),
    });
    expect(textOf(result)).toContain("make: succeeded; A made.txt +1 landed");
    expect(progressOf(client).at(-1)).toMatch(/^[012] of 2 ended/);
    const values = client.messages
      .filter(({ method }) => method !== undefined)
      .map(({ params }) => params?.["progress"]);
    expect(values).toEqual(values.toSorted((a, b) => Number(a) - Number(b)));
    const tools = listed.result?.["tools"] as { name: string; outputSchema: object }[];
    const answers: Record<string, WireResult> = { run_agents: result };
    answers["plan"] = await client.call("plan", { workflow: "two" });
    answers["list_agents"] = await client.call("list_agents");
    answers["wait_agents"] = await client.call("wait_agents", { ids: [report.id, `${report.id}/make`] });
    answers["cancel_agent"] = await client.call("cancel_agent", { id: report.id });
    for (const [name, answer] of Object.entries(answers)) {
      const check = new Ajv2020({ strict: false }).compile(
        tools.find((tool) => tool.name === name)?.outputSchema ?? false,
      );
      expect([name, check(answer.structuredContent), check.errors]).toEqual([name, true, null]);
      expect(textOf(answer), name).not.toBe("");
    }
    expect(existsSync(join(place.root, "made.txt"))).toBe(false);
    expect(await client.close()).toBe(0);
  });

  it("answers what it is asked wrongly with an error that says the way on, and serves the next call", async () => {
    const place = makePlace();
    const client = await startMcp(place.root, place.home.environment);
    const errors: [string, object, string][] = [
      ["run_agents", {}, "USAGE"],
      ["run_agents", { agnts: [] }, "USAGE"],
      ["run_agents", { agents: [{ agent: "nobody", prompt: "x" }] }, "AGENT_UNKNOWN"],
      ["run_agents", { agents: [{ agent: "claude", prompt: "x", needs: ["y"] }] }, "GRAPH_INVALID"],
      ["run_agents", { workflow: "tow" }, "WORKFLOW_UNKNOWN"],
      ["run_agents", { workflow: "two", base: "nosuchcommit" }, "UNKNOWN_BASE"],
      ["spawn_agent", { agent: "claude" }, "USAGE"],
      ["wait_agents", { ids: ["nosuchrun"] }, "NOT_FOUND"],
      ["cancel_agent", { id: "nosuchrun" }, "NOT_FOUND"],
    ];
    for (const [tool, input, code] of errors) {
      const result = await client.call(tool, input as Record<string, unknown>);
      expect([tool, input, result.isError]).toEqual([tool, input, true]);
      expect(result.structuredContent).toMatchObject({ error: { code, hint: expect.stringMatching(/.{3}/) } });
      expect(textOf(result)).toMatch(new RegExp(`^${code}: .{10,}`));
    }
    const unknown = [
      await client.answer(client.post("tools/call", { name: "accept", arguments: {} })),
      await client.answer(client.post("resources/list")),
      await client.answer(client.post("tasks/get", { taskId: "x" })),
    ];
    expect(unknown.map(({ error }) => error?.code)).toEqual([-32602, -32601, -32601]);
    client.write("{ this is no JSON");
    client.write('{"jsonrpc":"2.0","id":"odd","method":7}');
    await until(() => client.messages.filter(({ error }) => error !== undefined).length === 5, "both are refused");
    client.write(JSON.stringify({ jsonrpc: "2.0", id: "huge", method: "ping", params: { x: "a".repeat(9_000_000) } }));
    expect((await client.call("list_agents", { limit: 1 })).isError).not.toBe(true);
    expect(await client.close()).toBe(0);
  });

  it("says in a folder that is no repository what is missing", async () => {
    const client = await startMcp(temporaryFolder(), makeHome().environment);
    const result = await client.call("run_agents", { agents: [{ agent: "claude", prompt: "x" }] });
    expect(result).toMatchObject({ isError: true, structuredContent: { error: { code: "NOT_A_REPOSITORY" } } });
  });

  it("stops in order what a call has started when the client cancels it, and keeps the work", async () => {
    const place = makePlace();
    const client = await startMcp(place.root, place.home.environment);
    const id = client.post("tools/call", { name: "run_agents", arguments: { workflow: "gated" } });
    await until(() => progressOf(client).some((text) => /one working.*two working/.test(text)), "both work");
    // As opencode does after each call that is over.
    client.notify("notifications/cancelled", { requestId: 1, reason: "stray" });
    client.notify("notifications/cancelled", { requestId: 4711 });
    expect((await client.call("list_agents")).isError).not.toBe(true);
    client.notify("notifications/cancelled", { requestId: id });
    const run = await newestRun(place);
    const [ended] = await place.home.client().wait(run);
    expect(ended).toMatchObject({ outcome: "cancelled" });
    const view = (await place.home.client().run(run)).view;
    expect(view.taskList[0]?.attempts[0]?.changeset).toMatchObject({ paths: 1 });
    expect(client.messages.some((message) => message.id === id)).toBe(false);
    expect(await client.close()).toBe(0);
  });

  it("stops what a waiting client had started when that client is gone, and lets what was spawned go on", async () => {
    const place = makePlace();
    for (const end of ["its input ends", "SIGTERM"] as const) {
      const client = await startMcp(place.root, place.home.environment);
      const spawned = await place.home.client().spawn({ directory: place.root, workflow: "gated" });
      client.post("tools/call", { name: "wait_agents", arguments: { ids: [spawned], seconds: 600 } });
      client.post("tools/call", { name: "run_agents", arguments: { workflow: "gated", seconds: 600 } });
      let run = "";
      await until(async () => (run = await newestRun(place)) !== spawned, "the blocking run is there");
      await until(() => progressOf(client).some((text) => /one working/.test(text)), "it works");
      if (end === "SIGTERM") client.child.kill("SIGTERM");
      await client.close();
      const [ended] = await place.home.client().wait(run);
      expect([end, ended?.outcome]).toEqual([end, "cancelled"]);
      const [open] = await place.home.client().wait(spawned, { timeoutMs: 0 });
      expect([end, open?.ended]).toEqual([end, false]);
      await place.home.client().cancel(spawned, { force: true });
      await place.home.client().wait(spawned);
    }
  });

  it("answers before a client loses patience, and the run goes on until it is waited for again", async () => {
    const place = makePlace();
    const client = await startMcp(place.root, place.home.environment);
    const early = await client.call("run_agents", { workflow: "gated", seconds: 0.3 });
    const { id, state } = reportOf(early);
    expect(state).toBe("active");
    expect(textOf(early)).toContain(`wait_agents {"ids": ["${id}"]}`);
    const none = await client.call("wait_agents", { ids: [`${id}/two`, id], any: true, seconds: 0 });
    expect(none.structuredContent).toMatchObject({ ended: [], open: [`${id}/two`, id] });
    const waiting = client.post("tools/call", {
      name: "wait_agents",
      arguments: { ids: [`${id}/two`, id], any: true },
    });
    writeFileSync(join(place.gates, "two"), "");
    const first = (await client.answer(waiting)).result;
    expect(first?.structuredContent).toMatchObject({
      ended: [{ id, tasks: [{ name: "two", state: "succeeded", answer: "two said so" }] }],
      open: [id],
    });
    writeFileSync(join(place.gates, "one"), "");
    const all = await client.call("wait_agents", { ids: [id] });
    expect(all.structuredContent).toMatchObject({ ended: [{ id, state: "succeeded" }], open: [] });
  });

  it("serves two clients at once, each with its own calls", async () => {
    const place = makePlace();
    const clients = await Promise.all([0, 1].map(() => startMcp(place.root, place.home.environment)));
    const results = await Promise.all(
      clients.flatMap((client) => [1, 2].map(() => client.call("run_agents", { workflow: "two" }))),
    );
    expect(new Set(results.map((result) => reportOf(result).id)).size).toBe(4);
    for (const result of results)
      expect(reportOf(result).tasks.map((task) => task.state)).toEqual(["succeeded", "failed"]);
  });
});

describe("the tasks extension", () => {
  it("gives a handle that outlives the server, and by which the result is asked for until it is there", async () => {
    const place = makePlace();
    const first = await startMcp(place.root, place.home.environment, { era: "modern with tasks" });
    const discovered = await first.answer(first.post("server/discover"));
    expect(discovered.result).toMatchObject({
      supportedVersions: ["2026-07-28"],
      capabilities: { tools: {}, extensions: { [TASKS]: {} } },
    });
    const handle = await first.call("run_agents", { workflow: "gated" });
    expect(handle).toMatchObject({ resultType: "task", status: "working", ttlMs: null });
    const taskId = String(handle["taskId"]);
    await first.close();

    const second = await startMcp(place.root, place.home.environment, { era: "modern with tasks" });
    const get = async () => (await second.answer(second.post("tasks/get", { taskId }))).result;
    expect(await get()).toMatchObject({ resultType: "complete", taskId, status: "working" });
    expect((await second.answer(second.post("tasks/update", { taskId, inputResponses: {} }))).result).toBeDefined();
    for (const name of ["one", "two"]) writeFileSync(join(place.gates, name), "");
    await until(async () => (await get())?.["status"] === "completed", "it is completed");
    expect(await get()).toMatchObject({
      taskId,
      status: "completed",
      result: {
        resultType: "complete",
        content: [{ type: "text", text: expect.stringContaining("two said so") }],
        structuredContent: { id: taskId, state: "succeeded" },
      },
    });
    const unknown = await second.answer(second.post("tasks/get", { taskId: "nosuchrun" }));
    expect(unknown.error).toMatchObject({ code: -32602, message: expect.stringContaining("NOT_FOUND") });
  });

  it("is cancelled through its handle", async () => {
    const place = makePlace();
    const client = await startMcp(place.root, place.home.environment, { era: "modern with tasks" });
    const taskId = String((await client.call("run_agents", { workflow: "gated" }))["taskId"]);
    expect((await client.answer(client.post("tasks/cancel", { taskId }))).error).toBeUndefined();
    const get = async () => (await client.answer(client.post("tasks/get", { taskId }))).result;
    await until(async () => (await get())?.["status"] === "cancelled", "it is cancelled");
  });

  it("is not forced on a client that does not ask for it", async () => {
    const place = makePlace();
    const client = await startMcp(place.root, place.home.environment, { era: "modern" });
    const result = await client.call("run_agents", { workflow: "two" });
    expect(result).toMatchObject({ resultType: "complete", structuredContent: { state: "failed" } });
  });
});

/** A task that goes on until it is cancelled, and the marker that it carries. */
async function beginParent(home: Home, root: string): Promise<{ parent: RunHandle; marker: string }> {
  const path = join(temporaryFolder(), "environment");
  const parent = await home.client().start({
    directory: root,
    tasks: { parent: { run: `env > ${path}; while :; do sleep 0.05; done`, writes: "none" } },
  });
  await until(() => existsSync(path) && /ANABRANCH_MARKER/.test(readFileSync(path, "utf8")), "it has begun");
  const [, marker = ""] = /^ANABRANCH_MARKER=(.*)$/m.exec(readFileSync(path, "utf8")) ?? [];
  return { parent, marker };
}

describe("a parent agent that is a task itself", () => {
  it("is known as that task: what it starts is its child, and dies with it", async () => {
    const { home, root } = makePlace();
    const { parent, marker: value } = await beginParent(home, root);
    const client = await startMcp(root, { ...home.environment, ANABRANCH_MARKER: value });
    const early = await client.call("run_agents", { workflow: "gated", seconds: 0 });
    const child = reportOf(early).id;
    expect((await home.client().run(child)).view.parent).toEqual({ run: parent.id, task: "parent" });
    await parent.cancel();
    expect(await home.client().wait(child)).toMatchObject([{ outcome: "cancelled" }]);
    // It is over, and starts nothing more.
    const late = await client.call("run_agents", { workflow: "two" });
    expect(late).toMatchObject({ isError: true, structuredContent: { error: { code: "NOT_ALLOWED_IN_TASK" } } });
  });

  it("claims files and gives them up, is told who holds what it may not have", async () => {
    const { home, root } = makePlace();
    const folder = temporaryFolder();
    const sit = (name: string) => ({ run: `env > ${folder}/${name}; while :; do sleep 0.05; done` });
    const run = await home.client().start({
      directory: root,
      mode: "parallel",
      tasks: { one: sit("one"), two: sit("two") },
    });
    const clientOf = async (name: string) => {
      const file = join(folder, name);
      const marker = (): string | undefined =>
        existsSync(file) ? /^ANABRANCH_MARKER=(.+)$/m.exec(readFileSync(file, "utf8"))?.[1] : undefined;
      await until(() => marker() !== undefined, `${name} has begun`);
      const environment = { ...home.environment, ANABRANCH_MARKER: marker() ?? "" };
      return startMcp(root, environment);
    };
    const [one, two] = [await clientOf("one"), await clientOf("two")];
    const held = await one.call("claim_files", { scope: ["src/**"], minutes: 2 });
    expect(held).toMatchObject({ structuredContent: { scope: ["src/**"], forS: 120 } });
    const { id } = held.structuredContent as unknown as { id: string };
    const refusal = await two.call("claim_files", { scope: ["src/a.ts"] });
    expect(refusal).toMatchObject({ isError: true, structuredContent: { error: { code: "LEASE_HELD" } } });
    expect(textOf(refusal)).toContain(`${run.id}/one`);
    expect((await two.call("release_files", { id })).isError).toBe(true);
    expect(textOf(await one.call("release_files", { id }))).toBe("src/** is free again");
    expect((await two.call("claim_files", { scope: ["src/a.ts"] })).isError).not.toBe(true);
    const outside = await startMcp(root, home.environment);
    const refused = await outside.call("claim_files", { scope: ["src/**"] });
    expect(refused).toMatchObject({ isError: true, structuredContent: { error: { code: "USAGE" } } });
    await run.cancel();
  });

  it("can neither approve, accept, land, settle nor trust anything, whatever it asks with", async () => {
    const { home, root } = makePlace();
    const { parent, marker: value } = await beginParent(home, root);
    const inside = { ...home.environment, ANABRANCH_MARKER: value };
    const task = home.client(inside);
    const environment = {};
    const refused = [
      () => task.approve("any", true),
      () => task.ask("accept", { id: parent.id, directory: root, environment }),
      () => task.ask("land", { id: parent.id, directory: root, environment }),
      () => task.ask("conflicts-take", { id: "any", side: "ours" as const, environment }),
      () => task.ask("agents-trust", { name: "any", contentHash: "0".repeat(64), directory: root, environment }),
    ];
    for (const ask of refused) await expect(ask()).rejects.toMatchObject({ code: "NOT_ALLOWED_IN_TASK" });
    await parent.cancel();
  });
});
