import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { pathInScope, scopesMeet } from "../../../src/engine/scope.ts";
import { expectProportionate } from "../../fixtures/work.ts";

const segment = fc.constantFrom("a", "b", "ab", "c.ts", "{a,b}", "*", "**", "?", "[ab]", "a*", "*.ts", "\\a", "!(a)");
const glob = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join("/"));
const scope = fc.array(glob, { minLength: 1, maxLength: 3 });
const path = fc
  .array(fc.constantFrom("a", "b", "ab", "abc", "c.ts", "x"), { minLength: 1, maxLength: 4 })
  .map((segments) => segments.join("/"));

describe("a scope", () => {
  it("meets every scope with which it shares a path", () => {
    fc.assert(
      fc.property(scope, scope, path, (a, b, shared) => {
        fc.pre(pathInScope(shared, a) && pathInScope(shared, b));
        expect(scopesMeet(a, b)).toBe(true);
        expect(scopesMeet(b, a)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("names everything in a folder that it names", () => {
    fc.assert(
      fc.property(scope, path, path, (globs, folder, below) => {
        fc.pre(pathInScope(folder, globs));
        expect(pathInScope(`${folder}/${below}`, globs)).toBe(true);
      }),
    );
  });

  it.each([
    ["src/a.ts", "src/a.ts", true],
    ["src/a.ts", "src/a.tsx", false],
    ["src/a", "src/a/b/c.ts", true],
    ["src/a", "src/ab", false],
    ["./src//a/", "src/a/b", true],
    ["src/**", "src/a/b.ts", true],
    ["src/**", "src", true],
    ["src/**", "srcs/a", false],
    ["**", "a/b", true],
    [".", "a/b", true],
    ["*", "a/b", true],
    ["src/*.ts", "src/a.ts", true],
    ["src/*.ts", "src/a/b.ts", false],
    ["src/*.ts", "src/a.css", false],
    ["**/*.ts", "a.ts", true],
    ["**/*.ts", "a/b/c.ts", true],
    ["a/**/z", "a/z", true],
    ["a/**/z", "a/b/c/z/y", true],
    ["a/**/z", "az", false],
    ["packages/*/src", "packages/core/src/a.ts", true],
    ["packages/*/src", "packages/core/test/a.ts", false],
    ["{src,test}/**", "test/a", true],
    ["{src,test}/**", "docs/a", false],
    ["src/{a,b/{c,d}}.ts", "src/b/d.ts", true],
    ["src/{a}.ts", "src/{a}.ts", true],
    ["a?c", "abc", true],
    ["a?c", "a/c", false],
    ["[a-c]x", "bx", true],
    ["[!a-c]x", "bx", false],
    ["[!a-c]x", "dx", true],
    ["a[", "a[", true],
    ["a\\*", "a*", true],
    ["a\\*", "ab", false],
    ["src/!(a)", "src/b", true],
    ["src/@types/**", "src/@types/a.d.ts", true],
    ["app/(shop)/**", "app/(shop)/page.tsx", true],
    ["src/**", "src/../lib/a.ts", false],
    ["src/**", "lib/../src/a.ts", true],
    [".github/*", ".github/workflows/ci.yml", true],
  ])("%s, asked about %s, says %s", (one, asked, expected) => {
    expect(pathInScope(asked, [one])).toBe(expected);
  });

  it("is told apart from another in time that grows with its length, whatever it is made of", () => {
    const tricky = [`${"**/a*".repeat(60)}/z`, `${"{a,*}".repeat(60)}b`];
    expectProportionate([40, 400], (count) => () => pathInScope("a/".repeat(count), tricky));
  });
});
