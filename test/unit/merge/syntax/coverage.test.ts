import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import type { Language } from "../../../../src/merge/language.ts";
import { flaws, grammars, read } from "./reading.ts";
import { SNIPPETS } from "./snippets.ts";

const LANGUAGES = Object.keys(SNIPPETS) as Language[];

beforeAll(async () => {
  await Promise.all(LANGUAGES.map((language) => grammars.load(language)));
});

describe.each(LANGUAGES)("entities of %s", (language) => {
  const snippets = SNIPPETS[language];

  it("cover any mixture of code without gap or overlap", () => {
    const texts = fc
      .array(fc.constantFrom(...snippets, "\n", "\n\n"), { maxLength: 12 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(texts, (text) => {
        expect(flawsOf(language, text)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it("cover code that is broken anywhere", () => {
    const edits = fc.array(
      fc.tuple(fc.nat(), fc.nat(6), fc.constantFrom("", "{", "}", "(", '"', "\n", "/*", "`", "é😀")),
      {
        minLength: 1,
        maxLength: 6,
      },
    );
    const all = snippets.join("");
    fc.assert(
      fc.property(edits, (list) => {
        const text = list.reduce((code, edit) => broken(code, ...edit), all);
        expect(flawsOf(language, `${text}\n`)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it("cover noise", () => {
    const noise = fc.string({ unit: "binary", maxLength: 80 }).map((text) => `${text}\n`);
    fc.assert(
      fc.property(noise, (text) => {
        expect(flawsOf(language, text)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it("are none in an empty text", () => {
    expect(read(language, "").entities).toEqual([]);
  });
});

function flawsOf(language: Language, text: string): string[] {
  return flaws(text, read(language, text).entities, 0, text.length);
}

function broken(code: string, place: number, removed: number, added: string): string {
  const at = place % (code.length + 1);
  return `${code.slice(0, at)}${added}${code.slice(at + removed)}`;
}
