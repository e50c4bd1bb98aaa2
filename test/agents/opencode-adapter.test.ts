import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { createOpencodeAdapter } from "../../src/agents/opencode/adapter.ts";
import type { AgentEvent, Gate, OpenOptions, Session, ToolRequest, TurnEnd } from "../../src/agents/port.ts";
import { systemClock } from "../../src/base/clock.ts";
import { until } from "../fixtures/until.ts";
import { startModelServer, type ModelServer } from "./model-server.ts";
import { agentPlace, type Place } from "./places.ts";
import { scripted, type Step } from "./script.ts";

const HOMES = resolve(import.meta.dirname, "../../.build/agent-homes");
const WAIT_MS = 60_000;

const adapter = createOpencodeAdapter(systemClock);
let model: ModelServer;
let home: string;
let place: Place;

beforeAll(async () => {
  mkdirSync(HOMES, { recursive: true });
  home = realpathSync(mkdtempSync(join(HOMES, "opencode-")));
  model = await startModelServer();
  place = agentPlace("opencode", model, home);
});

afterAll(async () => {
  await adapter.close();
  await model.close();
  expect(serverIds()).toEqual([]);
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

/** The servers of this home that are running. */
function serverIds(): string[] {
  const table = execFileSync("ps", ["-eo", "pid,args"], { encoding: "utf8" });
  const ids = table.split("\n").filter((line) => / serve --hostname /.test(line));
  return ids
    .map((line) => line.trim().split(" ")[0] ?? "")
    .filter((id) => {
      try {
        return readFileSync(`/proc/${id}/environ`, "utf8").includes(`HOME=${home}`);
      } catch {
        return false;
      }
    });
}

/** The folders that are worked in are of one repository, as workspaces are. */
function folder(name: string): string {
  const path = join(home, name);
  if (!existsSync(path)) {
    const git = (...args: string[]): void => void execFileSync("git", args, { cwd: path, stdio: "ignore" });
    mkdirSync(path);
    writeFileSync(join(path, "a.txt"), "hello\n");
    git("init", "-q");
    git("add", "-A");
    const date = "2026-01-01T00:00:00Z";
    execFileSync("git", ["-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "begin"], {
      cwd: path,
      stdio: "ignore",
      env: { ...process.env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
    });
  }
  return path;
}

interface Talk {
  readonly session: Session;
  readonly events: AgentEvent[];
  readonly asked: ToolRequest[];
  turn(...steps: Step[]): Promise<TurnEnd>;
  end(number: number): Promise<TurnEnd>;
}

async function open(cwd: string, more: Partial<OpenOptions> = {}): Promise<Talk> {
  const events: AgentEvent[] = [];
  const asked: ToolRequest[] = [];
  const gate: Gate = more.gate ?? (() => Promise.resolve({ allow: true }));
  const session = await adapter.open({
    ...place,
    environment: { ...place.environment, ANABRANCH_MARKER: `marker-${cwd.split("/").at(-1) ?? ""}` },
    cwd,
    permission: "workspace",
    toolServers: {},
    clock: systemClock,
    onEvent: (event) => void events.push(event),
    ...more,
    gate(request) {
      asked.push(request);
      return gate(request);
    },
  });
  onTestFinished(() => session.close());
  const ends = (): TurnEnd[] => events.filter((event) => event.type === "turn.end");
  const end = async (number: number): Promise<TurnEnd> => {
    await until(() => ends().length >= number, `turn ${number} ends: ${JSON.stringify(events.slice(-3))}`, WAIT_MS);
    return ends()[number - 1] as TurnEnd;
  };
  return {
    session,
    events,
    asked,
    end,
    async turn(...steps) {
      const number = ends().length + 1;
      await session.send({ text: scripted(...steps), when: "next" });
      return end(number);
    },
  };
}

function of<T extends AgentEvent["type"]>(events: readonly AgentEvent[], type: T): Extract<AgentEvent, { type: T }>[] {
  return events.filter((event): event is Extract<AgentEvent, { type: T }> => event.type === type);
}

/** What the model was told last. */
function lastMessages(): string {
  return JSON.stringify(model.requests.at(-1)?.body["messages"]);
}

describe("opencode", () => {
  it("is found, with its version", async () => {
    expect(await adapter.detect(place)).toMatchObject({ found: true, version: "1.18.33" });
    expect(await adapter.detect({ ...place, program: { command: "no-such-program", args: [] } })).toMatchObject({
      found: false,
      error: { code: "AGENT_MISSING" },
    });
  });

  it("reads, edits and runs, tells of each, and counts what it used", async () => {
    const cwd = folder("one");
    const file = join(cwd, "a.txt");
    const talk = await open(cwd, { model: place.model, system: "BE BRIEF" });
    const end = await talk.turn(
      { tool: "read", input: { filePath: file } },
      { tool: "edit", input: { filePath: file, oldString: "hello", newString: "bye" } },
      { tool: "bash", input: { command: "echo $ANABRANCH_MARKER:$OPENCODE_SERVER_PASSWORD:", description: "say" } },
      { text: "all done", usage: { input: 200, output: 20, cacheRead: 50 } },
    );
    expect(end).toMatchObject({ status: "completed", text: "all done" });
    expect(readFileSync(file, "utf8")).toBe("bye\n");
    expect(of(talk.events, "tool.start").map(({ request }) => [request.tool, request.action, request.paths])).toEqual([
      ["read", "read", [file]],
      ["edit", "write", [file]],
      ["bash", "execute", []],
    ]);
    expect(of(talk.events, "tool.end").map(({ ok }) => ok)).toEqual([true, true, true]);
    expect(of(talk.events, "tool.end").at(-1)?.output).toContain("marker-one::");
    expect(of(talk.events, "file")).toEqual([
      { type: "file", access: "read", path: file },
      { type: "file", access: "write", path: file },
    ]);
    expect(of(talk.events, "usage").at(-1)).toMatchObject({
      model: "m1",
      usage: { inputTokens: 500, outputTokens: 50, cacheReadTokens: 50, turns: 4 },
    });
    expect(of(talk.events, "usage").at(-1)?.usage.usd).toBeCloseTo((500 * 3 + 50 * 15 + 50 * 0.3) / 1e6, 9);
    expect(of(talk.events, "context").at(-1)).toMatchObject({ tokens: 250, window: 200_000 });
    expect(talk.asked.map(({ tool }) => tool)).toEqual(["read", "edit", "bash"]);
    expect(lastMessages()).toContain("BE BRIEF");
  });
});
