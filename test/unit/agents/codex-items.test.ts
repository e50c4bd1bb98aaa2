import { describe, expect, it } from "vitest";

import { failureOf } from "../../../src/agents/codex/failures.ts";
import { bareCommand, endOf, readsOf, toolOf } from "../../../src/agents/codex/items.ts";
import { isStrictSchema } from "../../../src/agents/codex/strict-schema.ts";
import { createTally } from "../../../src/agents/codex/tally.ts";
import { holdFor } from "../../../src/agents/codex/thread.ts";
import { readItem, readTokens, readTurn, type Item } from "../../../src/agents/codex/wire.ts";

function item(fields: Record<string, unknown>): Item {
  const read = readItem({ item: { id: "i1", status: "completed", ...fields } });
  if (read === undefined) throw new Error("it is no item");
  return read;
}

function command(text: string, ...paths: string[]): Item {
  const commandActions = paths.map((path) => ({ type: "read", command: text, name: path, path }));
  return item({ type: "commandExecution", command: `/bin/bash -lc '${text}'`, commandActions, exitCode: 0 });
}

describe("what happens in a codex turn", () => {
  it("is nothing where it is incomplete or of another shape", () => {
    for (const odd of [{}, { item: null }, { item: [] }, { item: { type: 3, id: "x" } }, { item: { type: "plan" } }]) {
      expect(readItem(odd)).toBeUndefined();
    }
    for (const odd of [{}, { turn: "t" }, { turn: { status: "completed" } }]) expect(readTurn(odd)).toBeUndefined();
    expect(toolOf(item({ type: "of_next_year" }))).toBeUndefined();
    expect(toolOf(item({ type: "commandExecution" }))).toMatchObject({ action: "execute", command: "" });
    expect(toolOf(item({ type: "fileChange", changes: [null, 3, {}] }))).toMatchObject({ paths: [] });
    expect(endOf(item({ type: "mcpToolCall", result: { content: "x" } }))).toEqual([
      { type: "tool.end", id: "i1", ok: true, output: "" },
    ]);
  });

  it("names all files of a change, also those they are moved to", () => {
    const changes = [
      { path: "/w/a", kind: { type: "add" }, diff: "" },
      { path: "/w/b", kind: { type: "update", move_path: "/w/c" }, diff: "" },
    ];
    const change = item({ type: "fileChange", changes });
    expect(toolOf(change)).toMatchObject({ action: "write", tool: "apply_patch", paths: ["/w/a", "/w/b", "/w/c"] });
    expect(endOf(change).filter(({ type }) => type === "file")).toHaveLength(3);
    const declined = item({ type: "fileChange", changes, status: "declined" });
    expect(endOf(declined)).toEqual([{ type: "tool.end", id: "i1", ok: false, output: "declined" }]);
  });

  it("is a read of a file only where nothing else can have happened", () => {
    expect(readsOf(command("cat a.txt", "/w/a.txt"))).toEqual(["/w/a.txt"]);
    expect(readsOf(command("cat a.txt && sed -n 1,5p b", "/w/a.txt", "/w/b"))).toEqual(["/w/a.txt", "/w/b"]);
    for (const unsure of [
      "cat a.txt; cat b",
      "cat a.txt || cat b",
      "cat a.txt | sh",
      "cat *.txt",
      "cat a > b",
      "sh a",
    ]) {
      expect(readsOf(command(unsure, "/w/a.txt"))).toEqual([]);
    }
    expect(endOf({ ...command("cat a", "/w/a"), status: "failed" })).toMatchObject([{ type: "tool.end", ok: false }]);
  });

  it("is told with the command itself, not with the shell that runs it", () => {
    expect(bareCommand("/bin/bash -lc 'cat a.txt'")).toBe("cat a.txt");
    expect(bareCommand('/usr/bin/zsh -lc "echo \\"$x\\""')).toBe('/usr/bin/zsh -lc "echo \\"$x\\""');
    expect(bareCommand(String.raw`/bin/bash -lc "echo \"\$x\""`)).toBe('echo "$x"');
    expect(bareCommand(String.raw`sh -c 'it'"'"'s'`)).toBe("it's");
    expect(bareCommand("bash -lc 'a' b")).toBe("bash -lc 'a' b");
    expect(bareCommand("git status")).toBe("git status");
  });

  it("is cut where its output is huge", () => {
    const [, end] = [0, endOf(item({ type: "commandExecution", aggregatedOutput: "x".repeat(10_000_000) })).at(-1)];
    expect(JSON.stringify(end).length).toBeLessThan(70_000);
    expect(JSON.stringify(end)).toContain("more characters");
  });

  it("fails for a reason that is found in its code, its status or its words", () => {
    const reason = (codexErrorInfo: unknown, message = "x"): string => failureOf({ message, codexErrorInfo }).reason;
    expect(reason({ responseTooManyFailedAttempts: { httpStatusCode: 429 } })).toBe("rate-limit");
    expect(reason({ httpConnectionFailed: { httpStatusCode: 529 } })).toBe("overloaded");
    expect(reason({ httpConnectionFailed: { httpStatusCode: null } })).toBe("cut");
    expect(reason("usageLimitExceeded")).toBe("rate-limit");
    expect(reason("contextWindowExceeded")).toBe("context");
    expect(reason("unauthorized")).toBe("login");
    expect(reason("other", "stream disconnected before completion: x")).toBe("cut");
    expect(reason("other", '{"error":{"message":"bad"}}')).toBe("invalid");
    expect(reason("of_next_year")).toBe("other");
    expect(reason({ ofNextYear: 3 })).toBe("other");
    expect(failureOf(undefined)).toEqual({ reason: "other", message: "it gave no reason" });
  });
});

describe("what a codex session uses", () => {
  const tokens = (input: number, cached: number, output: number): ReturnType<typeof readTokens> =>
    readTokens({ inputTokens: input, cachedInputTokens: cached, outputTokens: output, totalTokens: input + output });

  it("counts from zero, whatever its thread had used before", () => {
    const tally = createTally();
    expect(tally.count("t", tokens(5100, 4000, 80), tokens(100, 90, 10))).toBe(true);
    expect(tally.usage()).toMatchObject({ inputTokens: 10, cacheReadTokens: 90, outputTokens: 10, turns: 1 });
    expect(tally.count("t", tokens(5300, 4150, 100), tokens(200, 150, 20))).toBe(true);
    expect(tally.usage()).toMatchObject({ inputTokens: 60, cacheReadTokens: 240, outputTokens: 30, turns: 2 });
  });

  it("counts the same total once, and goes on after a thread was made shorter", () => {
    const tally = createTally();
    tally.count("t", tokens(500, 0, 10), tokens(500, 0, 10));
    expect(tally.count("t", tokens(500, 0, 10), tokens(500, 0, 10))).toBe(false);
    expect(tally.count("t", tokens(50, 0, 5), tokens(50, 0, 5))).toBe(true);
    expect(tally.usage()).toMatchObject({ inputTokens: 550, outputTokens: 15, turns: 2 });
  });

  it("counts the threads that its agent starts as well", () => {
    const tally = createTally();
    tally.count("t", tokens(100, 0, 10), tokens(100, 0, 10));
    tally.count("child", tokens(70, 0, 7), tokens(70, 0, 7));
    expect(tally.usage()).toMatchObject({ inputTokens: 170, outputTokens: 17, turns: 2 });
    expect(readTokens("nonsense")).toEqual({ input: 0, cachedInput: 0, cacheWriteInput: 0, output: 0, total: 0 });
  });
});

describe("how codex is held", () => {
  it("has changes of files reach the gate wherever it may write", () => {
    expect(holdFor("workspace", true)).toEqual({ approvalPolicy: "untrusted", sandbox: "workspace-write" });
    expect(holdFor("ask", true)).toEqual({ approvalPolicy: "untrusted", sandbox: "workspace-write" });
    expect(holdFor("read-only", true)).toEqual({ approvalPolicy: "never", sandbox: "read-only" });
  });

  it("asks before everything where it has no sandbox, and says so", () => {
    for (const permission of ["read-only", "workspace", "ask"] as const) {
      expect(holdFor(permission, false)).toMatchObject({
        approvalPolicy: "untrusted",
        sandbox: "danger-full-access",
        remark: expect.stringMatching(/no working sandbox/),
      });
    }
  });

  it("holds itself to schemas of the strict kind only", () => {
    const strict = (properties: object, more: object = {}): Record<string, unknown> => ({
      type: "object",
      properties,
      required: Object.keys(properties),
      additionalProperties: false,
      ...more,
    });
    const text = { type: "string" };
    expect(isStrictSchema(strict({ a: text, b: { type: "array", items: strict({ c: text }) } }))).toBe(true);
    expect(isStrictSchema(strict({ a: text }, { required: [] }))).toBe(false);
    expect(isStrictSchema(strict({ a: text }, { additionalProperties: true }))).toBe(false);
    expect(isStrictSchema(strict({ a: { type: "array", items: { type: "object" } } }))).toBe(false);
    expect(isStrictSchema(strict({ a: { oneOf: [text] } }))).toBe(false);
    expect(isStrictSchema(text)).toBe(false);
    expect(isStrictSchema({})).toBe(false);
  });
});
