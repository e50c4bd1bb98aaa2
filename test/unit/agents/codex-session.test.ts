import { describe, expect, it } from "vitest";

import type { AppServer, ThreadListener } from "../../../src/agents/codex/app-server.ts";
import { splitEnvironment } from "../../../src/agents/shared-environment.ts";
import { createSession } from "../../../src/agents/codex/session.ts";
import type { AgentEvent, Gate, GateAnswer, Session } from "../../../src/agents/port.ts";
import { AnabranchError } from "../../../src/base/errors.ts";
import { handClock } from "../../fixtures/hand-clock.ts";

interface Wire {
  readonly session: Session;
  readonly listener: ThreadListener;
  readonly events: AgentEvent[];
  /** What was asked of the server, by its name. */
  readonly calls: string[];
  readonly released: () => number;
  /** Says something of the session's own thread. */
  readonly say: (method: string, params?: object) => void;
  readonly types: () => string[];
}

const NEVER = new Promise<never>(() => undefined);

/** A session whose server's side is spoken by the test. */
function converse(
  options: { gate?: Gate; maxTurns?: number; answers?: Record<string, () => Promise<object>> } = {},
): Wire {
  const [events, calls]: [AgentEvent[], string[]] = [[], []];
  let listener: ThreadListener | undefined;
  let released = 0;
  const server: AppServer = {
    pid: 1,
    call: (method) => {
      calls.push(method);
      const answer = options.answers?.[method] ?? (() => Promise.resolve({ turn: { id: `turn-${calls.length}` } }));
      return answer().then((result) => ({ ...result }));
    },
    listen: (_, heard) => void (listener = heard),
    isHeard: () => false,
    leave: () => undefined,
    hasSandbox: () => Promise.resolve(true),
    gone: NEVER,
    close: () => Promise.resolve(),
  };
  const session = createSession({
    share: { program: server, giveBack: () => void (released += 1) },
    thread: { id: "t", model: "m", remark: undefined },
    capabilities: {
      fork: true,
      forkCwd: true,
      forkPrefix: true,
      steer: true,
      preToolDeny: true,
      readEvents: true,
      writeEvents: true,
      cost: false,
      structured: true,
      sharedProcess: true,
    },
    options: {
      cwd: "/w",
      environment: {},
      permission: "workspace",
      toolServers: {},
      maxTurns: options.maxTurns,
      clock: handClock(),
      gate: options.gate ?? (() => Promise.resolve({ allow: true })),
      onEvent: (event) => void events.push(event),
    },
  });
  if (listener === undefined) throw new Error("nobody listens");
  const heard = listener;
  const say = (method: string, params: object = {}): void => heard.onNotification(method, { threadId: "t", ...params });
  return {
    session,
    listener,
    events,
    calls,
    released: () => released,
    say,
    types: () => events.map(({ type }) => type),
  };
}

const ended = (status = "completed", id = "turn-1"): object => ({ turn: { id, status, error: null } });
const message = (clientId: string | undefined): object => ({ item: { type: "userMessage", id: "u", clientId } });

describe("a codex session", () => {
  it("is not shaken by messages of other shapes, about other turns, or that come twice", async () => {
    const { session, say, types } = converse();
    await session.send({ text: "go", when: "later" });
    const odd = [
      "turn/completed",
      "item/started",
      "item/completed",
      "thread/tokenUsage/updated",
      "error",
      "of/next/year",
    ];
    for (const method of odd) {
      for (const params of [{}, { turn: 3, item: "x", tokenUsage: [], error: 1 }, { item: { id: "i" } }])
        say(method, params);
    }
    say("turn/completed", ended("completed", "another turn"));
    expect(types().filter((type) => type === "turn.end")).toEqual([]);
    say("turn/completed", ended());
    say("turn/completed", ended());
    expect(types().filter((type) => type === "turn.end")).toHaveLength(1);
  });

  it("tells of a tool once, and of its end once, whatever is repeated", async () => {
    const { session, say, types } = converse();
    await session.send({ text: "go", when: "later" });
    const item = { type: "commandExecution", id: "c", command: "ls", status: "completed", exitCode: 0 };
    for (const method of ["item/started", "item/started", "item/completed"]) say(method, { item });
    expect(types()).toEqual(["tool.start", "tool.end"]);
  });

  it("does not count what is told again of an earlier turn", async () => {
    const { session, say, events } = converse();
    await session.send({ text: "go", when: "later" });
    const used = (total: number): object => ({ inputTokens: total, totalTokens: total });
    say("thread/tokenUsage/updated", { turnId: "turn-0", tokenUsage: { total: used(900), last: used(100) } });
    say("thread/tokenUsage/updated", { turnId: "turn-1", tokenUsage: { total: used(950), last: used(50) } });
    const counted = events
      .filter((event) => event.type === "usage")
      .map(({ usage }) => [usage.inputTokens, usage.turns]);
    expect(counted).toEqual([[50, 1]]);
  });

  it("ends with its turn what it has told of, and tells of what is written behind it", async () => {
    const { session, say, events } = converse();
    await session.send({ text: "go", when: "later" });
    const item = { type: "fileChange", id: "f", changes: [{ path: "/w/a", kind: { type: "add" } }] };
    say("item/started", { item: { ...item, status: "inProgress" } });
    say("turn/completed", ended());
    say("item/completed", { item: { ...item, status: "completed" } });
    expect(events.map(({ type }) => type)).toEqual(["tool.start", "tool.end", "turn.end", "file"]);
  });

  it("keeps for the next turn what came too late for this one", async () => {
    const steer = (): Promise<object> => Promise.reject(new AnabranchError("AGENT_FAILED", { message: "no turn" }));
    const { session, say, calls, events } = converse({ answers: { "turn/steer": steer } });
    await session.send({ text: "go", when: "later" });
    await session.send({ text: "also", when: "next" });
    say("turn/completed", ended());
    expect(calls).toEqual(["turn/start", "turn/steer", "turn/start"]);
    expect(events.at(-1)).toEqual({ type: "message.taken", text: "also" });
  });

  it("says when a message has reached the model, and not before", async () => {
    const { session, say, events, calls } = converse();
    await session.send({ text: "go", when: "later" });
    await session.send({ text: "also", when: "next" });
    say("item/completed", message("somebody else's"));
    say("item/completed", message(undefined));
    expect([calls, events]).toEqual([["turn/start", "turn/steer"], []]);
  });

  it("begins nothing by itself after a turn that failed or was interrupted", async () => {
    const { session, say, calls, events } = converse();
    await session.send({ text: "go", when: "later" });
    await session.send({ text: "wait", when: "later" });
    await session.interrupt();
    say("turn/completed", ended("interrupted"));
    expect(calls).toEqual(["turn/start", "turn/interrupt"]);
    await session.send({ text: "again", when: "later" });
    say("turn/completed", ended("completed", "turn-3"));
    expect(calls).toEqual(["turn/start", "turn/interrupt", "turn/start", "turn/start"]);
    expect(events.at(-1)).toEqual({ type: "message.taken", text: "wait" });
  });

  it("ends a turn that the server does not take", async () => {
    const refuse = (): Promise<object> => Promise.reject(new AnabranchError("AGENT_FAILED", { message: "not now" }));
    const { session, events } = converse({ answers: { "turn/start": refuse } });
    await session.send({ text: "go", when: "later" });
    expect(events).toMatchObject([{ type: "turn.end", status: "failed", failure: { message: "not now" } }]);
  });

  it("is told once that its server is gone, and leaves it once", async () => {
    const { session, listener, types, released } = converse();
    await session.send({ text: "go", when: "later" });
    const error = new AnabranchError("AGENT_GONE", { message: "it died" });
    listener.onGone(error);
    listener.onGone(error);
    await session.close();
    expect(types()).toEqual(["turn.end", "gone"]);
    expect(released()).toBe(1);
  });

  it("refuses where the gate breaks, and what it does not know it leaves unanswered", async () => {
    const { session, listener, calls } = converse({ gate: () => Promise.reject(new Error("no gate")) });
    await session.send({ text: "go", when: "later" });
    const question = { threadId: "t", itemId: "f" };
    expect(await listener.onQuestion("item/fileChange/requestApproval", question, 1)).toEqual({ decision: "decline" });
    expect(calls).toContain("thread/inject_items");
    expect(await listener.onQuestion("item/of/next/year", question, 2)).toBeUndefined();
    const wider = await listener.onQuestion("item/permissions/requestApproval", question, 3);
    expect(wider).toEqual({ permissions: {}, scope: "turn" });
  });

  it("has nothing to say about a question that was settled without it", async () => {
    let answer: (given: GateAnswer) => void = () => undefined;
    const { session, listener, say, calls } = converse({ gate: () => new Promise((resolve) => (answer = resolve)) });
    await session.send({ text: "go", when: "later" });
    const asking = listener.onQuestion("item/fileChange/requestApproval", { threadId: "t", itemId: "f" }, 5);
    say("serverRequest/resolved", { requestId: 5 });
    answer({ allow: false, reason: "too late" });
    await asking;
    expect(calls).toEqual(["turn/start"]);
  });
});

describe("an environment", () => {
  it("is shared but for what is of a task or of its folder", () => {
    const environment = {
      PATH: "/usr/bin:/w/1/node_modules/.bin:/bin",
      HOME: "/home/me",
      KEY: "k",
      PWD: "/w/1",
      ANABRANCH_MARKER: "m",
      INIT_CWD: "/w/1/src",
    };
    const { shared, own } = splitEnvironment(environment, "/w/1");
    expect(shared).toEqual({ PATH: "/usr/bin:/bin", HOME: "/home/me", KEY: "k" });
    const { HOME: _home, KEY: _key, ...rest } = environment;
    expect(own).toEqual(rest);
  });
});
