import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { createClaudeAdapter } from "../../src/agents/claude/adapter.ts";
import type { OpenOptions } from "../../src/agents/port.ts";
import { systemClock } from "../../src/base/clock.ts";
import { makeHome } from "../fixtures/home.ts";
import { makeRepository, writeFiles } from "../fixtures/repository.ts";
import { startModelServer, type ModelRequest, type ModelServer } from "./model-server.ts";
import { agentHome, agentPlace, agentSdkFolder, type Place } from "./places.ts";
import { scripted, type Step } from "./script.ts";
import { record, type Recorded } from "./sessions.ts";

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.close());

const adapter = createClaudeAdapter(systemClock);

interface Bench {
  readonly home: string;
  readonly cwd: string;
  readonly place: Place;
  readonly open: (native: object, extra?: Partial<OpenOptions>) => Promise<Recorded>;
}

function bench(): Bench {
  const home = realpathSync(agentHome());
  const cwd = join(home, "project");
  mkdirSync(cwd);
  const place = agentPlace("claude", server, home);
  const open: Bench["open"] = (native, extra) =>
    record(adapter, place, { cwd, native: { name: "smith", ...native }, ...extra });
  return { home, cwd, place, open };
}

const hook = (event: string, command: string, more: object = {}): object => ({
  event,
  action: { type: "command", command },
  ...more,
});
const answer = (output: object): string => `echo '${JSON.stringify({ hookSpecificOutput: output })}'`;
const write = (path: string): Step => ({ tool: "Write", input: { file_path: path, content: "written\n" } });
const bash = (command: string): Step => ({ tool: "Bash", input: { command } });

function requestsOf({ session }: Recorded): ModelRequest[] {
  return server.requests.filter(({ headers }) => headers["x-claude-code-session-id"] === session.conversation);
}

const WAYS = [
  ["the program", () => undefined],
  ["the SDK", () => agentSdkFolder()],
] as const;

describe.each(WAYS)("what a definition brings, with Claude Code through %s", (_way, sdk) => {
  beforeAll(() => {
    const folder = sdk();
    if (folder !== undefined) process.env["ANABRANCH_CLAUDE_SDK"] = folder;
  });
  afterAll(() => {
    delete process.env["ANABRANCH_CLAUDE_SDK"];
  });

  it("runs hooks at their events, for the tools they match, with what Claude Code says of the event", async () => {
    const { cwd, open } = bench();
    const one = await open({
      hooks: [
        hook("UserPromptSubmit", "echo anvils are heavy"),
        hook("PostToolUse", "cat > after.json", { matcher: "Bash" }),
        hook("PostToolUse", "touch never", { matcher: "Edit" }),
        hook("Stop", 'test -f stopped || { touch stopped; echo "one more thing" >&2; exit 2; }'),
      ],
    });
    expect(await one.turn(scripted(bash("echo hi"), { text: "fine" }))).toMatchObject({ status: "completed" });

    expect(JSON.parse(readFileSync(join(cwd, "after.json"), "utf8"))).toMatchObject({
      hook_event_name: "PostToolUse",
      tool_input: { command: "echo hi" },
    });
    expect(existsSync(join(cwd, "never"))).toBe(false);
    expect(requestsOf(one)[0]?.text).toContain("anvils are heavy");
    expect(requestsOf(one).at(-1)?.text).toContain("one more thing");
    expect(one.of("remark")).toEqual([]);
  });

  it("refuses what the gate refuses, whatever a hook allows, and what a hook refuses, whatever the gate allows", async () => {
    const { cwd, open } = bench();
    const [held, kept, free] = ["held.txt", "kept.txt", "free.txt"].map((name) => join(cwd, name)) as [
      string,
      string,
      string,
    ];
    const allow = { hookEventName: "PreToolUse", permissionDecision: "allow" };
    const one = await open(
      {
        hooks: [
          hook("PreToolUse", answer({ ...allow, updatedInput: { file_path: held, content: "round about" } })),
          hook("PreToolUse", "if grep -q kept.txt; then echo it is kept >&2; exit 2; fi"),
        ],
      },
      {
        gate: ({ paths }) =>
          Promise.resolve(paths.includes(held) ? { allow: false, reason: "held by agent-7" } : { allow: true }),
      },
    );
    await one.turn(scripted(write(held), write(kept), write(free), { text: "fine" }));

    expect([held, kept, free].map((path) => existsSync(path))).toEqual([false, false, true]);
    expect(readFileSync(free, "utf8")).toBe("written\n");
    const text = requestsOf(one).at(-1)?.text;
    expect(text).toContain("held by agent-7");
    expect(text).toContain("it is kept");
    expect(one.of("remark")[0]?.text).toContain("wanted to change what was asked for");
  });

  it("begins with the agent's memory and its first prompt, and copies of the conversation keep what it began with", async () => {
    const { home, cwd, open } = bench();
    writeFiles(cwd, { ".claude/agent-memory/smith/MEMORY.md": "The hammer is blue.", "CLAUDE.md": "Always whistle." });
    const system = "You are a smith.";
    const native = { memory: "project", initialPrompt: "Light the fire." };
    const one = await open(native, { system });
    expect(await one.turn(scripted(bash("echo hi"), { text: "fine" }))).toMatchObject({ text: "fine" });
    const [first, second] = requestsOf(one);
    expect(first?.text).toContain("Light the fire.");
    for (const words of ["The hammer is blue.", "You are a smith.", "Always whistle."])
      expect(second?.text).toContain(words);
    expect(one.ends()).toHaveLength(1);

    const elsewhere = join(home, "elsewhere");
    mkdirSync(elsewhere);
    const forkFrom = { conversation: one.session.conversation, directory: cwd };
    const child = await open(native, { system, cwd: elsewhere, forkFrom });
    await child.turn(scripted({ text: "as well" }));
    expect(requestsOf(child)).toHaveLength(1);
    for (const part of ["system", "tools"])
      expect(requestsOf(child)[0]?.body[part]).toEqual(requestsOf(one).at(-1)?.body[part]);
  });

  it("connects to servers of tools by their address, and starts those of the user by their names", async () => {
    const { home, cwd, open } = bench();
    const asked: string[] = [];
    const remote = createServer((request, response) => {
      asked.push(String(request.headers["x-key"]));
      response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => remote.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void remote.close());
    const { port } = remote.address() as { port: number };
    const started = (name: string): object => ({ command: "touch", args: [join(cwd, name)] });
    writeFileSync(
      join(home, ".claude.json"),
      JSON.stringify({ mcpServers: { mine: started("MINE"), other: started("OTHER") } }),
    );
    const url = `http://127.0.0.1:${port}/mcp`;
    const one = await open({
      mcpServers: [
        { name: "far", server: { type: "http", url, headers: { "x-key": "invented" } } },
        { name: "mine" },
        { name: "nobodys" },
      ],
    });
    await one.turn(scripted({ text: "fine" }));

    expect(asked).toContain("invented");
    expect([existsSync(join(cwd, "MINE")), existsSync(join(cwd, "OTHER"))]).toEqual([true, false]);
    expect(one.of("remark").map(({ text }) => text)).toEqual([
      "there is no tool server nobodys in the user's own settings",
    ]);
  });
});

describe("a repository's definition with a hook", () => {
  it("is used only after it was agreed to; its hook then runs, and allows nothing that its permission refuses", async () => {
    const home = makeHome();
    const place = agentPlace("claude", server, agentHome());
    const PATH = `${dirname(place.program.command)}:${place.environment["PATH"]}`;
    const anabranch = home.client({ ...home.environment, ...place.environment, PATH });
    const mark = join(realpathSync(agentHome()), "ran");
    const definition = [
      "---",
      "name: smith",
      "description: forges",
      "hooks:",
      "  PreToolUse:",
      `    - hooks: [{ type: command, command: "echo '{\\"hookSpecificOutput\\":{\\"hookEventName\\":\\"PreToolUse\\",\\"permissionDecision\\":\\"allow\\"}}'" }]`,
      "  PostToolUse:",
      `    - { matcher: Bash, hooks: [{ type: command, command: "touch ${mark}" }] }`,
      "---",
      "You are a smith.",
    ].join("\n");
    const root = makeRepository({
      ".claude/agents/smith.md": definition,
      "a.txt": "a\n",
      "anabranch.yaml": "agents: { forge: { from: .claude/agents/smith.md, permission: read-only } }\n",
    });
    const prompt = `Do it. ${scripted(bash("echo c > c.txt"), { tool: "Write", input: { file_path: "b.txt", content: "b" } }, { text: "fine" })}`;
    const run = async (agent: string) =>
      (await anabranch.start({ directory: root, tasks: { work: { agent, prompt } } })).wait();
    await expect(run("smith")).rejects.toMatchObject({ code: "AGENT_UNTRUSTED" });
    expect(existsSync(mark)).toBe(false);

    const shown = await anabranch.agent("smith", root);
    expect(shown.honoured).toEqual(["a hook on PreToolUse", "a hook on PostToolUse of Bash"]);
    expect(shown.remarks).toEqual([]);
    for (const name of ["smith", "forge"]) await anabranch.trustAgent(await anabranch.agent(name, root), root);
    const [free] = (await run("smith")).taskList;
    expect(existsSync(mark)).toBe(true);
    expect(free?.attempts[0]?.changeset?.changes.map(({ path }) => path)).toEqual(["b.txt", "c.txt"]);

    rmSync(mark);
    const [held] = (await run("forge")).taskList;
    expect(held?.outcome).toBe("succeeded");
    expect(held?.attempts[0]?.changeset?.changes ?? []).toEqual([]);
    expect(existsSync(mark)).toBe(false);
    anabranch.close();
  }, 60_000);
});
