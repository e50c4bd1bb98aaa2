import { beforeAll, describe, expect, it } from "vitest";

import type { Language } from "../../../../src/merge/language.ts";
import { flaws, grammars, outline, read } from "./reading.ts";

const LANGUAGES: readonly Language[] = ["typescript", "javascript", "python", "go", "rust", "java"];

beforeAll(async () => {
  await Promise.all(LANGUAGES.map((language) => grammars.load(language)));
});

function outlineOf(language: Language, ...lines: string[]): string[] {
  return outline(read(language, lines.map((line) => `${line}\n`).join("")).entities);
}

function textsOf(language: Language, ...lines: string[]): string[] {
  const text = lines.map((line) => `${line}\n`).join("");
  return read(language, text).entities.map(({ start, end }) => text.slice(start, end));
}

describe("what belongs to an entity", () => {
  it("is what stands before it, and the rest of its last line", () => {
    expect(
      textsOf(
        "typescript",
        "f(); // one",
        "",
        "// two",
        "",
        "/** Says. */",
        "@dec",
        "export class A {}; /* a",
        "b */",
        "g();",
      ),
    ).toEqual(["f(); // one\n", "\n// two\n\n/** Says. */\n@dec\nexport class A {}; /* a\nb */\n", "g();\n"]);
  });

  it("starts its core at its decorators", () => {
    const text = "a;\n\n// why\n@dec\nexport class A {}\n";
    const [, entity] = read("typescript", text).entities;
    expect(text.slice(entity?.coreStart)).toBe("@dec\nexport class A {}\n");
  });

  it("is nothing of a comment that indentation puts after a block", () => {
    expect(
      textsOf("python", "class A:", "    def f(self):", "        pass", "    # in A", "# after A", "x = 1"),
    ).toEqual(["class A:\n    def f(self):\n        pass\n    # in A\n", "# after A\nx = 1\n"]);
  });

  it("is a comment of its own at the end of a list", () => {
    expect(outlineOf("java", "class A {", "    int x;", "    // last", "", "}", "// end")).toEqual([
      "class A",
      "  field x",
      "  comment",
      "comment",
    ]);
  });
});

describe("the header of a file", () => {
  it("is the comment before imports or a blank line", () => {
    expect(outlineOf("typescript", "#!/usr/bin/env node", "// licence", 'import a from "a";')).toEqual([
      "header header",
      "imports imports",
    ]);
    expect(outlineOf("rust", "// licence", "", "/// Says.", "fn f() {}")).toEqual(["header header", "function f"]);
    expect(outlineOf("java", "/* licence */", "package a;", "class A {}")).toEqual([
      "header header",
      "statement",
      "class A",
    ]);
    expect(outlineOf("python", '"""Says."""', "import a")).toEqual(["header header", "imports imports"]);
  });

  it("is no comment that touches what follows", () => {
    expect(outlineOf("go", "// licence", "", "package a", "// A says.", "type A int")).toEqual([
      "header header",
      "statement",
      "type A",
    ]);
    expect(outlineOf("javascript", "/** Says. */", "function f() {}")).toEqual(["function f"]);
  });
});

describe("imports", () => {
  it("are one entity a run, with the comments between them", () => {
    expect(
      outlineOf(
        "javascript",
        'import a from "a";',
        "",
        "// why",
        'const b = require("b");',
        'export * from "c";',
        "f();",
        'import d from "d";',
      ),
    ).toEqual(["imports imports", "imports exports", "statement", "imports imports 2"]);
  });

  it("are runs of modules too in Rust", () => {
    expect(
      outlineOf("rust", "use a;", "extern crate b;", "mod c;", "#[macro_use]", "pub mod d;", "mod e {", "}"),
    ).toEqual(["imports imports", "imports modules", "namespace e"]);
  });

  it("stay a statement inside of a try", () => {
    expect(outlineOf("python", "try:", "    import a", "except ImportError:", "    a = None")).toEqual(["statement"]);
  });
});

describe("TypeScript and JavaScript", () => {
  it("tell apart overloads, accessors and static members", () => {
    expect(
      outlineOf(
        "typescript",
        "export function f(a: string): void;",
        "export function f(a: number): void;",
        "export function f(a: unknown) {}",
        "class A {",
        "  get x() { return 1; }",
        "  set x(v) {}",
        "  static x = 1;",
        "}",
      ),
    ).toEqual([
      "function f (a: string)",
      "function f (a: number)",
      "function f",
      "class A",
      "  method x get",
      "  method x set",
      "  field x static",
    ]);
  });

  it("read interfaces of one name, and what an export wraps", () => {
    expect(
      outlineOf("typescript", "interface A {", "  a: string;", "}", "export interface A {", "  b(): void;", "}"),
    ).toEqual(["interface A", "  property a", "interface A", "  method b ()"]);
    expect(outlineOf("typescript", "export default class {", "  a = 1;", "}")).toEqual(["class default", "  field a"]);
    expect(outlineOf("javascript", "export default {", "  a,", "};")).toEqual(["variable default", "  property a"]);
  });

  it("read objects and tests as lists", () => {
    expect(
      outlineOf(
        "javascript",
        "module.exports = {",
        "  'a': 1,",
        "  b: {",
        "    c,",
        "  },",
        "  d() {},",
        "};",
        'describe("x", () => {',
        '  it("y", () => {',
        "    z();",
        "  });",
        "});",
      ),
    ).toEqual([
      "variable module.exports",
      "  property a",
      "  property b",
      "    property c",
      "  method d",
      'test describe "x"',
      '  test it "y"',
    ]);
  });

  it("keep the order of an object with a spread in it", () => {
    const bodies = ["  ...a,", "  b,"].map(
      (line) => read("javascript", `const o = {\n${line}\n};\n`).entities[0]?.body,
    );
    expect(bodies.map((body) => body?.isOrdered)).toEqual([true, false]);
    expect(bodies[0]?.separator).toBe(",");
  });

  it("read what stands in types and calls as lists", () => {
    expect(
      outlineOf(
        "typescript",
        "type A = B & {",
        "  c: Partial<{",
        "    d: string;",
        "  }>;",
        "};",
        "export default define({",
        "  e,",
        "});",
        'define("x", {',
        "  f,",
        "});",
        'define("y", g);',
        "define(h);",
      ),
    ).toEqual([
      "type A",
      "  property c",
      "    property d",
      "variable default",
      "  property e",
      'statement define "x"',
      "  property f",
      'statement define "y"',
      "statement",
    ]);
  });

  it("name what is destructured", () => {
    expect(outlineOf("typescript", "const { a, b: c, ...d } = e, [f, g = 1] = h;")).toEqual(["variable a,c,d,f,g"]);
  });
});

describe("Python", () => {
  it("tells apart a property and its setter, and keeps nested functions whole", () => {
    expect(
      outlineOf(
        "python",
        "class A:",
        "    @property",
        "    def x(self):",
        "        return 1",
        "    @x.setter",
        "    def x(self, v):",
        "        def inner():",
        "            pass",
      ),
    ).toEqual(["class A", "  method x", "  method x @x.setter"]);
  });
});

describe("Rust", () => {
  it("names implementations by type, trait and generics, and macros by what they declare", () => {
    expect(
      outlineOf(
        "rust",
        "impl<T> Tr<T> for S<T> {",
        "    fn f(&self) {}",
        "}",
        "impl S<u8> {",
        "    fn f(&self) {}",
        "}",
        "declare_lint! {",
        "    /// Says.",
        "    pub NAME,",
        "}",
      ),
    ).toEqual([
      "implementation S<T> <T> Tr<T>",
      "  method f",
      "implementation S<u8>",
      "  method f",
      "macro declare_lint! NAME",
    ]);
  });

  it("tells apart what is compiled under other conditions", () => {
    expect(outlineOf("rust", "#[cfg(unix)]", "fn f() {}", "#[cfg(windows)]", "fn f() {}")).toEqual([
      "function f #[cfg(unix)]",
      "function f #[cfg(windows)]",
    ]);
  });
});

describe("Go", () => {
  it("names methods by their receivers, and fields by their types where they are embedded", () => {
    expect(
      outlineOf(
        "go",
        "package a",
        "func (b *B) M() {}",
        "func (C[T]) M() {}",
        "type S struct {",
        "\tX, Y int",
        "\tEmb",
        "}",
      ),
    ).toEqual(["statement", "method B.M", "method C.M", "class S", "  field X,Y", "  field Emb"]);
  });

  it("reads groups as lists", () => {
    expect(outlineOf("go", "const (", "\tA = iota", "\tB", ")")).toEqual([
      "variable A group",
      "  variable A",
      "  variable B",
    ]);
  });
});

describe("Java", () => {
  it("tells apart overloads, and keeps anonymous classes whole", () => {
    expect(
      outlineOf(
        "java",
        "class A {",
        "    void m(final int a, String... b) {}",
        "    void m(List<String> a) {",
        "        new B() {",
        "            void n() {}",
        "        };",
        "    }",
        "    class C {",
        "        int x, y;",
        "    }",
        "}",
      ),
    ).toEqual(["class A", "  method m (int, String...)", "  method m (List<String>)", "  class C", "    field x,y"]);
  });

  it("keeps the order of an enum, and puts no comma between its members", () => {
    const [plain] = read("java", "enum E {\n    A,\n    B\n}\n").entities;
    const [full] = read("java", "enum E {\n    A,\n    B;\n\n    int x;\n}\n").entities;
    expect([plain?.body?.separator, plain?.body?.isOrdered]).toEqual([",", true]);
    expect([full?.body?.separator, full?.body?.isOrdered]).toEqual([undefined, true]);
    expect(outline(full?.body?.entities ?? [])).toEqual(["property A", "property B", "field x"]);
  });
});

describe("code that is hard to read", () => {
  it("has no body where it does not parse", () => {
    const source = read("typescript", "class A {\n  f( {\n}\nfunction g() {}\n");
    expect(source.errorCount).toBeGreaterThan(0);
    expect(source.entities.some(({ body }) => body !== undefined)).toBe(false);
  });

  it("has whole siblings beside what does not parse", () => {
    expect(outlineOf("python", "def f(:", "    pass", "", "class A:", "    x = 1")).toContain("class A");
  });

  it("is one statement where several things share a line", () => {
    expect(outlineOf("javascript", "function a() {} function b() {}", "class C { d() {} }")).toEqual([
      "statement",
      "class C",
    ]);
  });

  it.each(LANGUAGES)("does not overflow the stack, however deep it is (%s)", (language) => {
    for (const text of ["(".repeat(5000), "{".repeat(5000), "class A {\n".repeat(500) + "}\n".repeat(500)]) {
      expect(flaws(`${text}\n`, read(language, `${text}\n`).entities, 0, text.length + 1)).toEqual([]);
    }
  });

  it("has bodies to a limited depth", () => {
    const text = "namespace a {\n".repeat(60) + "}\n".repeat(60);
    const lines = outline(read("typescript", text).entities);
    expect(lines).toHaveLength(33);
  });
});
