import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { createHookRunner, definitionHooks } from "../../../src/agents/claude/definition-hooks.ts";
import type { Fields } from "../../../src/agents/fields.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { until } from "../../fixtures/until.ts";

/** Runs one hook, and tells what it answers and what people are told. */
async function answerOf(event: string, action: object): Promise<{ answer: Fields; remarks: string[] }> {
  const remarks: string[] = [];
  const [hook] = definitionHooks({ hooks: [{ event, action: { type: "command", ...action } }] });
  if (hook === undefined) throw new Error("it is no hook");
  const answer = await runner(temporaryFolder(), remarks).run(hook, { hook_event_name: event });
  return { answer, remarks };
}

function runner(cwd: string, remarks: string[] = []) {
  const environment = { PATH: process.env["PATH"] ?? "" };
  return createHookRunner({ cwd, environment, clock: systemClock, onRemark: (text) => void remarks.push(text) });
}

const denied = (permissionDecisionReason: string): object => ({
  hookSpecificOutput: { hookEventName: "PreToolUse", permissionDecision: "deny", permissionDecisionReason },
});

describe("a hook of a definition", () => {
  it("says what is to be done as JSON", async () => {
    const command = `echo '{"continue":false,"hookSpecificOutput":{"hookEventName":"Stop","additionalContext":"x"}}'`;
    expect((await answerOf("Stop", { command })).answer).toEqual({
      continue: false,
      hookSpecificOutput: { hookEventName: "Stop", additionalContext: "x" },
    });
  });

  it("adds its words to a prompt, and to nothing else", async () => {
    const command = "echo heavy";
    const hookSpecificOutput = { hookEventName: "UserPromptSubmit", additionalContext: "heavy\n" };
    expect((await answerOf("UserPromptSubmit", { command })).answer).toEqual({ hookSpecificOutput });
    expect((await answerOf("Stop", { command })).answer).toEqual({});
  });

  it("refuses with status 2, each event in its own words", async () => {
    const command = "echo no >&2; exit 2";
    expect((await answerOf("PreToolUse", { command })).answer).toEqual(denied("no"));
    expect((await answerOf("PostToolUse", { command })).answer).toEqual({ decision: "block", reason: "no" });
  });

  it("refuses nothing when it fails, and is told of, unless a failure is to refuse", async () => {
    const command = "echo odd >&2; exit 3";
    expect(await answerOf("PreToolUse", { command })).toEqual({
      answer: {},
      remarks: ["a hook on PreToolUse failed: it ended with status 3: odd"],
    });
    const blocking = await answerOf("PreToolUse", { command, onFailure: "block" });
    expect(blocking).toEqual({ answer: denied("it ended with status 3: odd"), remarks: [] });
    expect((await answerOf("Stop", { command: "/no/such/program", args: [] })).remarks[0]).toContain("cannot start");
  });

  it("changes nothing of what the gate was asked about", async () => {
    const command = `echo '{"hookSpecificOutput":{"permissionDecision":"allow","updatedInput":{"file_path":"/x"}}}'`;
    const { answer, remarks } = await answerOf("PreToolUse", { command });
    expect(answer).toEqual({ hookSpecificOutput: { permissionDecision: "allow" } });
    expect(remarks).toHaveLength(1);
  });

  it("is a program without a shell when it has arguments", async () => {
    const { answer } = await answerOf("UserPromptSubmit", { command: "echo", args: ["$HOME", "; exit 2"] });
    expect(answer["hookSpecificOutput"]).toMatchObject({ additionalContext: "$HOME ; exit 2\n" });
  });

  it("ends after its time, and with its session", async () => {
    const late = await answerOf("Stop", { command: "exec sleep 100", timeout: 0.05 });
    expect(late).toMatchObject({ answer: {}, remarks: [expect.stringContaining("a hook on Stop failed")] });

    const folder = temporaryFolder();
    const hooks = runner(folder);
    const [hook] = definitionHooks({
      hooks: [{ event: "Stop", action: { command: "touch begun; exec sleep 100" } }],
    });
    const running = hooks.run(hook ?? expect.fail("it is no hook"), {});
    await until(() => existsSync(join(folder, "begun")), "the hook runs");
    hooks.stop();
    expect(await running).toEqual({});
  });
});
