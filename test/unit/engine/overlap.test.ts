import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { groupByScope } from "../../../src/engine/overlap.ts";
import { expectProportionate } from "../../fixtures/work.ts";

const meets = (a: string[], b: string[]): boolean =>
  groupByScope(
    new Map([
      ["a", a],
      ["b", b],
    ]),
  ).length === 1;

const segment = fc.constantFrom("a", "b", "ab", "c.ts");
const glob = fc
  .tuple(fc.array(segment, { maxLength: 3 }), fc.constantFrom("", "*", "**", "*.ts", "a*", "{x,y}"))
  .map(([segments, last]) => [...segments, last].filter((part) => part !== "").join("/"))
  .filter((text) => text !== "");
const globs = fc.array(glob, { minLength: 1, maxLength: 3 });

// Written for clarity: what stands before the first wildcard, a plain path ending where its folder's entries begin.
const startOf = (text: string): string => (/^[^*{]*$/.test(text) ? `${text}/` : (/^[^*{]*/.exec(text)?.[0] ?? ""));
const startsMeet = (a: string, b: string): boolean =>
  startOf(a).startsWith(startOf(b)) || startOf(b).startsWith(startOf(a));

describe("write scopes", () => {
  it("meet exactly when the start of one is the start of the other's, whichever comes first", () => {
    fc.assert(
      fc.property(globs, globs, (a, b) => {
        const expected = a.some((one) => b.some((other) => startsMeet(one, other)));
        expect(meets(a, b)).toBe(expected);
        expect(meets(b, a)).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  it("are put together with all they meet through others, and nothing else", () => {
    fc.assert(
      fc.property(fc.array(globs, { maxLength: 8 }), (scopes) => {
        const groups = groupByScope(new Map(scopes.map((scope, index) => [`t${index}`, scope])));
        const groupOf = scopes.map((_, index) => index);
        for (const [i, a] of scopes.entries()) {
          for (const [j, b] of scopes.entries()) {
            if (!a.some((one) => b.some((other) => startsMeet(one, other)))) continue;
            const [from, to] = [groupOf[j], groupOf[i]];
            for (const [index, group] of groupOf.entries()) if (group === from) groupOf[index] = to ?? 0;
          }
        }
        const expected = [...new Set(groupOf)]
          .map((id) => scopes.flatMap((_, index) => (groupOf[index] === id ? [`t${index}`] : [])))
          .filter((group) => group.length > 1);
        const sorted = (lists: string[][]) => lists.map((list) => list.toSorted().join()).toSorted();
        expect(sorted(groups)).toEqual(sorted(expected));
      }),
    );
  });

  it("tell a folder from another whose name it starts", () => {
    expect(meets(["src/a"], ["src/a/b.ts"])).toBe(true);
    expect(meets(["src/a"], ["src/ab"])).toBe(false);
    expect(meets(["src/a/"], ["./src/a/b/**"])).toBe(true);
  });

  it("meet everything when they name the whole repository, however that is written", () => {
    for (const whole of ["**", "*", ".", "./", "./**", "/"]) expect(meets([whole], ["src/a.ts"])).toBe(true);
  });

  it("mean the same place when they are written differently", () => {
    expect(meets(["src//a/./b.ts"], ["src/a/b.ts"])).toBe(true);
    expect(meets(["/src/a.ts"], ["src/*.ts"])).toBe(true);
    expect(meets(["src/a\\*b"], ["src/a*b"])).toBe(true);
  });

  it("of many tasks are grouped in time in proportion to them, apart or one in the other", () => {
    const scopes = (count: number, scope: (index: number) => string) =>
      new Map(Array.from({ length: count }, (_, index) => [`t${index}`, [scope(index)]]));
    expectProportionate([2000, 20_000], (count) => {
      const apart = scopes(count, (index) => `src/${index}/**`);
      return () => expect(groupByScope(apart)).toEqual([]);
    });
    expectProportionate([2000, 20_000], (count) => {
      const nested = scopes(count, (index) => "a/".repeat(index % 100) + "*");
      return () => expect(groupByScope(nested)).toHaveLength(1);
    });
  });
});
