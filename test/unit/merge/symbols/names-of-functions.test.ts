import { describe, expect, it } from "vitest";

import { change, hitsOf } from "./trees.ts";

/** A function with a name of its own, and a line further down that uses another one. */
interface Writing {
  readonly path: string;
  readonly fn: (own: string, last: string) => string;
}

const WRITINGS: readonly Writing[] = [
  {
    path: "a.ts",
    fn: (own, last) =>
      `export function first(size: number): number {\n  let ${own} = size;\n  const one = ${own};\n  const two = 2;\n  const three = ${last};\n  return one + two + three;\n}\n`,
  },
  {
    path: "a.js",
    fn: (own, last) =>
      `function first({ ${own}, size }) {\n  const one = ${own};\n  const two = 2;\n  const three = ${last};\n  return one + two + three;\n}\n`,
  },
  {
    path: "a.py",
    fn: (own, last) =>
      `def first(size):\n    for ${own} in size:\n        pass\n    one = 1\n    two = 2\n    three = ${last}\n    return one + two + three\n`,
  },
  {
    path: "b.py",
    fn: (own, last) =>
      `def first(size):\n    with open(size) as ${own}:\n        one = 1\n        two = 2\n        three = ${last}.real\n    return one + two + three\n`,
  },
  {
    path: "a.go",
    fn: (own, last) =>
      `package a\n\nfunc first(size int) int {\n\t${own} := size\n\tone := ${own}\n\ttwo := 2\n\tthree := ${last}\n\treturn one + two + three\n}\n`,
  },
  {
    path: "a.rs",
    fn: (own, last) =>
      `fn first(size: u32) -> u32 {\n    let ${own} = size;\n    let one = ${own};\n    let two = 2;\n    let three = ${last};\n    one + two + three\n}\n`,
  },
  {
    path: "A.java",
    fn: (own, last) =>
      `class A {\n  int first(int size) {\n    int ${own} = size;\n    int one = ${own};\n    int two = 2;\n    int three = ${last};\n    return one + two + three;\n  }\n}\n`,
  },
];

describe("a name of a function's own", () => {
  it.each(WRITINGS)("is missed in $path where one side renamed it and the other uses it anew", async ({ path, fn }) => {
    const [base, renamed, used] = [fn("total", "size"), fn("amount", "size"), fn("total", "total")];
    for (const [ours, theirs] of [
      [renamed, used],
      [used, renamed],
    ] as const) {
      const hits = await hitsOf({ [path]: base }, { [path]: ours }, { [path]: theirs });
      expect(hits).toMatchObject([{ kind: "missing-definition", symbol: "total", isCertain: true }]);
    }
  });

  it.each(WRITINGS)("is not missed in $path where another name is used", async ({ path, fn }) => {
    const [base, renamed, used] = [fn("total", "size"), fn("amount", "size"), fn("total", "size + size")];
    expect(await hitsOf({ [path]: base }, { [path]: renamed }, { [path]: used })).toEqual([]);
  });

  it("is missed although another function has one of that name", async () => {
    const other = "\n\ndef other():\n    total = 1\n    return total\n";
    const fn = (own: string, last: string): string =>
      `def first():\n    ${own} = 1\n    one = 1\n    two = 2\n    return ${last}\n${other}`;
    const hits = await hitsOf(
      { "a.py": fn("total", "1") },
      { "a.py": fn("sum", "1") },
      { "a.py": fn("total", "total") },
    );
    expect(hits.map(({ symbol }) => symbol)).toEqual(["total"]);
  });

  it("is missed although a class has a member of that name", async () => {
    const rest = "\n\nclass A:\n    def size(self):\n        return 2\n";
    const use = (call: string): string => `\n\ndef use():\n    return ${call}\n`;
    const base = { "a.py": `def size():\n    return 1\n${rest}${use("1")}` };
    const removed = { "a.py": `${rest.trimStart()}${use("1")}` };
    const used = (call: string) => ({ "a.py": `def size():\n    return 1\n${rest}${use(call)}` });
    expect(await hitsOf(base, removed, used("size()"))).toMatchObject([{ symbol: "size", isCertain: true }]);
    expect(await hitsOf(base, removed, used("A().size()"))).toEqual([]);
  });

  it.each(["[total for total in size]", "(lambda total: total)(size)", "{total: 1 for total in size}"])(
    "is not missed where %s gives it a meaning for itself",
    async (expression) => {
      const fn = (own: string, last: string): string =>
        `def first(size):\n    ${own} = 1\n    one = 1\n    two = 2\n    return ${last}\n`;
      const [base, renamed] = [{ "a.py": fn("total", "1") }, { "a.py": fn("amount", "1") }];
      expect(await hitsOf(base, renamed, { "a.py": fn("total", expression) })).toEqual([]);
    },
  );
});

describe("a name that a file passes on", () => {
  const removals = [
    {
      from: "pkg/__init__.py",
      before: "from .a import f, g\n",
      after: "from .a import g\n",
      use: "from pkg import f\n",
    },
    {
      from: "pkg/__init__.py",
      before: "from .a import f, g\n",
      after: "from .a import g\n",
      use: "import pkg\n\npkg.f()\n",
    },
    {
      from: "index.ts",
      before: 'export { f, g } from "./a.js";\n',
      after: 'export { g } from "./a.js";\n',
      use: 'import { f } from "./index.js";\n\nf();\n',
    },
    {
      from: "index.js",
      before: "exports.f = () => 1;\nexports.g = () => 2;\n",
      after: "exports.g = () => 2;\n",
      use: 'const { f } = require("./index");\n\nf();\n',
    },
    {
      from: "index.js",
      before: "module.exports = { f: () => 1, g() {} };\n",
      after: "module.exports = { g() {} };\n",
      use: 'const all = require("./index");\n\nall.f();\n',
    },
  ];

  it.each(removals)("is missed by $use where $from has it no more", async ({ from, before, after, use }) => {
    const base = { [from]: before };
    const user = `user${from.slice(from.lastIndexOf("."))}`;
    expect(await hitsOf(base, { [from]: after }, change(base, { [user]: use }))).toMatchObject([
      { kind: "missing-definition", symbol: "f", definedIn: from, isCertain: true },
    ]);
    const harmless = change(base, { [user]: use.replaceAll(/\bf\b/g, "g") });
    expect(await hitsOf(base, { [from]: after }, harmless)).toEqual([]);
  });
});
