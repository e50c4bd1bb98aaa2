import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { AgentDefinitionView } from "../../src/protocol/views.ts";
import { DIST, makeHome, type CliEnd, type Home } from "../fixtures/home.ts";
import { makeRepository, writeFiles } from "../fixtures/repository.ts";
import { refused, runTask } from "../fixtures/runs.ts";
import { hasTerminals, startOnTerminal } from "../fixtures/terminal.ts";

const SERVER = "mcpServers: [{ notes: { command: notes-server, args: [--port, '80'] } }]";

/** The text of an agent's file. */
const agent = (name: string, ...lines: string[]): string =>
  ["---", `name: ${name}`, "description: Reviews.", ...lines, "---", `You are ${name}.`].join("\n");

/** A repository with these files of agents. */
const repositoryOf = (files: Readonly<Record<string, string>>): string => {
  const root = makeRepository({ "a.txt": "a\n" });
  writeFiles(join(root, ".claude/agents"), files);
  return root;
};

/** A PATH without any agent's program, but with these scripts. */
function pathOf(home: Home, scripts: Readonly<Record<string, string>>): string {
  const folder = join(home.folder, "programs");
  mkdirSync(folder, { recursive: true });
  for (const [name, script] of Object.entries(scripts)) {
    writeFiles(folder, { [name]: `#!/bin/sh\n${script}\n` });
    chmodSync(join(folder, name), 0o755);
  }
  symlinkSync(process.execPath, join(folder, "node"));
  return `${folder}:/usr/bin:/bin`;
}

interface Listed {
  readonly agents: readonly AgentDefinitionView[];
  readonly broken: readonly { readonly name: string; readonly reason: { readonly code: string } }[];
}

const dataOf = <Data>(end: CliEnd): Data => (JSON.parse(end.stdout) as { data: Data }).data;
const errorOf = (end: CliEnd): { code: string; message: string; hint: string } =>
  (JSON.parse(end.stdout) as { error: { code: string; message: string; hint: string } }).error;

describe("anabranch agents ls", () => {
  it("tells who there is, where from, and who can run here", async () => {
    const home = makeHome();
    const PATH = pathOf(home, { claude: "echo '2.1.330 (Claude Code)'" });
    writeFiles(home.folder, { "user/.claude/agents/own.md": agent("own") });
    const root = repositoryOf({
      "reviewer.md": agent("reviewer", "model: opus", SERVER),
      "bad.md": '---\nname: "bad\n---\n',
    });
    writeFiles(root, { "anabranch.yaml": "agents: { there: { program: /nowhere/claude } }\n" });
    const { agents, broken } = dataOf<Listed>(await home.cli(root, ["agents", "ls", "--json"], { PATH }));
    const byName = new Map(agents.map((one) => [one.name, one]));
    expect([...byName.keys()].toSorted()).toEqual(["acp", "claude", "codex", "opencode", "own", "reviewer", "there"]);
    const found = { found: true, path: join(home.folder, "programs/claude"), version: "2.1.330" };
    expect(byName.get("reviewer")).toEqual({
      name: "reviewer",
      kind: "claude",
      source: ".claude/agents/reviewer.md",
      description: "Reviews.",
      model: "opus",
      trust: "untrusted",
      program: found,
    });
    expect(byName.get("own")).toMatchObject({
      source: join(home.folder, "user/.claude/agents/own.md"),
      trust: "not-needed",
      program: found,
    });
    expect(byName.get("there")).toMatchObject({
      source: "anabranch.yaml",
      trust: "untrusted",
      program: { found: false, reason: { code: "AGENT_MISSING" } },
    });
    expect(byName.get("codex")?.program.found).toBe(false);
    expect(broken).toMatchObject([{ name: "bad", reason: { code: "AGENT_INVALID" } }]);

    const shown = (await home.cli(root, ["agents"], { PATH })).stdout;
    expect(shown).toMatch(/^reviewer +claude +\.claude\/agents\/reviewer\.md +opus +not trusted +2\.1\.330 \//m);
    expect(shown).toMatch(/^bad .* broken .*bad\.md:3:1: /m);
  });

  it("does not wait for a program that does not answer", async () => {
    const home = makeHome();
    const PATH = pathOf(home, { claude: "exec sleep 600" });
    const { agents } = dataOf<Listed>(await home.cli(repositoryOf({}), ["agents", "--json"], { PATH }));
    expect(agents.find(({ name }) => name === "claude")?.program).toMatchObject({
      found: false,
      reason: { code: "AGENT_FAILED", message: expect.stringMatching(/did not say its version within/) },
    });
  });

  it("is said by doctor in one line, by the caller's PATH and not the daemon's", async () => {
    const home = makeHome();
    const root = repositoryOf({});
    await home.cli(root, ["daemon", "start"], { PATH: pathOf(home, { claude: "echo '2.1.330 (Claude Code)'" }) });
    const lineOf = async (environment: Record<string, string>): Promise<string> => {
      const end = await home.cli(root, ["doctor", "--json"], environment);
      const checks = dataOf<{ name: string; evidence: string }[]>(end);
      return checks.find(({ name }) => name === "agents")?.evidence ?? "";
    };
    expect(await lineOf({ PATH: "/usr/bin:/bin" })).toMatch(/^claude not found, codex not found/);
    const here = `${join(home.folder, "programs")}:/usr/bin:/bin`;
    expect(await lineOf({ PATH: here })).toMatch(/^claude 2\.1\.330 \(.*\/programs\/claude\), codex not found/);
  });
});

describe("anabranch agents show", () => {
  it("tells all that is known: what it brings, what is odd, and its prompt with nothing a terminal would obey", async () => {
    const home = makeHome();
    const root = repositoryOf({ "a.md": `${agent("a", "modle: opus", "tools: Read, Grep", SERVER)}\n\u001b[2Kgone` });
    const view = dataOf<AgentDefinitionView>(await home.cli(root, ["agents", "show", "a", "--json"]));
    expect(view).toMatchObject({
      tools: ["Read", "Grep"],
      permission: "workspace",
      toolServers: ["notes"],
      wants: ["starts the tool server notes: notes-server --port 80"],
      changes: [],
      remarks: ['there is no key "modle"; did you mean "model"?'],
      trust: "untrusted",
    });
    const { stdout } = await home.cli(root, ["agents", "show", "a"]);
    for (const part of ["You are a.", "gone", "notes-server --port 80", 'did you mean "model"?', "agents trust a"])
      expect(stdout).toContain(part);
    expect(stdout).not.toContain("\u001b");
  });

  it("names the agent that was meant, and the place of what is broken", async () => {
    const home = makeHome();
    const root = repositoryOf({ "reviewer.md": agent("reviewer"), "bad.md": "---\nname: 1\n---\n" });
    const unknown = await home.cli(root, ["agents", "show", "reviwer", "--json"]);
    expect(unknown.status).toBe(3);
    expect(errorOf(unknown)).toMatchObject({ code: "AGENT_UNKNOWN", hint: expect.stringContaining("reviewer") });
    const broken = await home.cli(root, ["agents", "show", "bad", "--json"]);
    expect(broken.status).toBe(2);
    expect(errorOf(broken)).toMatchObject({ code: "AGENT_INVALID", message: expect.stringContaining("bad.md:2:1: ") });
  });
});

describe("an agent of the repository that brings a server of tools", () => {
  it("is refused until somebody has agreed, and again when it brings something else", async () => {
    const home = makeHome();
    const root = repositoryOf({ "a.md": agent("a", SERVER) });
    const run = ["run", "-a", "a", "-p", "Look.", "--json"];
    const first = await home.cli(root, run, { PATH: "/usr/bin:/bin" });
    expect(first.status).toBe(6);
    expect(errorOf(first)).toMatchObject({
      code: "AGENT_UNTRUSTED",
      message: expect.stringContaining("starts the tool server notes: notes-server --port 80"),
      hint: expect.stringContaining("anabranch agents trust a"),
    });
    expect((await home.cli(root, ["plan", "-a", "a", "-p", "Look.", "--json"])).status).toBe(0);
    expect(dataOf<unknown[]>(await home.cli(root, ["ls", "--json"]))).toEqual([]);

    const agreed = await home.cli(root, ["agents", "trust", "a", "--yes", "--json"]);
    expect(dataOf<AgentDefinitionView>(agreed)).toMatchObject({ trust: "trusted" });
    // It goes as far as looking for the program, which is not there.
    const second = await home.cli(root, run, { PATH: "/usr/bin:/bin" });
    expect(dataOf<{ taskList: { reason: { code: string } }[] }>(second).taskList[0]?.reason.code).toBe("AGENT_MISSING");

    writeFiles(root, { ".claude/agents/a.md": agent("a", "model: haiku", SERVER) });
    expect((await home.cli(root, run, { PATH: "/usr/bin:/bin" })).stdout).toContain("AGENT_MISSING");

    writeFiles(root, { ".claude/agents/a.md": agent("a", SERVER.replace("80", "81")) });
    const third = await home.cli(root, run, { PATH: "/usr/bin:/bin" });
    expect(errorOf(third)).toMatchObject({
      code: "AGENT_UNTRUSTED",
      message: expect.stringMatching(
        /has changed since it was agreed to: now it starts .* 81; no longer it starts .* 80$/,
      ),
    });
    const { changes, trust } = await home.client().agent("a", root);
    expect({ trust, changes: changes.length }).toEqual({ trust: "changed", changes: 2 });
  });

  it("is agreed to in one repository, and not in another", async () => {
    const home = makeHome();
    const [here, there] = [repositoryOf({ "a.md": agent("a", SERVER) }), repositoryOf({ "a.md": agent("a", SERVER) })];
    const client = home.client();
    await client.trustAgent(await client.agent("a", here), here);
    expect((await client.agent("a", here)).trust).toBe("trusted");
    expect((await client.agent("a", there)).trust).toBe("untrusted");
  });

  it("is not agreed to where it has changed since it was looked at", async () => {
    const home = makeHome();
    const root = repositoryOf({ "a.md": agent("a", SERVER) });
    const client = home.client();
    const seen = await client.agent("a", root);
    writeFiles(root, { ".claude/agents/a.md": agent("a", SERVER.replace("80", "81")) });
    await refused(client.trustAgent(seen, root), "AGENT_UNTRUSTED");
    expect((await client.agent("a", root)).trust).toBe("untrusted");
  });

  it("is not agreed to by a task", async () => {
    const home = makeHome();
    const root = repositoryOf({ "a.md": agent("a", SERVER) });
    const command = `"${process.execPath}" "${join(DIST, "cli.js")}" agents trust a --yes --json > said.txt; true`;
    const { file } = await runTask(home, root, command);
    expect(file("said.txt")).toContain('"NOT_ALLOWED_IN_TASK"');
    expect((await home.client().agent("a", root)).trust).toBe("untrusted");
  });

  it("is not agreed to in silence where nobody can be asked", async () => {
    const home = makeHome();
    const root = repositoryOf({ "a.md": agent("a", SERVER) });
    const end = await home.cli(root, ["agents", "trust", "a", "--json"]);
    expect(end.status).toBe(2);
    expect(errorOf(end)).toMatchObject({ code: "USAGE", hint: expect.stringContaining("agents trust a --yes") });
    expect((await home.client().agent("a", root)).trust).toBe("untrusted");
  });

  it.runIf(hasTerminals)("is agreed to on a terminal by yes alone", async () => {
    const home = makeHome();
    const root = repositoryOf({ "a.md": agent("a", SERVER) });
    for (const [keys, status, trust] of [
      ["\r", 6, "untrusted"],
      ["no\r", 6, "untrusted"],
      ["y\r", 0, "trusted"],
    ] as const) {
      const cli = startOnTerminal(home, root, ["agents", "trust", "a"]);
      await cli.shows(/starts the tool server notes: notes-server --port 80[^]*\[y\/N\]/);
      cli.type(keys);
      expect((await cli.ended).status).toBe(status);
      expect((await home.client().agent("a", root)).trust).toBe(trust);
    }
  });

  it("needs nothing where it is the user's own, or brings nothing", async () => {
    const home = makeHome();
    writeFiles(home.folder, { "user/.claude/agents/own.md": agent("own", SERVER) });
    const root = repositoryOf({ "plain.md": agent("plain") });
    for (const name of ["own", "plain", "claude"]) {
      const end = await home.cli(root, ["agents", "trust", name]);
      expect(end.stdout).toContain("brings nothing that needs to be agreed to");
    }
  });
});
