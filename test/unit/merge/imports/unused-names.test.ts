import { describe, expect, it } from "vitest";

import { mergeImports } from "../../../../src/merge/imports/merge-imports.ts";
import { UnusedNames } from "../../../../src/merge/imports/unused-names.ts";
import type { Language } from "../../../../src/merge/language.ts";

const BASE = 'import has from "x/has";\nimport z from "z";\n';
const MOVED = 'import has from "x.has";\nimport z from "z";\n';
const REMOVED = 'import z from "z";\n';

function merge(ours: string, theirs: string, base = BASE, language: Language = "javascript"): [string, UnusedNames] {
  const unused = new UnusedNames();
  const merged = mergeImports(language, { base, ours, theirs }, unused);
  return [merged.status === "merged" ? JSON.stringify([merged.text, merged.drops]) : "conflict", unused];
}

describe("an import that one side removed and the other one moved to another module", () => {
  it("is left out, and named among what was dropped", () => {
    const drop = { policy: "policy:unused-import", dropped: 'import has from "x.has";', kept: "" };
    const [byTheirs] = merge(MOVED, REMOVED);
    expect(JSON.parse(byTheirs)).toEqual([REMOVED, [{ ...drop, side: "ours" }]]);
    const [byOurs] = merge(REMOVED, MOVED);
    expect(JSON.parse(byOurs)).toEqual([REMOVED, [{ ...drop, side: "theirs" }]]);
  });

  it("is a conflict for whoever does not look whether its name is used", () => {
    expect(mergeImports("javascript", { base: BASE, ours: MOVED, theirs: REMOVED }).status).toBe("conflict");
  });

  it("is used where its name stands, but not as a member of something", () => {
    const [, unused] = merge(MOVED, REMOVED);
    expect(unused.areUsedIn("list.has(1); hash(has2);\n")).toBe(false);
    expect(unused.areUsedIn("call(has);\n")).toBe(true);
    expect(unused.areUsedIn("call(...has);\n")).toBe(true);
    expect(unused.areUsedIn("`${has(1)}`\n")).toBe(true);
    expect(new UnusedNames().areUsedIn("has\n")).toBe(false);
  });

  it("is a conflict where more than its name would be left out, or it may be used without its name", () => {
    expect(merge('import has, { b } from "x.has";\n', "", 'import has from "x/has";\n')[0]).toBe("conflict");
    expect(merge('import React from "y";\n', "", 'import React from "x";\n')[0]).toBe("conflict");
    expect(merge("use b::T;\n", "", "use a::T;\n", "rust")[0]).toBe("conflict");
    expect(merge('export { a } from "y";\n', "", 'export { a } from "x";\n')[0]).toBe("conflict");
  });

  it("is a conflict where it stands elsewhere, or has not much of what it was", () => {
    const elsewhere = 'import z from "z";\nimport has from "x.has";\n';
    expect(merge(elsewhere, REMOVED)[0]).toBe("conflict");
    const another = 'import has from "a/b/c/d/e/f";\nimport z from "z";\n';
    expect(merge(another, REMOVED)[0]).toBe("conflict");
  });
});
