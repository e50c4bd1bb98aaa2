import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { createCodexAdapter } from "../../src/agents/codex/adapter.ts";
import type { AgentAdapter, AgentEvent, OpenOptions, Session, ToolRequest, TurnEnd } from "../../src/agents/port.ts";
import { systemClock } from "../../src/base/clock.ts";
import { until } from "../fixtures/until.ts";
import { startModelServer, type ModelServer } from "./model-server.ts";
import { agentHome, agentPlace, type Place } from "./places.ts";
import { scripted, type Step } from "./script.ts";

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.close());

let adapter: AgentAdapter;
let home: string;
let place: Place;
beforeEach(() => {
  adapter = createCodexAdapter(systemClock);
  home = agentHome();
  place = agentPlace("codex", server, home);
});
afterEach(() => adapter.close());

interface Talk {
  readonly session: Session;
  readonly events: AgentEvent[];
  readonly asked: ToolRequest[];
  readonly cwd: string;
  /** Says something and waits for the end of the turn. */
  turn(...steps: readonly Step[]): Promise<TurnEnd>;
  of<Type extends AgentEvent["type"]>(type: Type): Extract<AgentEvent, { type: Type }>[];
}

function folder(name: string): string {
  const path = join(home, name);
  mkdirSync(path, { recursive: true });
  execFileSync("git", ["init", "-q"], { cwd: path });
  return realpathSync(path);
}

async function open(options: Partial<OpenOptions> = {}): Promise<Talk> {
  const [events, asked]: [AgentEvent[], ToolRequest[]] = [[], []];
  const cwd = options.cwd ?? folder("work");
  const session = await adapter.open({
    ...place,
    permission: "workspace",
    toolServers: {},
    clock: systemClock,
    onEvent: (event) => void events.push(event),
    ...options,
    cwd,
    environment: { ...place.environment, ANABRANCH_MARKER: "marker-of-work", PWD: cwd, ...options.environment },
    gate: async (request) => {
      asked.push(request);
      return (await options.gate?.(request)) ?? { allow: true };
    },
  });
  const of: Talk["of"] = (type) =>
    events.filter((event): event is Extract<AgentEvent, { type: typeof type }> => event.type === type);
  return {
    session,
    events,
    asked,
    cwd,
    of,
    async turn(...steps) {
      const before = of("turn.end").length;
      await session.send({ text: scripted(...steps), when: "later" });
      await until(() => of("turn.end").length > before, "the end of the turn");
      return of("turn.end").at(-1) as TurnEnd;
    },
  };
}

const run = (cmd: string): Step => ({ tool: "exec_command", input: { cmd } });
const add = (path: string, line: string): Step => ({
  tool: "apply_patch",
  input: `*** Begin Patch\n*** Add File: ${path}\n+${line}\n*** End Patch\n`,
});
describe("codex", () => {
  it("is found with its version, and missed with the way to install it", async () => {
    expect(await adapter.detect(place)).toEqual({ found: true, path: place.program.command, version: "0.169.0" });
    const missing = await adapter.detect({ environment: { PATH: "/nowhere" } });
    expect(missing).toMatchObject({
      found: false,
      error: { code: "AGENT_MISSING", hint: expect.stringContaining("npm") },
    });
  });

  it("edits files, runs commands and tells of it", async () => {
    const talk = await open();
    writeFileSync(join(talk.cwd, "a.txt"), "hello\n");
    const end = await talk.turn(
      run("cat a.txt"),
      add("b.txt", "made"),
      run('echo "$ANABRANCH_MARKER at $PWD" > c.txt'),
      { text: "all done", usage: { input: 60, output: 10, cacheRead: 40 } },
    );
    expect(end).toMatchObject({ status: "completed", text: "all done" });
    expect(readFileSync(join(talk.cwd, "b.txt"), "utf8")).toBe("made\n");
    expect(readFileSync(join(talk.cwd, "c.txt"), "utf8")).toBe(`marker-of-work at ${talk.cwd}\n`);
    expect(talk.of("file")).toEqual([
      { type: "file", access: "read", path: join(talk.cwd, "a.txt") },
      { type: "file", access: "write", path: join(talk.cwd, "b.txt") },
    ]);
    expect(talk.asked.map(({ action, command, paths }) => command ?? [action, ...paths])).toEqual([
      "cat a.txt",
      ["write", join(talk.cwd, "b.txt")],
      'echo "$ANABRANCH_MARKER at $PWD" > c.txt',
    ]);
    expect(talk.of("tool.start")).toHaveLength(3);
    expect(talk.of("tool.end")).toMatchObject([{ ok: true, output: "hello\n" }, { ok: true }, { ok: true }]);
    const { usage, model } = talk.of("usage").at(-1) ?? {};
    expect(model).toBe("gpt-5.5");
    expect(usage).toMatchObject({ turns: 4, outputTokens: 40, cacheReadTokens: 40, inputTokens: 360 });
    expect(talk.of("context").at(-1)).toMatchObject({ window: expect.any(Number) });
    await talk.session.close();
  });
});
