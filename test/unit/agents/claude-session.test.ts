import { describe, expect, it, onTestFinished } from "vitest";

import { startControlTransport } from "../../../src/agents/claude/control-transport.ts";
import type { Fields } from "../../../src/agents/fields.ts";
import { launchOf } from "../../../src/agents/claude/launch.ts";
import { openSession } from "../../../src/agents/claude/session.ts";
import type { Listener, Spoken, Transport } from "../../../src/agents/claude/transport.ts";
import type { AgentEvent, Gate, OpenOptions, Session } from "../../../src/agents/port.ts";
import { systemClock } from "../../../src/base/clock.ts";
import type { LineProgramEnd } from "../../../src/process/line-program.ts";
import { handClock, type HandClock } from "../../fixtures/hand-clock.ts";
import { until } from "../../fixtures/until.ts";

const CAPABILITIES = {
  fork: true,
  forkCwd: true,
  forkPrefix: true,
  steer: true,
  preToolDeny: true,
  readEvents: true,
  writeEvents: true,
  cost: true,
  structured: true,
  sharedProcess: false,
};

/** A transport at whose other end is the test. */
class Wire implements Transport {
  readonly pid = 1;
  readonly said: Spoken[] = [];
  readonly gone: Promise<LineProgramEnd>;
  listener!: Listener;
  interrupts = 0;
  #end!: (end: LineProgramEnd) => void;

  constructor() {
    this.gone = new Promise((resolve) => (this.#end = resolve));
  }
  say(spoken: Spoken): Promise<void> {
    this.said.push(spoken);
    return Promise.resolve();
  }
  interrupt(): Promise<void> {
    this.interrupts += 1;
    return Promise.resolve();
  }
  usage(): Promise<Fields> {
    return Promise.resolve({});
  }
  cost(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
  close(): Promise<void> {
    this.end({});
    return Promise.resolve();
  }
  end(end: Partial<LineProgramEnd>): void {
    this.#end({ status: 0, signal: null, lastWords: "", ...end });
  }
  hear(...messages: Fields[]): void {
    for (const message of messages) this.listener.onMessage(message);
  }
}

interface Bench {
  readonly session: Session;
  readonly events: AgentEvent[];
  readonly clock: HandClock;
  readonly wire: Wire;
}

async function bench(extra: Partial<OpenOptions> = {}): Promise<Bench> {
  const [events, clock, wire]: [AgentEvent[], HandClock, Wire] = [[], handClock(), new Wire()];
  const options = optionsOf({ clock, onEvent: (event) => void events.push(event), ...extra });
  const session = await openSession(launchOf(options, "claude", "c1"), CAPABILITIES, (_launch, listener) => {
    wire.listener = listener;
    return Promise.resolve(wire);
  });
  return { session, events, clock, wire };
}

function optionsOf(extra: Partial<OpenOptions>): OpenOptions {
  return {
    cwd: "/w",
    environment: {},
    permission: "workspace",
    toolServers: {},
    clock: systemClock,
    gate: () => Promise.resolve({ allow: true }),
    onEvent: () => undefined,
    ...extra,
  };
}

const started = (wire: Wire, index: number): Fields => ({
  type: "command_lifecycle",
  command_uuid: wire.said[index]?.id,
  state: "started",
});
const result = (text: string, more: Fields = {}): Fields => ({
  type: "result",
  is_error: false,
  result: text,
  ...more,
});
const background = (...kinds: string[]): Fields => ({
  type: "system",
  subtype: "background_tasks_changed",
  tasks: kinds.map((task_type) => ({ task_type })),
});
const before = (id: string, tool: string): Fields => ({
  hook_event_name: "PreToolUse",
  tool_use_id: id,
  tool_name: tool,
  tool_input: { file_path: "/w/a" },
});
const endsOf = (events: readonly AgentEvent[]): AgentEvent[] => events.filter(({ type }) => type === "turn.end");

describe("a session with Claude Code", () => {
  it("begins another turn for what came too late for the one that ended", async () => {
    const { session, events, wire } = await bench();
    await session.send({ text: "one", when: "next" });
    wire.hear(started(wire, 0));
    await session.send({ text: "two", when: "next" });
    wire.hear(result("first"), started(wire, 1), result("second"));

    expect(endsOf(events)).toMatchObject([{ text: "first" }, { text: "second" }]);
    expect(events.filter(({ type }) => type === "message.taken")).toEqual([{ type: "message.taken", text: "two" }]);
  });

  it("takes what the agent begins by itself between turns for no turn", async () => {
    const { session, events, wire } = await bench();
    await session.send({ text: "one", when: "next" });
    wire.hear(started(wire, 0), result("first"));
    await session.send({ text: "two", when: "next" });
    wire.hear(result("by itself"));
    expect(endsOf(events)).toHaveLength(1);
    wire.hear(started(wire, 1), result("second"));
    expect(endsOf(events)).toMatchObject([{ text: "first" }, { text: "second" }]);
  });

  it("holds a turn while helpers are at work, however long they take", async () => {
    const { session, events, clock, wire } = await bench();
    await session.send({ text: "one", when: "next" });
    wire.hear(started(wire, 0), background("local_agent"), result("they work"));
    clock.advance(24 * 3600_000);
    expect(endsOf(events)).toEqual([]);

    wire.hear(background(), { type: "system", subtype: "init" });
    clock.advance(60_000);
    expect(endsOf(events)).toEqual([]);
    wire.hear(result("they are done"));
    expect(endsOf(events)).toMatchObject([{ status: "completed", text: "they are done" }]);
  });

  it("ends a held turn when nobody goes on, or only a command still runs after ten minutes", async () => {
    for (const [left, ms] of [
      [[], 5000],
      [["local_bash"], 600_000],
    ] as const) {
      const { session, events, clock, wire } = await bench();
      await session.send({ text: "one", when: "next" });
      wire.hear(started(wire, 0), background("local_bash"), result("it runs"), background(...left));
      clock.advance(ms - 1);
      expect(endsOf(events)).toEqual([]);
      clock.advance(1);
      expect(endsOf(events)).toMatchObject([{ status: "completed", text: "it runs" }]);
    }
  });

  it("ends a held turn when it is interrupted", async () => {
    const { session, events, wire } = await bench();
    await session.send({ text: "one", when: "next" });
    wire.hear(started(wire, 0), background("local_agent"), result("they work"));
    await session.interrupt();
    expect(endsOf(events)).toMatchObject([{ status: "interrupted" }]);
  });

  it("interrupts nothing between turns", async () => {
    const { session, wire } = await bench();
    await session.interrupt();
    expect(wire.interrupts).toBe(0);
  });

  it("ends a turn whose only message is thrown away", async () => {
    const { session, events, wire } = await bench();
    await session.send({ text: "one", when: "next" });
    wire.hear({ type: "command_lifecycle", command_uuid: wire.said[0]?.id, state: "cancelled" });
    expect(endsOf(events)).toMatchObject([{ status: "interrupted" }]);
  });

  it("fails the turn with the program's own words when it dies, once, and says last that it is gone", async () => {
    const { session, events, wire } = await bench();
    await session.send({ text: "one", when: "next" });
    wire.hear(started(wire, 0));
    await session.send({ text: "two", when: "later" });
    wire.end({ status: 1, lastWords: "out of memory" });
    await until(() => events.some(({ type }) => type === "gone"), "the session is gone");

    expect(events).toMatchObject([
      { type: "turn.end", status: "failed", failure: { reason: "other", message: "claude has ended: out of memory" } },
      { type: "gone", error: { code: "AGENT_GONE" } },
    ]);
    await expect(session.send({ text: "three", when: "next" })).rejects.toMatchObject({ code: "AGENT_GONE" });
  });

  it("ends the turn of a message that was waiting for the last one to end when the program died", async () => {
    const { session, events, wire } = await bench();
    await session.send({ text: "one", when: "next" });
    wire.hear(started(wire, 0));
    await session.send({ text: "two", when: "later" });
    wire.hear(result("first"));
    wire.end({ signal: "SIGKILL" });
    await until(() => events.some(({ type }) => type === "gone"), "the session is gone");
    expect(endsOf(events)).toMatchObject([{ status: "completed" }, { status: "failed" }]);
  });

  it("closes a program that never answers, and ends its turn", async () => {
    const { session, events, clock, wire } = await bench();
    wire.interrupt = () => new Promise(() => undefined);
    await session.send({ text: "one", when: "next" });
    const closing = session.close();
    clock.advance(500);
    await closing;
    expect(endsOf(events)).toMatchObject([{ status: "interrupted" }]);
    expect(events.some(({ type }) => type === "gone")).toBe(false);
  });

  it("says how long the account's limit holds when a turn fails for it", async () => {
    const { session, events, clock, wire } = await bench();
    await session.send({ text: "one", when: "next" });
    const rate_limit_info = { status: "rejected", rateLimitType: "five_hour", resetsAt: clock.wallMs() / 1000 + 90 };
    wire.hear(started(wire, 0), { type: "rate_limit_event", rate_limit_info });
    clock.advance(30_000);
    wire.hear(result("You've hit your 5-hour limit", { is_error: true, api_error_status: 429 }));
    expect(endsOf(events)).toMatchObject([{ failure: { reason: "rate-limit", retryAfterMs: 60_000 } }]);
  });

  it("refuses a tool whose question fails, and asks again about the same tool only when it must", async () => {
    const asked: string[] = [];
    const gate: Gate = ({ id }) => {
      asked.push(id);
      return id === "broken" ? Promise.reject(new Error("the store is full")) : Promise.resolve({ allow: true });
    };
    const { wire } = await bench({ gate });
    const { listener } = wire;
    expect(await listener.onHook(before("broken", "Write"))).toMatchObject({
      hookSpecificOutput: {
        permissionDecision: "deny",
        permissionDecisionReason: expect.stringContaining("full") as unknown,
      },
    });
    expect(await listener.onHook(before("t1", "Write"))).toMatchObject({
      hookSpecificOutput: { permissionDecision: "allow" },
    });
    const permit = { tool_name: "Write", tool_use_id: "t1", input: { file_path: "/w/a" } };
    expect(await listener.onPermission(permit)).toEqual({ behavior: "allow", updatedInput: { file_path: "/w/a" } });
    expect(await listener.onPermission({ ...permit, tool_use_id: "broken" })).toMatchObject({ behavior: "deny" });
    expect(asked).toEqual(["broken", "t1"]);
    expect(await listener.onPermission({ ...permit, tool_use_id: "unhooked" })).toMatchObject({ behavior: "allow" });
    expect(asked).toEqual(["broken", "t1", "unhooked"]);
  });

  it("tells of a tool once, whether the model's answer or the question comes first, and of its end once", async () => {
    const { events, wire } = await bench();
    const use = {
      type: "assistant",
      message: { id: "m", model: "x", content: [{ type: "tool_use", id: "t1", name: "Write", input: {} }] },
    };
    const end = { type: "user", message: { content: [{ type: "tool_result", tool_use_id: "t1", content: "ok" }] } };
    await wire.listener.onHook(before("t1", "Write"));
    wire.hear(use, end, end);
    expect(events.filter(({ type }) => type.startsWith("tool.")).map(({ type }) => type)).toEqual([
      "tool.start",
      "tool.end",
    ]);
  });
});

describe("the control protocol of Claude Code", () => {
  /** Says these lines, and then what it was told itself. */
  async function spoken(script: string): Promise<{ events: AgentEvent[]; session: Session }> {
    const events: AgentEvent[] = [];
    const options = optionsOf({
      cwd: process.cwd(),
      program: { command: process.execPath, args: ["-e", script, "--"] },
      onEvent: (event) => void events.push(event),
    });
    const session = await openSession(launchOf(options, process.execPath, "c1"), CAPABILITIES, (...call) =>
      startControlTransport(...call, systemClock),
    );
    onTestFinished(() => session.close());
    return { events, session };
  }

  const READY = `{type:"control_response",response:{subtype:"success",request_id:"anabranch-1",response:{hook_on_failure_supported:true}}}`;
  const say = (...values: string[]): string =>
    values.map((value) => `console.log(typeof (x=${value})==="string"?x:JSON.stringify(x));`).join("") +
    "process.stdin.resume();process.stdin.on('end',()=>process.exit())";

  it("tells of lines that are no messages, and goes on", async () => {
    const { events } = await spoken(
      `let x;${say(READY, '"\\u001b[31mnot JSON"', '"[1,2]"', '""', '{type:"system",subtype:"informational",level:"warning",content:"heard"}')}`,
    );
    await until(() => events.length === 3, "all is told");
    expect(events.map((event) => event.type === "remark" && event.text)).toEqual([
      "claude wrote a line that is no message: \u001b[31mnot JSON",
      "claude wrote a line that is no message: [1,2]",
      "heard",
    ]);
  });

  it("ends a program that does not know hooks that block before it can use a tool", async () => {
    const old = READY.replace("hook_on_failure_supported:true", "");
    for (const answer of [old, READY.replace("success", "error")]) {
      const { events } = await spoken(`let x;${say(answer)}`);
      await until(() => events.some(({ type }) => type === "gone"), "it is ended");
      expect(events[0]).toMatchObject({
        type: "remark",
        text: expect.stringContaining("does not take hooks") as unknown,
      });
    }
  });

  it("answers a question that nobody here can answer", async () => {
    const { events } = await spoken(
      `let x;${say(READY, '{type:"control_request",request_id:"r9",request:{subtype:"elicitation"}}')};` +
        `process.stdin.on("data",(d)=>{if(String(d).includes('"r9"'))console.log(JSON.stringify({type:"system",subtype:"informational",level:"warning",content:String(d).match(/.*"r9".*/)[0]}))})`,
    );
    await until(() => events.length === 1, "the answer comes back");
    expect(events).toMatchObject([{ text: expect.stringContaining('"subtype":"error"') as unknown }]);
  });
});
