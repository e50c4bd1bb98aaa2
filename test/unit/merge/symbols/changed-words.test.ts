import { describe, expect, it } from "vitest";

import { changedWords } from "../../../../src/merge/symbols/changed-words.ts";

describe("the words of a change", () => {
  it("are those of the lines that differ, and of what these stand in", () => {
    const words = changedWords(
      "class Store {\n  load() {\n    one();\n  }\n}\nlast();\n",
      "class Store {\n  load() {\n    two();\n  }\n}\nlast();\n",
    );
    expect([...(words ?? [])].toSorted()).toEqual(["Store", "load", "one", "two"]);
  });

  it("are those of a whole file that is new or gone", () => {
    expect([...(changedWords("", "send(order);\n") ?? [])]).toEqual(["send", "order"]);
    expect([...(changedWords("send(order);\n", "") ?? [])]).toEqual(["send", "order"]);
  });

  it("tell of a constant that got another value", () => {
    expect(changedWords("LOW = 1\n", "LOW = 2\n")).toContain("#value");
    expect(changedWords("export const low: number = 1;\n", "export const low: number = 2;\n")).toContain("#value");
    expect(changedWords("", "LOW = 2\n")).not.toContain("#value");
    expect(changedWords("  low = 1;\n", "  low = 2;\n")).not.toContain("#value");
  });

  it("are none where lines only moved, and where nothing changed", () => {
    expect([...(changedWords("one();\ntwo();\n", "two();\none();\n") ?? [])]).toEqual([]);
    expect([...(changedWords("one();\n", "one();\n") ?? [])]).toEqual([]);
  });

  it("are not those that stand everywhere", () => {
    expect([...(changedWords("", "return const import from\n") ?? [])]).toEqual([]);
  });

  it("are not looked for in very long texts", () => {
    expect(changedWords("", "a\n".repeat(600_000))).toBeUndefined();
  });
});
