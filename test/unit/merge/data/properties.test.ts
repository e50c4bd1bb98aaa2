import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";

import { mergeData } from "../../../../src/merge/data/merge-data.ts";
import type { PieceMerge } from "../../../../src/merge/resolution.ts";

type Value = string | number | boolean | null | Value[] | { [key: string]: Value };

const anyKey = fc.constantFrom("a", "b", "c", "d", "name", "x y", "é", "10", "#k", "__proto__");
const anyScalar: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(
    "one",
    "two",
    "",
    "# no comment",
    "a: b",
    "- x",
    "multi\nline\n",
    "true",
    null,
    true,
    0,
    1,
    -1.5,
  ),
  fc.string({ unit: "binary", maxLength: 4 }),
);
const anyMap = fc.letrec<{ value: Value; map: Value }>((tie) => ({
  value: fc.oneof({ depthSize: "small" }, anyScalar, fc.uniqueArray(anyScalar, { maxLength: 3 }), tie("map")),
  map: fc
    .uniqueArray(fc.tuple(anyKey, tie("value")), { maxLength: 5, selector: ([key]) => key })
    .map((entries) => Object.fromEntries(entries)),
})).map;

/** Changes some keys of a map, at any depth, as the numbers say. */
function edit(value: Value, choices: readonly number[], fresh: Value): Value {
  const [choice = 0, ...rest] = choices;
  if (!isMap(value)) return choice % 3 === 0 ? fresh : value;
  const keys = Object.keys(value);
  const key = keys[choice % Math.max(1, keys.length)];
  if (key === undefined || choice % 4 === 0)
    return { ...value, [["a", "b", "new", "newer"][choice % 7] ?? "n"]: fresh };
  const { [key]: old = null, ...others } = value;
  return choice % 4 === 1 ? others : { ...value, [key]: edit(old, rest, fresh) };
}

const anyVersions = fc
  .record({
    base: anyMap,
    choices: fc.array(fc.array(fc.nat(100), { minLength: 4, maxLength: 4 }), { maxLength: 6 }),
    fresh: fc.array(anyScalar, { minLength: 6, maxLength: 6 }),
  })
  .map(({ base, choices, fresh }) => {
    const side = (from: number): Value =>
      choices.reduce((value, choice, at) => (at % 2 === from ? edit(value, choice, fresh[at] ?? null) : value), base);
    return { base, ours: side(0), theirs: side(1) };
  });

const CONTRADICTION = Symbol("contradiction");
const ABSENT = Symbol("absent");

function isMap(value: unknown): value is { [key: string]: Value } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function same(a: unknown, b: unknown): boolean {
  return a === b || (typeof a !== "symbol" && typeof b !== "symbol" && sorted(a) === sorted(b));
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isMap(inner) ? Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)) : inner,
  );
}

/** The three-way merge of values, as plainly as it can be said. Lists that both sides changed are left to others. */
function mergeValues(base: unknown, ours: unknown, theirs: unknown): unknown {
  if (same(ours, theirs) || same(base, theirs)) return ours;
  if (same(base, ours)) return theirs;
  if (!isMap(ours) || !isMap(theirs)) return CONTRADICTION;
  const entries: [string, unknown][] = [];
  for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const at = (value: unknown): unknown => (isMap(value) && Object.hasOwn(value, key) ? value[key] : ABSENT);
    const merged = mergeValues(at(base), at(ours), at(theirs));
    if (merged === CONTRADICTION) return CONTRADICTION;
    if (merged !== ABSENT) entries.push([key, merged]);
  }
  return Object.fromEntries(entries);
}

function bothChangedLists(base: unknown, ours: unknown, theirs: unknown): boolean {
  if (same(ours, theirs) || same(base, theirs) || same(base, ours)) return false;
  if (Array.isArray(ours) && Array.isArray(theirs)) return true;
  if (!isMap(ours) || !isMap(theirs)) return false;
  return Object.keys(ours).some(
    (key) => Object.hasOwn(theirs, key) && bothChangedLists(isMap(base) ? base[key] : ABSENT, ours[key], theirs[key]),
  );
}

function checkFormat(path: string, write: (value: Value) => string, read: (text: string) => unknown): void {
  fc.assert(
    fc.property(anyVersions, ({ base, ours, theirs }) => {
      fc.pre(!bothChangedLists(base, ours, theirs));
      const result = mergeData(path, { base: write(base), ours: write(ours), theirs: write(theirs) });
      const expected = mergeValues(base, ours, theirs);
      if (expected === CONTRADICTION) expect(result?.status).toBe("conflict");
      else if (result?.status === "merged") expect(sorted(read(result.text))).toBe(sorted(expected));
      else expect(sorted(expected)).toBe("merged");
    }),
    { numRuns: 400 },
  );
}

describe("a merge of data", () => {
  it.each([0, 2, "\t"])("says of JSON what a merge of the values says, indented by %j", (indent) => {
    checkFormat(
      "a.json",
      (value) => `${JSON.stringify(value, null, indent)}\n`,
      (text) => JSON.parse(text),
    );
  });

  it("says of YAML what a merge of the values says", () => {
    checkFormat(
      "a.yaml",
      (value) => stringify(value),
      (text) => parse(text) as unknown,
    );
  });

  it("never throws, whatever the texts are, and tells both sides alike", () => {
    const anyText = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'{}[]",:#-?&*!|>%@ \n\t/\\ab1'.split("")), maxLength: 30 }),
      fc.string({ maxLength: 10 }),
      anyMap.map((value) => JSON.stringify(value)),
    );
    const statusOf = (result: PieceMerge | undefined): string | undefined => result?.status;
    fc.assert(
      fc.property(
        fc.constantFrom("a.json", "a.yaml", "package.json"),
        anyText,
        anyText,
        anyText,
        (path, base, ours, theirs) => {
          const straight = mergeData(path, { base, ours, theirs });
          expect(statusOf(mergeData(path, { base, ours: theirs, theirs: ours }))).toBe(statusOf(straight));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
