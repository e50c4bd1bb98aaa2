import { describe, expect, it } from "vitest";

import { listTools } from "../../../src/mcp/server.ts";

const tokens = (value: unknown): number => Math.round(Buffer.byteLength(JSON.stringify(value)) / 4);

describe("the tools that a parent agent is given", () => {
  it("cost its context no more than they must", () => {
    const tools = listTools();
    // What models read: names, descriptions and what they may write. Clients keep output schemas to themselves.
    const read = tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));
    expect(tokens(read)).toBeLessThan(1700);
    expect(tokens(tools)).toBeLessThan(3250);
    for (const { name, description = "" } of tools) expect(description.length, name).toBeLessThan(200);
  });

  it("are none by which anything is approved, enabled, accepted or waived", () => {
    const names = listTools().map(({ name }) => name);
    expect(names.filter((name) => /accept|approve|deny|enable|waive|land|take|abort|gc|stop/.test(name))).toEqual([]);
    expect(new Set(names)).toEqual(new Set(EXPECTED));
  });

  it("say what they take and answer as JSON Schemas of objects", () => {
    for (const { name, inputSchema, outputSchema } of listTools()) {
      expect(inputSchema, name).toMatchObject({ type: "object", additionalProperties: false });
      expect(outputSchema, name).toMatchObject({ type: "object" });
      expect(JSON.stringify([inputSchema, outputSchema]), name).not.toMatch(/9007199254740991|\$schema/);
    }
  });
});

const EXPECTED = [
  "run_agents",
  "spawn_agent",
  "wait_agents",
  "list_agents",
  "message_agent",
  "fork_me",
  "cancel_agent",
  "claim_files",
  "release_files",
  "plan",
];
