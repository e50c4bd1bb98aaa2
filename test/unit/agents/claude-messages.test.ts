import { describe, expect, it } from "vitest";

import { readMessage } from "../../../src/agents/claude/messages.ts";
import { builtInOf } from "../../../src/agents/claude/launch.ts";
import { createTally } from "../../../src/agents/claude/tally.ts";
import { describeTool } from "../../../src/agents/claude/tools.ts";

const result = {
  type: "result",
  subtype: "success",
  is_error: false,
  result: "fine",
  modelUsage: {},
  total_cost_usd: 0.5,
};

describe("what Claude Code says", () => {
  it("means nothing where it is unknown, incomplete or of another shape", () => {
    const odd = [
      {},
      { type: "a_thing_of_next_year", payload: [1, 2] },
      { type: "system", subtype: "also_new" },
      { type: "system", subtype: 7 },
      { type: "user" },
      { type: "user", message: { content: "a text of its own" } },
      { type: "user", message: { content: [null, 3, { type: "tool_result" }] } },
      { type: "command_lifecycle", state: "started" },
      { type: "command_lifecycle", command_uuid: "u1", state: "pondering" },
      { type: "rate_limit_event" },
      { type: "keep_alive" },
    ];
    expect(odd.flatMap(readMessage)).toEqual([]);
  });

  it("reads an answer of the model block by block, and skips blocks that are none", () => {
    const message = {
      id: "m1",
      model: "claude-x",
      usage: { input_tokens: 3, output_tokens: "many", cache_read_input_tokens: 40 },
      content: [
        { type: "thinking", thinking: "hm" },
        { type: "text", text: "\u001b]0;forged\u0007hello" },
        { type: "tool_use", id: "t1", name: "Edit", input: { file_path: "/w/a" } },
        { type: "tool_use", name: "Edit" },
        "not a block",
      ],
    };
    expect(readMessage({ type: "assistant", message })).toEqual([
      {
        type: "request",
        id: "m1",
        model: "claude-x",
        tokens: { input: 3, output: 0, cacheRead: 40, cacheWrite: 0 },
        main: true,
      },
      { type: "text", text: "\u001b]0;forged\u0007hello" },
      { type: "tool", id: "t1", tool: "Edit", input: { file_path: "/w/a" } },
    ]);
  });

  it("does not take the words of a helper for those of the agent", () => {
    const message = { id: "m1", model: "claude-x", content: [{ type: "text", text: "from below" }] };
    expect(readMessage({ type: "assistant", message, parent_tool_use_id: "t1" }).map(({ type }) => type)).toEqual([
      "request",
    ]);
  });

  it("keeps the ends of a huge output of a tool", () => {
    const content = `begin${"x".repeat(1_000_000)}end`;
    const [said] = readMessage({
      type: "user",
      message: { content: [{ type: "tool_result", tool_use_id: "t1", content }] },
    });
    expect(said).toMatchObject({ type: "tool.result", id: "t1", ok: true });
    const output = said?.type === "tool.result" ? said.output : "";
    expect(output.length).toBeLessThan(20_000);
    expect(output).toMatch(/^begin.*end$/s);
  });

  it("reads what a tool shows, and that it was refused", () => {
    const content = [
      { type: "text", text: "one" },
      { type: "image", source: {} },
    ];
    const block = { type: "tool_result", tool_use_id: "t1", is_error: true, content };
    expect(readMessage({ type: "user", message: { content: [block] } })).toEqual([
      { type: "tool.result", id: "t1", ok: false, output: "one\n[image]" },
    ]);
  });

  it("judges a result by whether it is an error, not by its name", () => {
    expect(readMessage(result)).toMatchObject([{ status: "completed", text: "fine", usd: 0.5 }]);
    const failed = { ...result, is_error: true, api_error_status: 429, result: "API Error: 429" };
    expect(readMessage(failed)).toMatchObject([
      { status: "failed", text: "", failure: { reason: "rate-limit", message: "API Error: 429" } },
    ]);
    expect(readMessage({ ...result, terminal_reason: "aborted_tools" })).toMatchObject([{ status: "interrupted" }]);
  });

  it.each([
    [{ api_error_status: 400, terminal_reason: "prompt_too_long" }, "context"],
    [{ api_error_status: 503 }, "overloaded"],
    [{ api_error_status: 502 }, "server"],
    [{ api_error_status: 403 }, "login"],
    [{ api_error_status: 404 }, "invalid"],
    [{ api_error: "connection_failed" }, "cut"],
    [{ subtype: "error_max_turns" }, "turns"],
    [{ subtype: "error_max_structured_output_retries" }, "schema"],
    [{ result: "Not logged in · Please run /login" }, "login"],
    [{ result: "You've hit your weekly limit" }, "rate-limit"],
    [{ result: "something else" }, "other"],
    [{ result: undefined }, "other"],
  ] as const)("finds the reason of a failure: %j", (fields, reason) => {
    expect(readMessage({ ...result, is_error: true, ...fields })).toMatchObject([{ failure: { reason } }]);
  });

  it("tells of limits of the account, and not as long as they are far away", () => {
    const limit = { rateLimitType: "five_hour", utilization: 0.92, resetsAt: 1_795_720_000 };
    expect(readMessage({ type: "rate_limit_event", rate_limit_info: { status: "allowed", ...limit } })).toEqual([]);
    expect(readMessage({ type: "rate_limit_event", rate_limit_info: { status: "allowed_warning", ...limit } })).toEqual(
      [{ type: "remark", text: "92 % of five hour is used, resets at 2026-11-26T19:06:40.000Z" }],
    );
  });
});

describe("a tool of Claude Code", () => {
  it("is known by what it does to files and commands", () => {
    const told = (tool: string, input: Record<string, unknown>): unknown => {
      const { action, paths, command } = describeTool("t1", tool, input, "/w");
      return [action, paths, command];
    };
    expect(told("Read", { file_path: "/x/a" })).toEqual(["read", ["/x/a"], undefined]);
    expect(told("Grep", { pattern: "a" })).toEqual(["read", ["/w"], undefined]);
    expect(told("Edit", { file_path: "sub/../a" })).toEqual(["write", ["/w/a"], undefined]);
    expect(told("NotebookEdit", { notebook_path: "/x/n.ipynb" })).toEqual(["write", ["/x/n.ipynb"], undefined]);
    expect(told("Write", {})).toEqual(["write", [], undefined]);
    expect(told("Bash", { command: "ls" })).toEqual(["execute", [], "ls"]);
    expect(told("WebFetch", { url: "https://a.b" })).toEqual(["other", [], undefined]);
    expect(told("mcp__files__write", { file_path: "/x", command: "ls" })).toEqual(["other", [], undefined]);
    expect(told("ShellOfNextYear", { command: "ls" })).toEqual(["execute", [], "ls"]);
    expect(told("PatchOfNextYear", { file_path: "/w/a" })).toEqual(["write", ["/w/a"], undefined]);
  });

  it("is described on one line that a terminal can be shown", () => {
    const { summary } = describeTool(
      "t1",
      "Bash",
      { command: `echo \u001b[31m${"long ".repeat(100)}\nrm -rf x` },
      "/w",
    );
    expect(summary).not.toMatch(/[\n\u001b]/);
    expect(summary.length).toBeLessThanOrEqual(200);
  });

  it("is named without the rules that stand in brackets behind it", () => {
    expect(builtInOf(["Read", "Bash(git *)", "Bash(npm run:*)", "mcp__a__b"])).toEqual(["Read", "Bash"]);
  });
});

describe("the tally of a session", () => {
  const tokens = { input: 10, output: 1, cacheRead: 5, cacheWrite: 2 };
  const used = (input: number, output: number) => ({
    m: { inputTokens: input, outputTokens: output, cacheReadInputTokens: 0 },
  });

  it("adds up requests until the program counts itself, and counts each once", () => {
    const tally = createTally();
    expect([tally.request("a", tokens), tally.request("a", tokens), tally.request("b", tokens)]).toEqual([
      true,
      false,
      true,
    ]);
    expect(tally.usage()).toMatchObject({
      inputTokens: 20,
      cacheReadTokens: 10,
      cacheWriteTokens: 4,
      turns: 2,
      usd: undefined,
    });
    tally.total(used(20, 300), 0.2);
    expect(tally.usage()).toMatchObject({ inputTokens: 20, outputTokens: 300, turns: 2, usd: 0.2 });
    tally.request("c", tokens);
    expect(tally.usage()).toMatchObject({ inputTokens: 30, turns: 3 });
  });

  it("leaves out what the conversation had used before", () => {
    const tally = createTally();
    tally.before(used(5000, 100), 3);
    expect(tally.money(3)).toBe(false);
    expect(tally.money(3.25)).toBe(true);
    expect(tally.usage().usd).toBe(0.25);
    tally.total(used(5010, 101), 3.5);
    expect(tally.usage()).toMatchObject({ inputTokens: 10, outputTokens: 1, usd: 0.5 });
  });

  it("keeps its numbers when the program ends without any", () => {
    const tally = createTally();
    tally.total(used(10, 1), 1);
    tally.total({}, 0);
    expect(tally.usage()).toMatchObject({ inputTokens: 10, usd: 1 });
  });
});
