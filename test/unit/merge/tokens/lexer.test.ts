import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Language } from "../../../../src/merge/language.ts";
import { tokenize } from "../../../../src/merge/tokens/lexer.ts";

const LANGUAGES: readonly (Language | undefined)[] = ["typescript", "python", "rust", "java", "go", undefined];

function texts(source: string, language: Language | undefined): readonly string[] {
  return tokenize(source, language).texts;
}

describe("tokens", () => {
  it("stand where they say, in order, and leave out nothing but white space and the prefixes of comments", () => {
    const anyPiece = fc.constantFrom(
      "a",
      "b1",
      " ",
      "\n",
      "//",
      "/*",
      "*/",
      "*",
      "#",
      '"',
      "'",
      "`",
      "\\",
      "(",
      ";",
      "é",
      "\t",
      '"""',
    );
    const anySource = fc.array(anyPiece, { maxLength: 40 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(anySource, fc.constantFrom(...LANGUAGES), (source, language) => {
        const { texts, starts, kinds } = tokenize(source, language);
        expect(kinds.length).toBe(texts.length);
        let at = 0;
        for (const [index, text] of texts.entries()) {
          const start = starts[index] as number;
          expect(source.slice(start, start + text.length)).toBe(text);
          expect(text).not.toMatch(/^$|\n/);
          expect(source.slice(at, start)).toMatch(/^[\s*/#!:]*$/);
          at = start + text.length;
        }
        expect(source.slice(at)).toMatch(/^[\s*/#!:]*$/);
      }),
      { numRuns: 10_000 },
    );
  });

  it("are names, numbers, operators and whole strings", () => {
    expect(texts(`a.b1 => "x y" + 1.5`, "typescript")).toEqual(["a", ".", "b1", "=>", '"x y"', "+", "1.5"]);
    expect(texts("fn f<'a>(c: &'a str) -> 'x'", "rust")).toContain("'x'");
  });

  it("are the words of comments, whatever lines these stand on", () => {
    const words = ["//", "one", "two", "three"];
    expect(texts("// one two\n// three\n", "typescript")).toEqual(words);
    expect(texts("// one\n  // two three\n", "typescript")).toEqual(words);
    expect(texts("/**\n * one\n * two\n */", "java")).toEqual(["/**", "one", "two", "*/"]);
    expect(texts("# one\n# two\n", "python")).toEqual(["#", "one", "two"]);
    expect(texts("/**\n**/", "typescript")).toEqual(["/**", "*/"]);
  });

  it("are the stops behind words of comments, too", () => {
    expect(texts("// so, it is. See a.b\n", "typescript")).toEqual(["//", "so", ",", "it", "is", ".", "See", "a.b"]);
  });

  it("are cut in a time that grows with the text only", () => {
    for (const piece of ["/*", '"', "`", "'", "a ", "//\n", "*", "\\", '"\\', "`a\n"]) {
      for (const language of LANGUAGES)
        expect(tokenize(piece.repeat(20_000), language).texts.length).toBeGreaterThan(0);
    }
  });
});
