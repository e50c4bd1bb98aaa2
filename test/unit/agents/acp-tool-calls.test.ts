import { describe, expect, it } from "vitest";

import { ToolCalls } from "../../../src/agents/acp/tool-calls.ts";
import type { AgentEvent, GateAnswer } from "../../../src/agents/port.ts";

const OPTIONS = [
  { optionId: "yes", name: "Yes", kind: "allow_once" as const },
  { optionId: "no", name: "No", kind: "reject_once" as const },
];

/** Calls whose gate answers when it is told to. */
function makeCalls(): { calls: ToolCalls; events: AgentEvent[]; answer: (answer: GateAnswer) => void } {
  const events: AgentEvent[] = [];
  let resolve: (answer: GateAnswer) => void = () => undefined;
  const calls = new ToolCalls({
    cwd: "/ws",
    titlesAreCommands: () => true,
    ask: () => new Promise((done) => (resolve = done)),
    emit: (event) => void events.push(event),
    delegates: () => false,
    explain: () => undefined,
  });
  return { calls, events, answer: (given) => resolve(given) };
}

const CALL = { toolCallId: "c1", kind: "execute" as const, title: "make" };

describe("a tool call of an ACP agent", () => {
  it("is allowed once where the gate says yes, and is told from its start to its end", async () => {
    const { calls, events, answer } = makeCalls();
    const asked = calls.asked(CALL, OPTIONS);
    answer({ allow: true });
    expect(await asked).toEqual({ outcome: { outcome: "selected", optionId: "yes" } });
    calls.told({ ...CALL, status: "completed" });
    calls.told({ ...CALL, status: "completed" });
    expect(events.map(({ type }) => type)).toEqual(["tool.start", "tool.end"]);
  });

  it("that is refused is ended once, whatever the agent tells of it afterwards", async () => {
    const { calls, events, answer } = makeCalls();
    const asked = calls.asked(CALL, OPTIONS);
    answer({ allow: false, reason: "held" });
    expect(await asked).toEqual({ outcome: { outcome: "selected", optionId: "no" } });
    calls.told({ ...CALL, status: "failed" });
    calls.endAll();
    expect(events.filter(({ type }) => type === "tool.end")).toEqual([
      { type: "tool.end", id: "c1", ok: false, output: "held" },
    ]);
  });

  it.each([{ allow: true } as const, { allow: false, reason: "late" } as const])(
    "whose turn is over when the gate answers %j is neither allowed nor ended again",
    async (given) => {
      const { calls, events, answer } = makeCalls();
      const asked = calls.asked(CALL, OPTIONS);
      calls.endAll();
      answer(given);
      expect(await asked).toEqual({ outcome: { outcome: "cancelled" } });
      expect(events.filter(({ type }) => type === "tool.end")).toHaveLength(1);
    },
  );

  it("that is over cannot be asked about again", async () => {
    const { calls, events } = makeCalls();
    calls.told({ ...CALL, status: "completed" });
    expect(await calls.asked(CALL, OPTIONS)).toEqual({ outcome: { outcome: "cancelled" } });
    expect(events.filter(({ type }) => type === "tool.start")).toHaveLength(1);
  });
});
