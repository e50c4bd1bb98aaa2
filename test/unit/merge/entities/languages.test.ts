import { beforeAll, describe, expect, it } from "vitest";

import type { Language } from "../../../../src/merge/language.ts";
import { loadGrammars, mergeSources } from "../../../fixtures/entity-merges.ts";

beforeAll(loadGrammars);

function merged(language: Language, base: string, ours: string, theirs: string): string {
  const merge = mergeSources(language, { base, ours, theirs });
  if (merge.status === "conflict") throw new Error(`a conflict: ${JSON.stringify(merge.hunks)}`);
  return merge.text;
}

describe("Python", () => {
  const base = [
    "class Basket:",
    '    """What is bought."""',
    "",
    "    size = 0",
    "",
    "    def add(self, item):",
    "        self.size += 1",
    "",
    "",
    "def main():",
    "    pass",
    "",
  ].join("\n");

  it("has the methods that both sides added to a class, each with its decorator", () => {
    const method = (name: string): string => `\n    @property\n    def ${name}(self):\n        return self._${name}\n`;
    const at = "        self.size += 1\n";
    const ours = base.replace(at, at + method("total"));
    const theirs = base.replace(at, at + method("owner"));
    expect(merged("python", base, ours, theirs)).toBe(base.replace(at, at + method("total") + method("owner")));
  });

  it("keeps two blank lines between what both sides added at the end", () => {
    const added = (name: string): string => `\n\ndef ${name}():\n    return 1\n`;
    expect(merged("python", base, base + added("one"), base + added("two"))).toBe(base + added("one") + added("two"));
  });

  it("has the edit of a method that the other side moved", () => {
    const basket = (methods: readonly string[]): string => `class Basket:\n${methods.join("\n")}`;
    const method = (name: string, value = name): string => `    def ${name}(self):\n        return "${value}"\n`;
    const before = basket(["a", "b", "c", "d"].map((name) => method(name)));
    const moved = basket(["b", "c", "d", "a"].map((name) => method(name)));
    const edited = basket([method("a", "new"), method("b"), method("c"), method("d")]);
    const both = basket([method("b"), method("c"), method("d"), method("a", "new")]);
    expect(merged("python", before, moved, edited)).toBe(both);
  });
});

describe("Go", () => {
  const base = "package shop\n\ntype Basket struct {\n\tsize int\n}\n\nfunc (b *Basket) Add() {\n\tb.size++\n}\n";

  it("has the fields and the methods that both sides added", () => {
    const withField = (field: string): string => base.replace("\tsize int\n", `\tsize int\n\t${field}\n`);
    const method = (name: string): string => `\nfunc (b *Basket) ${name}() int {\n\treturn b.size\n}\n`;
    const result = merged(
      "go",
      base,
      withField("owner string") + method("Size"),
      withField("total int") + method("Count"),
    );
    expect(result).toBe(
      base.replace("\tsize int\n", "\tsize int\n\towner string\n\ttotal int\n") + method("Size") + method("Count"),
    );
  });
});

describe("Rust", () => {
  it("keeps apart the blocks that implement different traits for one type", () => {
    const block = (trait: string, body: string): string =>
      `impl ${trait} for Basket {\n    fn run(&self) -> u32 {\n        ${body}\n    }\n}\n`;
    const base = `struct Basket {\n    size: u32,\n}\n\n${block("One", "1")}\n${block("Two", "2")}`;
    const ours = base.replace("        1\n", "        10\n");
    const theirs = base.replace("        2\n", "        20\n");
    expect(merged("rust", base, ours, theirs)).toBe(
      base.replace("        1\n", "        10\n").replace("        2\n", "        20\n"),
    );
  });

  it("has the attributes that both sides added, for their order has no meaning", () => {
    const base = "#![feature(a)]\n\nfn main() {}\n";
    const ours = base.replace("a)]\n", "a)]\n#![feature(b)]\n");
    const theirs = base.replace("a)]\n", "a)]\n#![allow(c)]\n");
    expect(merged("rust", base, ours, theirs)).toBe("#![feature(a)]\n#![feature(b)]\n#![allow(c)]\n\nfn main() {}\n");
  });

  it("has commas between the variants that both sides appended", () => {
    const base = "enum Kind {\n    A,\n    B\n}\n";
    const ours = "enum Kind {\n    A,\n    B,\n    C\n}\n";
    const theirs = "enum Kind {\n    A,\n    B,\n    /// The last.\n    D(u32)\n}\n";
    expect(merged("rust", base, ours, theirs)).toBe(
      "enum Kind {\n    A,\n    B,\n    C,\n    /// The last.\n    D(u32)\n}\n",
    );
  });
});

describe("Java", () => {
  const method = (parameters: string, body: string): string =>
    `    void add(${parameters}) {\n        ${body}\n    }\n`;

  it("keeps overloads apart, and has the edit of each", () => {
    const basket = (first: string, second: string, more = ""): string =>
      `class Basket {\n${method("int count", first)}\n${method("String name", second)}${more}}\n`;
    const more = `\n${method("long id", "c();")}`;
    expect(merged("java", basket("a();", "b();"), basket("a2();", "b();"), basket("a();", "b2();", more))).toBe(
      basket("a2();", "b2();", more),
    );
  });

  it("follows a method whose parameters one side changed", () => {
    const basket = (parameters: string, body: string): string => `class Basket {\n${method(parameters, body)}}\n`;
    const base = basket("int count", "a();\n        b();\n        c();");
    const ours = basket("int count, int price", "a();\n        b();\n        c();");
    const theirs = basket("int count", "a();\n        b();\n        d();");
    expect(merged("java", base, ours, theirs)).toBe(basket("int count, int price", "a();\n        b();\n        d();"));
  });
});

describe("TypeScript", () => {
  it("has the tests that both sides added to a suite", () => {
    const test = (title: string): string => `  it("${title}", () => {\n    expect(1).toBe(1);\n  });\n`;
    const suite = (...tests: readonly string[]): string => `describe("a", () => {\n${tests.map(test).join("\n")}});\n`;
    expect(merged("typescript", suite("one"), suite("one", "two"), suite("one", "three"))).toBe(
      suite("one", "two", "three"),
    );
  });

  it("edits a constant that the other side made of a function's body", () => {
    const base = "function one() {\n  return 1;\n}\n\nfunction two() {\n  a();\n  b();\n  return 2;\n}\n";
    const ours = base.replace("function two() {", "export async function two() {");
    const theirs = base.replace("return 2", "return 3").replace("return 1", "return 4");
    expect(merged("typescript", base, ours, theirs)).toBe(
      theirs.replace("function two() {", "export async function two() {"),
    );
  });
});
