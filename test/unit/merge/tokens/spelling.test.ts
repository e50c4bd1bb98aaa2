import { describe, expect, it } from "vitest";

import type { Language } from "../../../../src/merge/language.ts";
import { mergePiece } from "../../../../src/merge/tokens/merge-piece.ts";

function merge(base: string, ours: string, theirs: string, language: Language = "python"): string {
  const texts = { base: `${base}\n`, ours: `${ours}\n`, theirs: `${theirs}\n` };
  const merged = mergePiece(texts, { language, kind: "statement" });
  return merged.status === "merged" ? merged.text : "conflict";
}

describe("strings in other quotes", () => {
  it("meet no edit of the other side, and keep the quotes they were given", () => {
    expect(merge("f('a', 'b', c)", 'f("a", "b", c)', "f('a', 'b', d)")).toBe('f("a", "b", d)\n');
    expect(merge("f('a', 'b', c)", "f('a', 'b', d)", 'f("a", "b", c)')).toBe('f("a", "b", d)\n');
    expect(merge("f('a', g['b'])", 'f("a", g["b"])', "f('x', g['b'])")).toBe("f('x', g[\"b\"])\n");
  });

  it("are other strings where they hold quotes or a language tells the two apart", () => {
    expect(merge("f('it\\'s', c)", 'f("it\'s", c)', "f('it\\'s!', c)")).toBe("conflict");
    expect(merge("f('a', c);", 'f("a", c);', "f('b', c);", "java")).toBe("conflict");
  });
});
