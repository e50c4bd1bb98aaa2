import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { createClaudeAdapter } from "../../src/agents/claude/adapter.ts";
import { findSdk } from "../../src/agents/claude/sdk-place.ts";
import type { AgentEvent, Gate, OpenOptions, Session, ToolRequest, TurnEnd } from "../../src/agents/port.ts";
import { systemClock } from "../../src/base/clock.ts";
import { until } from "../fixtures/until.ts";
import { startModelServer, type ModelRequest, type ModelServer } from "./model-server.ts";
import { agentHome, agentPlace, agentSdkFolder, type Place } from "./places.ts";
import { scripted, type Step } from "./script.ts";

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.close());

const adapter = createClaudeAdapter(systemClock);
const ALLOW: Gate = () => Promise.resolve({ allow: true });

interface Bench {
  readonly home: string;
  readonly cwd: string;
  readonly place: Place;
}

interface Opened {
  readonly session: Session;
  readonly events: AgentEvent[];
  /** Sends a script and waits for the end of the turn. */
  turn(...steps: Step[]): Promise<TurnEnd>;
  ends(): TurnEnd[];
  ended(count: number): Promise<TurnEnd>;
}

function bench(): Bench {
  const home = realpathSync(agentHome());
  const cwd = join(home, "project");
  mkdirSync(cwd);
  writeFileSync(join(cwd, "a.txt"), "hello\n");
  return { home, cwd, place: agentPlace("claude", server, home) };
}

async function opened({ cwd, place }: Bench, extra: Partial<OpenOptions> = {}): Promise<Opened> {
  const events: AgentEvent[] = [];
  const session = await adapter.open({
    ...place,
    cwd,
    permission: "workspace",
    toolServers: {},
    clock: systemClock,
    gate: ALLOW,
    onEvent: (event) => void events.push(event),
    ...extra,
    environment: { ...place.environment, ...extra.environment },
  });
  onTestFinished(() => session.close());
  const ends = (): TurnEnd[] => events.filter((event) => event.type === "turn.end");
  const ended = async (count: number): Promise<TurnEnd> => {
    await until(() => ends().length >= count, `turn ${count} ends: ${JSON.stringify(events)}`);
    return ends()[count - 1] as TurnEnd;
  };
  return {
    session,
    events,
    ends,
    ended,
    async turn(...steps) {
      const before = ends().length;
      await session.send({ text: scripted(...steps), when: "next" });
      return ended(before + 1);
    },
  };
}

function ofType<Type extends AgentEvent["type"]>(events: readonly AgentEvent[], type: Type) {
  return events.filter((event): event is Extract<AgentEvent, { type: Type }> => event.type === type);
}

/** The requests of one conversation. */
function requestsOf({ conversation }: Session): ModelRequest[] {
  return server.requests.filter(({ headers }) => headers["x-claude-code-session-id"] === conversation);
}

const write = (path: string, content = "written\n"): Step => ({ tool: "Write", input: { file_path: path, content } });
const bash = (command: string): Step => ({ tool: "Bash", input: { command } });
/** Claude Code refuses to sleep in the foreground. */
const SLOW = "python3 -c 'import time; time.sleep(0.6)'";

const WAYS = [
  ["the program", () => undefined],
  ["the SDK", () => agentSdkFolder()],
] as const;

describe.each(WAYS)("a session with Claude Code through %s", (way, sdk) => {
  beforeAll(() => {
    const folder = sdk();
    if (folder !== undefined) process.env["ANABRANCH_CLAUDE_SDK"] = folder;
  });
  afterAll(() => {
    delete process.env["ANABRANCH_CLAUDE_SDK"];
  });

  it("edits files with the agent's own tools and tells everything that happens", async () => {
    const place = bench();
    const [file, other] = [join(place.cwd, "a.txt"), join(place.cwd, "b.txt")];
    const asked: ToolRequest[] = [];
    const one = await opened(place, {
      gate: (request) => {
        asked.push(request);
        return Promise.resolve({ allow: true });
      },
    });
    expect(one.session.conversation).toMatch(/^[0-9a-f-]{36}$/);
    expect(
      server.requests.filter(({ headers }) => headers["x-claude-code-session-id"] === one.session.conversation),
    ).toEqual([]);

    const end = await one.turn(
      { tool: "Read", input: { file_path: file }, usage: { input: 10, output: 5, cacheRead: 1000, cacheWrite: 20 } },
      { tools: [{ tool: "Edit", input: { file_path: file, old_string: "hello", new_string: "bye" } }] },
      write(other),
      bash("echo from the shell"),
      { text: "all \u001b[31mdone" },
    );

    expect(end).toMatchObject({ status: "completed", text: "all \u001b[31mdone" });
    expect(readFileSync(file, "utf8")).toBe("bye\n");
    expect(readFileSync(other, "utf8")).toBe("written\n");
    expect(asked.map(({ tool, action, paths, command }) => ({ tool, action, paths, command }))).toEqual([
      { tool: "Read", action: "read", paths: [file], command: undefined },
      { tool: "Edit", action: "write", paths: [file], command: undefined },
      { tool: "Write", action: "write", paths: [other], command: undefined },
      { tool: "Bash", action: "execute", paths: [], command: "echo from the shell" },
    ]);
    expect(ofType(one.events, "tool.start").map(({ request }) => request)).toEqual(asked);
    expect(ofType(one.events, "tool.end").map(({ id, ok }) => [id, ok])).toEqual(asked.map(({ id }) => [id, true]));
    expect(ofType(one.events, "tool.end").at(-1)?.output).toBe("from the shell");
    expect(ofType(one.events, "file").map(({ access, path }) => [access, path])).toEqual([
      ["read", file],
      ["write", file],
      ["write", other],
    ]);
    expect(ofType(one.events, "text").map(({ text }) => text)).toEqual(["all \u001b[31mdone"]);
    expect(ofType(one.events, "usage").at(-1)).toMatchObject({
      usage: { inputTokens: 410, outputTokens: 45, cacheReadTokens: 1000, cacheWriteTokens: 20, turns: 5 },
    });
    expect(ofType(one.events, "usage").at(-1)?.usage.usd).toBeGreaterThan(0);
    expect(ofType(one.events, "context")[0]).toMatchObject({ tokens: 1030 });
    expect(ofType(one.events, "context").at(-1)?.window).toBeGreaterThan(100_000);
  });

  it("keeps a refused tool from doing anything, as often as it is tried, and tells the agent why", async () => {
    const place = bench();
    const path = join(place.cwd, "held.txt");
    const one = await opened(place, {
      gate: ({ action }) =>
        Promise.resolve(action === "write" ? { allow: false, reason: "held by agent-7" } : { allow: true }),
    });
    const end = await one.turn(write(path), write(path), { text: "given up" });

    expect(end).toMatchObject({ status: "completed", text: "given up" });
    expect(existsSync(path)).toBe(false);
    expect(ofType(one.events, "tool.end").map(({ ok, output }) => [ok, output?.includes("held by agent-7")])).toEqual([
      [false, true],
      [false, true],
    ]);
    expect(ofType(one.events, "file")).toEqual([]);
    expect(requestsOf(one.session).at(-1)?.text).toContain("held by agent-7");
  });

  it("waits for the gate, and passes its note on", async () => {
    const place = bench();
    const path = join(place.cwd, "b.txt");
    let allow: (() => void) | undefined;
    const one = await opened(place, {
      permission: "ask",
      gate: () => new Promise((resolve) => (allow = () => resolve({ allow: true, note: "a sibling reads this" }))),
    });
    const ending = one.turn(write(path), { text: "fine" });
    await until(() => allow !== undefined, "the gate is asked");
    expect(existsSync(path)).toBe(false);
    allow?.();

    expect(await ending).toMatchObject({ status: "completed" });
    expect(existsSync(path)).toBe(true);
    expect(requestsOf(one.session).at(-1)?.text).toContain("a sibling reads this");
  });

  it("does not let anything through that was not answered when the session ends", async () => {
    const place = bench();
    const path = join(place.cwd, "b.txt");
    const one = await opened(place, { gate: () => new Promise(() => undefined) });
    await one.session.send({ text: scripted(write(path)), when: "next" });
    await until(() => ofType(one.events, "tool.start").length === 1, "the tool is told of");
    await one.session.close();

    expect(existsSync(path)).toBe(false);
    expect(one.ends()).toMatchObject([{ status: "interrupted" }]);
    expect(ofType(one.events, "gone")).toEqual([]);
    await expect(one.session.send({ text: "more", when: "next" })).rejects.toMatchObject({ code: "AGENT_GONE" });
  });

  it("hands over a message for `next` in the running turn, and one for `later` in a turn of its own", async () => {
    const one = await opened(bench());
    await one.session.send({ text: scripted(bash(SLOW), { text: "first" }), when: "next" });
    await until(() => ofType(one.events, "tool.start").length === 1, "the tool is told of");
    await one.session.send({ text: "a word from a sibling", when: "next" });
    await one.session.send({ text: "afterwards", when: "later" });
    await one.ended(2);

    expect(ofType(one.events, "message.taken").map(({ text }) => text)).toEqual([
      "a word from a sibling",
      "afterwards",
    ]);
    const order = one.events.map((event) => (event.type === "message.taken" ? event.text : event.type));
    expect(order.indexOf("a word from a sibling")).toBeLessThan(order.indexOf("turn.end"));
    expect(order.indexOf("afterwards")).toBeGreaterThan(order.indexOf("turn.end"));
    expect(requestsOf(one.session)[1]?.text).toContain("a word from a sibling");
    expect(one.ends().map(({ status }) => status)).toEqual(["completed", "completed"]);
  });

  it("ends the turn for a message that is for `now`, and starts another", async () => {
    const one = await opened(bench());
    await one.session.send({ text: scripted(bash(SLOW), { text: "never said" }), when: "next" });
    await until(() => ofType(one.events, "tool.start").length === 1, "the tool is told of");
    await one.session.send({ text: scripted({ text: "turned round" }), when: "now" });
    await one.ended(2);

    expect(one.ends()).toMatchObject([{ status: "interrupted" }, { status: "completed", text: "turned round" }]);
  });

  it("interrupts a model that never answers, and goes on afterwards", async () => {
    const one = await opened(bench());
    await one.session.send({ text: scripted({ hang: true }), when: "next" });
    await server.waitForRequest(({ headers }) => headers["x-claude-code-session-id"] === one.session.conversation);
    await one.session.interrupt();
    expect(await one.ended(1)).toMatchObject({ status: "interrupted" });

    expect(await one.turn({ text: "here again" })).toMatchObject({ status: "completed", text: "here again" });
    await one.session.interrupt();
    expect(one.ends()).toHaveLength(2);
  });

  it("copies a conversation that goes on into another folder, and counts the copy from zero", async () => {
    const place = bench();
    const parent = await opened(place);
    await parent.turn({ text: "the plan", usage: { input: 5000 } });
    await parent.session.send({ text: scripted(bash(SLOW), { text: "parent done" }), when: "next" });
    await until(() => ofType(parent.events, "tool.start").length === 1, "the parent is at work");

    const cwd = join(place.home, "elsewhere");
    mkdirSync(cwd);
    const forkFrom = { conversation: parent.session.conversation, directory: place.cwd };
    const child = await opened({ ...place, cwd }, { forkFrom });
    expect(child.session.conversation).not.toBe(parent.session.conversation);
    const end = await child.turn(write(join(cwd, "child.txt")), { text: "child done", usage: { input: 70 } });

    expect(end).toMatchObject({ status: "completed", text: "child done" });
    expect(existsSync(join(cwd, "child.txt"))).toBe(true);
    expect((await parent.ended(2)).text).toBe("parent done");
    expect(ofType(child.events, "usage").at(-1)?.usage).toMatchObject({ inputTokens: 170, turns: 2 });
    const [parents, childs] = [requestsOf(parent.session)[1]?.body, requestsOf(child.session)[0]?.body];
    for (const part of ["system", "tools"]) expect(childs?.[part]).toEqual(parents?.[part]);
  });

  it("goes on with a conversation in a new session, and counts that from zero", async () => {
    const place = bench();
    const first = await opened(place);
    await first.turn({ text: "remember me", usage: { input: 5000 } });
    const spent = ofType(first.events, "usage").at(-1)?.usage.usd ?? 0;
    await first.session.close();

    const second = await opened(place, { resume: first.session.conversation });
    expect(second.session.conversation).toBe(first.session.conversation);
    await second.turn({ text: "still here", usage: { input: 30 } });
    expect(requestsOf(second.session).at(-1)?.text).toContain("remember me");
    const { usage } = ofType(second.events, "usage").at(-1) ?? {};
    expect(usage).toMatchObject({ inputTokens: 30, turns: 1 });
    expect(usage?.usd).toBeLessThan(spent / 2);
  });

  it("answers by a schema, and fails a turn without such an answer", async () => {
    const schema = { type: "object", properties: { count: { type: "number" } }, required: ["count"] };
    const one = await opened(bench(), {
      schema,
      tools: ["Read"],
      permission: "read-only",
      gate: () => Promise.resolve({ allow: false, reason: "no" }),
    });
    const answer = { tool: "StructuredOutput", input: { count: 4 } };
    expect(await one.turn({ tool: "StructuredOutput", input: { count: "four" } }, answer)).toMatchObject({
      status: "completed",
      structured: { count: 4 },
    });
    expect(await one.turn({ text: "four" }, { text: "four, I said" })).toMatchObject({
      status: "failed",
      failure: { reason: "schema" },
    });
    expect(ofType(one.events, "tool.start")).toEqual([]);
  });

  it("ends a turn that takes more requests than it may", async () => {
    const one = await opened(bench(), { maxTurns: 1 });
    expect(await one.turn(bash("echo 1"), bash("echo 2"))).toMatchObject({
      status: "failed",
      failure: { reason: "turns" },
    });
  });

  it("says what the matter is when the program is killed in a turn", async () => {
    const one = await opened(bench());
    await one.session.send({ text: scripted({ hang: true }), when: "next" });
    await server.waitForRequest(({ headers }) => headers["x-claude-code-session-id"] === one.session.conversation);
    process.kill(one.session.pid ?? 0, "SIGKILL");
    await until(() => ofType(one.events, "gone").length === 1, "the program is gone");

    expect(one.ends()).toMatchObject([{ status: "failed", failure: { reason: "other" } }]);
    expect(one.events.at(-1)).toMatchObject({ type: "gone", error: { code: "AGENT_GONE" } });
    await expect(one.session.send({ text: "more", when: "next" })).rejects.toMatchObject({ code: "AGENT_GONE" });
  });

  it.each([
    ["a request that is not right", { status: 400 }, "invalid"],
    ["too many requests", { status: 429 }, "rate-limit"],
    ["a failure of the service", { status: 500 }, "server"],
    ["an overloaded service", { status: 529 }, "overloaded"],
    ["a stream that breaks off", { cut: true }, "cut"],
    ["a key that is refused", { status: 401 }, "login"],
    [
      "a conversation that is too long",
      { status: 400, message: "prompt is too long: 250000 tokens > 200000 maximum" },
      "context",
    ],
  ] as const)("fails a turn for %s, and takes the next one", async (_what, failure, reason) => {
    const one = await opened(bench(), { environment: { CLAUDE_CODE_MAX_RETRIES: "0" } });
    const end = await one.turn(failure);
    expect(end).toMatchObject({ status: "failed", failure: { reason } });
    expect(end.failure?.message).not.toBe("");
    expect(await one.turn({ text: "well again" })).toMatchObject({ status: "completed", text: "well again" });
  });

  it("tells that the program itself tries a request again", async () => {
    const one = await opened(bench(), { environment: { CLAUDE_CODE_MAX_RETRIES: "2" } });
    expect(await one.turn({ status: 529, times: 1 }, { text: `through ${way}` })).toMatchObject({
      status: "completed",
    });
    expect(ofType(one.events, "retry")).toMatchObject([{ reason: "overloaded" }]);
  });
});

describe("the adapter for Claude Code", () => {
  it("tells what helpers of the agent write, asks about it, and ends the turn when they are done", async () => {
    const place = bench();
    const path = join(place.cwd, "helped.txt");
    const asked: string[] = [];
    const one = await opened(place, {
      gate: (request) => {
        asked.push(request.tool);
        return Promise.resolve({ allow: true });
      },
    });
    const prompt = scripted(bash(SLOW), write(path), { text: "the helper is done" });
    const helper = { description: "help", subagent_type: "general-purpose", prompt };
    // In the background, as helpers are unless they are asked to be waited for.
    const end = await one.turn(
      { tool: "Agent", input: helper },
      { text: "the helper is at work" },
      { text: "all done" },
    );

    expect(existsSync(path)).toBe(true);
    expect(end.status).toBe("completed");
    expect(asked).toEqual(["Agent", "Bash", "Write"]);
    expect(ofType(one.events, "file")).toMatchObject([{ access: "write", path }]);
    expect(ofType(one.events, "text").map(({ text }) => text)).not.toContain("the helper is done");
  });

  it("waits for a command that was left running in the background", async () => {
    const place = bench();
    const path = join(place.cwd, "late.txt");
    const one = await opened(place);
    const command = `${SLOW}; touch ${path}`;
    await one.turn({ tool: "Bash", input: { command, run_in_background: true } }, { text: "it runs" });

    expect(existsSync(path)).toBe(true);
    expect(one.ends()).toHaveLength(1);
  });

  it("tells what a turn has cost while it goes on", async () => {
    const one = await opened(bench());
    const usage = { input: 50_000 };
    await one.turn({ ...bash("echo 1"), usage }, { ...bash(SLOW), usage }, { text: "fine" });
    const end = one.events.findIndex(({ type }) => type === "turn.end");
    const told = ofType(one.events.slice(0, end), "usage").map(({ usage: { usd } }) => usd ?? 0);
    expect(told.find((usd) => usd > 0)).toBeLessThan(told.at(-1) ?? 0);
    expect(told).toEqual(told.toSorted((one, other) => one - other));
  });

  it("reads the instructions of the project, and runs hooks neither of the user nor of the repository", async () => {
    const place = bench();
    const [users, projects] = [join(place.home, "USER_HOOK"), join(place.home, "PROJECT_HOOK")];
    const settings = (path: string): string =>
      JSON.stringify({ hooks: { PreToolUse: [{ hooks: [{ type: "command", command: `touch ${path}` }] }] } });
    for (const folder of [place.home, place.cwd]) mkdirSync(join(folder, ".claude"));
    writeFileSync(join(place.home, ".claude/settings.json"), settings(users));
    writeFileSync(join(place.cwd, ".claude/settings.json"), settings(projects));
    writeFileSync(join(place.cwd, "CLAUDE.md"), "Always whistle.\n");
    const one = await opened(place, { system: "You are a reviewer of anvils." });
    await one.turn(bash("true"));

    expect([users, projects].filter((path) => existsSync(path))).toEqual([]);
    expect(requestsOf(one.session)[0]?.text).toContain("Always whistle.");
    expect(requestsOf(one.session)[0]?.text).toContain("reviewer of anvils");
  });

  it("gives the agent the tools, the model and the servers of tools that it is to have", async () => {
    const one = await opened(bench(), {
      tools: ["Read", "Bash(git *)"],
      disallowedTools: ["Read"],
      model: "claude-haiku-4-5",
    });
    await one.turn({ text: "fine" });
    const { body } = requestsOf(one.session)[0] ?? {};
    expect(body?.["model"]).toBe("claude-haiku-4-5");
    const names = ((body?.["tools"] ?? []) as { name: string }[]).map(({ name }) => name);
    expect(names).toContain("Bash");
    for (const name of ["Read", "Write", "Edit"]) expect(names).not.toContain(name);
  });

  it("does not let the agent ask a person, or wait for a later that never comes", async () => {
    const one = await opened(bench());
    const question = {
      question: "Really?",
      header: "h",
      multiSelect: false,
      options: [
        { label: "a", description: "a" },
        { label: "b", description: "b" },
      ],
    };
    await one.turn({ tool: "AskUserQuestion", input: { questions: [question] } }, { text: "then I decide" });
    expect(ofType(one.events, "tool.end")).toMatchObject([{ ok: false }]);
    expect(ofType(one.events, "tool.end")[0]?.output).toContain("nobody can answer questions here");
  });

  it("copies a conversation that somebody had without us", async () => {
    const place = bench();
    const { command, args } = place.place.program;
    const prompt = scripted({ text: "what we both know" });
    const options = { cwd: place.cwd, env: place.place.environment };
    const theirs = promisify(execFile)(command, [...args, "-p", prompt], options);
    theirs.child.stdin?.end();
    await theirs;
    const [found] = (await adapter.conversations?.(place.place, place.cwd)) ?? [];
    const cwd = join(place.home, "elsewhere");
    mkdirSync(cwd);
    const forkFrom = { conversation: found?.id ?? "", directory: place.cwd };
    const one = await opened({ ...place, cwd }, { forkFrom });
    await one.turn({ text: "go on", usage: { input: 30 } });

    expect(requestsOf(one.session)[0]?.text).toContain("what we both know");
    expect(ofType(one.events, "usage").at(-1)?.usage).toMatchObject({ inputTokens: 30, turns: 1 });
  });

  it("uses the SDK that is named, the one beside the program, and none of the folder that is worked in", async () => {
    const { home, cwd, place } = bench();
    const made = (folder: string): string => {
      const path = join(folder, "node_modules/@anthropic-ai/claude-agent-sdk/sdk.mjs");
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, "export const nothing = 1;");
      return path;
    };
    const [repositorys, beside] = [made(cwd), made(home)];
    const program = join(home, "node_modules/@anthropic-ai/claude-code/claude");
    mkdirSync(dirname(program));
    symlinkSync(place.program.command, join(home, "claude"));
    writeFileSync(program, "");
    expect(findSdk(join(home, "claude"), {})).not.toBe(repositorys);
    expect(findSdk(program, {})).toBe(beside);
    expect(findSdk(program, { ANABRANCH_CLAUDE_SDK: dirname(repositorys) })).toBe(repositorys);
    onTestFinished(() => void delete process.env["ANABRANCH_CLAUDE_SDK"]);
    for (const folder of [home, join(home, "nowhere")]) {
      process.env["ANABRANCH_CLAUDE_SDK"] = folder;
      await expect(opened({ home, cwd, place })).rejects.toMatchObject({ code: "AGENT_FAILED" });
    }
  });

  it("lists the conversations of a folder, and knows no others", async () => {
    const place = bench();
    const first = await opened(place);
    await first.turn({ text: "one", usage: { input: 100, output: 10, cacheRead: 2000 } });
    await first.session.close();
    const second = await opened(place);
    await second.turn({ text: "two" });
    await second.session.close();
    const elsewhere = join(place.home, "project-2");
    mkdirSync(elsewhere);
    const found = await adapter.conversations?.(place.place, place.cwd);

    expect(found?.map(({ id }) => id)).toEqual([second.session.conversation, first.session.conversation]);
    expect(found?.[1]).toMatchObject({
      contextTokens: 2110,
      directory: place.cwd,
      model: expect.stringContaining("claude") as unknown,
    });
    expect(found?.[1]?.title).toContain("SCRIPT");
    expect(await adapter.conversations?.(place.place, elsewhere)).toEqual([]);
    const resume = "11111111-1111-4111-8111-111111111111";
    await expect(opened(place, { resume })).rejects.toMatchObject({ code: "CONVERSATION_UNKNOWN" });
  });

  it("fails the first turn when nobody is logged in", async () => {
    const one = await opened(bench(), { environment: { ANTHROPIC_API_KEY: "" } });
    expect(await one.turn({ text: "never" })).toMatchObject({ status: "failed", failure: { reason: "login" } });
  });

  it("finds the program and its version", async () => {
    const { place } = bench();
    expect(await adapter.detect(place)).toEqual({ found: true, version: "2.1.330", path: place.program.command });
  });

  it("does not use a program that is missing or too old, and warns of one that nobody has tried", async () => {
    const { home, place } = bench();
    const command = join(home, "claude");
    const called = (version: string): void =>
      writeFileSync(command, `#!/bin/sh\necho "${version} (Claude Code)"`, { mode: 0o755 });
    const program = { command, args: [] };
    expect(await adapter.detect({ ...place, program })).toMatchObject({
      found: false,
      error: { code: "AGENT_MISSING" },
    });
    called("2.1.197");
    expect(await adapter.detect({ ...place, program })).toMatchObject({
      found: false,
      error: { code: "AGENT_TOO_OLD", message: expect.stringMatching(/2\.1\.197.*2\.1\.319/) as unknown },
    });
    called("3.0.0 ");
    expect(await adapter.detect({ ...place, program })).toMatchObject({
      found: true,
      warning: expect.stringContaining("3.0.0") as unknown,
    });
  });
});
