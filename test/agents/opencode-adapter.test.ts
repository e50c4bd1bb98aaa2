import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { createOpencodeAdapter } from "../../src/agents/opencode/adapter.ts";
import type { AgentEvent, Gate, OpenOptions, Session, ToolRequest, TurnEnd } from "../../src/agents/port.ts";
import { systemClock } from "../../src/base/clock.ts";
import { until } from "../fixtures/until.ts";
import { startModelServer, type ModelServer } from "./model-server.ts";
import { agentPlace, type Place } from "./places.ts";
import { scripted, type Step } from "./script.ts";

const HOMES = resolve(import.meta.dirname, "../../.build/agent-homes");
const WAIT_MS = 60_000;

const adapter = createOpencodeAdapter(systemClock);
let model: ModelServer;
let home: string;
let place: Place;

beforeAll(async () => {
  mkdirSync(HOMES, { recursive: true });
  home = realpathSync(mkdtempSync(join(HOMES, "opencode-")));
  model = await startModelServer();
  place = agentPlace("opencode", model, home);
});

afterAll(async () => {
  await adapter.close();
  await model.close();
  expect(serverIds()).toEqual([]);
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

/** The servers of this home that are running. */
function serverIds(): string[] {
  const table = execFileSync("ps", ["-eo", "pid,args"], { encoding: "utf8" });
  const ids = table.split("\n").filter((line) => / serve --hostname /.test(line));
  return ids
    .map((line) => line.trim().split(" ")[0] ?? "")
    .filter((id) => {
      try {
        return readFileSync(`/proc/${id}/environ`, "utf8").includes(`HOME=${home}`);
      } catch {
        return false;
      }
    });
}

/** The folders that are worked in are of one repository, as workspaces are. */
function folder(name: string): string {
  const path = join(home, name);
  if (!existsSync(path)) {
    const git = (...args: string[]): void => void execFileSync("git", args, { cwd: path, stdio: "ignore" });
    mkdirSync(path);
    writeFileSync(join(path, "a.txt"), "hello\n");
    git("init", "-q");
    git("add", "-A");
    const date = "2026-01-01T00:00:00Z";
    execFileSync("git", ["-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "begin"], {
      cwd: path,
      stdio: "ignore",
      env: { ...process.env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
    });
  }
  return path;
}

interface Talk {
  readonly session: Session;
  readonly events: AgentEvent[];
  readonly asked: ToolRequest[];
  turn(...steps: Step[]): Promise<TurnEnd>;
  end(number: number): Promise<TurnEnd>;
}

async function open(cwd: string, more: Partial<OpenOptions> = {}): Promise<Talk> {
  const events: AgentEvent[] = [];
  const asked: ToolRequest[] = [];
  const gate: Gate = more.gate ?? (() => Promise.resolve({ allow: true }));
  const session = await adapter.open({
    ...place,
    environment: { ...place.environment, ANABRANCH_MARKER: `marker-${cwd.split("/").at(-1) ?? ""}` },
    cwd,
    permission: "workspace",
    toolServers: {},
    clock: systemClock,
    onEvent: (event) => void events.push(event),
    ...more,
    gate(request) {
      asked.push(request);
      return gate(request);
    },
  });
  onTestFinished(() => session.close());
  const ends = (): TurnEnd[] => events.filter((event) => event.type === "turn.end");
  const end = async (number: number): Promise<TurnEnd> => {
    await until(() => ends().length >= number, `turn ${number} ends: ${JSON.stringify(events.slice(-3))}`, WAIT_MS);
    return ends()[number - 1] as TurnEnd;
  };
  return {
    session,
    events,
    asked,
    end,
    async turn(...steps) {
      const number = ends().length + 1;
      await session.send({ text: scripted(...steps), when: "next" });
      return end(number);
    },
  };
}

function of<T extends AgentEvent["type"]>(events: readonly AgentEvent[], type: T): Extract<AgentEvent, { type: T }>[] {
  return events.filter((event): event is Extract<AgentEvent, { type: T }> => event.type === type);
}

/** What the model was told last. */
function lastMessages(): string {
  return JSON.stringify(model.requests.at(-1)?.body["messages"]);
}

describe("opencode", () => {
  it("is found, with its version", async () => {
    expect(await adapter.detect(place)).toMatchObject({ found: true, version: "1.18.33" });
    expect(await adapter.detect({ ...place, program: { command: "no-such-program", args: [] } })).toMatchObject({
      found: false,
      error: { code: "AGENT_MISSING" },
    });
  });

  it("reads, edits and runs, tells of each, and counts what it used", async () => {
    const cwd = folder("one");
    const file = join(cwd, "a.txt");
    const talk = await open(cwd, { model: place.model, system: "BE BRIEF" });
    const end = await talk.turn(
      { tool: "read", input: { filePath: file } },
      { tool: "edit", input: { filePath: file, oldString: "hello", newString: "bye" } },
      { tool: "bash", input: { command: "echo $ANABRANCH_MARKER:$OPENCODE_SERVER_PASSWORD:", description: "say" } },
      { text: "all done", usage: { input: 200, output: 20, cacheRead: 50 } },
    );
    expect(end).toMatchObject({ status: "completed", text: "all done" });
    expect(readFileSync(file, "utf8")).toBe("bye\n");
    expect(of(talk.events, "tool.start").map(({ request }) => [request.tool, request.action, request.paths])).toEqual([
      ["read", "read", [file]],
      ["edit", "write", [file]],
      ["bash", "execute", []],
    ]);
    expect(of(talk.events, "tool.end").map(({ ok }) => ok)).toEqual([true, true, true]);
    expect(of(talk.events, "tool.end").at(-1)?.output).toContain("marker-one::");
    expect(of(talk.events, "file")).toEqual([
      { type: "file", access: "read", path: file },
      { type: "file", access: "write", path: file },
    ]);
    expect(of(talk.events, "usage").at(-1)).toMatchObject({
      model: "m1",
      usage: { inputTokens: 500, outputTokens: 50, cacheReadTokens: 50, turns: 4 },
    });
    expect(of(talk.events, "usage").at(-1)?.usage.usd).toBeCloseTo((500 * 3 + 50 * 15 + 50 * 0.3) / 1e6, 9);
    expect(of(talk.events, "context").at(-1)).toMatchObject({ tokens: 250, window: 200_000 });
    expect(talk.asked.map(({ tool }) => tool)).toEqual(["read", "edit", "bash"]);
    expect(lastMessages()).toContain("BE BRIEF");
  });

  it("leaves a file alone that the gate refuses, tells the agent why, and goes on; a note reaches it as well", async () => {
    const cwd = folder("one");
    const refuse: Gate = ({ tool, paths }) =>
      Promise.resolve(
        paths.some((path) => path.endsWith("held.txt"))
          ? { allow: false, reason: "bob holds held.txt until noon" }
          : { allow: true, ...(tool === "bash" ? { note: "carol has finished" } : {}) },
      );
    const talk = await open(cwd, { model: place.model, gate: refuse });
    const write = (name: string): { tool: string; input: Record<string, unknown> } => ({
      tool: "write",
      input: { filePath: join(cwd, name), content: "x" },
    });
    const end = await talk.turn(
      { tools: [write("held.txt"), write("free.txt")] },
      { tool: "bash", input: { command: "true", description: "nothing" } },
      { text: "went on" },
    );
    expect(end).toMatchObject({ status: "completed", text: "went on" });
    expect(existsSync(join(cwd, "held.txt"))).toBe(false);
    expect(existsSync(join(cwd, "free.txt"))).toBe(true);
    expect(lastMessages()).toContain("bob holds held.txt until noon");
    expect(lastMessages()).toContain("carol has finished");
    expect(of(talk.events, "file").map(({ path }) => path)).toEqual([join(cwd, "free.txt")]);
  });

  it("asks for what its helpers do, and gives their commands the environment of the session", async () => {
    const cwd = folder("one");
    const talk = await open(cwd, { model: place.model });
    const prompt = scripted(
      { tool: "bash", input: { command: "echo $ANABRANCH_MARKER > marker.txt", description: "say" } },
      { text: "helped" },
    );
    const end = await talk.turn(
      { tool: "task", input: { description: "help", prompt, subagent_type: "general" } },
      { text: "was helped" },
    );
    expect(end).toMatchObject({ status: "completed", text: "was helped" });
    expect(readFileSync(join(cwd, "marker.txt"), "utf8")).toBe("marker-one\n");
    expect(talk.asked.map(({ tool }) => tool)).toEqual(["task", "bash"]);
    expect(of(talk.events, "usage").at(-1)?.usage.turns).toBe(4);
  });

  it("neither writes nor runs when it may only read, nor do its helpers", async () => {
    const cwd = folder("one");
    const talk = await open(cwd, { model: place.model, permission: "read-only" });
    const steps: Step[] = [
      { tool: "write", input: { filePath: join(cwd, "no.txt"), content: "x" } },
      { tool: "bash", input: { command: "touch no.txt", description: "try" } },
      { text: "could not" },
    ];
    const prompt = scripted(...steps);
    const helper = { tool: "task", input: { description: "help", prompt, subagent_type: "general" } };
    expect(await talk.turn(helper, ...steps)).toMatchObject({ status: "completed", text: "could not" });
    expect(existsSync(join(cwd, "no.txt"))).toBe(false);
    expect(talk.asked.map(({ tool }) => tool)).toEqual(["task"]);
  });

  it("takes messages while it works: with the next request, after its turn, or at once", async () => {
    const cwd = folder("one");
    const talk = await open(cwd, { model: place.model });
    await talk.session.send({
      text: scripted({ wait: "steer", tool: "read", input: { filePath: "a.txt" } }, { text: "first" }),
      when: "next",
    });
    await model.waitForRequest(({ step }) => step.wait === "steer");
    await talk.session.send({ text: "MIND THE GAP", when: "next" });
    await talk.session.send({ text: scripted({ hang: true }), when: "later" });
    model.release("steer");
    expect(await talk.end(1)).toMatchObject({ status: "completed", text: "first" });
    expect(of(talk.events, "message.taken").map(({ text }) => text)).toEqual(["MIND THE GAP"]);
    await model.waitForRequest(({ step, text }) => step.hang === true && text.includes("MIND THE GAP"));
    await talk.session.send({ text: scripted({ text: "third" }), when: "now" });
    expect(await talk.end(2)).toMatchObject({ status: "interrupted" });
    expect(await talk.end(3)).toMatchObject({ status: "completed", text: "third" });
  });

  it("stops when it is interrupted, also while a person is asked, and takes the next turn", async () => {
    const cwd = folder("one");
    const talk = await open(cwd, {
      model: place.model,
      gate: ({ command }) => (command === "true" ? new Promise(() => undefined) : Promise.resolve({ allow: true })),
    });
    await talk.session.send({
      text: scripted({ tool: "bash", input: { command: "true", description: "x" } }),
      when: "next",
    });
    await until(() => talk.asked.length > 0, "the gate is asked");
    await talk.session.interrupt();
    expect(await talk.end(1)).toMatchObject({ status: "interrupted" });
    expect(await talk.turn({ text: "again" })).toMatchObject({ status: "completed", text: "again" });
  });

  it("copies a conversation that goes on into another folder, and counts the copy from zero", async () => {
    const [one, two] = [folder("one"), folder("two")];
    const parent = await open(one, { model: place.model });
    await parent.turn({ tool: "read", input: { filePath: join(one, "a.txt") } }, { text: "read it" });
    await parent.session.send({ text: scripted({ wait: "parent", text: "parent done" }), when: "next" });
    await model.waitForRequest(({ step }) => step.wait === "parent");
    const child = await open(two, {
      model: place.model,
      forkFrom: { conversation: parent.session.conversation, directory: one },
    });
    const end = await child.turn(
      { tool: "bash", input: { command: "pwd > here.txt", description: "x" } },
      { text: "forked" },
    );
    expect(end).toMatchObject({ status: "completed", text: "forked" });
    expect(readFileSync(join(two, "here.txt"), "utf8")).toBe(`${two}\n`);
    expect(lastMessages()).toContain("read it");
    expect(of(child.events, "usage").at(-1)?.usage).toMatchObject({ turns: 2, inputTokens: 200 });
    model.release("parent");
    expect(await parent.end(2)).toMatchObject({ status: "completed", text: "parent done" });
  });

  it("goes on with a conversation after its server was killed, and says that the program is gone", async () => {
    const cwd = folder("one");
    const talk = await open(cwd, { model: place.model });
    await talk.turn({ text: "remember me" });
    await talk.session.send({ text: scripted({ hang: true }, { text: "never" }), when: "next" });
    await model.waitForRequest(({ step, text }) => step.hang === true && text.includes("remember me"));
    expect(serverIds()).toHaveLength(1);
    process.kill(-Number(serverIds()[0]), "SIGKILL");
    expect(await talk.end(2)).toMatchObject({ status: "failed" });
    await until(() => of(talk.events, "gone").length === 1, "it is gone");
    expect(talk.events.at(-1)?.type).toBe("gone");
    await expect(talk.session.send({ text: "x", when: "next" })).rejects.toMatchObject({ code: "AGENT_GONE" });

    const again = await open(cwd, { model: place.model, resume: talk.session.conversation });
    expect(again.session.conversation).toBe(talk.session.conversation);
    expect(await again.turn({ text: "I do" })).toMatchObject({ status: "completed", text: "I do" });
    expect(lastMessages()).toContain("remember me");
    expect(of(again.events, "usage").at(-1)?.usage.turns).toBe(1);
    await expect(open(cwd, { resume: "ses_nowhere" })).rejects.toMatchObject({ code: "CONVERSATION_UNKNOWN" });
  });

  it("tells failures of the service apart, and tells of the attempts that it makes again", async () => {
    const cwd = folder("one");
    const talk = await open(cwd, { model: place.model, maxTurns: 2 });
    const failing = async (step: Step): Promise<unknown> => (await talk.turn(step, { text: "x" })).failure;
    expect(await failing({ status: 400, message: "bad request" })).toMatchObject({
      reason: "invalid",
      message: "bad request",
    });
    expect(await failing({ status: 401 })).toMatchObject({ reason: "login" });
    expect(await talk.turn({ status: 429, times: 1, retryAfter: 1 }, { text: "after all" })).toMatchObject({
      status: "completed",
      text: "after all",
    });
    expect(of(talk.events, "retry")).toHaveLength(1);
    const read = { tool: "read", input: { filePath: join(cwd, "a.txt") } };
    expect(await talk.turn(read, read, read, { text: "never" })).toMatchObject({
      status: "failed",
      failure: { reason: "turns" },
    });
    await expect(open(cwd, { model: "scripted/m2" })).rejects.toMatchObject({ code: "AGENT_INVALID" });
  });
});
