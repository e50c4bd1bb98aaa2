import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { RunView } from "../../src/index.ts";
import { makeHome } from "../fixtures/home.ts";
import { photograph } from "../fixtures/photograph.ts";
import { makeRepository } from "../fixtures/repository.ts";
import { startModelServer, type ModelServer } from "./model-server.ts";
import { agentHome, agentPlace } from "./places.ts";
import { scripted, type Step } from "./script.ts";

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.close());

const BLOCKS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

describe("an agent", () => {
  it("that writes into the user's repository by an absolute path is refused, and told where it may write", async () => {
    const { root, run, log } = await misbehave((repository) => [
      { tool: "Write", input: { file_path: join(repository, "new.txt"), content: "overwritten\n" } },
      { tool: "Write", input: { file_path: "inside.txt", content: "fine\n" } },
      { text: "tried" },
    ]);
    expect(existsSync(join(root, "new.txt"))).toBe(false);
    expect(run.outcome).toBe("succeeded");
    expect(changedPaths(run)).toEqual(["inside.txt"]);
    expect(sessionOf(run).sets?.outside).toEqual([join(root, "new.txt")]);
    expect(log).toContain("is outside of your workspace");
  });

  it("that makes a symbolic link to the user's files and writes through it is refused", async () => {
    const { root, run, log } = await misbehave((repository) => [
      { tool: "Bash", input: { command: `ln -s ${repository} away`, description: "link" } },
      { tool: "Write", input: { file_path: "away/new.txt", content: "overwritten\n" } },
      { text: "tried" },
    ]);
    expect(existsSync(join(root, "new.txt"))).toBe(false);
    expect(log).toContain("is outside of your workspace");
    expect(run.outcome).toBe("succeeded");
  });

  it("that switches branches, rewrites history and then removes .git loses nothing it made, and touches no ref of the user's", async () => {
    const { run, before, after } = await misbehave(() => [
      {
        tool: "Bash",
        input: {
          command:
            "git checkout -q -b elsewhere && echo one > kept.txt && git add -A && git commit -qm one && git commit -q --amend -m rewritten && git branch -f main HEAD && git reset -q --hard HEAD && rm -rf .git && echo two >> kept.txt",
          description: "rewrite history",
        },
      },
      { text: "done" },
    ]);
    expect(run.outcome).toBe("succeeded");
    expect(changedPaths(run)).toEqual(["kept.txt"]);
    expect(sessionOf(run).sets?.writes).toEqual([{ path: "kept.txt", confidence: "found" }]);
    expect(sessionOf(run).sets?.readsComplete).toBe(false);
    expect(after).toEqual(before);
  });

  it("whose words and tools hold escape codes, or megabytes that are no text, cannot write to a terminal", async () => {
    const { run, log } = await misbehave(() => [
      { tool: "Bash", input: { command: "head -c 2000000 /dev/urandom", description: "noise" } },
      { tool: "Bash", input: { command: "printf '\\033[2J\\033]0;owned\\007'", description: "codes" } },
      { text: "\u001b[2J\u001b]0;owned\u0007\r# refused: nothing\u202e done" },
    ]);
    expect(run.outcome).toBe("succeeded");
    expect(log).not.toMatch(BLOCKS);
    expect(log).not.toContain("\u202e");
    expect(Buffer.byteLength(log)).toBeLessThan(100_000);
  });
});

interface Misbehaviour {
  readonly root: string;
  readonly run: RunView;
  readonly log: string;
  readonly before: unknown;
  readonly after: unknown;
}

async function misbehave(steps: (root: string) => readonly Step[]): Promise<Misbehaviour> {
  const home = makeHome();
  const root = makeRepository({ "file.txt": "first\n" });
  const place = agentPlace("claude", server, agentHome());
  const PATH = `${dirname(place.program.command)}:${place.environment["PATH"]}`;
  const environment = { ...home.environment, ...place.environment, PATH };
  const before = photograph(root);
  const anabranch = home.client(environment);
  const started = await anabranch.start({
    directory: root,
    definition: {
      tasks: { one: { agent: "claude", prompt: `Do it. ${scripted(...steps(root))}`, timeout: "60s" } },
    },
  });
  const run = await started.wait();
  const after = photograph(root);
  const log = readFileSync(join(run.folder, "one", "1", "log"), "utf8");
  return { root, run, log, before, after };
}

function changedPaths(run: RunView): string[] {
  return run.taskList[0]?.attempts.at(-1)?.changeset?.changes.map(({ path }) => path) ?? [];
}

function sessionOf(run: RunView): NonNullable<RunView["taskList"][number]["agent"]>["sessions"][number] {
  const session = run.taskList[0]?.agent?.sessions.at(-1);
  if (session === undefined) throw new Error("there was no session");
  return session;
}
