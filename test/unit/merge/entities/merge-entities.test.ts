import { beforeAll, describe, expect, it } from "vitest";

import type { Language } from "../../../../src/merge/language.ts";
import { classOf } from "../../../../src/merge/resolution.ts";
import { loadGrammars, mergeSources } from "../../../fixtures/entity-merges.ts";

beforeAll(loadGrammars);

function merged(language: Language, base: string, ours: string, theirs: string): string {
  const merge = mergeSources(language, { base, ours, theirs });
  if (merge.status === "conflict") throw new Error(`a conflict: ${JSON.stringify(merge.hunks)}`);
  return merge.text;
}

function hunksOf(language: Language, base: string, ours: string, theirs: string): readonly object[] {
  const merge = mergeSources(language, { base, ours, theirs });
  if (merge.status === "merged") throw new Error(`no conflict, but ${merge.text}`);
  return merge.hunks;
}

const fn = (name: string, body = "return 1;"): string => `function ${name}() {\n  ${body}\n}\n`;
const method = (name: string, body = "return 1;"): string => `  ${name}() {\n    ${body}\n  }\n`;

describe("functions that both sides added at one place", () => {
  it("are a conflict where both took out the one that stood there: they may be two answers to it", () => {
    const [base, ours, theirs] = ["old", "mine", "yours"].map(
      (name, at) => `${fn("first")}\n${fn(name, `step${at}();`)}`,
    );
    expect(hunksOf("typescript", base ?? "", ours ?? "", theirs ?? "")).toHaveLength(1);
  });

  it("stand one after the other, ours first, and their class says so", () => {
    const base = `${fn("first")}\n${fn("last")}`;
    const versions = {
      base,
      ours: `${fn("first")}\n${fn("zebra")}\n${fn("last")}`,
      theirs: `${fn("first")}\n${fn("ant")}\n${fn("last")}`,
    };
    const merge = mergeSources("typescript", versions);
    expect(merge).toMatchObject({
      status: "merged",
      text: `${fn("first")}\n${fn("zebra")}\n${fn("ant")}\n${fn("last")}`,
    });
    expect(merge.status === "merged" && classOf(merge.steps)).toBe("B");
  });

  it("are kept apart by a blank line also at the top of the file", () => {
    const base = fn("last");
    const ours = `${fn("one")}\n${base}`;
    const theirs = `${fn("two")}\n${base}`;
    expect(merged("typescript", base, ours, theirs)).toBe(`${fn("one")}\n${fn("two")}\n${base}`);
  });

  it("have no blank line above them where they are the first of the result, whichever side is which", () => {
    const [base, alone] = [fn("gamma", "return 2;"), fn("beta", "return 3;")];
    expect(merged("typescript", base, alone, `${base}\n${alone}`)).toBe(alone);
    expect(merged("typescript", base, `${base}\n${alone}`, alone)).toBe(alone);
  });

  it("go where their names belong in a list that is sorted by name", () => {
    const all = (names: readonly string[]): string => names.map((name) => fn(name)).join("\n");
    const base = all(["a", "c", "k", "z"]);
    const ours = all(["a", "c", "k", "p", "z"]);
    const theirs = all(["a", "c", "k", "m", "z"]);
    expect(merged("typescript", base, ours, theirs)).toBe(all(["a", "c", "k", "m", "p", "z"]));
  });

  it("are there once when both added the same, but for white space", () => {
    const base = fn("a");
    const ours = `${base}\n${fn("b")}`;
    const theirs = `${base}\n${fn("b", "  return 1;")}`;
    expect(merged("typescript", base, ours, theirs)).toBe(ours);
  });

  it("are a conflict under one name, wherever they stand", () => {
    const base = `${fn("a")}\n${fn("z")}`;
    const ours = `${fn("a")}\n${fn("b", "return 2;")}\n${fn("z")}`;
    const theirs = `${fn("a")}\n${fn("z")}\n${fn("b", "return 3;")}`;
    expect(hunksOf("typescript", base, ours, theirs)).toEqual([
      expect.objectContaining({
        entity: "function b",
        oursStart: 3,
        ours: ["", ...fn("b", "return 2;").trim().split("\n")],
      }),
    ]);
  });

  it("are the members of both where both added a class of one name", () => {
    const base = fn("a");
    const ours = `${base}\nclass New {\n${method("one")}}\n`;
    const theirs = `${base}\nclass New {\n${method("two")}}\n`;
    expect(merged("typescript", base, ours, theirs)).toBe(
      `${base}\nclass New {\n${method("one")}\n${method("two")}}\n`,
    );
  });
});

describe("statements that both sides added at one place", () => {
  it("are a conflict, because their order has a meaning", () => {
    const base = `${fn("a")}\nstart();\n`;
    expect(hunksOf("typescript", base, `${base}first();\n`, `${base}second();\n`)).toHaveLength(1);
  });

  it("are there once where both added the same", () => {
    const base = `${fn("a")}\nstart();\n`;
    const both = `${base}go();\n`;
    expect(merged("typescript", base, both.replace("1", "2"), both)).toBe(both.replace("1", "2"));
  });

  it("are there once also where one put them before and the other behind a function that both added", () => {
    const [before, behind] = [`go();\n\n${fn("a")}`, `${fn("a")}\ngo();\n`];
    expect(merged("typescript", "", before, behind)).toBe(before);
    expect(merged("typescript", "", behind, before)).toBe(behind);
  });

  it("are a conflict where both added the same ones, each in its own order", () => {
    const [one, other] = ["first();\nlast();\n", "last();\nfirst();\n"];
    expect(hunksOf("typescript", "", one, other)).toHaveLength(1);
    expect(hunksOf("typescript", "", other, one)).toHaveLength(1);
    const base = `${fn("a")}\nstart();\n\n${fn("b")}`;
    const around = (before: string, behind: string): string =>
      `${fn("a")}\n${before}();\nstart();\n${behind}();\n\n${fn("b")}`;
    expect(hunksOf("typescript", base, around("one", "two"), around("two", "one"))).toHaveLength(1);
  });

  it("are a conflict beside others, also where a function that both added stands on either side of them", () => {
    const one = `first();\nshared();\n\n${fn("a")}`;
    const other = `${fn("a")}\nsecond();\nshared();\n`;
    expect(hunksOf("typescript", "", one, other)).toHaveLength(1);
    expect(hunksOf("typescript", "", other, one)).toHaveLength(1);
  });

  it("are a conflict where one side put the same one before and the other behind what stood there", () => {
    const base = `${fn("a")}\nstart();\n\n${fn("b")}`;
    const [before, behind] = [base.replace("start();", "go();\nstart();"), base.replace("start();", "start();\ngo();")];
    expect(hunksOf("typescript", base, before, behind)).toHaveLength(1);
    expect(hunksOf("typescript", base, behind, before)).toHaveLength(1);
  });

  it("are there once where the other side took out what stood before them", () => {
    const base = `${fn("a")}\nstart();\nstop();\n`;
    const [added, removed] = [`${base}go();\n`, `${fn("a")}\nstart();\ngo();\n`];
    expect(merged("typescript", base, added, removed)).toBe(removed);
    expect(merged("typescript", base, removed, added)).toBe(removed);
  });

  it("stand beside a function that only the other side added there", () => {
    const base = `start();\n`;
    expect(merged("typescript", base, `${base}go();\n`, `${base}\n${fn("a")}`)).toBe(`${base}go();\n\n${fn("a")}`);
  });
});

describe("what both sides took out", () => {
  it("leaves a conflict where each put something else in its place, wherever that came to stand", () => {
    const base = "first();\nsetup({ name: 1 });\n";
    const ours = "first();\nconfigure(1);\n";
    const theirs = "begin(2);\n";
    expect(hunksOf("typescript", base, ours, theirs)).toHaveLength(1);
  });

  it("is told by its lines where both changed one statement", () => {
    const statement = (name: string): string => `setup({\n  deep: [\n    one,\n    ${name},\n    three,\n  ],\n});\n`;
    const hunks = hunksOf("typescript", statement("two"), statement("ours"), statement("theirs"));
    expect(hunks).toEqual([
      {
        baseStart: 3,
        baseLines: ["    two,"],
        oursStart: 3,
        ours: ["    ours,"],
        theirsStart: 3,
        theirs: ["    theirs,"],
      },
    ]);
  });
});

describe("statements that stand side by side", () => {
  it("are edited each by one side", () => {
    const base = "start({ port: 1 });\nstop({ port: 2 });\n";
    const ours = base.replace("1", "10");
    const theirs = base.replace("2", "20");
    expect(merged("typescript", base, ours, theirs)).toBe("start({ port: 10 });\nstop({ port: 20 });\n");
  });
});

describe("what one side edited", () => {
  it("is merged in the parts of a class, by name", () => {
    const base = `class A {\n${method("one")}\n${method("two")}}\n`;
    const ours = `class A {\n${method("one", "return 2;")}\n${method("two")}}\n`;
    const theirs = `class A {\n${method("one")}\n${method("new")}\n${method("two", "return 3;")}}\n`;
    expect(merged("typescript", base, ours, theirs)).toBe(
      `class A {\n${method("one", "return 2;")}\n${method("new")}\n${method("two", "return 3;")}}\n`,
    );
  });

  it("goes along where the other side moved it", () => {
    const names = ["a", "b", "c", "d"];
    const all = (list: readonly string[], edited?: string): string =>
      list.map((name) => fn(name, name === edited ? "return 7;" : `return "${name}";`)).join("\n");
    const base = all(names);
    const ours = all(["b", "c", "d", "a"]);
    expect(merged("typescript", base, ours, all(names, "a"))).toBe(all(["b", "c", "d", "a"], "a"));
    expect(merged("typescript", base, all(names, "a"), ours)).toBe(all(["b", "c", "d", "a"], "a"));
  });

  it("goes along where the other side renamed it", () => {
    const long = (name: string, last = "return sum;"): string =>
      `function ${name}(list) {\n  let sum = 0;\n  for (const one of list) {\n    sum += one.price;\n  }\n  ${last}\n}\n`;
    const base = `${fn("a")}\n${long("total")}\n${fn("z")}`;
    const ours = `${fn("a")}\n${long("sumOfPrices")}\n${fn("z")}`;
    const theirs = `${fn("a")}\n${long("total", "return sum * 2;")}\n${fn("z")}`;
    expect(merged("typescript", base, ours, theirs)).toBe(
      `${fn("a")}\n${long("sumOfPrices", "return sum * 2;")}\n${fn("z")}`,
    );
  });

  it("is a conflict where the other side deleted it", () => {
    const base = `${fn("a")}\n${fn("b")}\n${fn("c")}`;
    const ours = `${fn("a")}\n${fn("c")}`;
    const theirs = `${fn("a")}\n${fn("b", "return 5;")}\n${fn("c")}`;
    expect(hunksOf("typescript", base, ours, theirs)).toEqual([
      {
        baseStart: 3,
        baseLines: ["", "function b() {", "  return 1;", "}"],
        oursStart: 3,
        ours: [],
        theirsStart: 3,
        theirs: ["", "function b() {", "  return 5;", "}"],
        entity: "function b",
      },
    ]);
  });

  it("is gone where the other side deleted it and only blank lines changed", () => {
    const base = `${fn("a")}\n${fn("b")}\n${fn("c")}`;
    const ours = `${fn("a")}\n${fn("c")}`;
    const theirs = `${fn("new")}\n${fn("a")}\n\n${fn("b")}\n${fn("c")}`;
    expect(merged("typescript", base, ours, theirs)).toBe(`${fn("new")}\n${fn("a")}\n${fn("c")}`);
  });

  it("is told with its place in the whole file when it cannot be merged", () => {
    const base = `${fn("a")}\nclass A {\n${method("one")}\n${method("two")}}\n`;
    const hunks = hunksOf(
      "typescript",
      base,
      base.replace(/1(?=;\n {2}\}\n\}\n$)/, "2"),
      base.replace(/1(?=;\n {2}\}\n\}\n$)/, "3"),
    );
    expect(hunks).toEqual([
      expect.objectContaining({ baseStart: 10, baseLines: ["    return 1;"], entity: "class A > method two" }),
    ]);
  });
});

describe("a name", () => {
  it("is in conflict where one side gave it to what the other side has under another, and that one added it", () => {
    const long = (name: string): string =>
      `function ${name}(list) {\n  let sum = 0;\n  for (const one of list) {\n    sum += one.price;\n  }\n  return sum;\n}\n`;
    const base = `${fn("a")}\n${long("sum")}`;
    const ours = `${fn("total", "return 7;")}\n${fn("a")}\n${long("sum")}`;
    const theirs = `${fn("a")}\n${long("total")}`;
    expect(hunksOf("typescript", base, ours, theirs)).toEqual([expect.objectContaining({ entity: "function sum" })]);
  });
});

describe("the order of a list", () => {
  it("is a conflict where both sides moved one thing, each elsewhere", () => {
    const all = (names: readonly string[]): string => names.map((name) => fn(name, `return "${name}";`)).join("\n");
    const base = all(["x", "a", "b", "c", "d"]);
    expect(hunksOf("typescript", base, all(["a", "b", "x", "c", "d"]), all(["a", "b", "c", "d", "x"]))).toHaveLength(1);
  });

  it("has what was added where its neighbour stood that the other side deleted", () => {
    const all = (names: readonly string[]): string => names.map((name) => fn(name, `return "${name}";`)).join("\n");
    const base = all(["a", "b", "c"]);
    expect(merged("typescript", base, all(["a", "c"]), all(["a", "b", "new", "c"]))).toBe(all(["a", "new", "c"]));
  });
});

describe("a list with commas", () => {
  it("has them between all elements that both sides appended", () => {
    const base = "const table = {\n  a: 1,\n  b: 2\n};\n";
    const ours = "const table = {\n  a: 1,\n  b: 2,\n  c: 3 // three\n};\n";
    const theirs = "const table = {\n  a: 1,\n  b: 2,\n  d: 4\n};\n";
    expect(merged("typescript", base, ours, theirs)).toBe(
      "const table = {\n  a: 1,\n  b: 2,\n  c: 3, // three\n  d: 4\n};\n",
    );
  });

  it("keeps the comma at its end, or gets it with the side that added it", () => {
    const base = "const table = {\n  a: 1,\n  b: 2\n};\n";
    const ours = "const table = {\n  a: 1,\n  b: 2,\n  c: 3,\n};\n";
    const theirs = "const table = {\n  a: 7,\n  b: 2\n};\n";
    expect(merged("typescript", base, ours, theirs)).toBe("const table = {\n  a: 7,\n  b: 2,\n  c: 3,\n};\n");
  });

  it("loses the last element and the comma before it", () => {
    const base = "const table = {\n  a: 1,\n  b: 2,\n  c: 3\n};\n";
    const ours = "const table = {\n  a: 1,\n  b: 2\n};\n";
    const theirs = "const table = {\n  a: 7,\n  b: 2,\n  c: 3\n};\n";
    expect(merged("typescript", base, ours, theirs)).toBe("const table = {\n  a: 7,\n  b: 2\n};\n");
  });
});
