import { describe, expect, it } from "vitest";

import { createEventReader } from "../../../src/agents/opencode/event-stream.ts";
import { failureOf, reasonOfWords } from "../../../src/agents/opencode/failures.ts";
import { modelsIn } from "../../../src/agents/opencode/models.ts";
import { rulesOf } from "../../../src/agents/opencode/rules.ts";
import { createTally } from "../../../src/agents/opencode/tally.ts";
import { filesOf, requestOf } from "../../../src/agents/opencode/tools.ts";
import type { OpenOptions } from "../../../src/agents/port.ts";

describe("the stream of opencode's events", () => {
  function read(...pieces: Uint8Array[]): { events: unknown[]; malformed: string[] } {
    const [events, malformed]: [unknown[], string[]] = [[], []];
    const reader = createEventReader(
      (event) => void events.push(event),
      (text) => void malformed.push(text),
    );
    for (const piece of pieces) reader.push(piece);
    return { events, malformed };
  }

  it("is read however it is cut, also within a letter", () => {
    const bytes = new TextEncoder().encode('data: {"a":"ä"}\n\nevent: x\r\ndata:{"b":\r\ndata: 2}\r\n\r\n');
    const expected = [{ a: "ä" }, { b: 2 }];
    for (let at = 0; at < bytes.length; at += 1) {
      expect(read(bytes.subarray(0, at), bytes.subarray(at)).events).toEqual(expected);
    }
  });

  it("goes on after what is no JSON", () => {
    const bytes = new TextEncoder().encode('data: {"a":\n\n: note\n\ndata: [1]\n\n');
    expect(read(bytes)).toEqual({ events: [[1]], malformed: ['{"a":'] });
  });
});

describe("an error of opencode's", () => {
  it("is told apart by its name, its status, and last its words", () => {
    const api = (statusCode?: number, message = "no"): unknown => ({ name: "APIError", data: { message, statusCode } });
    const errors = [
      api(429),
      api(529),
      api(503),
      api(500),
      api(401),
      api(413),
      api(400),
      api(undefined, "socket closed"),
    ];
    expect(errors.map((error) => failureOf(error)?.reason)).toEqual([
      "rate-limit",
      "overloaded",
      "overloaded",
      "server",
      "login",
      "context",
      "invalid",
      "cut",
    ]);
    expect(failureOf({ name: "ContextOverflowError", data: { message: "long" } })?.reason).toBe("context");
    expect(failureOf({ name: "ProviderAuthError", data: {} })).toEqual({
      reason: "login",
      message: "ProviderAuthError",
    });
    expect(failureOf("nonsense")).toEqual({ reason: "other", message: "it gave no reason" });
    expect(reasonOfWords("Too Many Requests")).toBe("rate-limit");
  });

  it("tells how long to wait, and that a stop is no failure", () => {
    const data = { message: "slow down", statusCode: 429, responseHeaders: { "retry-after": "3" } };
    expect(failureOf({ name: "APIError", data })?.retryAfterMs).toBe(3000);
    expect(failureOf({ name: "MessageAbortedError", data: { message: "Aborted" } })).toBeUndefined();
  });
});

describe("the rules of a session", () => {
  const rules = (more: Partial<OpenOptions>): string[] =>
    rulesOf({ permission: "workspace", toolServers: {}, ...more } as OpenOptions).map(
      ({ permission, pattern, action }) => `${action} ${permission} ${pattern}`,
    );

  it("deny writing and running where only reading is allowed", () => {
    expect(rules({ permission: "read-only" })).toEqual(expect.arrayContaining(["deny edit *", "deny bash *"]));
    expect(rules({})).toEqual(["deny question *", "deny plan_enter *", "deny plan_exit *"]);
  });

  it("take the names of tools as definitions write them", () => {
    const toolServers = { own: { command: "x", args: [], environment: {} } };
    expect(
      rules({ tools: ["Read", "Write", "Bash(git:*)", "mcp__docs__find"], disallowedTools: ["WebFetch"], toolServers }),
    ).toEqual([
      "deny * *",
      "ask external_directory *",
      "ask own_* *",
      "ask read *",
      "ask edit *",
      "ask bash git *",
      "ask docs_find *",
      "deny webfetch *",
      "deny question *",
      "deny plan_enter *",
      "deny plan_exit *",
    ]);
  });
});

describe("a tool of opencode's", () => {
  it("is described by its input, and by its question where its input is not told yet", () => {
    expect(requestOf({ id: "1", tool: "edit", input: { filePath: "a.txt" } }, "/w")).toMatchObject({
      action: "write",
      paths: ["/w/a.txt"],
    });
    const asked = { patterns: ["ls -l"], metadata: { command: "ls -l" } };
    expect(requestOf({ id: "1", tool: "bash", input: {}, asked }, "/w")).toEqual({
      id: "1",
      tool: "bash",
      action: "execute",
      paths: [],
      command: "ls -l",
      summary: "bash ls -l",
    });
    const patch = {
      metadata: { filepath: "a, b", files: [{ filePath: "/w/a" }, { filePath: "/w/b", movePath: "/w/c" }] },
    };
    expect(requestOf({ id: "1", tool: "apply_patch", input: {}, asked: patch }, "/w").paths).toEqual([
      "/w/a",
      "/w/b",
      "/w/c",
    ]);
    expect(requestOf({ id: "1", tool: "docs_find", input: {}, asked: { patterns: ["*"] } }, "/w").action).toBe("other");
  });

  it("tells of the files that it touched, and of no folder and no search", () => {
    expect(filesOf("write", { input: { filePath: "/w/a" } }, "/w")).toEqual([{ access: "write", path: "/w/a" }]);
    expect(filesOf("read", { input: { filePath: "/w" }, metadata: { display: { type: "directory" } } }, "/w")).toEqual(
      [],
    );
    expect(filesOf("grep", { input: { pattern: "x", path: "/w" } }, "/w")).toEqual([]);
  });
});

describe("what opencode counts", () => {
  it("is added up once for each answer, and is money only where its model has a price", () => {
    const tally = createTally();
    const tokens = { input: 10, output: 2, reasoning: 1, cache: { read: 5, write: 4 } };
    expect(tally.answer({ id: "a", tokens: { input: 0, output: 0 } })).toBe(false);
    expect(tally.answer({ id: "a", tokens, cost: 0 })).toBe(true);
    expect(tally.answer({ id: "a", tokens, cost: 0 })).toBe(false);
    expect(tally.usage()).toEqual({
      inputTokens: 10,
      outputTokens: 3,
      cacheReadTokens: 5,
      cacheWriteTokens: 4,
      turns: 1,
      usd: undefined,
    });
    tally.answer({ id: "b", tokens, cost: 0.5 });
    expect(tally.usage()).toMatchObject({ inputTokens: 20, turns: 2, usd: 0.5 });
  });
});

describe("opencode's models", () => {
  const models = modelsIn({
    providers: [
      { id: "one", models: { m: { limit: { context: 5 }, variants: { high: {} } }, own: {} } },
      { id: "two", models: { m: {} } },
    ],
  });

  it("are named with their provider, or without one where only one has them", () => {
    expect(models.choose("one/m")).toEqual({ providerID: "one", modelID: "m" });
    expect(models.choose("own")).toEqual({ providerID: "one", modelID: "own" });
    expect(() => models.choose("m")).toThrow(expect.objectContaining({ code: "AGENT_INVALID" }));
    expect(models.window("one", "m")).toBe(5);
    expect(models.hasVariant({ providerID: "one", modelID: "m" }, "high")).toBe(true);
    expect(models.hasVariant({ providerID: "one", modelID: "own" }, "toString")).toBe(false);
  });
});
