import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { createCodexAdapter } from "../../src/agents/codex/adapter.ts";
import type {
  AgentAdapter,
  AgentEvent,
  GateAnswer,
  OpenOptions,
  Session,
  ToolRequest,
  TurnEnd,
} from "../../src/agents/port.ts";
import { systemClock } from "../../src/base/clock.ts";
import { until } from "../fixtures/until.ts";
import { startModelServer, type ModelServer } from "./model-server.ts";
import { agentHome, agentPlace, type Place } from "./places.ts";
import { scripted, type Step } from "./script.ts";

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.close());

let adapter: AgentAdapter;
let home: string;
let place: Place;
beforeEach(() => {
  adapter = createCodexAdapter(systemClock);
  home = agentHome();
  place = agentPlace("codex", server, home);
});
afterEach(() => adapter.close());

interface Talk {
  readonly session: Session;
  readonly events: AgentEvent[];
  readonly asked: ToolRequest[];
  readonly cwd: string;
  /** Says something and waits for the end of the turn. */
  turn(...steps: readonly Step[]): Promise<TurnEnd>;
  of<Type extends AgentEvent["type"]>(type: Type): Extract<AgentEvent, { type: Type }>[];
}

function folder(name: string): string {
  const path = join(home, name);
  mkdirSync(path, { recursive: true });
  execFileSync("git", ["init", "-q"], { cwd: path });
  return realpathSync(path);
}

async function open(options: Partial<OpenOptions> = {}): Promise<Talk> {
  const [events, asked]: [AgentEvent[], ToolRequest[]] = [[], []];
  const cwd = options.cwd ?? folder("work");
  const session = await adapter.open({
    ...place,
    permission: "workspace",
    toolServers: {},
    clock: systemClock,
    onEvent: (event) => void events.push(event),
    ...options,
    cwd,
    environment: { ...place.environment, ANABRANCH_MARKER: "marker-of-work", PWD: cwd, ...options.environment },
    gate: async (request) => {
      asked.push(request);
      return (await options.gate?.(request)) ?? { allow: true };
    },
  });
  const of: Talk["of"] = (type) =>
    events.filter((event): event is Extract<AgentEvent, { type: typeof type }> => event.type === type);
  return {
    session,
    events,
    asked,
    cwd,
    of,
    async turn(...steps) {
      const before = of("turn.end").length;
      await session.send({ text: scripted(...steps), when: "later" });
      await until(() => of("turn.end").length > before, "the end of the turn");
      return of("turn.end").at(-1) as TurnEnd;
    },
  };
}

const run = (cmd: string): Step => ({ tool: "exec_command", input: { cmd } });
const add = (path: string, line: string): Step => ({
  tool: "apply_patch",
  input: `*** Begin Patch\n*** Add File: ${path}\n+${line}\n*** End Patch\n`,
});
describe("codex", () => {
  it("is found with its version, and missed with the way to install it", async () => {
    expect(await adapter.detect(place)).toEqual({ found: true, path: place.program.command, version: "0.169.0" });
    const missing = await adapter.detect({ environment: { PATH: "/nowhere" } });
    expect(missing).toMatchObject({
      found: false,
      error: { code: "AGENT_MISSING", hint: expect.stringContaining("npm") },
    });
  });

  it("edits files, runs commands and tells of it", async () => {
    const talk = await open();
    writeFileSync(join(talk.cwd, "a.txt"), "hello\n");
    const end = await talk.turn(
      run("cat a.txt"),
      add("b.txt", "made"),
      run('echo "$ANABRANCH_MARKER at $PWD" > c.txt'),
      { text: "all done", usage: { input: 60, output: 10, cacheRead: 40 } },
    );
    expect(end).toMatchObject({ status: "completed", text: "all done" });
    expect(readFileSync(join(talk.cwd, "b.txt"), "utf8")).toBe("made\n");
    expect(readFileSync(join(talk.cwd, "c.txt"), "utf8")).toBe(`marker-of-work at ${talk.cwd}\n`);
    expect(talk.of("file")).toEqual([
      { type: "file", access: "read", path: join(talk.cwd, "a.txt") },
      { type: "file", access: "write", path: join(talk.cwd, "b.txt") },
    ]);
    expect(talk.asked.map(({ action, command, paths }) => command ?? [action, ...paths])).toEqual([
      "cat a.txt",
      ["write", join(talk.cwd, "b.txt")],
      'echo "$ANABRANCH_MARKER at $PWD" > c.txt',
    ]);
    expect(talk.of("tool.start")).toHaveLength(3);
    expect(talk.of("tool.end")).toMatchObject([{ ok: true, output: "hello\n" }, { ok: true }, { ok: true }]);
    const { usage, model } = talk.of("usage").at(-1) ?? {};
    expect(model).toBe("gpt-5.5");
    expect(usage).toMatchObject({ turns: 4, outputTokens: 40, cacheReadTokens: 40, inputTokens: 360 });
    expect(talk.of("context").at(-1)).toMatchObject({ window: expect.any(Number) });
    await talk.session.close();
  });

  it("leaves a file alone that the gate refuses, and tells the model why", async () => {
    const gate = (request: ToolRequest): Promise<GateAnswer> =>
      Promise.resolve(
        request.action === "write" ? { allow: false, reason: "LEASE: b.txt is held by docs" } : { allow: true },
      );
    const talk = await open({ gate });
    const end = await talk.turn(add("b.txt", "made"), { text: "understood" });
    expect(end).toMatchObject({ status: "completed", text: "understood" });
    expect(existsSync(join(talk.cwd, "b.txt"))).toBe(false);
    expect(talk.of("file")).toEqual([]);
    expect(talk.of("tool.end")).toMatchObject([{ ok: false }]);
    expect(lastBody()).toContain("LEASE: b.txt is held by docs");
  });

  it("runs no command that the gate refuses, and passes on the notes of the gate", async () => {
    const gate = ({ command }: ToolRequest): Promise<GateAnswer> =>
      Promise.resolve(
        command === "touch no" ? { allow: false, reason: "NOT-THIS" } : { allow: true, note: "NOTE: docs works here" },
      );
    const talk = await open({ gate });
    await talk.turn(run("touch no"), run("touch yes"), { text: "so be it" });
    expect([existsSync(join(talk.cwd, "no")), existsSync(join(talk.cwd, "yes"))]).toEqual([false, true]);
    expect(lastBody()).toContain("NOT-THIS");
    expect(lastBody()).toContain("NOTE: docs works here");
  });

  it("waits for the gate as long as a person takes", async () => {
    let approve: (answer: GateAnswer) => void = () => undefined;
    const talk = await open({ permission: "ask", gate: () => new Promise((resolve) => (approve = resolve)) });
    const ending = talk.turn(add("b.txt", "made"));
    await until(() => talk.asked.length === 1, "the question");
    expect(existsSync(join(talk.cwd, "b.txt"))).toBe(false);
    expect(talk.of("turn.end")).toEqual([]);
    approve({ allow: true });
    expect(await ending).toMatchObject({ status: "completed" });
    expect(existsSync(join(talk.cwd, "b.txt"))).toBe(true);
  });

  it("writes nothing where it may only read", async () => {
    const talk = await open({ permission: "read-only" });
    writeFileSync(join(talk.cwd, "a.txt"), "hello\n");
    await talk.turn(run("cat a.txt"), run("touch x; touch ../y"), add("b.txt", "made"), { text: "I cannot" });
    expect(readdirSync(talk.cwd).toSorted()).toEqual([".git", "a.txt"]);
    expect(existsSync(join(talk.cwd, "../y"))).toBe(false);
    expect(talk.of("tool.end")[0]).toMatchObject({ ok: true, output: "hello\n" });
  });

  it("hears a message at its next request, within the same turn", async () => {
    const talk = await open();
    const ending = talk.turn({ wait: "steered", ...run("true") }, { text: "heard" });
    await server.waitForRequest(({ step }) => step.wait === "steered");
    await talk.session.send({ text: "PLEASE HURRY", when: "next" });
    expect(talk.of("message.taken")).toEqual([]);
    server.release("steered");
    expect(await ending).toMatchObject({ status: "completed", text: "heard" });
    expect(talk.of("message.taken")).toEqual([{ type: "message.taken", text: "PLEASE HURRY" }]);
    expect(talk.of("turn.end")).toHaveLength(1);
    expect(lastBody()).toContain("PLEASE HURRY");
  });

  it("ends its turn for a message that is to come now, and begins another with it", async () => {
    const talk = await open();
    await talk.session.send({ text: scripted({ hang: true, text: "now" }), when: "later" });
    await server.waitForRequest(({ step }) => step.hang === true && step.text === "now");
    await talk.session.send({ text: scripted({ text: "changed course" }), when: "now" });
    await until(() => talk.of("turn.end").length === 2, "the end of both turns");
    expect(talk.of("turn.end")).toMatchObject([{ status: "completed" }, { text: "changed course" }]);
    expect(talk.of("message.taken")).toHaveLength(1);
  });

  it("takes what comes later when its turn is over", async () => {
    const talk = await open();
    const ending = talk.turn({ wait: "later", text: "first" });
    await server.waitForRequest(({ step }) => step.wait === "later");
    await talk.session.send({ text: scripted({ text: "second" }), when: "later" });
    server.release("later");
    expect(await ending).toMatchObject({ text: "first" });
    await until(() => talk.of("turn.end").length === 2, "the second turn");
    expect(talk.of("turn.end")[1]).toMatchObject({ status: "completed", text: "second" });
  });

  it("is interrupted while the model thinks, and takes another turn", async () => {
    const talk = await open();
    await talk.session.send({ text: scripted({ hang: true, text: "thinking" }), when: "later" });
    await server.waitForRequest(({ step }) => step.text === "thinking");
    await talk.session.interrupt();
    await until(() => talk.of("turn.end").length === 1, "the end of the turn");
    expect(talk.of("turn.end")).toMatchObject([{ status: "interrupted" }]);
    expect(await talk.turn({ text: "back" })).toMatchObject({ status: "completed", text: "back" });
  });

  it("is interrupted while a question waits for the gate", async () => {
    const talk = await open({ gate: () => new Promise(() => undefined) });
    const ending = talk.turn(add("b.txt", "made"));
    await until(() => talk.asked.length === 1, "the question");
    await talk.session.interrupt();
    expect(await ending).toMatchObject({ status: "interrupted" });
    expect(talk.of("tool.end")).toMatchObject([{ ok: false }]);
    expect(existsSync(join(talk.cwd, "b.txt"))).toBe(false);
  });

  it("copies a conversation into another folder while it goes on, and keeps its beginning word for word", async () => {
    const parent = await open();
    await parent.turn({ text: "I know now", usage: { input: 5000, output: 70 } });
    const ending = parent.turn({ wait: "forked", ...run("true") }, { text: "parent ends" });
    await server.waitForRequest(({ step }) => step.wait === "forked");
    const child = await open({
      cwd: folder("other"),
      forkFrom: { conversation: parent.session.conversation, directory: parent.cwd },
      system: "YOU ARE A COPY",
      environment: { ANABRANCH_MARKER: "marker-of-the-copy" },
    });
    expect(child.session.conversation).not.toBe(parent.session.conversation);
    await child.turn(run('echo "$ANABRANCH_MARKER" > who'), { text: "child ends" });
    const childBody = lastBody();
    server.release("forked");
    expect(await ending).toMatchObject({ text: "parent ends" });
    expect(readFileSync(join(child.cwd, "who"), "utf8")).toBe("marker-of-the-copy\n");
    const first = server.requests[firstOf(parent)]?.body ?? {};
    const ours = JSON.parse(childBody) as typeof first;
    // Compared as texts that are equal or not: a difference of this size is beyond what a test can show.
    const parts = ["instructions", "tools", "model"];
    expect(parts.filter((part) => JSON.stringify(ours[part]) !== JSON.stringify(first[part]))).toEqual([]);
    const [before, after] = [inputOf(first), inputOf(ours)];
    expect(before.findIndex((entry, index) => entry !== after[index])).toBe(-1);
    expect(childBody).toContain("YOU ARE A COPY");
    expect(child.of("usage").at(-1)?.usage).toMatchObject({ inputTokens: 200, outputTokens: 20, turns: 2 });
  });

  it("finds, copies and goes on with a conversation that a person has had in a folder", async () => {
    const cwd = folder("theirs");
    const args = ["exec", "--skip-git-repo-check", "-m", "gpt-5.5", scripted({ text: "theirs" })];
    const theirs = spawn(place.program.command, args, { cwd, env: place.environment, stdio: "ignore" });
    expect(await once(theirs, "close")).toEqual([0, null]);
    const found = (await adapter.conversations?.(place, cwd)) ?? [];
    expect(found).toMatchObject([
      { directory: cwd, model: "gpt-5.5", contextTokens: 110, title: expect.stringContaining("theirs") },
    ]);
    expect(await adapter.conversations?.(place, folder("elsewhere"))).toEqual([]);
    const conversation = found[0]?.id ?? "";
    const copy = await open({ forkFrom: { conversation, directory: cwd } });
    expect(await copy.turn({ text: "copied" })).toMatchObject({ text: "copied" });
    expect(lastBody()).toContain("theirs");
    const resumed = await open({ cwd, resume: conversation });
    expect(resumed.session.conversation).toBe(conversation);
    expect(await resumed.turn({ text: "gone on with" })).toMatchObject({ text: "gone on with" });
    expect(resumed.of("usage").at(-1)?.usage).toMatchObject({ inputTokens: 100, outputTokens: 10, turns: 1 });
  });

  it("says so when it knows no such conversation", async () => {
    const resume = "01a21949-0000-7b61-9a72-7ac950ed43ee";
    await expect(open({ resume })).rejects.toMatchObject({ code: "CONVERSATION_UNKNOWN" });
    const forkFrom = { conversation: "nonsense", directory: home };
    await expect(open({ forkFrom })).rejects.toMatchObject({ code: "CONVERSATION_UNKNOWN" });
  });

  it("holds itself to a strict schema, and says that it does not to any other", async () => {
    const schema = {
      type: "object",
      properties: { sum: { type: "number" } },
      required: ["sum"],
      additionalProperties: false,
    };
    const strict = await open({ schema });
    expect(strict.session.capabilities.structured).toBe(true);
    expect(await strict.turn({ text: '{"sum":3}' })).toMatchObject({ structured: { sum: 3 } });
    expect(server.requests.at(-1)?.body["text"]).toMatchObject({ format: { type: "json_schema", schema } });
    const loose = await open({ schema: { type: "object" } });
    expect(loose.session.capabilities.structured).toBe(false);
  });

  it("gives an agent the tools of a server of its own", async () => {
    const toolServers = {
      notes: { command: process.execPath, args: ["-e", NOTES_SERVER], environment: { SAYS: "hi" } },
    };
    const talk = await open({ toolServers });
    const end = await talk.turn({ tool: "note", namespace: "mcp__notes", input: { text: "x" } }, { text: "noted" });
    expect(end).toMatchObject({ text: "noted" });
    expect(talk.of("tool.start")).toMatchObject([{ request: { tool: "notes.note", action: "other" } }]);
    expect(talk.of("tool.end")).toMatchObject([{ ok: true, output: "hi marker-of-work" }]);
  });

  it("asks the gate also about what agents of the agent's own are about to do", async () => {
    const gate = ({ paths }: ToolRequest): Promise<GateAnswer> =>
      Promise.resolve(
        paths.some((path) => path.endsWith("no.txt")) ? { allow: false, reason: "HELD-BY-DOCS" } : { allow: true },
      );
    const talk = await open({ gate });
    const work = scripted(add("no.txt", "made"), add("yes.txt", "made"), { text: "the helper is done" });
    const ending = talk.turn(
      { tool: "spawn_agent", namespace: "multi_agent_v1", input: { message: work } },
      { wait: "helped", text: "both done" },
    );
    await until(() => existsSync(join(talk.cwd, "yes.txt")), "the helper's work");
    server.release("helped");
    expect(await ending).toMatchObject({ status: "completed" });
    expect([existsSync(join(talk.cwd, "no.txt")), existsSync(join(talk.cwd, "yes.txt"))]).toEqual([false, true]);
    expect(talk.of("file")).toEqual([{ type: "file", access: "write", path: join(talk.cwd, "yes.txt") }]);
    expect(talk.of("text").map(({ text }) => text)).not.toContain("the helper is done");
    expect(talk.of("turn.end")).toHaveLength(1);
  });

  it("ends a turn that takes more requests than it may", async () => {
    const talk = await open({ maxTurns: 2 });
    const end = await talk.turn(run("true"), run("true"), run("touch too-far"), { text: "never" });
    expect(end).toMatchObject({ status: "failed", failure: { reason: "turns" } });
    expect(existsSync(join(talk.cwd, "too-far"))).toBe(false);
    expect(await talk.turn(run("true"), { text: "in time" })).toMatchObject({ status: "completed", text: "in time" });
  });

  it.each<[Step, string]>([
    [{ status: 429 }, "rate-limit"],
    [{ status: 529 }, "overloaded"],
    [{ status: 503 }, "overloaded"],
    [{ status: 500 }, "server"],
    [{ status: 400 }, "invalid"],
    [{ status: 401 }, "login"],
    [{ cut: true }, "cut"],
  ])("tells why a turn failed: %j is %s", async (step, reason) => {
    const talk = await open();
    expect(await talk.turn(step)).toMatchObject({ status: "failed", failure: { reason } });
    expect(talk.of("gone")).toEqual([]);
  });

  it("tells that it tries again by itself", async () => {
    const settings = join(place.environment["CODEX_HOME"] ?? "", "config.toml");
    writeFileSync(settings, readFileSync(settings, "utf8").replace("stream_max_retries = 0", "stream_max_retries = 2"));
    const talk = await open();
    expect(await talk.turn({ status: 500, times: 1 }, { text: "at last" })).toMatchObject({ text: "at last" });
    expect(talk.of("retry")).toMatchObject([{ reason: "server" }]);
  });

  it("serves sessions of one environment from one process, each with its own variables", async () => {
    const one = await open({ cwd: folder("one"), environment: { ANABRANCH_MARKER: "one" } });
    const two = await open({ cwd: folder("two"), environment: { ANABRANCH_MARKER: "two" } });
    const other = await open({ cwd: folder("three"), environment: { EXTRA: "different" } });
    const say = run('echo "$ANABRANCH_MARKER $PPID $PWD" > who');
    const ends = await Promise.all([one, two, other].map((talk) => talk.turn(say)));
    expect(ends.map(({ status }) => status)).toEqual(["completed", "completed", "completed"]);
    expect(readFileSync(join(one.cwd, "who"), "utf8")).toMatch(new RegExp(`^one \\d+ ${one.cwd}$`, "m"));
    expect(readFileSync(join(two.cwd, "who"), "utf8")).toMatch(new RegExp(`^two \\d+ ${two.cwd}$`, "m"));
    expect(serverPids()).toHaveLength(2);
    await Promise.all([one, two, other].map(({ session }) => session.close()));
    await adapter.close();
    expect(serverPids()).toEqual([]);
  });

  it("tells all its sessions when the process dies, and starts another for the next", async () => {
    const [busy, idle] = [await open({ cwd: folder("busy") }), await open({ cwd: folder("idle") })];
    await busy.session.send({ text: scripted({ hang: true, text: "dying" }), when: "later" });
    await server.waitForRequest(({ step }) => step.text === "dying");
    for (const pid of serverPids()) process.kill(pid, "SIGKILL");
    await until(() => busy.of("gone").length + idle.of("gone").length === 2, "both to be told");
    expect(busy.events.slice(-2)).toMatchObject([
      { type: "turn.end", status: "failed" },
      { type: "gone", error: { code: "AGENT_GONE" } },
    ]);
    expect(idle.of("turn.end")).toEqual([]);
    await expect(busy.session.send({ text: "hello?", when: "next" })).rejects.toMatchObject({ code: "AGENT_GONE" });
    const again = await open({ cwd: busy.cwd, resume: busy.session.conversation });
    expect(await again.turn({ text: "alive" })).toMatchObject({ status: "completed", text: "alive" });
  });

  it("ends the turn of a session that is closed", async () => {
    const talk = await open();
    await talk.session.send({ text: scripted({ hang: true, text: "closing" }), when: "later" });
    await server.waitForRequest(({ step }) => step.text === "closing");
    await talk.session.close();
    expect(talk.of("turn.end")).toMatchObject([{ status: "interrupted" }]);
    expect(talk.of("gone")).toEqual([]);
    await expect(talk.session.send({ text: "x", when: "now" })).rejects.toMatchObject({ code: "AGENT_GONE" });
    const again = await open({ resume: talk.session.conversation });
    expect(await again.turn({ text: "again" })).toMatchObject({ text: "again" });
  });

  it("says that a person must log in, before anything is sent", async () => {
    const CODEX_HOME = join(home, "nobody");
    mkdirSync(CODEX_HOME);
    await expect(open({ environment: { CODEX_HOME } })).rejects.toMatchObject({
      code: "AGENT_LOGIN",
      hint: "codex login",
    });
  });

  it("does not work with a program that is too old, and names both versions", async () => {
    const command = join(home, "codex");
    writeFileSync(command, "#!/bin/sh\necho codex-cli 0.9.1\n", { mode: 0o755 });
    await expect(open({ program: { command, args: [] } })).rejects.toMatchObject({
      code: "AGENT_TOO_OLD",
      message: expect.stringMatching(/0\.9\.1 is too old: 0\.169\.0/),
    });
  });

  it("says so when the program is no app server", async () => {
    const command = join(home, "codex");
    writeFileSync(command, '#!/bin/sh\n[ "$1" = --version ] && echo codex-cli 0.169.0 && exit\necho no >&2; exit 3\n', {
      mode: 0o755,
    });
    await expect(open({ program: { command, args: [] } })).rejects.toMatchObject({ code: "AGENT_FAILED" });
  });
});

function lastBody(): string {
  return server.requests.at(-1)?.text ?? "";
}

function firstOf({ cwd }: Talk): number {
  return server.requests.findIndex(({ text }) => text.includes(`<cwd>${cwd}</cwd>`));
}

function inputOf(body: Readonly<Record<string, unknown>>): string[] {
  return (body["input"] as Record<string, unknown>[]).map((entry) => JSON.stringify({ ...entry, id: undefined }));
}

/** The app servers of this test's home. */
function serverPids(): number[] {
  const isOurs = (pid: string): boolean => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return words.includes("app-server") && environment.includes(`CODEX_HOME=${place.environment["CODEX_HOME"]}`);
    } catch {
      return false;
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && isOurs(name))
    .map(Number);
}

// The least that a server of tools is: one tool that says what its environment holds.
const NOTES_SERVER = `
const answers = {
  initialize: ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "notes", version: "1" } }),
  "tools/list": () => ({ tools: [{ name: "note", inputSchema: { type: "object" } }] }),
  "tools/call": () => ({ content: [{ type: "text", text: process.env.SAYS + " " + process.env.ANABRANCH_MARKER }] }),
};
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const result = answers[method]?.(params);
  console.log(JSON.stringify({ jsonrpc: "2.0", id, ...(result ? { result } : { error: { code: -32601, message: "no" } }) }));
});
`;
