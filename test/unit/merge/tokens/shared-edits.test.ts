import { describe, expect, it } from "vitest";

import { mergePiece } from "../../../../src/merge/tokens/merge-piece.ts";

function merge(base: string, ours: string, theirs: string): string {
  const result = mergePiece({ base, ours, theirs }, { language: "java", kind: undefined });
  return result.status === "merged" ? result.text : "conflict";
}

const BASE = "a = f();\nfor (int x = 0; x < size(); x++) {\n  if (x > 0) {\n    g();\n  }\n}\n";
const DONE = "int i = 0;\nfor (Entry entry : all) {\n  if (i > 0) {\n";
const BY_ONE = BASE.replace(/for.*\n.*\n/, DONE);

describe("what both sides did, and one of them more", () => {
  it("is done once, with what is more before it", () => {
    const more = BY_ONE.replace("f()", "f(64)");
    expect(merge(BASE, BY_ONE, more)).toBe(more);
    expect(merge(BASE, more, BY_ONE)).toBe(more);
  });

  it("is done once, with what is more behind it", () => {
    const more = BY_ONE.replace("    g();\n", "    h(i);\n    k();\n");
    expect(merge(BASE, BY_ONE, more)).toBe(more);
    expect(merge(BASE, more, BY_ONE)).toBe(more);
  });

  it("stays a conflict where one side took out what the other wrote anew", () => {
    const without = BASE.replace(/for.*\n.*\n/, "");
    expect(merge(BASE, without, BY_ONE.replace("f()", "f(64)"))).toBe("conflict");
  });
});
