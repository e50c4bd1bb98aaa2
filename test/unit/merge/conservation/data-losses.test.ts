import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { findDataLosses } from "../../../../src/merge/conservation/data-losses.ts";
import type { PolicyDrop } from "../../../../src/merge/resolution.ts";

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
type Table = Record<string, Json>;

const write = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** What is found in a result of three JSON values. */
function lossesOf(base: Json, ours: Json, theirs: Json, result: Json, drops: readonly PolicyDrop[] = []): string[] {
  const versions = { base: write(base), ours: write(ours), theirs: write(theirs) };
  const losses = findDataLosses("a.json", versions, write(result), drops);
  return (losses ?? []).map(({ kind, detail }) => `${kind} ${detail}`);
}

const BASE: Table = { name: "p", version: "1.0.0", files: ["a", "b"], scripts: { test: "run all", gone: "x" } };

describe("the conservation check of data", () => {
  it("finds nothing where both edits of every key are there", () => {
    const ours = { ...BASE, version: "1.1.0", files: ["a", "b", "c"] };
    const theirs = { ...BASE, files: ["b", "d"], scripts: { test: "run all" }, more: { deep: [1] } };
    const result = { ...ours, files: ["b", "c", "d"], scripts: { test: "run all" }, more: { deep: [1] } };
    expect(lossesOf(BASE, ours, theirs, result)).toEqual([]);
  });

  it.each<[string, Json, Json, Json, string]>([
    ["a key that was added", { ...BASE, x: 1 }, { ...BASE, y: 2 }, { ...BASE, x: 1 }, "lost-line y = 2"],
    ["a key that was changed", { ...BASE, name: "q" }, { ...BASE, y: 2 }, { ...BASE, y: 2 }, 'lost-line name = "q"'],
    [
      "a key that is back",
      { ...BASE, scripts: { test: "run all" } },
      { ...BASE, y: 2 },
      { ...BASE, y: 2 },
      'resurrected-line scripts/gone = "x"',
    ],
    ["a key of nobody", { ...BASE, x: 1 }, { ...BASE, y: 2 }, { ...BASE, x: 1, y: 2, z: 3 }, "foreign-line z = 3"],
    ["an element", { ...BASE, files: ["a", "b", "c"] }, { ...BASE, y: 2 }, { ...BASE, y: 2 }, "lost-line files = "],
    [
      "an element of two lists",
      { ...BASE, files: ["a", "b", "c"] },
      { ...BASE, files: ["b", "d"] },
      { ...BASE, files: ["a", "b", "c", "d"] },
      'resurrected-line files[] = "a"',
    ],
    [
      "one of two values",
      { ...BASE, version: "1.1.0" },
      { ...BASE, version: "1.2.0" },
      { ...BASE, version: "1.2.0" },
      'overwritten-line version = "1.1.0"',
    ],
  ])("finds %s", (_what, ours, theirs, result, finding) => {
    const losses = lossesOf(BASE, ours, theirs, result);
    expect(losses).toHaveLength(1);
    expect(losses[0]?.startsWith(finding), losses[0]).toBe(true);
  });

  it("takes a drop that names the value for what it is, and no other", () => {
    const [ours, theirs] = [
      { ...BASE, version: "1.1.0" },
      { ...BASE, version: "1.2.0" },
    ];
    const drop = { policy: "policy:semver-max", side: "ours", dropped: '"version": "1.1.0"', kept: "" } as const;
    expect(lossesOf(BASE, ours, theirs, theirs, [drop])).toEqual([]);
    expect(lossesOf(BASE, ours, theirs, theirs, [{ ...drop, side: "theirs" }])).toHaveLength(1);
    expect(lossesOf(BASE, ours, theirs, theirs, [{ ...drop, dropped: '"version": "1.1.1"' }])).toHaveLength(1);
    expect(lossesOf(BASE, ours, theirs, theirs, [{ ...drop, dropped: '"engine": "1.1.0"' }])).toHaveLength(1);
  });

  it("sees a key that stands twice, a lost comment and a result that cannot be read", () => {
    const versions = { base: '{"a": 1}\n', ours: '{"a": 1, "b": 2}\n', theirs: '// why\n{"a": 1}\n' };
    const find = (result: string): unknown => findDataLosses("a.jsonc", versions, result, [])?.map(({ kind }) => kind);
    expect(find('// why\n{"a": 1, "b": 2}\n')).toEqual([]);
    expect(find('// why\n{"a": 1, "b": 2, "b": 2}\n')).toEqual(["duplicate-key"]);
    expect(find('{"a": 1, "b": 2}\n')).toEqual(["lost-line"]);
    expect(find('// why\n{"a": 1, "b": 2\n')).toEqual(["parse-error"]);
  });

  it("tells values apart that JSON's numbers would not, and reads YAML with what marks its values", () => {
    const find = (path: string, base: string, ours: string, theirs: string, result: string): number | undefined =>
      findDataLosses(path, { base, ours, theirs }, result, [])?.length;
    expect(find("a.json", '{"a":1}', '{"a":1.0}', '{"a":1,"b":2}', '{"a":1,"b":2}')).toBe(1);
    expect(find("a.yaml", "a: 1\n", "a: &x 1\nb: *x\n", "a: 1\nc: 3\n", "a: &x 1\nb: *x\nc: 3\n")).toBe(0);
    expect(find("a.yaml", "a: 1\n", "a: &x 1\nb: *x\n", "a: 1\nc: 3\n", "a: 1\nb: 2\nc: 3\n")).toBeGreaterThan(0);
    expect(find("a.yaml", "a: 1\n", "a: '1'\n", "a: 1\nc: 3\n", "a: 1\nc: 3\n")).toBe(1);
    expect(find("a.yaml", "a: 1\n", "a: [1\n", "a: 1\nc: 3\n", "a: 1\nc: 3\n")).toBeUndefined();
    expect(find("a.json", "{}", "[".repeat(100_000), "{}", "{}")).toBeUndefined();
  });

  it("notices every edit that is dropped, every deletion that is back and every key that is made up", () => {
    const leaf = fc.oneof(fc.integer(), fc.string({ maxLength: 4 }), fc.boolean());
    const table = fc.dictionary(fc.string({ minLength: 1, maxLength: 3 }), leaf, { minKeys: 3, maxKeys: 8 });
    fc.assert(
      fc.property(table, table, table, (base, mine, yours) => {
        // Each side edits keys of its own: the one merge that is right is known.
        const ours: Table = { ...base, ...prefixed("o:", mine) };
        const theirs: Table = { ...base, ...prefixed("t:", yours) };
        const [first = "", second = ""] = Object.keys(base);
        delete ours[first];
        delete theirs[second];
        const result: Table = { ...theirs, ...prefixed("o:", mine) };
        delete result[first];
        expect(lossesOf(base, ours, theirs, result)).toEqual([]);
        for (const key of Object.keys(result)) {
          const { [key]: value, ...without } = result;
          expect(lossesOf(base, ours, theirs, without)).not.toEqual([]);
          const changed = { ...result, [key]: [value ?? null] };
          expect(lossesOf(base, ours, theirs, changed)).not.toEqual([]);
        }
        for (const key of [first, second]) {
          expect(lossesOf(base, ours, theirs, { ...result, [key]: base[key] ?? null })).not.toEqual([]);
        }
        expect(lossesOf(base, ours, theirs, { ...result, "n:": 1 })).not.toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

function prefixed(prefix: string, table: Readonly<Record<string, Json>>): Table {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [`${prefix}${key}`, value]));
}
