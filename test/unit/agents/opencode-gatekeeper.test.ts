import { describe, expect, it } from "vitest";

import { createGatekeeper } from "../../../src/agents/opencode/gatekeeper.ts";
import type { GateAnswer } from "../../../src/agents/port.ts";
import { until } from "../../fixtures/until.ts";

function keeper(): {
  ask: (id: string, permission?: string) => void;
  decide: (id: string, answer: GateAnswer) => void;
  said: string[];
  stop: () => void;
} {
  const waiting = new Map<string, (answer: GateAnswer) => void>();
  const said: string[] = [];
  const gatekeeper = createGatekeeper({
    gate: ({ id }) => new Promise((resolve) => waiting.set(id, resolve)),
    announce: (id, tool) => ({ id, tool, action: "other", paths: [], summary: "" }),
    reply(question, _directory, answer) {
      said.push(`${question} ${answer.reply}${answer.reply === "reject" ? ` ${answer.message}` : ""}`);
      return Promise.resolve();
    },
    note(text) {
      said.push(text);
      return Promise.resolve();
    },
  });
  return {
    said,
    stop: () => gatekeeper.stop(),
    ask: (id, permission = "edit") => gatekeeper.ask({ id, sessionID: "s", permission, tool: { callID: id } }, "/w"),
    decide: (id, answer) => waiting.get(id)?.(answer),
  };
}

describe("the gatekeeper of opencode", () => {
  it("refuses only when nothing else is open, because that refuses all, and says every reason", async () => {
    const { ask, decide, said } = keeper();
    for (const id of ["a", "b", "c"]) ask(id);
    decide("a", { allow: false, reason: "no a" });
    decide("b", { allow: false, reason: "no b" });
    decide("c", { allow: true, note: "mind it" });
    await until(() => said.length === 3, "all is said");
    expect(said).toEqual(["mind it", "c once", "a reject no a\nno b"]);
  });

  it("lets a tool reach outside without a question of its own, and is silent after its end", async () => {
    const { ask, decide, said, stop } = keeper();
    ask("a");
    ask("x", "external_directory");
    await until(() => said.length === 1, "it is said");
    stop();
    decide("a", { allow: true });
    await new Promise(setImmediate);
    expect(said).toEqual(["x once"]);
  });
});
