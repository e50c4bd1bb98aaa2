import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { Grammars } from "../../../../src/grammars/grammars.ts";
import { findSourceLosses } from "../../../../src/merge/conservation/source-losses.ts";
import type { Language } from "../../../../src/merge/language.ts";
import type { PolicyDrop } from "../../../../src/merge/resolution.ts";
import { anyMergedProgram, LANGUAGES } from "../../../fixtures/merged-sources.ts";

const parsers = new Grammars();

beforeAll(async () => {
  for (const language of LANGUAGES) await parsers.load(language);
});

interface Merge {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  readonly result: string;
}

function found(language: Language, { base, ours, theirs, result }: Merge, drops: readonly PolicyDrop[] = []): string[] {
  const check = { path: "a", language, versions: { base, ours, theirs }, result, drops, parsers };
  return findSourceLosses(check).map(({ kind, detail }) => `${kind}: ${detail}`);
}

describe("the check of a merged source", () => {
  it.each(LANGUAGES)("lets every right merge of %s pass", (language) => {
    fc.assert(
      fc.property(anyMergedProgram(language), ({ versions, merged }) => {
        expect(found(language, { ...versions, result: merged })).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it("lets imports be laid out anew, and misses the one that is gone", () => {
    const versions = {
      base: 'import { a } from "m";\n',
      ours: 'import { a, b } from "m";\n',
      theirs: 'import { a, c } from "m";\n',
    };
    expect(found("typescript", { ...versions, result: 'import {\n  c,\n  b,\n  a,\n} from "m";\n' })).toEqual([]);
    expect(found("typescript", { ...versions, result: versions.ours })).toEqual(["lost-line: import m {c}"]);
  });

  it("lets a line be wrapped, but not be shortened", () => {
    const versions = {
      base: "start(one, two, three);\n",
      ours: "start(\n  one,\n  two, three);\n",
      theirs: "start(one, two, three);\nstop();\n",
    };
    expect(found("javascript", { ...versions, result: `${versions.ours}stop();\n` })).toEqual([]);
    const shortened = {
      base: "let key = first || second;\n",
      ours: "let key = first;\n",
      theirs: "const key = first || second;\n",
    };
    expect(found("javascript", { ...shortened, result: shortened.theirs })).toEqual(["lost-line: let key = first;"]);
  });

  it("lets one line hold what both sides did to it, and nothing else", () => {
    const versions = {
      base: "call(alpha, beta);\n",
      ours: "call(alpha, beta, gamma);\n",
      theirs: "callAll(alpha, beta);\n",
    };
    expect(found("javascript", { ...versions, result: "callAll(alpha, beta, gamma);\n" })).toEqual([]);
    for (const result of ["callAll(alpha, gamma);\n", "callAll(beta, alpha, gamma, delta);\n", versions.theirs]) {
      expect(found("javascript", { ...versions, result })).not.toEqual([]);
    }
  });

  it("notices what one side removed and the other changed, whichever of them is there", () => {
    const versions = {
      base: "function f() {\n  first();\n  second(alpha, beta);\n  third();\n}\n",
      ours: "function f() {\n  first();\n  third();\n}\n",
      theirs: "function f() {\n  first();\n  second(alpha, beta, gamma);\n  third();\n}\n",
    };
    expect(found("javascript", { ...versions, result: versions.theirs })).toEqual([
      "resurrected-line: second(alpha, beta, gamma);",
    ]);
    expect(found("javascript", { ...versions, result: versions.ours })).toEqual([
      "lost-line: second(alpha, beta, gamma);",
    ]);
  });

  it("lets a policy drop what it names where the other side contradicts it, and there only", () => {
    const versions = {
      base: 'version = "1.0"\n\n\nother = 1\n',
      ours: 'version = "1.1"\n\n\nother = 1\n',
      theirs: 'version = "1.2"\n\n\nother = 1\n',
    };
    const drop = {
      policy: "policy:semver-max",
      side: "ours",
      dropped: 'version = "1.1"',
      kept: 'version = "1.2"',
    } as const;
    expect(found("python", { ...versions, result: versions.theirs }, [drop])).toEqual([]);
    expect(found("python", { ...versions, result: versions.theirs })).toEqual(['lost-line: version = "1.1"']);
    expect(found("python", { ...versions, theirs: versions.base, result: versions.base }, [drop])).toContain(
      'lost-line: version = "1.1"',
    );
  });

  it("knows that an edit is kept by where it stands, where it cannot be told by counting", () => {
    const write = (...calls: string[]): string => `function f() {\n${calls.map((call) => `  ${call};\n`).join("")}}\n`;
    const versions = {
      base: write("close(one)", "keep()", "close(one)"),
      ours: write("keep()", "close(one)"),
      theirs: write("close(one)", "keep()", "close(one, two)"),
    };
    expect(found("typescript", { ...versions, result: write("keep()", "close(one, two)") })).toEqual([]);
    const swapped = write("close(one, two)", "keep()");
    expect(found("typescript", { ...versions, result: swapped })).toEqual(["resurrected-line: close(one, two);"]);
  });

  it("misses a line that stands where it was written, but in another function, as the other side cut that in two", () => {
    const [head, tail] = ["function a() {\n  x();\n", "  y();\n  z();\n"];
    const versions = {
      base: `${head}${tail}}\n`,
      ours: `${head}}\n\nfunction b() {\n${tail}}\n`,
      theirs: `${head}${tail}  return 1;\n}\n`,
    };
    const result = `${head}}\n\nfunction b() {\n${tail}  return 1;\n}\n`;
    expect(found("typescript", { ...versions, result })).toEqual(["lost-line: return 1;"]);
  });

  it("goes by keys in data, wherever a line stands", () => {
    const versions = {
      base: "a:\n  x: 1\n  y: 2\n  z: 3\n",
      ours: "a:\n  x: 1\nb:\n  y: 2\n  z: 3\n",
      theirs: "a:\n  x: 1\n  y: 2\n  z: 3\n  w: 4\n",
    };
    const check = { path: "a.yaml", language: undefined, versions, drops: [], parsers };
    const result = "a:\n  x: 1\nb:\n  y: 2\n  z: 3\n  w: 4\n";
    expect(findSourceLosses({ ...check, result }).map(({ detail }) => detail)).toContain('"a"/"w" = 4');
  });

  it("tells methods of Java apart by all of their parameters, on however many lines", () => {
    const method = (last: string): string =>
      `    void log(Level level,\n            ${last}) {\n        run();\n    }\n`;
    const write = (...methods: string[]): string => `class Logger {\n${methods.join("\n")}}\n`;
    const [one, two, three] = [method("int a"), method("long b"), method("String c")];
    const versions = { base: write(one), ours: write(one, two), theirs: write(one, three) };
    expect(found("java", { ...versions, result: write(one, two, three) })).toEqual([]);
    const doubled = { base: write(one), ours: write(one, two), theirs: write(two, one), result: write(two, one, two) };
    expect(found("java", doubled).join()).toMatch(/duplicate-definition: class Logger › log\(Level level, long b\)/);
  });

  it("notices names that are defined or imported twice, and overloads that no version has so often", () => {
    const twice = { base: "x();\n", ours: 'import q from "a";\nx();\n', theirs: 'import q from "b";\nx();\n' };
    expect(found("javascript", { ...twice, result: 'import q from "a";\nimport q from "b";\nx();\n' })).toEqual([
      "duplicate-import: q",
    ]);
    const overload = (type: string): string => `function f(a: ${type}): void;\n`;
    const versions = { base: "x();\n", ours: `${overload("A")}x();\n`, theirs: `${overload("B")}x();\n` };
    expect(found("typescript", { ...versions, result: `${overload("A")}${overload("B")}x();\n` })).toEqual([
      "duplicate-definition: function f",
    ]);
  });

  it("takes a name for none that is there once where the base has it more often, or another branch has it", () => {
    const write = (...texts: string[]): string =>
      texts.map((text) => `check(r#"\nfn main() {${text}}\n"#);\nkeep(${text});\n`).join("");
    const versions = { base: write("1", "2"), ours: write("0", "1", "2"), theirs: write("1", "2", "3") };
    expect(found("rust", { ...versions, result: write("0", "1", "2", "3") })).toEqual([]);
    const once = { base: "", ours: "fn a() {}\n", theirs: "fn a() {}\n\nfn b() {}\n" };
    const result = `${once.ours}\n${once.theirs}`;
    expect(found("rust", { ...once, result })).toEqual(["duplicate-definition: fn a"]);
    const branches = (...names: string[]): string =>
      names.map((name) => `if ${name}:\n    def f():\n        ${name}()\n`).join("");
    const python = { base: branches("b"), ours: branches("a", "b"), theirs: branches("b", "c") };
    expect(found("python", { ...python, result: branches("a", "b", "c") })).toEqual([]);
  });

  it("knows that Rust may have many constants without a name, and traits that are constant", () => {
    const [checks, traits] = ["const _: () = check();\n", "pub const trait One {}\n"];
    const write = (...parts: string[]): string => parts.join("\n");
    const versions = { base: write("use a;\n"), ours: write("use a;\n", checks), theirs: write(checks, "use a;\n") };
    expect(found("rust", { ...versions, result: write(checks, "use a;\n", checks) })).toEqual([]);
    const two = traits.replace("One", "Two");
    const both = { base: write("x();\n"), ours: write("x();\n", traits), theirs: write(two, "x();\n") };
    expect(found("rust", { ...both, result: write(two, "x();\n", traits) })).toEqual([]);
  });

  it("knows that Go may have many variables without a name, and many functions that are run at the start", () => {
    for (const [one, two] of [
      ["var _ A = B{}\n", "var _ C = D{}\n"],
      ["func init() {\n\ta()\n}\n", "func init() {\n\tb()\n}\n"],
      ["func _() {\n\ta()\n}\n", "func _() {\n\tb()\n}\n"],
    ] as const) {
      const write = (...parts: string[]): string => ["package p\n", ...parts].join("\n");
      const both = { base: write("var x = 1\n"), ours: write("var x = 1\n", one), theirs: write(two, "var x = 1\n") };
      expect(found("go", { ...both, result: write(two, "var x = 1\n", one) })).toEqual([]);
    }
  });

  it("notices places that do not parse, but not those that a version has already", () => {
    const versions = { base: "a();\n", ours: "a();\nb();\n", theirs: "a();\nc();\n" };
    expect(found("javascript", { ...versions, result: "a();\nb();\n{\nc();\n" })[0]).toMatch(/^parse-error/);
    const broken = { base: "a(;\nx();\n", ours: "a(;\nx();\nb();\n", theirs: "a(;\nx();\n" };
    expect(found("javascript", { ...broken, result: broken.ours })).toEqual([]);
  });
  it("asks no grammar about what a version has already written to none, where every edit is at its place", () => {
    const write = (first: string, second: string): string => `start();\n${first}\nkeep();\n${second}\nend();\n`;
    const [one, two] = ["first() {", "x => {"];
    const versions = { base: write("a();", "b();"), ours: write(one, "b();"), theirs: write("a();", two) };
    expect(found("typescript", { ...versions, result: write(one, two) })).toEqual([]);
    expect(found("typescript", { ...versions, result: write(two, one) }).join()).toMatch(/parse-error/);
  });
});
