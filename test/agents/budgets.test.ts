import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Anabranch } from "../../src/index.ts";
import { makeHome } from "../fixtures/home.ts";
import { git, makeRepository } from "../fixtures/repository.ts";
import { taskOf } from "../fixtures/runs.ts";
import { startModelServer, type ModelServer } from "./model-server.ts";
import { agentHome, agentPlace } from "./places.ts";
import { scripted, type Step } from "./script.ts";

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.close());

const CLI = `${process.execPath} ${join(import.meta.dirname, "../../dist/cli.js")}`;

/** A client whose agents are Claude Code with the scripted model. */
function makeAnabranch(): Anabranch {
  const home = makeHome();
  const place = agentPlace("claude", server, agentHome());
  const PATH = `${dirname(place.program.command)}:${place.environment["PATH"]}`;
  return home.client({ ...home.environment, ...place.environment, PATH });
}

const write = (path: string, input: number): Step => ({
  tool: "Write",
  input: { file_path: path, content: `${path}\n` },
  usage: { input, output: 10, cacheRead: 0, cacheWrite: 0 },
});

describe("a budget of tokens", () => {
  it("stops an agent in its turn when it is spent, and keeps what it did", async () => {
    const anabranch = makeAnabranch();
    const prompt = `Write. ${scripted(write("one.txt", 600), write("two.txt", 600), { hang: true })}`;
    const started = await anabranch.start({
      directory: makeRepository({ "a.txt": "a\n" }),
      definition: { tasks: { one: { agent: "claude", prompt, budget: { tokens: 1000 }, retries: 3 } } },
    });
    const run = await started.wait();
    const task = taskOf(run, "one");
    expect(task).toMatchObject({
      outcome: "failed",
      reason: { code: "BUDGET_SPENT", data: { limit: "tokens", allowed: 1000, whose: `${run.id}/one` } },
    });
    expect(task.attempts).toHaveLength(1);
    expect(git(run.vault, "show", `${task.attempts[0]?.changeset?.snapshot}:one.txt`)).toBe("one.txt");
    expect(run.usage).toMatchObject({ inputTokens: 1200, outputTokens: 20 });
    expect(task.usage).toEqual(run.usage);
    expect(run.usage?.usd).toBeGreaterThan(0);
  });

  it("lets an agent that keeps within it come to its end, and tells what it used, also when it is shown later", async () => {
    const anabranch = makeAnabranch();
    const prompt = `Write. ${scripted(write("one.txt", 600), { text: "done", usage: { input: 100, output: 5 } })}`;
    const started = await anabranch.start({
      directory: makeRepository({ "a.txt": "a\n" }),
      definition: { tasks: { one: { agent: "claude", prompt } }, budget: { tokens: 100_000, usd: 5, turns: 10 } },
    });
    const run = await started.wait();
    expect(run.outcome).toBe("succeeded");
    expect(run.usage).toMatchObject({ inputTokens: 700, outputTokens: 15, turns: 2 });
    await anabranch.ask("stop", {});
    const again = await anabranch.ask("show", { id: run.id });
    expect(again.usage).toEqual(run.usage);
  });

  it("covers agents that an agent has started: all of them stop, the newest work is kept (invariant 12)", async () => {
    const anabranch = makeAnabranch();
    const child = `Write. ${scripted(write("child.txt", 800), write("more.txt", 800), { hang: true })}`;
    const root = makeRepository({
      "a.txt": "a\n",
      "anabranch.yaml": `workflows:\n  below:\n    tasks:\n      child: { agent: claude, prompt: ${JSON.stringify(child)} }\n`,
    });
    const spawn = `${CLI} wait $(${CLI} spawn below)`;
    const prompt = `Delegate. ${scripted(
      { tool: "Bash", input: { command: spawn, description: "delegate" }, usage: { input: 500, output: 10 } },
      { hang: true },
    )}`;
    const started = await anabranch.start({
      directory: root,
      definition: { tasks: { parent: { agent: "claude", prompt } }, budget: { tokens: 2000 } },
    });
    const run = await started.wait();
    const spent = { outcome: "failed", reason: { code: "BUDGET_SPENT", data: { whose: run.id, allowed: 2000 } } };
    expect(taskOf(run, "parent")).toMatchObject(spent);
    const below = (await anabranch.ask("list", {})).find(({ parent }) => parent?.run === run.id);
    await anabranch.wait(below?.id ?? "");
    const inner = await anabranch.ask("show", { id: below?.id ?? "" });
    const task = taskOf(inner, "child");
    expect(task).toMatchObject(spent);
    expect(git(inner.vault, "show", `${task.attempts[0]?.changeset?.snapshot}:child.txt`)).toBe("child.txt");
    expect(inner.usage).toMatchObject({ inputTokens: 1600 });
    const whole = await anabranch.ask("show", { id: run.id });
    expect(whole.usage).toMatchObject({ inputTokens: 2100, outputTokens: 30 });
  });
});
