import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { AgentDefinition } from "../../../src/workflows/agent-definition.ts";
import { loadAgents, userFolderOf, type AgentDefinitions } from "../../../src/workflows/agents.ts";
import { repositoryFile, type RepositoryFile } from "../../../src/workflows/schema.ts";
import { refused } from "../../fixtures/refused.ts";
import { temporaryFolder, writeFiles } from "../../fixtures/repository.ts";

/** The text of an agent's file. */
const agent = (name: string, ...lines: string[]): string =>
  ["---", `name: ${name}`, "description: d", ...lines, "---", `You are ${name}.`].join("\n");

interface Place {
  readonly root: string;
  readonly home: string;
  load(agents?: RepositoryFile["agents"], directory?: string): Promise<AgentDefinitions>;
}

/** A repository's root and a home with these files of agents in them, by their paths below `.claude/agents`. */
function makePlace(project: Readonly<Record<string, string>>, own: Readonly<Record<string, string>> = {}): Place {
  const folder = temporaryFolder();
  const [root, home] = [join(folder, "root"), join(folder, "home")];
  for (const place of [root, home]) mkdirSync(join(place, ".claude/agents"), { recursive: true });
  writeFiles(join(root, ".claude/agents"), project);
  writeFiles(join(home, ".claude/agents"), own);
  const load = (agents?: RepositoryFile["agents"], directory?: string): Promise<AgentDefinitions> =>
    loadAgents({ root, directory, userFolder: join(home, ".claude"), file: repositoryFile.parse({ agents }) });
  return { root, home, load };
}

/** What a declaration makes of a file with these lines. */
async function fitted(lines: readonly string[], declaration: object): Promise<AgentDefinition> {
  const place = makePlace({ "a.md": agent("a", ...lines) });
  return (await place.load({ one: { from: ".claude/agents/a.md", ...declaration } })).get("one");
}

const namesOf = (agents: AgentDefinitions): string[] => agents.all.map(({ name }) => name);
const KINDS = ["claude", "codex", "opencode", "acp"];

describe("the agents of a repository", () => {
  it("are the kinds themselves, where nobody wrote any", async () => {
    const agents = await makePlace({}).load();
    expect(namesOf(agents)).toEqual(KINDS);
    expect(agents.get("codex")).toMatchObject({ kind: "codex", source: "built in", wants: [], remarks: [] });
  });

  it("are found in all folders below .claude/agents, by the names that they say, and not by those of their files", async () => {
    const agents = await makePlace({ "x.md": agent("reviewer"), "deep/down/y.md": agent("fixer") }).load();
    expect(namesOf(agents)).toEqual([...KINDS, "fixer", "reviewer"]);
    expect(agents.get("fixer")).toMatchObject({
      source: ".claude/agents/deep/down/y.md",
      system: "You are fixer.",
      kind: "claude",
    });
  });

  it("are no pages that stand beside them, and no files of another kind", async () => {
    const agents = await makePlace({ "README.md": "# Our agents\n", "x.txt": agent("x"), "X.MD": agent("y") }).load();
    expect(namesOf(agents)).toEqual(KINDS);
    expect(agents.broken).toEqual([]);
  });

  it("win over the user's own of the same name, and lose against those of anabranch.yaml", async () => {
    const place = makePlace({ "a.md": agent("a"), "b.md": agent("b") }, { "a.md": agent("a"), "c.md": agent("c") });
    const agents = await place.load({ b: { kind: "codex" } });
    expect(agents.get("a").source).toBe(".claude/agents/a.md");
    expect(agents.get("c").source).toBe(join(place.home, ".claude/agents/c.md"));
    expect(agents.get("b")).toMatchObject({ source: "anabranch.yaml", kind: "codex", system: undefined });
    expect(agents.get("b").remarks).toEqual([expect.stringContaining("from: .claude/agents/b.md would read it")]);
  });

  it("may be named like a kind, and then stand for it", async () => {
    const agents = await makePlace({ "a.md": agent("claude", "model: opus") }).load();
    expect(agents.get("claude")).toMatchObject({ source: ".claude/agents/a.md", model: "opus" });
  });

  it("count from where the caller stands up to the root, the nearest first", async () => {
    const place = makePlace({ "a.md": agent("a", "model: opus"), "b.md": agent("b") });
    const inner = join(place.root, "packages/web");
    writeFiles(join(inner, ".claude/agents"), { "a.md": agent("a", "model: haiku") });
    writeFiles(join(place.root, "other/.claude/agents"), { "c.md": agent("c") });
    expect((await place.load()).get("a").model).toBe("opus");
    const agents = await place.load(undefined, inner);
    expect(agents.get("a")).toMatchObject({ model: "haiku", source: "packages/web/.claude/agents/a.md" });
    expect(namesOf(agents)).toEqual([...KINDS, "a", "b"]);
  });

  it("are the user's own where the home itself is the repository", async () => {
    const place = makePlace({ "a.md": agent("a", "mcpServers: [{ s: { command: x } }]") });
    const agents = await loadAgents({ root: place.root, userFolder: join(place.root, ".claude"), file: {} });
    expect(agents.get("a")).toMatchObject({ wants: [], source: join(place.root, ".claude/agents/a.md") });
  });

  it("that do not exist are told with the one that was meant", async () => {
    const agents = await makePlace({ "a.md": agent("reviewer") }).load();
    const error = await refused(
      Promise.resolve().then(() => agents.get("reviwer")),
      "AGENT_UNKNOWN",
    );
    expect(error.hint).toContain("did you mean reviewer?");
  });
});

describe("the user's own agents", () => {
  it.each([
    [{ HOME: "/home/ada" }, "/home/ada/.claude"],
    [{ HOME: "/home/ada", CLAUDE_CONFIG_DIR: "/etc/claude" }, "/etc/claude"],
    [{ HOME: "/home/ada", CLAUDE_CONFIG_DIR: "relative" }, "/home/ada/.claude"],
    [{ HOME: "relative" }, undefined],
    [{}, undefined],
  ])("with %j are in %s", (environment, folder) => {
    expect(userFolderOf(environment)).toBe(folder);
  });
});

describe("an agent that is not in order", () => {
  it("fails whoever names it, with file, line and column, and leaves the others alone", async () => {
    const place = makePlace({ "bad.md": '---\nname: "bad\n---\n', "good.md": agent("good") });
    const agents = await place.load();
    expect(namesOf(agents)).toEqual([...KINDS, "good"]);
    expect(agents.broken).toMatchObject([{ name: "bad", source: ".claude/agents/bad.md" }]);
    const error = await refused(
      Promise.resolve().then(() => agents.get("bad")),
      "AGENT_INVALID",
    );
    expect(error.data).toMatchObject({ file: join(place.root, ".claude/agents/bad.md"), line: 3, column: 1 });
  });

  it.each([
    ["name", "---\ndescription: d\n---\n"],
    ["description", "---\nname: bad\n---\n"],
  ])("for want of a %s is told so", async (key, text) => {
    const { broken } = await makePlace({ "bad.md": text }).load();
    expect(broken).toMatchObject([{ name: "bad", error: { code: "AGENT_INVALID" } }]);
    expect(broken[0]?.error.message).toMatch(new RegExp(`bad\\.md:1:1: ${key} is missing$`));
  });

  it("because two files of one place have its name is told with both", async () => {
    const place = makePlace({ "a.md": agent("same"), "sub/b.md": agent("same"), "c.md": agent("other") });
    const agents = await place.load();
    const error = await refused(
      Promise.resolve().then(() => agents.get("same")),
      "AGENT_INVALID",
    );
    const files = ["a.md", "sub/b.md"].map((name) => join(place.root, ".claude/agents", name));
    expect(error.data).toEqual({ agent: "same", files });
    for (const file of files) expect(error.message).toContain(file);
    expect(namesOf(agents)).toContain("other");
  });

  it("is not replaced by the user's own of that name", async () => {
    const agents = await makePlace({ "a.md": '---\nname: "a\n---\n' }, { "a.md": agent("a") }).load();
    await refused(
      Promise.resolve().then(() => agents.get("a")),
      "AGENT_INVALID",
    );
  });

  it.each([
    ["too large", "x".repeat(97 * 1024), "larger than 96 KiB"],
    ["not in UTF-8", Buffer.from([0x2d, 0x2d, 0x2d, 0x0a, 0xc3, 0x28]), "not a text in UTF-8"],
    ["not a text", "---\nname: a\0\n---\n", "not a text in UTF-8"],
  ])("because its file is %s is told so", async (_, content, why) => {
    const place = makePlace({});
    writeFileSync(join(place.root, ".claude/agents/bad.md"), content);
    const { broken } = await place.load();
    expect(broken.map(({ name }) => name)).toEqual(["bad"]);
    expect(broken[0]?.error).toMatchObject({ code: "AGENT_INVALID", message: expect.stringContaining(why) });
  });

  it("because its file is a pipe is told so, and nothing waits for the other end", async () => {
    const place = makePlace({});
    execFileSync("mkfifo", [join(place.root, ".claude/agents/pipe.md")]);
    const { broken } = await place.load();
    expect(broken[0]?.error.message).toContain("it is not a file");
  });

  it("because its file, or the folder it is in, leads out of the repository is told so", async () => {
    const place = makePlace({}, { "mine.md": agent("mine"), "deep/theirs.md": agent("theirs") });
    symlinkSync(join(place.home, ".claude/agents/mine.md"), join(place.root, ".claude/agents/link.md"));
    symlinkSync(join(place.home, ".claude/agents/deep"), join(place.root, ".claude/agents/out"));
    const agents = await loadAgents({ root: place.root, userFolder: undefined, file: {} });
    expect(namesOf(agents)).toEqual(KINDS);
    expect(agents.broken.map(({ name }) => name)).toEqual(["link", "out"]);
    for (const { error } of agents.broken) expect(error.message).toContain("leads out of the repository");
  });

  it("is not every link: one inside of the repository is followed, in a circle once, and to nothing not at all", async () => {
    const place = makePlace({ "a.md": agent("a") });
    const folder = join(place.root, ".claude/agents");
    symlinkSync("a.md", join(folder, "z.md"));
    symlinkSync(".", join(folder, "again"));
    symlinkSync("nowhere.md", join(folder, "lost.md"));
    const agents = await place.load();
    expect(namesOf(agents)).toEqual([...KINDS, "a"]);
    expect(agents.broken).toEqual([]);
  });

  it("may begin with a mark of byte order all the same", async () => {
    const place = makePlace({ "a.md": `\uFEFF${agent("a")}` });
    expect(namesOf(await place.load())).toContain("a");
  });
});

describe("from:", () => {
  it("reads a file, and what stands beside it wins", async () => {
    const lines = ["model: opus", "maxTurns: 9", "tools: Read, Edit"];
    expect(await fitted(lines, { model: "haiku", permission: "ask", budget: { usd: 1 } })).toMatchObject({
      name: "one",
      source: "anabranch.yaml, .claude/agents/a.md",
      description: "d",
      system: "You are a.",
      model: "haiku",
      tools: ["Read", "Edit"],
      permission: "ask",
      budget: { turns: 9, usd: 1 },
    });
    expect(await fitted(lines, { prompt: "No.", tools: "Bash", budget: { turns: 2 } })).toMatchObject({
      system: "No.",
      tools: ["Bash"],
      budget: { turns: 2 },
    });
  });

  it("may name a file without front matter: all of it is the prompt", async () => {
    const place = makePlace({});
    writeFiles(place.root, { "prompts/x.md": "Be kind.\n" });
    expect((await place.load({ x: { from: "prompts/x.md" } })).get("x")).toMatchObject({ system: "Be kind." });
  });

  it.each([
    ["is not there", "nowhere.md", "it is not there"],
    ["is a folder", ".claude", "it is not a file"],
    ["leads out of the repository", "out.md", "leads out of the repository"],
  ])("that %s breaks that agent alone", async (_, from, why) => {
    const place = makePlace({});
    symlinkSync("/etc/hostname", join(place.root, "out.md"));
    const agents = await place.load({ x: { from }, y: {} });
    const error = await refused(
      Promise.resolve().then(() => agents.get("x")),
      "AGENT_INVALID",
    );
    expect(error.message).toContain(why);
    expect(agents.get("y").kind).toBe("claude");
  });
});

describe("a file that was written for Claude Code", () => {
  it("gives another kind its text, turns and servers, and says what of its tools it cannot honour", async () => {
    const lines = ["tools: Read, Bash", "maxTurns: 3", "mcpServers: [{ s: { command: x } }]"];
    expect(await fitted(lines, { kind: "codex" })).toMatchObject({
      kind: "codex",
      system: "You are a.",
      tools: undefined,
      permission: "workspace",
      budget: { turns: 3 },
      toolServers: { s: { command: "x", args: [], environment: {} } },
      remarks: [
        "tools: Read, Bash are tools of claude, which codex cannot be held to; it may use whatever its permission allows",
      ],
    });
  });

  it.each([
    ["tools that only read", "tools: Read, Grep, Glob, WebFetch"],
    ["no tools at all", "tools: []"],
    ["all that writes forbidden", "disallowedTools: Edit, Write, Bash"],
    ["permissionMode: plan", "permissionMode: plan"],
  ])("with %s makes another kind read only", async (_, line) => {
    expect((await fitted([line], { kind: "acp" })).permission).toBe("read-only");
    expect((await fitted([line], { kind: "acp", permission: "workspace" })).permission).toBe("workspace");
  });

  it("that forbids only some of what writes makes no kind read only", async () => {
    const { permission, remarks } = await fitted(["disallowedTools: Edit"], { kind: "codex" });
    expect(permission).toBe("workspace");
    expect(remarks).toEqual([expect.stringMatching(/^disallowedTools: Edit are tools of claude/)]);
  });

  it.each([
    ["claude", "opus", "opus"],
    ["claude", "claude-opus-5", "claude-opus-5"],
    ["codex", "opus", undefined],
    ["codex", "gpt-5.5", "gpt-5.5"],
    ["opencode", "sonnet", undefined],
    ["opencode", "anthropic/claude-opus-5", "anthropic/claude-opus-5"],
    ["acp", "sonnet", undefined],
    ["acp", "gemini-3-pro", "gemini-3-pro"],
  ])("gives %s the model %s only if it is one of its own", async (kind, model, expected) => {
    const definition = await fitted([`model: ${model}`], { kind });
    expect(definition.model).toBe(expected);
    expect(definition.remarks).toHaveLength(expected === undefined ? 1 : 0);
  });

  it.each([
    ["model: sonet", 'model sonet is passed on, though claude is not known to have it; did you mean "sonnet"?'],
    ["tools: Raed", 'there is no tool Raed; did you mean "Read"?'],
    ["disallowedTools: 'Bahs(rm:*)'", 'there is no tool Bahs; did you mean "Bash"?'],
    ["isolation: worktree", "isolation has no meaning here: each task has a workspace of its own"],
    ["skills: x", "skills are not read beforehand"],
    ["omitClaudeMd: true", "omitClaudeMd is not honoured: Claude Code does not do so"],
    ["memory: team", 'memory "team" is not known and left out; known: user, project, local'],
    ["mcpServers: [{ s: { type: ws, url: 'ws://x' } }]", "mcpServers: s is left out: only servers with command"],
  ])("with %s says so: %s", async (line, remark) => {
    expect((await fitted([line], {})).remarks).toEqual([expect.stringContaining(remark)]);
  });

  it.each([
    ["codex", "high", "high", 0],
    ["codex", "max", undefined, 1],
    ["opencode", "max", "max", 0],
  ])("gives %s the effort %s only if it may know it", async (kind, effort, expected, remarks) => {
    const definition = await fitted([`effort: ${effort}`], { kind });
    expect(definition.effort).toBe(expected);
    expect(definition.remarks).toHaveLength(remarks);
  });

  it("may name tools of servers, and rules", async () => {
    expect((await fitted(["tools: mcp__s__t, Bash(git log:*), Task"], {})).remarks).toEqual([]);
  });

  it("says that its hooks are not run", async () => {
    const lines = ["hooks: { Stop: [{ hooks: [{ type: command, command: x }] }] }"];
    expect((await fitted(lines, { kind: "codex" })).remarks).toEqual([expect.stringContaining("hooks are not run")]);
  });
});

describe("what of a file is left to Claude Code itself", () => {
  const lines = [
    "memory: project",
    "initialPrompt: /warm-up",
    "mcpServers: [mine, { far: { type: http, url: 'https://x/mcp' } }, { s: { command: x } }]",
    "hooks: { Stop: [{ matcher: m, hooks: [{ type: command, command: x, timeout: 5 }] }] }",
  ];

  it("is carried as it stands there, and told", async () => {
    const { native, honoured, remarks, toolServers } = await fitted(lines, {});
    expect(native).toEqual({
      name: "a",
      memory: "project",
      initialPrompt: "/warm-up",
      mcpServers: [{ name: "mine" }, { name: "far", server: { type: "http", url: "https://x/mcp" } }],
      hooks: [{ event: "Stop", matcher: "m", action: { type: "command", command: "x", timeout: 5 } }],
    });
    expect(Object.keys(toolServers)).toEqual(["s"]);
    expect(honoured).toEqual([
      "a hook on Stop of m",
      "the tool server mine",
      "the tool server far",
      "memory: project",
      "initialPrompt",
      "the text, as its whole system prompt",
    ]);
    expect(remarks).toEqual([]);
  });

  it("is agreed to first, where it reaches beyond the text", async () => {
    expect((await fitted(lines, {})).wants).toEqual([
      "starts the tool server s: x",
      "is given your own tool server mine",
      'connects to the tool server far: {"type":"http","url":"https://x/mcp"}',
      'has a hook on Stop of m: {"type":"command","command":"x","timeout":5}',
      'begins with the command "/warm-up"',
    ]);
    expect((await fitted(["initialPrompt: Hello."], {})).wants).toEqual([]);
  });

  it("means nothing to another kind, which says so", async () => {
    const { native, honoured, remarks, wants } = await fitted(lines, { kind: "codex" });
    expect({ native, honoured }).toEqual({ native: undefined, honoured: [] });
    expect(remarks).toEqual([
      "mcpServers: mine is left out: it is described elsewhere, not here",
      "mcpServers: far is left out: only servers with command, args and env can be passed on",
      expect.stringContaining("hooks are not run"),
      "memory is not honoured: only Claude Code itself knows it",
      "initialPrompt is not honoured: only Claude Code itself knows it",
    ]);
    expect(wants).toHaveLength(2);
  });

  it.each([
    ["SessionStart", "{ type: command, command: x }", "only those on"],
    ["PermissionRequest", "{ type: command, command: x }", "what the agent may do is for its permission to say"],
    ["Stop", "{ type: http, url: x }", "only hooks of type command are"],
    ["Stop", "{ type: command }", "it has no command"],
    ["Stop", "{ type: command, command: x, args: y }", "its args are no list"],
    ["Stop", "{ type: command, command: x, timeout: soon }", "its timeout is no number"],
    ["PreToolUse", "{ type: command, command: x, if: Bash(git *) }", "its if cannot be honoured"],
  ])("is no hook on %s that is %s", async (event, action, why) => {
    const { native, remarks } = await fitted([`hooks: { ${event}: [{ hooks: [${action}] }] }`], {});
    expect(native).toBeUndefined();
    expect(remarks).toEqual([expect.stringContaining(`its hook on ${event} is not run: ${why}`)]);
  });
});

describe("an agent of anabranch.yaml", () => {
  it.each([
    ["codex", { tools: ["shell"] }, ["codex cannot be held to a list of tools; permission is what it can be held to"]],
    ["acp", { disallowedTools: "x" }, ["acp cannot be held to a list of tools; permission is what it can be held to"]],
    ["opencode", { tools: ["bash"] }, []],
    [
      "claude",
      { model: "opsu" },
      ['model opsu is passed on, though claude is not known to have it; did you mean "opus"?'],
    ],
    ["codex", { model: "opus" }, ["model opus is passed on, though codex is not known to have it"]],
    ["codex", { model: "gpt-5.5" }, []],
  ] as const)("of kind %s with %j says what is odd", async (kind, declaration, remarks) => {
    const agents = await makePlace({}).load({ one: { kind, ...declaration } } as RepositoryFile["agents"]);
    expect(agents.get("one").remarks).toEqual(remarks);
  });
});

describe("what an agent brings", () => {
  it("is told in lines that hide nothing", async () => {
    const lines = [
      "mcpServers: [{ 's\\e[2K': { command: npx, args: [-y, 'a b'], env: { TOKEN: 'x\\ny' } } }]",
      "hooks: { Stop: [{ matcher: 'a b', hooks: [{ type: command, command: 'rm -rf x' }] }] }",
      "permissionMode: bypassPermissions",
    ];
    const { wants } = await fitted(lines, { program: ["./x", "--y"], toolServers: { t: { command: "t" } } });
    expect(wants).toEqual([
      "is run by the program ./x --y",
      String.raw`starts the tool server "s\\e[2K": npx -y "a b" with TOKEN="x\\ny"`,
      "starts the tool server t: t",
      'has a hook on Stop of "a b": {"type":"command","command":"rm -rf x"}',
      "wants never to be asked: permissionMode bypassPermissions",
    ]);
  });

  it("shows control characters as escapes", async () => {
    const lines = [String.raw`mcpServers: [{ s: { command: "a\e[2K\u202eb" } }]`];
    expect((await fitted(lines, {})).wants).toEqual([String.raw`starts the tool server s: "a\u001b[2K\u202eb"`]);
  });

  it("has one name for the same, and another for anything else, whatever its text says", async () => {
    const hash = async (...lines: string[]): Promise<string> => (await fitted(lines, {})).contentHash;
    const server = (args: string): string => `mcpServers: [{ s: { command: x, args: ${args} } }]`;
    const first = await hash(server("[a b, c]"));
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await hash("model: opus", server("[a b, c]"))).toBe(first);
    for (const other of ["[a, b, c]", "[a, b c]", "[a b, d]"]) expect(await hash(server(other))).not.toBe(first);
    expect(await hash("model: opus")).toBe("");
  });

  it("is nobody's business where it is the user's own", async () => {
    const lines = ["mcpServers: [{ s: { command: x } }]", "permissionMode: bypassPermissions"];
    const agents = await makePlace({}, { "a.md": agent("a", ...lines) }).load();
    expect(agents.get("a")).toMatchObject({ wants: [], contentHash: "", toolServers: { s: {} } });
  });
});
