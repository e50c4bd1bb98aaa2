import { describe, expect, it } from "vitest";

import { chainAfter } from "../../../src/engine/trigger-chain.ts";
import { parseRepositoryFile } from "../../../src/workflows/file.ts";
import { compileTriggers } from "../../../src/workflows/triggers.ts";

async function chainOf(workflow: string, triggers: string, depth = 8): Promise<string[]> {
  const file = await parseRepositoryFile(
    `workflows: { a: { tasks: { t: { run: "true" } } }, b: { tasks: { t: { run: "true" } } }, c: { tasks: { t: { run: "true" } } } }
chains: { depth: ${depth} }
triggers: [${triggers}]
`,
    "anabranch.yaml",
  );
  return chainAfter(compileTriggers(file, "anabranch.yaml"), workflow).map(
    ({ trigger, depth: at }) => `${at} ${trigger.name}`,
  );
}

describe("what a workflow leads to", () => {
  it("is each trigger after the one that leads to it, by tasks, ends and landings", async () => {
    const triggers =
      "{ name: ab, on: { task: a.t }, run: b }, { name: bc, on: { run: b }, run: c }, { name: tell, on: { landing: a }, notify: desktop }, { name: other, on: { event: x }, run: a }";
    expect(await chainOf("a", triggers)).toEqual(["1 ab", "2 bc", "1 tell"]);
    expect(await chainOf("b", triggers)).toEqual(["1 bc"]);
    expect(await chainOf("c", triggers)).toEqual([]);
  });

  it("ends where a trigger would fire on what it has led to itself, unless it may", async () => {
    const ring = (again: string): string =>
      `{ name: ab, on: { run: a }, run: b${again} }, { name: ba, on: { run: b }, run: a${again} }`;
    expect(await chainOf("a", ring(""))).toEqual(["1 ab", "2 ba"]);
    expect(await chainOf("a", ring(", again: true"), 5)).toEqual(["1 ab", "2 ba", "3 ab", "4 ba", "5 ab"]);
  });

  it("is bounded, however many triggers lead to each other", async () => {
    const many = Array.from({ length: 30 }, (_, index) => `{ name: t${index}, on: { run: a }, run: a, again: true }`);
    expect(await chainOf("a", many.join(", "))).toHaveLength(100);
  });
});
