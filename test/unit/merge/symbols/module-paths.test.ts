import { describe, expect, it } from "vitest";

import { modulePaths } from "../../../../src/merge/symbols/module-paths.ts";

describe("where an import finds its file", () => {
  it.each([
    ["src/a.ts", "./b.js", "typescript", "src/b.ts"],
    ["src/a.ts", "./b", "typescript", "src/b.ts"],
    ["src/in/a.ts", "..", "typescript", "src/index.ts"],
    ["src/a.ts", "./b", "typescript", "src/b/index.ts"],
    ["src/a.ts", "./b.css", "typescript", "src/b.css"],
    ["src/a.mts", "./b.mjs", "typescript", "src/b.mts"],
    ["app/a.ts", "@/b", "typescript", "app/src/b.ts"],
    ["a.js", "./b", "javascript", "b.js"],
    ["pkg/a.py", ".b", "python", "pkg/b.py"],
    ["pkg/in/a.py", "..b", "python", "pkg/b/__init__.py"],
    ["pkg/a.py", ".", "python", "pkg/__init__.py"],
    ["src/pkg/a.py", "pkg.b", "python", "src/pkg/b.py"],
    ["src/a.rs", "crate::b::c", "rust", "src/b/c.rs"],
    ["src/in/a.rs", "super::b", "rust", "src/in/b.rs"],
    ["src/in/mod.rs", "self::b", "rust", "src/in/b.rs"],
  ] as const)("from %s, %s may be in the right place", (importer, from, language, expected) => {
    expect(modulePaths(importer, from, language).paths).toContain(expected);
  });

  it.each([
    ["a.ts", "../../b", "typescript"],
    ["a.py", "....b", "python"],
    ["a.rs", "std::fmt", "rust"],
    ["A.java", "a.B", "java"],
  ] as const)("from %s, %s is nowhere to be looked for", (importer, from, language) => {
    expect(modulePaths(importer, from, language).paths).toEqual([]);
  });
});
