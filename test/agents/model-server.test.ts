import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { AGENT_KINDS, type AgentKind } from "../../src/engine/agent.ts";
import { DIALECTS } from "./dialects.ts";
import { startModelServer, type ModelServer } from "./model-server.ts";
import { agentHome, agentPlace, type Place } from "./places.ts";
import { placeOf, scripted, stepAt } from "./script.ts";

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.close());

/** How each vendor's own command takes a prompt from its standard input. */
const HEADLESS: Readonly<Record<AgentKind, (model: string) => string[]>> = {
  claude: (model) => ["-p", "--permission-mode", "acceptEdits", "--model", model],
  codex: (model) => ["exec", "--skip-git-repo-check", "-s", "danger-full-access", "-m", model, "-"],
  opencode: (model) => ["run", "--title", "a test", "-m", model],
  acp: (model) => ["--approval-mode", "yolo", "--model", model],
};

async function runHeadless(place: Place, args: readonly string[], cwd: string, prompt: string): Promise<string> {
  const ownArgs = place.program.args.filter((arg) => arg !== "--acp");
  const child = spawn(place.program.command, [...ownArgs, ...args], { cwd, env: place.environment });
  child.stdin.end(prompt);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return stdout + stderr;
}

describe("the scripted model", () => {
  it.each(AGENT_KINDS)("makes the real %s write a file", async (kind) => {
    const home = agentHome();
    const place = agentPlace(kind, server, home);
    const cwd = join(home, "project");
    mkdirSync(cwd);
    const path = join(realpathSync(cwd), "file.txt");
    const words = scripted(DIALECTS[kind].write(path, "written\n"), { text: "the file is written" });

    const output = await runHeadless(place, HEADLESS[kind](place.model), cwd, `Write it. ${words}`);

    expect(existsSync(path), output).toBe(true);
    expect(readFileSync(path, "utf8")).toBe("written\n");
    expect(output).toContain("the file is written");
  });

  it("fails as often as a step says and then goes on", () => {
    const script = JSON.stringify([{ text: "a" }, { status: 429, times: 2 }, { hang: true, times: 1 }, { text: "b" }]);
    const steps = [0, 1, 2, 3].map((failures) => stepAt({ script, answers: 1 }, failures));
    expect(steps).toEqual([
      { status: 429, times: 2 },
      { status: 429, times: 2 },
      { hang: true, times: 1 },
      { text: "b" },
    ]);
    expect(stepAt({ script, answers: 2 }, 0)).toEqual({ text: "done" });
  });

  it("follows the last script, and takes one within another for a part of it", () => {
    const inner = scripted({ text: "inner" });
    const outer = scripted({ tool: "Agent", input: { prompt: inner } });
    const place = placeOf([{ user: scripted({ text: "old" }) }, { answer: true }, { user: outer }, { answer: true }]);
    expect(place?.answers).toBe(1);
    expect(`SCRIPT:${place?.script}:END`).toBe(outer);
  });
});
