import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { Grammars } from "../../../src/grammars/grammars.ts";
import { mergeFile, type FileMerge } from "../../../src/merge/file.ts";
import { languageOf } from "../../../src/merge/language.ts";
import type { PieceVersions } from "../../../src/merge/resolution.ts";
import { anyFileVersions, PATHS } from "../../fixtures/small-files.ts";

const grammars = new Grammars();

beforeAll(async () => {
  for (const path of PATHS) {
    const language = languageOf(path);
    if (language !== undefined) await grammars.load(language);
  }
});

function merge(path: string, versions: PieceVersions): FileMerge {
  return mergeFile({ path, versions, policy: "text", parsers: grammars });
}

function textOf(merged: FileMerge): string | undefined {
  return merged.status === "merged" ? merged.text : undefined;
}

function wordsOf(text: string | undefined): string[] {
  return (text ?? "").split(/[\s,]+/).toSorted();
}

function mapVersions({ base, ours, theirs }: PieceVersions, change: (text: string) => string): PieceVersions {
  return { base: change(base), ours: change(ours), theirs: change(theirs) };
}

const withCarriageReturns = (text: string): string => text.replaceAll("\n", "\r\n");

describe.each(PATHS)("a merge of %s", (path) => {
  const anyVersions = anyFileVersions(path);

  it("is the side that changed, or what both made", () => {
    fc.assert(
      fc.property(anyVersions, ({ base, ours, theirs }) => {
        expect(textOf(merge(path, { base, ours, theirs: base }))).toBe(ours);
        expect(textOf(merge(path, { base, ours: base, theirs }))).toBe(theirs);
        expect(textOf(merge(path, { base, ours, theirs: ours }))).toBe(ours);
      }),
      { numRuns: 60 },
    );
  });

  it("does not depend on which side is which, but for order", () => {
    fc.assert(
      fc.property(anyVersions, ({ base, ours, theirs }) => {
        const one = merge(path, { base, ours, theirs });
        const other = merge(path, { base, ours: theirs, theirs: ours });
        expect(other.status).toBe(one.status);
        expect(wordsOf(textOf(other))).toEqual(wordsOf(textOf(one)));
      }),
      { numRuns: 60 },
    );
  });

  it("has nothing more to take from either side once it is made", () => {
    fc.assert(
      fc.property(anyVersions, ({ base, ours, theirs }) => {
        const merged = textOf(merge(path, { base, ours, theirs }));
        if (merged === undefined) return;
        for (const side of [ours, theirs]) {
          // To stop is honest; to answer something else is not.
          const again = merge(path, { base, ours: merged, theirs: side });
          if (again.status === "merged") expect(wordsOf(again.text)).toEqual(wordsOf(merged));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("is the same with other line ends and a byte order mark", () => {
    fc.assert(
      fc.property(anyVersions, (versions) => {
        const plain = merge(path, versions);
        const returned = merge(path, mapVersions(versions, withCarriageReturns));
        const marked = merge(
          path,
          mapVersions(versions, (text) => `\u{feff}${text}`),
        );
        const text = textOf(plain);
        expect(textOf(returned)).toBe(text === undefined ? undefined : withCarriageReturns(text));
        expect(textOf(marked)).toBe(text === undefined ? undefined : `\u{feff}${text}`);
      }),
      { numRuns: 60 },
    );
  });
});
