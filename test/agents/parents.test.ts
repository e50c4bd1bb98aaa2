import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { RunView } from "../../src/protocol/views.ts";
import { startModelServer, type ModelRequest, type ModelServer } from "./model-server.ts";
import { makeParentPlace, toolOf, twoChildren, type ParentKind, type ParentPlace } from "./parent-place.ts";
import { scripted } from "./script.ts";

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.close());

/** How each parent's own command takes a prompt on standard input. */
const HEADLESS: Readonly<Record<ParentKind, (model: string) => string[]>> = {
  claude: (model) => [
    "-p",
    "--output-format",
    "stream-json",
    "--verbose",
    "--model",
    model,
    "--allowedTools",
    "mcp__anabranch",
  ],
  codex: (model) => ["exec", "--json", "-s", "workspace-write", "-m", model, "-"],
  opencode: (model) => ["run", "--title", "a test", "-m", model],
};

/** The parent's own requests: the ones that its script is part of. */
function requestsOf(prompt: string): ModelRequest[] {
  const script = prompt.slice(prompt.indexOf("SCRIPT:") + "SCRIPT:".length, prompt.lastIndexOf(":END"));
  return server.requests.filter((request) => request.place?.script === script);
}

/** What stands in a report and in nothing that was asked. */
function expectReport(text: string, run: string): void {
  for (const part of [run, "A one.txt +1", "A two.txt +1"]) expect(text).toContain(part);
}

async function newestRun({ anabranch, root }: ParentPlace): Promise<RunView> {
  const client = anabranch.client();
  const [newest] = await client.ask("list", { directory: root });
  return (await client.run(newest?.id ?? "", root)).view;
}

function expectBothLanded(run: RunView): void {
  expect(run.taskList.map(({ name, outcome, landing }) => [name, outcome, landing !== undefined])).toEqual([
    ["one", "succeeded", true],
    ["two", "succeeded", true],
  ]);
}

/** Whether the second began before the first had ended. */
function wereParallel({ taskList }: RunView): boolean {
  const times = taskList.map(({ attempts }) => attempts[0]?.timings);
  const starts = times.map((one) => one?.startedMs ?? Infinity);
  return Math.max(...starts) < Math.min(...times.map((one) => one?.exitedMs ?? 0));
}

describe("a parent agent", () => {
  it.each(["claude", "codex", "opencode"] as const)(
    "that is the real %s runs two children at once and gets the merged report",
    async (kind) => {
      const parent = await makeParentPlace(kind, server);
      const step = toolOf(kind, "run_agents", twoChildren());
      const prompt = `Delegate it (${kind}). ${scripted(step, { text: "the parent has the report" })}`;

      const output = await parent.run(HEADLESS[kind](parent.place.model), { input: prompt });

      expect(output).toContain("the parent has the report");
      const run = await newestRun(parent);
      expectBothLanded(run);
      expect(wereParallel(run)).toBe(true);
      const [asked, told] = requestsOf(prompt);
      expect(asked?.text).not.toContain("A one.txt +1");
      expectReport(told?.text ?? "", run.id);
    },
  );

  it.each(["claude", "codex", "opencode"] as const)(
    "that is the real %s spawns two children, goes on, and waits for both later",
    async (kind) => {
      const parent = await makeParentPlace(kind, server);
      const hold = `spawned by ${kind}`;
      const [one, two] = twoChildren({ wait: hold }).agents;
      const steps = [
        toolOf(kind, "spawn_agent", one as never),
        toolOf(kind, "spawn_agent", two as never),
        { ...toolOf(kind, "list_agents", {}), wait: `listed by ${kind}` },
        toolOf(kind, "wait_agents", { ids: ["@last", "@last~1"], seconds: 40 }),
      ];
      const prompt = `Spawn them (${kind}). ${scripted(...steps, { text: "both are back" })}`;
      const running = parent.run(HEADLESS[kind](parent.place.model), { input: prompt });
      const listing = await server.waitForRequest((request) => request === requestsOf(prompt)[2]);
      expect(listing.text).not.toContain("+1");
      server.release(`listed by ${kind}`);
      await server.waitForRequest((request) => request === requestsOf(prompt)[3]);
      server.release(hold);

      expect(await running).toContain("both are back");
      const told = requestsOf(prompt)[4]?.text ?? "";
      for (const part of ["A one.txt +1", "A two.txt +1"]) expect(told).toContain(part);
    },
  );

  it.each(["claude", "codex"] as const)(
    "that is the real %s forks itself: the copy knows what the parent knows, and works on the same state",
    async (kind) => {
      const parent = await makeParentPlace(kind, server);
      writeFileSync(join(parent.root, "draft.txt"), "not committed\n");
      const write = { command: "wc -l < draft.txt > forked.txt" };
      const tool = kind === "claude" ? "Bash" : "exec_command";
      const input = kind === "claude" ? { ...write, description: "count" } : { cmd: write.command };
      const copied = scripted({ tool, input }, { text: "the copy is done" });
      const steps = [
        toolOf(kind, "fork_me", { prompts: [`Go on alone. ${copied}`] }),
        toolOf(kind, "wait_agents", { ids: ["@last"], seconds: 40 }),
      ];
      const secret = `The word is heron-${kind}.`;
      const prompt = `${secret} ${scripted(...steps, { text: "the copy has reported" })}`;

      expect(await parent.run(HEADLESS[kind](parent.place.model), { input: prompt })).toContain(
        "the copy has reported",
      );

      const run = await newestRun(parent);
      expect(run.taskList.map(({ name, outcome, reason }) => [name, outcome, reason])).toEqual([
        ["fork", "succeeded", undefined],
      ]);
      const [first] = requestsOf(`x ${copied}`);
      expect(first?.text).toContain(secret);
      expect(requestsOf(prompt)[1]?.text).toContain(run.id);
      expect(requestsOf(prompt)[2]?.text).toContain("A forked.txt +1");
    },
  );

  it("that is Claude Code without a terminal goes on when a call takes long, and is told of its end", async () => {
    const parent = await makeParentPlace("claude", server);
    const hold = "in the background";
    const step = toolOf("claude", "run_agents", twoChildren({ wait: hold }));
    const prompt = `In the background. ${scripted(step, { text: "I go on meanwhile" }, { text: "now I know" })}`;
    const running = parent.run(HEADLESS.claude(parent.place.model), {
      input: prompt,
      environment: { CLAUDE_AUTO_BACKGROUND_TASKS: "1", CLAUDE_CODE_MCP_AUTO_BACKGROUND_MS: "1000" },
    });
    const meanwhile = await server.waitForRequest((request) => request === requestsOf(prompt)[1]);
    expect(meanwhile.text).toContain("moved to the background");
    expect(meanwhile.text).not.toContain("A one.txt +1");
    server.release(hold);

    expect(await running).toContain("now I know");
    const run = await newestRun(parent);
    expectBothLanded(run);
    const told = requestsOf(prompt)[2]?.text ?? "";
    expect(told).toContain("<task-notification>");
    expectReport(told, run.id);
  });
});
