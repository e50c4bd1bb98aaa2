import * as fc from "fast-check";
import type { Node } from "web-tree-sitter";
import { beforeAll, describe, expect, it } from "vitest";

import { editedTree } from "../../../src/grammars/edited-tree.ts";
import type { Language } from "../../../src/merge/language.ts";
import { grammars } from "../merge/syntax/reading.ts";
import { SNIPPETS } from "../merge/syntax/snippets.ts";

const LANGUAGES = Object.keys(SNIPPETS) as Language[];

beforeAll(async () => {
  await Promise.all(LANGUAGES.map((language) => grammars.load(language)));
});

describe.each(LANGUAGES)("a text of %s that is parsed by what it has in common with another", (language) => {
  const lines = SNIPPETS[language].join("").match(/.*\n/g) ?? [];

  it("has the tree that it has when all of it is parsed", () => {
    const edits = fc.array(fc.tuple(fc.nat(lines.length), fc.nat(3), fc.constantFrom(...lines, "// é😀\n", "\n", "")), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(edits, edits, (before, after) => {
        const text = change(lines, before).join("");
        const wanted = change(change(lines, before), after).join("");
        expect(treeOf(language, wanted, text)).toEqual(treeOf(language, wanted, text, true));
      }),
      { numRuns: 100 },
    );
  });

  it("has it when whole pieces were moved", () => {
    const pieces = fc.shuffledSubarray([...SNIPPETS[language]], { minLength: 2 }).map((list) => list.join(""));
    fc.assert(
      fc.property(pieces, pieces, (before, after) => {
        expect(treeOf(language, after, before)).toEqual(treeOf(language, after, before, true));
      }),
      { numRuns: 100 },
    );
  });
});

describe("the tree of a text that another one is like", () => {
  it("is used where little changes", () => {
    const near = grammars.parse("python", "a = 1\nb = 2\nc = 3\n");
    const edited = near && editedTree(near, "a = 1\nb = 2\nb = 3\nc = 3\n");
    expect(edited?.rootNode.endIndex).toBe(24);
    edited?.delete();
    near?.tree.delete();
  });

  it("is of no use where nothing stays, or a last line has no end", () => {
    const near = grammars.parse("python", "a = 1\nb = 2\n");
    expect(near && editedTree(near, "c = 1\nd = 2\n")).toBeUndefined();
    expect(near && editedTree(near, "a = 1\nb = 2")).toBeUndefined();
    near?.tree.delete();
  });
});

type LineEdit = [place: number, removed: number, added: string];

function change(lines: readonly string[], edits: readonly LineEdit[]): string[] {
  return edits.reduce(
    (list, [place, removed, added]) => list.toSpliced(Math.min(place, list.length), removed, ...(added ? [added] : [])),
    [...lines],
  );
}

/** Each node with its type and place; all is parsed where nothing is in common. */
function treeOf(language: Language, text: string, like: string, isAll = false): unknown {
  const near = grammars.parse(language, like);
  const parsed = near && grammars.parse(language, text, isAll ? { ...near, text: "" } : near);
  try {
    return parsed && { language: parsed.language, root: shapeOf(parsed.tree.rootNode) };
  } finally {
    near?.tree.delete();
    parsed?.tree.delete();
  }
}

function shapeOf(node: Node): unknown {
  const { row, column } = node.endPosition;
  const children = node.children.flatMap((child) => (child === null ? [] : [shapeOf(child)]));
  return [node.type, node.startIndex, node.endIndex, row, column, node.isMissing, ...children];
}
