import { describe, expect, it } from "vitest";

import { mergeData } from "../../../../src/merge/data/merge-data.ts";
import type { PieceMerge } from "../../../../src/merge/resolution.ts";

function merge(base: string, ours: string, theirs: string, path = "a.json"): PieceMerge | undefined {
  return mergeData(path, { base, ours, theirs });
}

function textOf(result: PieceMerge | undefined): string | undefined {
  return result?.status === "merged" ? result.text : undefined;
}

const write = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

function mergeValues(base: unknown, ours: unknown, theirs: unknown, path?: string): unknown {
  const text = textOf(merge(write(base), write(ours), write(theirs), path));
  return text === undefined ? undefined : JSON.parse(text);
}

describe("a merge of JSON", () => {
  it("takes each key from the side that changed it", () => {
    expect(mergeValues({ a: 1, b: 1, c: 1 }, { a: 2, b: 1, c: 1 }, { a: 1, b: 2, c: 1 })).toEqual({ a: 2, b: 2, c: 1 });
  });

  it("goes into maps, also where both sides added one of the same name", () => {
    expect(mergeValues({ a: { b: 1, c: 1 } }, { a: { b: 2, c: 1 } }, { a: { b: 1, c: 2 } })).toEqual({
      a: { b: 2, c: 2 },
    });
    expect(mergeValues({}, { a: { b: 1, x: 1 } }, { a: { c: 1, x: 1 } })).toEqual({ a: { b: 1, x: 1, c: 1 } });
    expect(mergeValues({}, { a: { b: 1 } }, { a: { b: 2 } })).toBeUndefined();
  });

  it("takes out what one side took out and the other left as it was, and else asks", () => {
    expect(mergeValues({ a: 1, b: { c: 1 } }, { a: 2 }, { a: 1, b: { c: 1 }, d: 1 })).toEqual({ a: 2, d: 1 });
    expect(mergeValues({ a: 1, b: { c: 1 } }, { a: 1 }, { a: 1, b: { c: 2 } })).toBeUndefined();
    expect(mergeValues({ a: 1, b: { c: 1 } }, { a: 1, b: { c: 2 } }, { a: 1 })).toBeUndefined();
  });

  it("asks where both sides gave one key different values", () => {
    expect(merge('{"a": 1}\n', '{"a": 2}\n', '{"a": 3}\n')?.status).toBe("conflict");
    expect(merge('"a"\n', '"b"\n', '"c"\n')?.status).toBe("conflict");
    expect(merge('{"a": {}}\n', '{"a": []}\n', '{"a": "x"}\n')?.status).toBe("conflict");
  });

  it("says of a conflict which keys it is about, and where they stand", () => {
    const base = write({ a: { b: 1, c: 1 }, d: 1, e: 1 });
    const ours = write({ z: 1, a: { b: 2, c: 1 }, d: 2, e: 2 });
    const theirs = write({ a: { b: 3, c: 1 }, d: 1 });
    const result = merge(base, ours, theirs);
    const hunks = result?.status === "conflict" ? result.hunks : [];
    expect(hunks).toEqual([
      {
        entity: "a > b",
        baseStart: 2,
        baseLines: ['    "b": 1,'],
        oursStart: 3,
        ours: ['    "b": 2,'],
        theirsStart: 2,
        theirs: ['    "b": 3,'],
      },
      expect.objectContaining({ entity: "e", baseLines: ['  "e": 1'], ours: ['  "e": 2'], theirs: [] }),
    ]);
    expect(hunks[1]?.theirsStart).toBe(theirs.split("\n").indexOf('  "d": 1'));
  });

  it("keeps the bytes of ours wherever theirs changed nothing", () => {
    const base = '{ "a":1,\n      "b" : [ 1,2 ],   "c": {"d":1}\n}\n';
    const theirs = '{ "a":1,\n      "b" : [ 1,2 ],   "c": {"d":2}\n}\n';
    const ours = '{ "a":9,\n      "b" : [ 1,2 ],   "c": {"d":1}\n}\n';
    expect(textOf(merge(base, ours, theirs))).toBe('{ "a":9,\n      "b" : [ 1,2 ],   "c": {"d":2}\n}\n');
  });

  it("puts a new key of theirs beside its neighbour there, behind what ours added at the same place", () => {
    const result = merge(write({ a: 1, b: 1 }), write({ a: 1, x: 1, b: 1 }), write({ a: 1, y: 1, b: 1 }));
    expect(textOf(result)).toBe(write({ a: 1, x: 1, y: 1, b: 1 }));
    expect(result?.status === "merged" && result.steps).toEqual([{ resolver: "data", class: "B" }]);
  });

  it("puts new keys at their place in the alphabet where all others keep to it", () => {
    const text = textOf(
      merge(write({ a: 1, c: 1, g: 1 }), write({ a: 1, c: 1, f: 1, g: 1 }), write({ a: 1, c: 1, e: 1, g: 1 })),
    );
    expect(text).toBe(write({ a: 1, c: 1, e: 1, f: 1, g: 1 }));
  });

  it("follows theirs in the order of keys where only theirs moved them", () => {
    const text = textOf(merge(write({ b: 1, a: 1 }), write({ b: 2, a: 1 }), write({ a: 1, b: 1 })));
    expect(text).toBe(write({ a: 1, b: 2 }));
  });

  it("fills and empties maps without leaving broken lines", () => {
    expect(
      textOf(
        merge(
          '{\n  "a": {},\n  "z": 1\n}\n',
          '{\n  "a": {},\n  "z": 2\n}\n',
          '{\n  "a": {\n    "b": 1\n  },\n  "z": 1\n}\n',
        ),
      ),
    ).toBe('{\n  "a": {\n    "b": 1\n  },\n  "z": 2\n}\n');
    expect(textOf(merge('{\n  "a": 1,\n  "b": 1\n}\n', '{\n  "a": 1\n}\n', '{\n  "b": 1\n}\n'))).toBe("{}\n");
  });

  it("has commas between items only, whichever is the last", () => {
    expect(textOf(merge('{\n  "a": 1\n}\n', '{\n  "a": 1,\n  "b": 1\n}\n', '{\n  "a": 1,\n  "c": 1\n}\n'))).toBe(
      '{\n  "a": 1,\n  "b": 1,\n  "c": 1\n}\n',
    );
    expect(textOf(merge('["a"]\n', '["x", "a"]\n', '["a", "y"]\n'))).toBe('["x", "a", "y"]\n');
  });

  it("unites lists of words, and takes out what either side took out", () => {
    expect(mergeValues({ a: ["x", "y"] }, { a: ["x", "y", "v"] }, { a: ["y", "w"] })).toEqual({ a: ["y", "v", "w"] });
    expect(mergeValues({ a: ["x"] }, { a: ["v"] }, { a: ["w"] })).toBeUndefined();
  });

  it("merges lists of maps by a name or an id that all of them have", () => {
    const [one, two] = [
      { name: "one", at: 1 },
      { name: "two", at: 1 },
    ];
    expect(mergeValues([one, two], [{ ...one, at: 2 }, two], [one, { ...two, at: 3 }, { name: "new" }])).toEqual([
      { name: "one", at: 2 },
      { name: "two", at: 3 },
      { name: "new" },
    ]);
    expect(mergeValues([one, one], [{ ...one, at: 2 }, one], [one, { ...one, at: 3 }])).toBeUndefined();
  });

  it("asks where lists are tuples, or both sides moved their elements", () => {
    expect(mergeValues([1, 2], [1, 3], [4, 2])).toBeUndefined();
    expect(mergeValues(["a", "b", "c"], ["c", "a", "b"], ["b", "a", "c"])).toBeUndefined();
    expect(mergeValues(["b", "a", "c"], ["c", "b", "a"], ["b", "a", "c", "d"])).toEqual(["c", "d", "b", "a"]);
  });

  it("keeps comments, and takes their edits from the side that made them", () => {
    const base = '{\n  // one\n  "a": 1, // first\n  "b": 1 /* last */\n  // end\n}\n';
    const ours = base.replace('"a": 1', '"a": 2');
    const theirs = base.replace("// one", "// two").replace("// end", "// fin").replace("last */", "least */");
    expect(textOf(merge(base, ours, theirs))).toBe(theirs.replace('"a": 1', '"a": 2'));
    expect(merge(base, base.replace("// one", "// uno"), theirs)?.status).toBe("conflict");
    expect(merge(base, "{}\n", base.replace("// one", "// two"))?.status).toBe("conflict");
  });

  it("keeps a comment behind its item when another one follows", () => {
    const base = '{\n  "a": 1 // first\n}\n';
    const result = merge(base, '{\n  "a": 1, // first\n  "b": 1\n}\n', '{\n  "a": 1, // first\n  "c": 1 // last\n}\n');
    expect(textOf(result)).toBe('{\n  "a": 1, // first\n  "b": 1,\n  "c": 1 // last\n}\n');
  });

  it("allows commas after the last item where a reader of the file does", () => {
    const [base, ours, theirs] = ['{ "a": 1, }\n', '{ "a": 1, "b": 1, }\n', '{ "a": 1, "c": 1, }\n'];
    expect(textOf(merge(base, ours, theirs, "tsconfig.json"))).toBe('{ "a": 1, "b": 1, "c": 1, }\n');
    expect(merge(base, ours, theirs, "package.json")?.status).toBe("conflict");
  });

  it("takes numbers and texts as they are written", () => {
    const text = textOf(
      merge(
        '{"a":1.0,"b":1,"c":"\\u00e9"}\n',
        '{"a":1.00,"b":1,"c":"\\u00e9"}\n',
        '{"a":1.0,"b":12345678901234567890,"c":"é"}\n',
      ),
    );
    expect(text).toBe('{"a":1.00,"b":12345678901234567890,"c":"é"}\n');
  });

  it("asks where it cannot read a version", () => {
    const good = '{"a":1}\n';
    const bad = [
      '{"a":1',
      '{"a":1,"a":2}\n',
      '{"a":01}\n',
      '{"a":"\\x"}\n',
      '{"a":"\n"}\n',
      "",
      "{a:1}\n",
      '{"a":1}}\n',
      "[".repeat(100_000),
      '{"a":1}/*',
    ];
    for (const text of bad) {
      expect(merge(text, good, '{"a":3}\n')?.status).toBe("conflict");
      expect(merge('{"a":3}\n', text, good)?.status).toBe("conflict");
      expect(merge('{"a":3}\n', good, text)?.status).toBe("conflict");
    }
  });

  it("asks where a map has one name twice, or nests deeper than it looks", () => {
    const deep = `${'{"a":'.repeat(300)}1${"}".repeat(300)}`;
    for (const value of ['{"a":1,"a":2}', deep]) {
      const text = (more: string): string => `{"x":${value}${more}}\n`;
      expect(merge(text(""), text(',"b":1'), text(',"c":1'))?.status).toBe("conflict");
    }
  });

  it("takes names like those of an object's own members for names like any other", () => {
    const text = textOf(merge('{"a":1}\n', '{"a":1,"__proto__":{"x":1}}\n', '{"a":2,"constructor":1,"\\ud800":1}\n'));
    expect(text).toBe('{"a":2,"__proto__":{"x":1},"constructor":1,"\\ud800":1}\n');
  });

  it("says that it knows nothing of other files", () => {
    expect(merge("a", "b", "c", "a.ts")).toBeUndefined();
    expect(merge("a", "b", "c", "json")).toBeUndefined();
  });

  it("does not merge what a tool makes", () => {
    expect(merge('{"a":1}\n', '{"a":1,"b":1}\n', '{"a":1,"c":1}\n', "x/package-lock.json")?.status).toBe("conflict");
  });

  it("merges two megabytes in bounded time", () => {
    const entries = (change: number): string =>
      `{\n${Array.from({ length: 40_000 }, (_, at) => `  "key ${at}": { "value": "${at === change ? "changed" : "x".repeat(20)}" }`).join(",\n")}\n}\n`;
    const started = performance.now();
    expect(merge(entries(-1), entries(3), entries(39_000))?.status).toBe("merged");
    expect(performance.now() - started).toBeLessThan(60_000);
  }, 120_000);
});
