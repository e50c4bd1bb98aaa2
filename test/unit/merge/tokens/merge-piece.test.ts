import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Language } from "../../../../src/merge/language.ts";
import { mergePiece } from "../../../../src/merge/tokens/merge-piece.ts";

function merge(base: string, ours: string, theirs: string, language: Language = "typescript"): string {
  const merge = mergePiece({ base, ours, theirs }, { language, kind: undefined });
  return merge.status === "merged" ? merge.text : "conflict";
}

const anyLine = fc.constantFrom("a(b);", "if (c) {", "}", "d: 1,", "// some words", "  e,", "", "return f;");
const anyText = fc.array(anyLine, { maxLength: 12 }).map((lines) => lines.map((line) => `${line}\n`).join(""));

describe("a piece that only one side changed, or both alike", () => {
  it("is what that side made of it, whatever it is", () => {
    fc.assert(
      fc.property(anyText, anyText, (base, side) => {
        expect(merge(base, side, base)).toBe(side);
        expect(merge(base, base, side)).toBe(side);
        expect(merge(base, side, side)).toBe(side);
      }),
    );
  });
});

describe("edits of both sides in one piece", () => {
  it("are merged, or not, whichever side is ours", () => {
    fc.assert(
      fc.property(anyText, anyText, anyText, (base, ours, theirs) => {
        const isConflict = merge(base, ours, theirs) === "conflict";
        expect(merge(base, theirs, ours) === "conflict").toBe(isConflict);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("edits of lines that touch", () => {
  it("are both applied where they change different lines", () => {
    expect(merge("a = 1;\nb = 2;\n", "a = 11;\nb = 2;\n", "a = 1;\nb = 22;\n")).toBe("a = 11;\nb = 22;\n");
    expect(merge("a();\nb();\n", "a();\nx();\nb();\n", "a();\nc();\n")).toBe("a();\nx();\nc();\n");
    expect(merge("a();\nb();\nc();\n", "a();\nc();\n", "a();\nb();\nd();\n")).toBe("a();\nd();\n");
  });

  it("stay a conflict where one side wrote over a line what the other added beside it", () => {
    const base = "run(0);\nrun(3);\n";
    const ours = "run(0);\nrun(4);\n";
    for (const theirs of ["run(0);\nrun(3);\nrun(4);\n", "run(0);\nrun(4);\nrun(3);\n"]) {
      expect(merge(base, ours, theirs)).toBe("conflict");
      expect(merge(base, theirs, ours)).toBe("conflict");
    }
  });

  it("keep an empty line of a comment that one side added, above what the other added", () => {
    const [base, ours, theirs] = ["// One.\na();\n", "// One.\n//\na();\n", "// One.\n// Two.\na();\n"];
    const both = "// One.\n//\n// Two.\na();\n";
    expect(merge(base, ours, theirs)).toBe(both);
    expect(merge(base, theirs, ours)).toBe(both);
    expect(merge(base, ours, both)).toBe(both);
  });

  it("stay a conflict where one side deleted what the other changed", () => {
    expect(merge("a();\nb();\nc();\n", "a();\nc();\n", "a();\nb(1);\nc();\n")).toBe("conflict");
  });

  it("stay a conflict where both inserted statements at one place", () => {
    expect(merge("a();\nb();\n", "a();\nx();\nb();\n", "a();\ny();\nb();\n")).toBe("conflict");
  });
});

describe("edits of one line", () => {
  it("are both applied where they change different tokens", () => {
    expect(merge("call(a, b);\n", "call(a, b, c);\n", "callAll(a, b);\n")).toBe("callAll(a, b, c);\n");
    expect(merge("f(a).g();\n", "f(a, 1).g();\n", "f(a).h(2);\n")).toBe("f(a, 1).h(2);\n");
  });

  it("stay a conflict where they change one token, or tokens that touch", () => {
    expect(merge("let a = 1;\n", "let a = 2;\n", "let a = 3;\n")).toBe("conflict");
    expect(merge("f(a, old, b);\n", "f(a, b);\n", "f(a, young, b);\n")).toBe("conflict");
    expect(merge("f(old);\n", "f();\n", "f(young);\n")).toBe("conflict");
    expect(merge("let a = one;\n", "let a = ones;\n", "let a = phone;\n")).toBe("conflict");
    expect(merge("let a = b c;\n", "let a = x c;\n", "let a = b y;\n")).toBe("conflict");
  });

  it("are the larger one where it has the other", () => {
    expect(merge("call(a);\n", "call(a, b);\n", "call(a, b, c);\n")).toBe("call(a, b, c);\n");
  });
});

describe("elements that both sides added to a list", () => {
  it("are a conflict where one side added the same twice, whichever side is ours", () => {
    const [base, ours, theirs] = ["d: 1,\n", "d: 1,\nd: 1,\n  e,\n", "d: 1,\n  e,\n  e,\n"];
    expect(merge(base, ours, theirs)).toBe("conflict");
    expect(merge(base, theirs, ours)).toBe("conflict");
  });

  it("are all in it, once what both added", () => {
    expect(merge("f = [a, b];\n", "f = [a, b, c];\n", "f = [a, b, d];\n")).toBe("f = [a, b, c, d];\n");
    expect(merge("x = {\n  a: 1,\n};\n", "x = {\n  a: 1,\n  b: 2,\n};\n", "x = {\n  a: 1,\n  c: 3,\n};\n")).toBe(
      "x = {\n  a: 1,\n  b: 2,\n  c: 3,\n};\n",
    );
    expect(merge("x = [\n  a\n];\n", "x = [\n  a,\n  b\n];\n", "x = [\n  a,\n  c\n];\n")).toBe(
      "x = [\n  a,\n  b,\n  c\n];\n",
    );
  });

  it("stay a conflict where two of one name differ", () => {
    expect(merge("x = { a: 1 };\n", "x = { a: 1, b: 2 };\n", "x = { a: 1, b: 3 };\n")).toBe("conflict");
  });
});

describe("layout", () => {
  it("of one side goes with what the other side changed", () => {
    const base = "if (a) {\n  b();\n  c();\n}\n";
    const ours = "try {\n  if (a) {\n    b();\n    c();\n  }\n} finally {}\n";
    const theirs = "if (a) {\n  b();\n  x();\n  c();\n}\n";
    expect(merge(base, ours, theirs)).toBe("try {\n  if (a) {\n    b();\n    x();\n    c();\n  }\n} finally {}\n");
    expect(merge("f(a, b);\n", "f(\n  a,\n  b,\n);\n", "f(a, c);\n")).toBe("f(\n  a,\n  c,\n);\n");
  });
});

describe("a token that comes between two that the other side respaced", () => {
  it("keeps the white space it came with, unless a line was wrapped there", () => {
    expect(merge("function<T>(a) {}\n", "function <T>(a) {}\n", "function name<T>(a) {}\n")).toBe(
      "function name<T>(a) {}\n",
    );
    expect(merge("f(a, b);\n", "f(\n  a,\n  b\n);\n", "f(a, x, b);\n")).toBe("f(\n  a,\n  x,\n  b\n);\n");
  });
});

describe("a name that one side did away with", () => {
  it("makes a conflict of what the other side does with it in addition", () => {
    const base = "f(old, 1);\n";
    expect(merge(base, "f(young, 1);\n", "f(old, 1, g(old));\n")).toBe("conflict");
    expect(merge(base, "f(young, 1);\n", "f(old, 1, g(2));\n")).toBe("f(young, 1, g(2));\n");
  });
});

describe("statements that both sides inserted at one place", () => {
  const insert = (ours: string, theirs: string, language: Language = "typescript") =>
    merge("a();\nz();\n", `a();\n${ours}z();\n`, `a();\n${theirs}z();\n`, language);

  it("stand one behind the other where neither has to do with the other", () => {
    expect(insert("one.start(1);\n", "if (two) stop();\n")).toBe("a();\none.start(1);\nif (two) stop();\nz();\n");
    const annotated = merge("int a;\n", "@Deprecated\nint a;\n", '@Named(value = "b")\nint a;\n', "java");
    expect(annotated).toBe('@Deprecated\n@Named(value = "b")\nint a;\n');
  });

  it("stay a conflict where their order matters, or they are variants of one", () => {
    expect(insert("let one = 1;\n", "if (two) stop(one);\n")).toBe("conflict");
    expect(insert("return 1;\n", "if (two) stop();\n")).toBe("conflict");
    expect(insert("if (one) {\n", "two.stop();\n")).toBe("conflict");
    expect(insert('log.warn("one thing");\n', 'log.warn("another thing");\n')).toBe("conflict");
    expect(insert("one.start(1);\n", "  two(stop);\n")).toBe("conflict");
  });
});

describe("edits that look like one edit made twice", () => {
  it("stay a conflict", () => {
    expect(merge("f(alpha);\n", "f(logger, alpha);\n", "f(alpha, logger);\n")).toBe("conflict");
    expect(merge("void a();\n", "@Nullable\nvoid a();\n", "@Nullable void a();\n", "java")).toBe("conflict");
  });

  it("stay a conflict where a large edit stands beside one of the other side", () => {
    const large = "throw new Fault(a, b, c, d, e, f, g, h, i, j)";
    expect(merge("run(a);\n", "run(a).twice;\n", `${large};\n`)).toBe("conflict");
  });
});

describe("lines of one kind that both sides inserted at one place", () => {
  it("are no edit made twice, though they have words in common", () => {
    expect(merge("Alpha.init();\n", "Alpha.init();\nBeta.init();\n", "Alpha.init();\nGamma.init();\n")).toBe(
      "Alpha.init();\nBeta.init();\nGamma.init();\n",
    );
  });
});

describe("what both sides did alike", () => {
  it("counts for neither where one of them then took away what both had added elsewhere", () => {
    const base = "first(t); second(one); third(two);\n";
    const ours = "first(q); second(t); third(t);\n";
    const theirs = "first(t); second(t); third(t, z);\n";
    expect(merge(base, ours, theirs)).toBe("first(q); second(t); third(t, z);\n");
  });

  it("is no sign of one edit made twice where it is but a value", () => {
    const base = "mode({ a: false });\n";
    expect(merge(base, "mode({ a: false, b: false });\n", "mode({ a: false, c: false });\n")).toBe(
      "mode({ a: false, b: false, c: false });\n",
    );
    expect(merge(base, "mode({ a: false, b: name });\n", "mode({ a: false, c: name });\n")).toBe("conflict");
  });
});

describe("an edit of prose", () => {
  it("does not meet one of the word before the full stop", () => {
    const base = "// a list of things.\n";
    expect(merge(base, "// a list of stuff.\n", "// a list of things. More is below.\n")).toBe(
      "// a list of stuff. More is below.\n",
    );
  });

  it("has the full stop that one side took away no more where the other went on behind it", () => {
    const base = "/**\n * @returna a list.\n */\n";
    const ours = "/**\n * @return a list\n */\n";
    const theirs = "/**\n * @return a list\n * @since 2\n */\n";
    expect(merge(base, ours, theirs)).toBe(theirs);
  });
});

describe("a comma behind the last element", () => {
  it("does not meet a large edit of the elements", () => {
    const element = '("three", "third", 3, "tertius", "trois", "drei", "tre", "tri", "tres")';
    const base = 'rows((\n  ("one", "first", 1),\n  ("two", "second", 2),\n))\n';
    const ours = 'rows(\n  (\n    ("one", "first", 1),\n    ("two", "second", 2),\n  ),\n)\n';
    const theirs = base.replace("\n))", `\n  ${element},\n))`);
    expect(merge(base, ours, theirs, "python")).toBe(ours.replace("\n  ),", `\n    ${element},\n  ),`));
  });
});

describe("a new line among lines of the other side's edit", () => {
  it("is a line, and not the end of one and the beginning of the next", () => {
    const base = 's = s.replace("a", "1");\ns = s.replace("b", "2");\n';
    const ours = 's = s.replace("a", "1");\ns = s.replace("x", "2");\ns = s.replace("b", "2");\n';
    const theirs = 's = s.replace("aa", "1");\ns = s.replace("bb", "2");\n';
    const merged = 's = s.replace("aa", "1");\ns = s.replace("x", "2");\ns = s.replace("bb", "2");\n';
    expect(merge(base, ours, theirs)).toBe(merged);
    expect(merge(base, theirs, ours)).toBe(merged);
  });
});
