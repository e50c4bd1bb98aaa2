import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Anabranch, RunView } from "../../src/index.ts";
import type { NoticeView } from "../../src/protocol/views.ts";
import { DIST, makeHome } from "../fixtures/home.ts";
import { photograph } from "../fixtures/photograph.ts";
import { makeRepository, writeFiles } from "../fixtures/repository.ts";
import { until } from "../fixtures/until.ts";
import { startModelServer, type ModelServer } from "./model-server.ts";
import { agentHome, agentPlace, type Place } from "./places.ts";
import { scripted, type Step } from "./script.ts";

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.close());

/** A repository, a daemon and Claude Code, which speaks with the scripted model only. */
interface Bench {
  readonly root: string;
  readonly place: Place;
  readonly anabranch: Anabranch;
}

function makeBench(files: Readonly<Record<string, string>>): Bench {
  const home = makeHome();
  const place = agentPlace("claude", server, agentHome());
  const PATH = `${dirname(place.program.command)}:${place.environment["PATH"]}`;
  const environment = { ...home.environment, ...place.environment, PATH };
  return { root: makeRepository(files), place, anabranch: home.client(environment) };
}

const ask = (...steps: readonly Step[]): string => `Do it. ${scripted(...steps)}`;
const logOf = (run: RunView, task: string, attempt = 1): string =>
  readFileSync(join(run.folder, task, String(attempt), "log"), "utf8");

describe("work of an agent that does not fit what has landed", () => {
  it("goes back once to its author's own conversation, with what stood in the way and what the other side was about", async () => {
    const { root, anabranch } = makeBench({ "a.txt": "hello\n" });
    const edit = (text: string): Step => ({
      tool: "Edit",
      input: { file_path: "a.txt", old_string: "hello", new_string: `hello ${text}` },
    });
    const read: Step = { tool: "Read", input: { file_path: "a.txt" } };
    const again: Step = { tool: "Bash", input: { command: `sed -i "s/$/ two/" a.txt`, description: "again" } };
    const started = await anabranch.start({
      directory: root,
      definition: {
        mode: "parallel",
        tasks: {
          one: { agent: "claude", prompt: ask(read, edit("one"), { text: "one is done" }) },
          two: {
            agent: "claude",
            prompt: ask(read, { ...edit("two"), delayMs: 2500 }, { text: "two is done" }, again, {
              text: "now it fits",
            }),
          },
        },
      },
    });
    const run = await started.wait();
    expect(run.outcome).toBe("succeeded");
    const [first, second] = run.taskList.find(({ name }) => name === "two")?.agent?.sessions ?? [];
    expect(second?.from).toEqual({ conversation: first?.conversation, way: "copy" });
    const asked = server.requests.find(({ text }) => text.includes("did not land") && text.includes("two is done"));
    expect(asked?.text).toContain("landedMeanwhile");
    const tip = run.lane.tip ?? "";
    expect(execFileSync("git", ["--git-dir", run.vault, "show", `${tip}:a.txt`], { encoding: "utf8" })).toBe(
      "hello one two\n",
    );
  });
});

describe("a conversation of the user's own", () => {
  it("is found by itself, and its copy works on the files as they are, while everything of the user's stays as it was", async () => {
    const { root, anabranch, place } = makeBench({ "a.txt": "hello\n" });
    await headless(place, root, ask({ text: "we spoke of the parser" }));
    writeFiles(root, { "uncommitted.txt": "mine\n" });
    const before = photograph(root);
    const { estimate } = await anabranch.fork({ directory: root });
    expect(estimate).toMatchObject({ kind: "claude", way: "copy", cache: "likely" });
    const read: Step = { tool: "Bash", input: { command: "cat uncommitted.txt > copied.txt", description: "copy" } };
    const { run } = await anabranch.fork({ directory: root, prompts: [ask(read, { text: "forked" })] });
    const view = await run?.wait();
    expect(view?.outcome).toBe("succeeded");
    expect(view?.taskList[0]?.attempts[0]?.changeset?.changes.map(({ path }) => path)).toEqual(["copied.txt"]);
    expect(
      server.requests.some(({ text }) => text.includes("we spoke of the parser") && text.includes("copied.txt")),
    ).toBe(true);
    expect(photograph(root)).toEqual(before);
  });

  it("that is not there is said to be so, with what to do instead", async () => {
    const { root, anabranch } = makeBench({ "a.txt": "hello\n" });
    await expect(anabranch.fork({ directory: root, prompts: ["go"] })).rejects.toMatchObject({
      code: "CONVERSATION_UNKNOWN",
    });
    await expect(anabranch.fork({ directory: root, source: "nothing-of-that-name" })).rejects.toMatchObject({
      code: "CONVERSATION_UNKNOWN",
      message: expect.stringContaining("nothing-of-that-name"),
    });
  });
});

describe("an agent that must ask", () => {
  it("waits for a person's yes, which no task can give, and is told a no with its reason", async () => {
    const { root, anabranch } = makeBench({
      "a.txt": "hello\n",
      "anabranch.yaml": "agents:\n  careful: { kind: claude, permission: ask }\n",
    });
    const write = (path: string): Step => ({ tool: "Write", input: { file_path: path, content: "x\n" } });
    const started = await anabranch.start({
      directory: root,
      definition: {
        tasks: { one: { agent: "careful", prompt: ask(write("yes.txt"), write("no.txt"), { text: "asked" }) } },
      },
    });
    const [first] = await waiting(anabranch, root, "yes.txt");
    const cli = `${process.execPath} ${join(DIST, "cli.js")} approve ${first.id}`;
    const cheat = await anabranch.start({ directory: root, tasks: { cheat: { run: cli, writes: "none" } } });
    expect((await cheat.wait()).outcome).toBe("failed");
    expect(logOf((await anabranch.run(cheat.id)).view, "cheat")).toContain("NOT_ALLOWED_IN_TASK");
    await anabranch.approve(first.id, true);
    const [second] = await waiting(anabranch, root, "no.txt");
    await anabranch.approve(second.id, false, "not this one");
    await expect(anabranch.approve(second.id, true)).rejects.toMatchObject({ code: "NOTICE_CLOSED" });
    await anabranch.wait(started.id);
    const run = (await anabranch.run(started.id)).view;
    expect(run.taskList[0]?.attempts[0]?.changeset?.changes.map(({ path }) => path)).toEqual(["yes.txt"]);
    expect(logOf(run, "one")).toContain("not this one");
  });
});

describe("what an agent starts itself", () => {
  it("begins with the state of its workspace, belongs to the user's repository, and lands on a lane in its vault", async () => {
    const { root, anabranch } = makeBench({ "a.txt": "hello\n" });
    const cli = `${process.execPath} ${join(DIST, "cli.js")}`;
    const child = `${cli} run -q -t child='cat made.txt > seen.txt'`;
    const started = await anabranch.start({
      directory: root,
      definition: {
        tasks: {
          parent: {
            agent: "claude",
            prompt: ask(
              { tool: "Write", input: { file_path: "made.txt", content: "by the parent\n" } },
              { tool: "Bash", input: { command: child, description: "delegate" } },
              { text: "delegated" },
            ),
          },
        },
      },
    });
    const run = await started.wait();
    expect(run.outcome).toBe("succeeded");
    const runs = await anabranch.ask("list", { directory: root });
    const childRun = runs.find(({ parent }) => parent?.run === run.id);
    expect(childRun).toMatchObject({ outcome: "succeeded", repository: run.repository });
    const view = (await anabranch.run(childRun?.id ?? "")).view;
    expect(view.vault).toBe(run.vault);
    const tip = view.lane.tip ?? "";
    expect(execFileSync("git", ["--git-dir", view.vault, "show", `${tip}:seen.txt`], { encoding: "utf8" })).toBe(
      "by the parent\n",
    );
  });
});

async function waiting(anabranch: Anabranch, root: string, what: string): Promise<[NoticeView]> {
  let found: NoticeView | undefined;
  await until(async () => {
    found = (await anabranch.needsYou(root)).find(({ title }) => title.includes(what));
    return found !== undefined;
  }, `somebody asks about ${what}`);
  if (found === undefined) throw new Error("nobody asked");
  return [found];
}

/** The user's own session: Claude Code itself, without us. */
function headless(place: Place, root: string, prompt: string): Promise<void> {
  const child = spawn(place.program.command, ["-p", prompt], { cwd: root, env: place.environment, stdio: "ignore" });
  return new Promise((done, fail) => {
    child.once("close", (status) => (status === 0 ? done() : fail(new Error(`claude ended with ${status}`))));
  });
}
