import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { mergeEntities } from "../../../../src/merge/entities/merge-entities.ts";
import type { Language } from "../../../../src/merge/language.ts";
import type { PieceMerge, PieceVersions } from "../../../../src/merge/resolution.ts";
import type { Source } from "../../../../src/merge/syntax/entity.ts";
import { LINE_MERGERS, loadGrammars, mergeSources, sourceOf } from "../../../fixtures/entity-merges.ts";
import { expectProportionate } from "../../../fixtures/work.ts";

beforeAll(loadGrammars);

/** How a language writes a function with one line in it, and a statement. */
interface Writing {
  readonly language: Language;
  readonly fn: (name: string, value: number) => string;
  readonly statement: (value: number) => string;
}

const WRITINGS: readonly Writing[] = [
  {
    language: "typescript",
    fn: (name, value) => `function ${name}() {\n  return ${value};\n}\n`,
    statement: (value) => `run(${value});\n`,
  },
  {
    language: "python",
    fn: (name, value) => `def ${name}():\n    return ${value}\n`,
    statement: (value) => `run(${value})\n`,
  },
  {
    language: "go",
    fn: (name, value) => `func ${name}() int {\n\treturn ${value}\n}\n`,
    statement: (value) => `var _ = run(${value})\n`,
  },
  {
    language: "rust",
    fn: (name, value) => `fn ${name}() -> u32 {\n    ${value}\n}\n`,
    statement: (value) => `run!(${value});\n`,
  },
  {
    language: "java",
    fn: (name, value) => `class ${name} {\n    int value = ${value};\n}\n`,
    statement: (value) => `// ${value}\n\n`,
  },
];

/** A named thing with a value, or a statement without a name. */
interface Item {
  readonly name: string | undefined;
  readonly value: number;
}

const anyItem: fc.Arbitrary<Item> = fc.record({
  name: fc.option(fc.constantFrom("alpha", "beta", "gamma", "delta", "omega"), { nil: undefined }),
  value: fc.integer({ min: 0, max: 4 }),
});

const anyItems = fc.uniqueArray(anyItem, { maxLength: 6, selector: ({ name, value }) => name ?? value });

const anyWriting = fc.constantFrom(...WRITINGS);

function write({ fn, statement }: Writing, items: readonly Item[]): string {
  return items.map(({ name, value }) => (name === undefined ? statement(value) : fn(name, value))).join("\n");
}

const anyVersions = fc.tuple(anyWriting, anyItems, anyItems, anyItems).map(([writing, base, ours, theirs]) => ({
  language: writing.language,
  versions: { base: write(writing, base), ours: write(writing, ours), theirs: write(writing, theirs) },
}));

function textOf(merge: PieceMerge): string | undefined {
  return merge.status === "merged" ? merge.text : undefined;
}

describe("a merge of entities", () => {
  it("is the side that changed, or what both made", () => {
    fc.assert(
      fc.property(anyVersions, ({ language, versions: { base, ours, theirs } }) => {
        const merge = (versions: PieceVersions): string | undefined => textOf(mergeSources(language, versions));
        expect(merge({ base, ours, theirs: base })).toBe(ours);
        expect(merge({ base, ours: base, theirs })).toBe(theirs);
        expect(merge({ base, ours, theirs: ours })).toBe(ours);
      }),
      { numRuns: 100 },
    );
  });

  it("does not depend on which side is which, but for order", () => {
    fc.assert(
      fc.property(anyVersions, ({ language, versions: { base, ours, theirs } }) => {
        const one = mergeSources(language, { base, ours, theirs });
        const other = mergeSources(language, { base, ours: theirs, theirs: ours });
        expect(other.status).toBe(one.status);
        const wordsOf = (merge: PieceMerge): string[] => (textOf(merge) ?? "").split(/\s+/).toSorted();
        expect(wordsOf(other)).toEqual(wordsOf(one));
      }),
      { numRuns: 300 },
    );
  });

  it("has the edits of both sides once where they edited different things", () => {
    const anyEdits = fc.tuple(
      anyWriting,
      fc.array(fc.constantFrom("ours", "theirs", "none"), { minLength: 1, maxLength: 12 }),
    );
    fc.assert(
      fc.property(anyEdits, ([writing, editors]) => {
        const version = (isEdited: (editor: string) => boolean): string =>
          write(
            writing,
            editors.map((editor, at) => ({ name: `name${at}`, value: isEdited(editor) ? 100 + at : at })),
          );
        const merge = mergeSources(writing.language, {
          base: version(() => false),
          ours: version((editor) => editor === "ours"),
          theirs: version((editor) => editor === "theirs"),
        });
        expect(textOf(merge)).toBe(version((editor) => editor !== "none"));
      }),
      { numRuns: 200 },
    );
  });

  it("has what both sides added anywhere, each once, and nothing that one of them deleted", () => {
    const anyChange = fc.constantFrom("keep", "ours deletes", "theirs deletes", "ours adds", "theirs adds", "both add");
    fc.assert(
      fc.property(anyWriting, fc.array(anyChange, { minLength: 1, maxLength: 12 }), (writing, changes) => {
        const version = (...missing: readonly string[]): string =>
          write(
            writing,
            changes.flatMap((change, at) =>
              missing.includes(change) ? [] : [{ name: `name${at}`, value: at * 1111 }],
            ),
          );
        const merge = mergeSources(writing.language, {
          base: version("ours adds", "theirs adds", "both add"),
          ours: version("ours deletes", "theirs adds"),
          theirs: version("theirs deletes", "ours adds"),
        });
        const names = [...(textOf(merge) ?? "").matchAll(/name\d+/g)].map(([name]) => name);
        const expected = changes.flatMap((change, at) => (change.endsWith("deletes") ? [] : [`name${at}`]));
        expect(names.toSorted()).toEqual(expected.toSorted());
      }),
      { numRuns: 300 },
    );
  });

  it("needs time in proportion to the number of functions, however many of them changed", () => {
    const fn = (name: string, value: number): string => `function ${name}() {\n  return ${value};\n}\n`;
    expectProportionate([1000, 10_000], (count) => {
      const file = (nameOf: (at: number) => string): Source =>
        sourceOf("typescript", Array.from({ length: count }, (_, at) => fn(nameOf(at), 0)).join("\n"));
      const base = file((at) => `f${at}`);
      const ours = file((at) => (at % 4 === 1 ? `ours${at}` : `f${at}`));
      const theirs = file((at) => (at % 4 === 3 ? `theirs${at}` : `f${at}`));
      return () => expect(mergeEntities(base, ours, theirs, LINE_MERGERS).status).toBe("merged");
    });
  });
});
