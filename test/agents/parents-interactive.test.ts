import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { until } from "../fixtures/until.ts";
import { startModelServer, type ModelServer } from "./model-server.ts";
import { makeParentPlace, toolOf, twoChildren, type ParentPlace } from "./parent-place.ts";
import { scripted } from "./script.ts";

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.close());

describe("a person's interactive Claude Code", () => {
  it.skipIf(!hasTmux())("runs two children through the server of tools, and is told of their end", async () => {
    const parent = await makeParentPlace("claude", server);
    settle(parent);
    const terminal = openTerminal(parent);
    await until(() => /❯|>/.test(terminal.screen()), "it waits for a prompt", 40_000);
    const step = toolOf("claude", "run_agents", twoChildren());
    terminal.type(`Delegate it. ${scripted(step, { text: "they are on their way" }, { text: "I have the report" })}`);
    const told = (): boolean =>
      server.requests.some(
        ({ text }) => text.includes("Delegate it.") && text.includes("A one.txt +1") && text.includes("A two.txt +1"),
      );
    await until(told, "it is told of the end", 60_000).catch((cause: unknown) => {
      throw new Error(terminal.screen(), { cause });
    });
    expect(told()).toBe(true);
  });
});

interface Terminal {
  screen(): string;
  type(text: string): void;
}

/** Claude Code in a terminal of its own, under a multiplexer that nobody else uses. */
function openTerminal({ home, root, environment, place }: ParentPlace): Terminal {
  const socket = join(home, "tmux");
  const tmux = (...args: string[]): string =>
    execFileSync("tmux", ["-S", socket, "-f", "/dev/null", ...args], { cwd: root, env: environment, encoding: "utf8" });
  onTestFinished(async () => {
    const [pid = ""] = tmux("list-panes", "-F", "#{pane_pid}").split("\n");
    const servers = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ");
    tmux("kill-server");
    // It takes its leave in its own time, and its servers of tools after it.
    const left = (): boolean => [pid, ...servers].some((one) => one !== "" && existsSync(`/proc/${one}`));
    await until(() => !left(), "everything in the terminal has ended");
  });
  tmux(
    "new-session",
    "-d",
    "-x",
    "200",
    "-y",
    "50",
    "claude",
    "--model",
    place.model,
    "--allowedTools",
    "mcp__anabranch",
  );
  return {
    screen: () => tmux("capture-pane", "-p"),
    type(text) {
      tmux("set-buffer", "--", text);
      tmux("paste-buffer", "-p");
      tmux("send-keys", "Enter");
    },
  };
}

/** Answers beforehand what it asks when it is started for the first time. */
function settle({ home, root, environment }: ParentPlace): void {
  const path = join(home, ".claude.json");
  const settings = JSON.parse(readFileSync(path, "utf8")) as { projects?: Record<string, object> };
  const { projects = {} } = settings;
  const known = {
    ...settings,
    hasCompletedOnboarding: true,
    theme: "dark",
    customApiKeyResponses: { approved: [(environment["ANTHROPIC_API_KEY"] ?? "").slice(-20)], rejected: [] },
    projects: { ...projects, [root]: { ...projects[root], hasTrustDialogAccepted: true } },
  };
  writeFileSync(path, JSON.stringify(known));
}

function hasTmux(): boolean {
  try {
    execFileSync("tmux", ["-V"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
