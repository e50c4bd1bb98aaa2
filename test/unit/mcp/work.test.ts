import { describe, expect, it } from "vitest";

import { startOptionsFor, tasksFor } from "../../../src/mcp/work.ts";

describe("what a parent agent asks for", () => {
  it("becomes one task for each agent, which answers in the end, under a name of its own", () => {
    const tasks = tasksFor([
      { agent: "claude", prompt: "look" },
      { agent: "pack:re viewer", prompt: "judge", writes: [], schema: { type: "object" } },
      { agent: "codex", prompt: "mend", name: "mend", needs: ["claude-1"], writes: ["src/**"], exclusive: true },
    ]);
    expect(tasks).toEqual({
      "claude-1": { agent: "claude", prompt: "look", output: "text" },
      "pack-re-viewer-2": {
        agent: "pack:re viewer",
        prompt: "judge",
        writes: "none",
        schema: { type: "object" },
        output: "json",
      },
      mend: {
        agent: "codex",
        prompt: "mend",
        needs: ["claude-1"],
        writes: ["src/**"],
        exclusive: true,
        output: "text",
      },
    });
    expect(Object.keys(tasksFor([{ agent: "claude", prompt: "look" }]))).toEqual(["claude"]);
  });

  it("is refused, with the way on, where it is nothing, both of two, or one name twice", () => {
    const agent = { agent: "claude", prompt: "look", name: "a" };
    const usage = expect.objectContaining({ code: "USAGE", hint: expect.stringMatching(/.{10}/) });
    expect(() => startOptionsFor({}, "/r")).toThrow(usage);
    expect(() => startOptionsFor({ agents: [agent], workflow: "check" }, "/r")).toThrow(usage);
    expect(() => tasksFor([agent, agent])).toThrow(usage);
  });

  it("passes on how it is to be done, and nothing that was not said", () => {
    expect(startOptionsFor({ workflow: "check" }, "/r")).toEqual({ directory: "/r", workflow: "check" });
    const how = { mode: "parallel", join: "first", target: "main", base: "HEAD", budget: { usd: 1 } } as const;
    expect(startOptionsFor({ workflow: "check", ...how }, "/r")).toEqual({
      directory: "/r",
      workflow: "check",
      ...how,
    });
  });
});
