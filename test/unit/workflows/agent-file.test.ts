import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isAnabranchError } from "../../../src/base/errors.ts";
import { readAgentFile, type AgentFile } from "../../../src/workflows/agent-file.ts";
import { refused } from "../../fixtures/refused.ts";

async function read(text: string): Promise<AgentFile> {
  const file = await readAgentFile(text, "reviewer.md");
  if (file === undefined) throw new Error("the text has front matter");
  return file;
}

/** A file with these lines of front matter besides its name and description. */
const file = (...lines: string[]): string =>
  ["---", "name: reviewer", "description: reviews", ...lines, "---", "You review."].join("\n");

describe("the file of an agent", () => {
  it("that says nothing but its name has all tools, and its text is its system prompt", async () => {
    expect(await read(file())).toEqual({
      name: "reviewer",
      description: "reviews",
      system: "You review.",
      tools: undefined,
      disallowedTools: undefined,
      model: undefined,
      effort: undefined,
      maxTurns: undefined,
      permissionMode: undefined,
      toolServers: {},
      otherServers: [],
      texts: { memory: undefined, initialPrompt: undefined },
      hooks: [],
      others: [],
      remarks: [],
    });
  });

  it("may name servers that are described elsewhere, or are reached by address: those are its kind's to know", async () => {
    const named = await read(file("mcpServers: [github, { s: { type: http, url: 'http://x' } }]"));
    expect(named.remarks).toEqual([]);
    expect(named.toolServers).toEqual({});
    expect(named.otherServers).toHaveLength(2);
  });

  it.each([
    ["a line before the dashes", "\n---\nname: a\n---\n"],
    ["no dashes at all", "# A page\n\n---\nname: a\n---\n"],
  ])("is no file of an agent with %s", async (_, text) => {
    expect(await readAgentFile(text, "a.md")).toBeUndefined();
  });

  it("may end its lines as Windows does", async () => {
    const read_ = await read("---\r\nname: a\r\ndescription: d\r\ntools: Read, Grep\r\n---\r\nOne.\r\nTwo.\r\n");
    expect(read_).toMatchObject({ name: "a", tools: ["Read", "Grep"], system: "One.\r\nTwo." });
  });

  it.each([
    ["commas", "tools: Read, Grep,Glob", ["Read", "Grep", "Glob"]],
    ["spaces", "tools: Read Grep  Glob", ["Read", "Grep", "Glob"]],
    ["rules in brackets", "tools: Read, Bash(git log:*, x y), Edit", ["Read", "Bash(git log:*, x y)", "Edit"]],
    ["a list", "tools: [Read, Grep]", ["Read", "Grep"]],
    ["a list of lines, with commas in one of them", 'tools:\n  - Read\n  - "Grep, Glob"', ["Read", "Grep", "Glob"]],
    ["a star among them", "tools: Read, *", undefined],
    ["nothing", "tools:", []],
  ])("names tools with %s", async (_, line, tools) => {
    expect((await read(file(line))).tools).toEqual(tools);
  });

  it("says that tools with nothing in it are no tools", async () => {
    expect((await read(file("tools:"))).remarks).toEqual([expect.stringMatching(/names no tool/)]);
  });

  it("may forget quotes where YAML wants them, as Claude Code allows", async () => {
    const text = ["---", "name: a", 'description: Use when: tests "fail" *often*', "---"].join("\n");
    expect((await read(text)).description).toBe('Use when: tests "fail" *often*');
    expect((await read("---\nname: a\ndescription: *x\n---\n")).description).toBe("*x");
    expect((await read("---\nname: a\ndescription: a: b\ntools: [Read, Edit]\n---\n")).tools).toEqual(["Read", "Edit"]);
    expect((await read("---\nname: a\nmcpServers:\n\t- s: { command: x }\n---\n")).toolServers).toHaveProperty("s");
  });

  it("may give a key twice: the last one counts", async () => {
    expect((await read("---\nname: a\nname: b\n---\n")).name).toBe("b");
  });

  it("is cut off by dashes inside of a value, and says so", async () => {
    const read_ = await read("---\nname: a\ndescription: one---two\n---\nText");
    expect(read_).toMatchObject({ description: "one", system: "two\n---\nText" });
    expect(read_.remarks).toEqual([expect.stringMatching(/^a --- inside of a value/)]);
  });

  it.each([
    ["model: inherit", { model: undefined }],
    ["model: ' opus '", { model: "opus" }],
    ["effort: med", { effort: "medium" }],
    ["effort: 12", { effort: "12" }],
    ["maxTurns: 7", { maxTurns: 7 }],
    ["maxTurns: '7'", { maxTurns: 7 }],
    ["permissionMode: manual", { permissionMode: "default" }],
    ["permissionMode: plan", { permissionMode: "plan" }],
    ["description: one\\ntwo", { description: "one\ntwo" }],
    ["isolation: worktree\nskills: x\nbackground: false", { others: ["skills", "isolation"] }],
    ["color: red", { others: [], remarks: [] }],
  ])("with %s is read so", async (lines, expected) => {
    expect(await read(file(...lines.split("\n")))).toMatchObject(expected);
  });

  it.each([
    ["modle: opus", `there is no key "modle"; did you mean "model"?`],
    ["disallowed-tools: Bash", `there is no key "disallowed-tools"; did you mean "disallowedTools"?`],
    ["allowed-tools: Bash", `there is no key "allowed-tools"; did you mean "tools"?`],
    ["zzzzzz: 1", `there is no key "zzzzzz"`],
    ["effort: hihg", `effort "hihg" is not known and left out; did you mean "high"?`],
    ["effort: [low]", `effort "[\\"low\\"]" is not known and left out; known: low, medium, high, xhigh, max`],
    ["maxTurns: 0", `maxTurns "0" is not known and left out; known: a positive whole number`],
    [
      "permissionMode: acceptEdit",
      `permissionMode "acceptEdit" is not known and left out; did you mean "acceptEdits"?`,
    ],
    ["model: [opus]", "model is no text and counts as missing"],
    ["mcpServers: { s: { command: x } }", "mcpServers is left out: it is not a list (- NAME: { command, args })"],
    ["mcpServers: [3]", "mcpServers: 3 is left out: it is neither a name nor a table"],
  ])("with %s is read, and says what is odd", async (line, remark) => {
    expect((await read(file(line))).remarks).toEqual([remark]);
  });

  it("brings servers of tools and hooks", async () => {
    const read_ = await read(
      file(
        "mcpServers: [{ s: { command: node, args: [a.js], env: { N: 1 } } }]",
        "hooks:",
        "  PreToolUse:",
        "    - matcher: Bash",
        "      hooks: [{ type: command, command: ./check }]",
      ),
    );
    expect(read_.toolServers).toEqual({ s: { command: "node", args: ["a.js"], environment: { N: "1" } } });
    expect(read_.hooks).toEqual([
      { event: "PreToolUse", matcher: "Bash", action: { type: "command", command: "./check" } },
    ]);
  });

  it.each([
    ["quotes that are not closed", '---\nname: "a\ndescription: b\n---\n', 4, 1, "quote"],
    ["a bracket that is not closed", "---\nname: a\ntools:\n  - [Read\nx: 1\n---\n", 5, 1, "ow"],
    ["no closing dashes", "---\nname: a\n", 1, 1, "no closing ---"],
    ["a list in place of keys", "---\n- a\n---\n", 2, 1, "not a table"],
    ["a name that is a number", "---\ndescription: d\nname: 12\n---\n", 3, 1, "no text"],
    ["a name like an option", "---\nname: -x\n---\n", 2, 1, "does not start with -"],
    ["a name with a colon", "---\nname: a:b\n---\n", 2, 1, "no :"],
    ["a name with a control character", '---\nname: "a\\e[1m"\n---\n', 2, 1, "no control characters"],
    ["hooks that are no table", "---\nname: a\nhooks: yes\n---\n", 3, 1, "hooks: expected a table"],
    ["hooks on what never happens", "---\nname: a\nhooks: { PreTolUse: [] }\n---\n", 3, 1, "did you mean PreToolUse?"],
    ["a guard outside of hooks", "---\nname: a\nPreToolUse: []\n---\n", 3, 1, "outside of hooks"],
    ["a guard that does nothing", "---\nname: a\nhooks: { Stop: [{ matcher: x }] }\n---\n", 3, 1, "Stop: expected"],
  ])("with %s is refused by file, line and column", async (_, text, line, column, why) => {
    const error = await refused(readAgentFile(text, "a.md"), "AGENT_INVALID");
    expect(error.message).toContain(why);
    expect(error.message).toMatch(/^a\.md:\d+:\d+: [^\n]+$/);
    expect(error.data).toEqual({ file: "a.md", line, column });
  });

  it("that grows without bound through aliases is refused", async () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const items = Array.from({ length: 10 }, () => (level === 0 ? "x" : `*a${level - 1}`));
      return `a${level}: &a${level} [${items.join(", ")}]`;
    });
    const error = await refused(read(file(...levels)), "AGENT_INVALID");
    expect(error.message).toContain("Excessive alias count");
  });
});

describe("any text", () => {
  it("is read, or refused with a place in the file, whatever it is", async () => {
    const pieces = [
      "---",
      "\n",
      "name",
      "a",
      ": ",
      "- ",
      "[",
      "]",
      "{",
      "}",
      "&x",
      "*x",
      '"',
      "'",
      "#",
      "\t",
      "\r",
      "|",
    ];
    const keys = ["tools: ", "hooks: ", "mcpServers: ", "model: ", "effort: ", "maxTurns: ", "__proto__: ", "<<: "];
    const piece = fc.oneof(fc.constantFrom(...pieces, ...keys), fc.string({ maxLength: 3 }));
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), fc.boolean(), async (parts, opened) => {
        const text = (opened ? "---\n" : "") + parts.join("") + (opened ? "\n---\nText" : "");
        const error = await readAgentFile(text, "f.md").catch((thrown: unknown) => thrown);
        if (!(error instanceof Error)) return;
        if (!isAnabranchError(error)) throw error;
        expect(error.code).toBe("AGENT_INVALID");
        const { line, column } = error.data as { line: number; column: number };
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(text.split("\n").length);
        expect(column).toBeGreaterThanOrEqual(1);
      }),
      { numRuns: 500 },
    );
  });

  it("that is written as its values comes back as they were", async () => {
    const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9 .,é-]{0,30}$/).map((text) => text.trim());
    const tool = fc.stringMatching(/^[A-Z][a-z]{2,8}(\([a-z :*,]{1,8}\))?$/);
    // Dashes would end the front matter early: that is Claude Code's reading, and has a test of its own.
    const body = fc.string({ maxLength: 200 }).map((text) => text.trim());
    await fc.assert(
      fc.asyncProperty(word, word, fc.array(tool, { minLength: 1 }), body, async (name, description, tools, system) => {
        fc.pre(!`${name}${description}`.includes("---"));
        const keys = { name, description, tools };
        const lines = Object.entries(keys).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
        const read_ = await read(`---\n${lines.join("\n")}\n---\n${system}`);
        expect(read_).toMatchObject({ name, description, tools });
        expect(read_.system ?? "").toBe(system);
      }),
    );
  });
});
