import { describe, expect, it } from "vitest";

import { callerOf } from "../../../src/mcp/caller.ts";

type Request = Parameters<typeof callerOf>[0];

const request = (meta: object, envelope?: object): Request =>
  ({ _meta: meta, ...(envelope === undefined ? {} : { envelope }) }) as unknown as Request;
const capabilities = (value: unknown): object => ({ "io.modelcontextprotocol/clientCapabilities": value });

describe("the caller of a tool", () => {
  it("is known by what Claude Code and codex tell with each call", () => {
    const toolUse = callerOf(request({ "claudecode/toolUseId": "toolu_1" }), "claude-code");
    expect(toolUse.conversation).toEqual({ kind: "claude", toolUse: "toolu_1" });
    expect(callerOf(request({}), "opencode").conversation).toEqual({ kind: "opencode" });
    const thread = callerOf(request({ threadId: "0199", callId: "c" }), "codex-mcp-client");
    expect(thread.conversation).toEqual({ kind: "codex", source: "0199" });
    expect(callerOf(request({ threadId: 7, "claudecode/toolUseId": "" }), undefined).conversation).toEqual({});
  });

  it("takes a handle only where its request says so", () => {
    const tasks = { extensions: { "io.modelcontextprotocol/tasks": {} } };
    expect(callerOf(request({}, capabilities(tasks)), "x").takesHandles).toBe(true);
    for (const other of [{}, { extensions: {} }, { extensions: null }, { tasks: {} }, "tasks", null]) {
      expect(callerOf(request({}, capabilities(other)), "x").takesHandles).toBe(false);
    }
    expect(callerOf(request({}), "x").takesHandles).toBe(false);
  });

  it("is answered within a minute, unless it is known to wait as long as it takes", () => {
    expect(callerOf(request({}), "claude-code").patienceMs).toBeUndefined();
    for (const name of ["codex-mcp-client", "opencode", undefined]) {
      expect(callerOf(request({}), name).patienceMs).toBeLessThan(60_000);
    }
    const info = { "io.modelcontextprotocol/clientInfo": { name: "claude-code" } };
    expect(callerOf(request({}, info), undefined).patienceMs).toBeUndefined();
  });
});
