import { describe, expect, it } from "vitest";

import type { TurnEnd } from "../../../src/agents/port.ts";
import { AnabranchError } from "../../../src/base/errors.ts";
import { TurnQueue } from "../../../src/daemon/agents/turn-queue.ts";

const completed = (text: string): TurnEnd => ({ type: "turn.end", status: "completed", text });

describe("a turn", () => {
  it("ends with the first end that is given, whether somebody waits for it already or not", async () => {
    const turns = new TurnQueue();
    turns.begin();
    const waiting = turns.end();
    turns.give(completed("one"));
    turns.give(completed("two"));
    expect((await waiting).text).toBe("one");
    expect((await turns.end()).text).toBe("one");
    expect(turns.isOpen).toBe(false);
  });

  it("goes on while a message is on its way, which then begins the next one by itself", async () => {
    const turns = new TurnQueue();
    turns.begin();
    turns.expect();
    turns.give(completed("before the message"));
    expect(turns.isOpen).toBe(true);
    turns.expected();
    turns.give(completed("after it"));
    expect((await turns.end()).text).toBe("after it");
  });

  it("that fails ends although a message is on its way", async () => {
    const turns = new TurnQueue();
    turns.begin();
    turns.expect();
    turns.give({ type: "turn.end", status: "interrupted", text: "" });
    expect((await turns.end()).status).toBe("interrupted");
  });

  it("fails when the program goes, and so does the next one, until another program is there", async () => {
    const turns = new TurnQueue();
    const error = new AnabranchError("AGENT_GONE", { message: "it is gone" });
    turns.begin();
    turns.leave(error);
    expect((await turns.end()).failure?.message).toBe("it is gone");
    turns.begin();
    expect((await turns.end()).status).toBe("failed");
    turns.reset();
    turns.begin();
    expect(turns.isOpen).toBe(true);
    expect(turns.gone).toBeUndefined();
  });
});
