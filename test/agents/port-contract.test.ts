import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createAdapters } from "../../src/agents/adapters.ts";
import type { AgentAdapter, ToolRequest } from "../../src/agents/port.ts";
import { systemClock } from "../../src/base/clock.ts";
import { AGENT_KINDS } from "../../src/engine/agent.ts";
import { refused } from "../fixtures/refused.ts";
import { git, makeFolder, makeRepository, removeFolder } from "../fixtures/repository.ts";
import { until } from "../fixtures/until.ts";
import { DIALECTS } from "./dialects.ts";
import { startModelServer, type ModelRequest, type ModelServer } from "./model-server.ts";
import { agentPlace, makeAgentHome, type Place } from "./places.ts";
import { prefixDifference } from "./prefix.ts";
import { scripted } from "./script.ts";
import { record } from "./sessions.ts";

/** Each test has words of its own in its scripts, by which its requests are known. */
describe.each(AGENT_KINDS)("an agent of kind %s", (kind) => {
  const { write, edit, read, run, answer } = DIALECTS[kind];
  let server: ModelServer;
  let adapter: AgentAdapter;
  let home: string;
  let place: Place;
  const adapters = createAdapters(systemClock);
  const project = () => makeRepository({ "a.txt": "a\n" }, makeFolder("project-", home));
  const requestsWith = (words: string): ModelRequest[] =>
    server.requests.filter(({ text, place: script }) => script !== undefined && text.includes(words));
  const requestWith = (words: string, answers: number): Promise<ModelRequest> =>
    server.waitForRequest(({ text, place: script }) => script?.answers === answers && text.includes(words));

  beforeAll(async () => {
    server = await startModelServer();
    adapter = await adapters.get(kind);
    home = makeAgentHome();
    place = agentPlace(kind, server, home);
  });
  afterAll(async () => {
    await adapters.close();
    await server.close();
    removeFolder(home);
  });

  it("is found with its version", async () => {
    const found = await adapter.detect(place);
    expect(found).toMatchObject({ found: true, version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string });
    expect(found.found && found.warning).toBeFalsy();
  });

  it("is missed where its program is missing", async () => {
    const elsewhere = { ...place, program: { command: join(home, "nowhere"), args: [] } };
    expect(await adapter.detect(elsewhere)).toMatchObject({ found: false, error: { code: "AGENT_MISSING" } });
    await refused(record(adapter, elsewhere, { cwd: project() }), "AGENT_MISSING");
  });

  it("is refused where its program is too old", async () => {
    // A program of another name may be any agent that speaks the protocol.
    const old = join(makeFolder("old-", home), kind === "acp" ? "gemini" : kind);
    writeFileSync(old, "#!/bin/sh\necho 0.0.1\n");
    chmodSync(old, 0o755);
    const elsewhere = { ...place, program: { command: old, args: [] } };
    const { message } = await refused(record(adapter, elsewhere, { cwd: project() }), "AGENT_TOO_OLD");
    expect(message).toContain("0.0.1");
  });

  it("works with its own tools, asks before each, and tells what it read and wrote and used", async () => {
    const cwd = project();
    const asked: ToolRequest[] = [];
    const session = await record(adapter, place, {
      cwd,
      gate: (request) => {
        asked.push(request);
        return Promise.resolve({ allow: true });
      },
    });
    const end = await session.turn(
      `Work. ${scripted(read("a.txt"), edit("a.txt", "a\n", "b\n"), write("new.txt", "new\n"), run("echo ran > ran.txt"), { text: "all is done" })}`,
    );

    expect(end, JSON.stringify(session.events)).toMatchObject({ status: "completed", text: "all is done" });
    expect(["a.txt", "new.txt", "ran.txt"].map((name) => readFileSync(join(cwd, name), "utf8"))).toEqual([
      "b\n",
      "new\n",
      "ran\n",
    ]);
    const started = session.of("tool.start").map(({ request }) => request.action);
    expect(started.filter((action) => action === "write")).toHaveLength(2);
    expect(started.at(-1)).toBe("execute");
    expect(session.of("tool.end").map(({ ok }) => ok)).toEqual([true, true, true, true]);
    const { capabilities } = session.session;
    const files = session.of("file").map(({ access, path }) => `${access} ${path}`);
    if (capabilities.writeEvents)
      expect(files).toEqual(expect.arrayContaining([`write ${cwd}/a.txt`, `write ${cwd}/new.txt`]));
    if (capabilities.readEvents) expect(files).toContain(`read ${cwd}/a.txt`);
    if (capabilities.preToolDeny)
      expect(asked.filter(({ action }) => action === "write").flatMap(({ paths }) => paths)).toEqual([
        `${cwd}/a.txt`,
        `${cwd}/new.txt`,
      ]);
    expect(session.of("usage").at(-1)?.usage).toMatchObject({ inputTokens: 500, outputTokens: 50 });

    expect(await session.turn(`Again. ${scripted({ text: "and again" })}`)).toMatchObject({ text: "and again" });
    expect(session.ends()).toHaveLength(2);
    await session.session.close();
    expect(session.of("gone")).toEqual([]);
  });

  it("leaves a file alone when the gate says so, and tells the model why", async ({ skip }) => {
    if (!adapter.capabilities.preToolDeny) skip();
    const cwd = project();
    const session = await record(adapter, place, {
      cwd,
      gate: ({ action }) =>
        Promise.resolve(action === "write" ? { allow: false, reason: "held by the refuser" } : { allow: true }),
    });
    const end = await session.turn(
      `Denied. ${scripted(write("new.txt", "new\n"), read("a.txt"), { text: "understood" })}`,
    );
    expect(end).toMatchObject({ status: "completed", text: "understood" });
    expect(existsSync(join(cwd, "new.txt"))).toBe(false);
    expect((await requestWith("Denied.", 1)).text).toContain("held by the refuser");
  });

  it("may write and run nothing with the permission to read only", async () => {
    const cwd = project();
    const session = await record(adapter, place, {
      cwd,
      permission: "read-only",
      gate: ({ action }) =>
        Promise.resolve(action === "read" ? { allow: true } : { allow: false, reason: "only read" }),
    });
    const end = await session.turn(
      `Readonly. ${scripted(write("new.txt", "new\n"), run("echo ran > ran.txt"), { text: "looked" })}`,
    );
    expect(end.status).toBe("completed");
    expect(["new.txt", "ran.txt"].filter((name) => existsSync(join(cwd, name)))).toEqual([]);
  });

  it("is interrupted in the middle of a turn, and goes on when it is spoken to again", async () => {
    const session = await record(adapter, place, { cwd: project() });
    await session.session.send({ text: `Hanging. ${scripted({ hang: true })}`, when: "later" });
    await requestWith("Hanging.", 0);
    await session.session.interrupt();
    expect(await session.ended(1)).toMatchObject({ status: "interrupted" });
    expect(await session.turn(`On. ${scripted({ text: "back again" })}`)).toMatchObject({ text: "back again" });
  });

  it("is steered while it works", async ({ skip }) => {
    if (!adapter.capabilities.steer) skip();
    const session = await record(adapter, place, { cwd: project() });
    const words = scripted({ wait: `steer-${kind}`, ...read("a.txt") }, { text: "steered" });
    await session.session.send({ text: `Steered. ${words}`, when: "later" });
    await requestWith("Steered.", 0);
    await session.session.send({ text: "mind the gap", when: "next" });
    server.release(`steer-${kind}`);
    expect(await session.ended(1)).toMatchObject({ status: "completed" });
    await until(() => session.of("message.taken").length > 0, "the message is taken");
    expect(requestsWith("Steered.").filter(({ text }) => text.includes("mind the gap")).length).toBeGreaterThan(0);
    expect(session.ends()).toHaveLength(1);
  });

  it("takes up a conversation again, and counts what it uses from zero", async () => {
    const cwd = project();
    const first = await record(adapter, place, { cwd });
    await first.turn(`First. ${scripted({ text: "remember the heron" })}`);
    await first.session.close();
    const second = await record(adapter, place, { cwd, resume: first.session.conversation });
    expect(second.session.conversation).toBe(first.session.conversation);
    await second.turn(`Second. ${scripted({ text: "it was the heron" })}`);
    expect((await requestWith("Second.", 0)).text).toContain("remember the heron");
    expect(second.of("usage").at(-1)?.usage).toMatchObject({ inputTokens: 100, outputTokens: 10 });
  });

  it("says so when there is no such conversation", async () => {
    await refused(
      record(adapter, place, { cwd: project(), resume: "019aaaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee" }),
      "CONVERSATION_UNKNOWN",
    );
  });

  it("is copied while it works, into another folder, and begins with the same bytes where it says so", async ({
    skip,
  }) => {
    if (!adapter.capabilities.forkCwd) skip();
    const cwd = project();
    // Workspaces of one repository have their first commit in common: by that opencode knows a project.
    const other = join(makeFolder("project-", home), "copy");
    git(home, "clone", "-q", cwd, other);
    const parent = await record(adapter, place, { cwd });
    await parent.turn(`Parent. ${scripted({ text: "the parent's words" })}`);
    await parent.session.send({
      text: `Running. ${scripted({ wait: `fork-${kind}`, text: "parent is done" })}`,
      when: "later",
    });
    await requestWith("Running.", 0);
    const child = await record(adapter, place, {
      cwd: other,
      forkFrom: { conversation: parent.session.conversation, directory: cwd },
    });
    expect(child.session.conversation).not.toBe(parent.session.conversation);
    await child.turn(`Child. ${scripted(write("child.txt", "child\n"), { text: "child is done" })}`);
    server.release(`fork-${kind}`);
    expect(await parent.ended(2)).toMatchObject({ text: "parent is done" });

    const [before, after] = [await requestWith("Parent.", 0), await requestWith("Child.", 0)];
    if (adapter.capabilities.forkPrefix) expect(prefixDifference(before, after)).toBeUndefined();
    expect(after.text).toContain("the parent's words");
    expect(readFileSync(join(other, "child.txt"), "utf8")).toBe("child\n");
    expect(existsSync(join(cwd, "child.txt"))).toBe(false);
    expect(child.of("usage").at(-1)?.usage).toMatchObject({ inputTokens: 200, outputTokens: 20 });
  });

  it("gives an answer by a schema", async ({ skip }) => {
    if (!adapter.capabilities.structured) skip();
    const schema = {
      type: "object",
      properties: { count: { type: "integer" } },
      required: ["count"],
      additionalProperties: false,
    };
    const session = await record(adapter, place, { cwd: project(), schema });
    const end = await session.turn(`Count. ${scripted(answer({ count: 3 }), { text: "done" })}`);
    expect(end).toMatchObject({ status: "completed", structured: { count: 3 } });
  });

  it.each([
    ["a bad request", { status: 400 }, ["invalid"]],
    ["a wrong key", { status: 401 }, ["login"]],
    ["a rate limit", { status: 429 }, ["rate-limit"]],
    ["a broken service", { status: 500 }, ["server"]],
    ["an overloaded service", { status: 529 }, ["overloaded", "server"]],
    ["a stream that breaks off", { cut: true }, ["cut", "server", "other"]],
  ] as const)("fails the turn on %s, and goes on after it", async (what, step, reasons) => {
    const session = await record(adapter, place, { cwd: project() });
    const end = await session.turn(`Failing with ${what}. ${scripted(step)}`);
    expect(end, JSON.stringify(session.events)).toMatchObject({ status: "failed" });
    expect(reasons).toContain(end.failure?.reason);
    expect(await session.turn(`On. ${scripted({ text: "recovered" })}`)).toMatchObject({ text: "recovered" });
  });

  it("ends its turn and tells that it is gone when its program is killed", async ({ skip }) => {
    const session = await record(adapter, place, { cwd: project() });
    const { pid = 0 } = session.session;
    if (pid === 0) skip();
    await session.session.send({ text: `Killed. ${scripted({ hang: true })}`, when: "later" });
    await requestWith("Killed.", 0);
    process.kill(pid, "SIGKILL");
    expect(await session.ended(1)).toMatchObject({ status: "failed" });
    await until(() => session.of("gone").length > 0, "it is gone");
    expect(session.events.at(-1)).toMatchObject({ type: "gone", error: { code: "AGENT_GONE" } });
  });

  it("goes on when its program says what nobody understands", async () => {
    const noise = join(import.meta.dirname, "noisy-program.mjs");
    const { command, args } = place.program;
    const session = await record(
      adapter,
      { ...place, program: { command: process.execPath, args: [noise, command, ...args] } },
      { cwd: project() },
    );
    expect(await session.turn(`Noise. ${scripted({ text: "heard anyway" })}`)).toMatchObject({
      status: "completed",
      text: "heard anyway",
    });
  });
});
