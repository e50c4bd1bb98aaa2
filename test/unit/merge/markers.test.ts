import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { hasMarkers, mergeText, withMarkers } from "../../../src/merge/text.ts";
import { anyLine, anyLineVersions, anyText, textsOf } from "../../fixtures/texts.ts";

const LABELS = { ours: "lane", base: "base", theirs: "task" };

describe("a text with markers", () => {
  it("shows each conflict with its base, and the rest merged", () => {
    const versions = { base: "a\nb\nc\nd\ne\n", ours: "a\nB\nc\nd\nE\n", theirs: "A\nb2\nc\nd\ne\n" };
    expect(withMarkers(versions, LABELS)).toBe(
      "<<<<<<< lane\na\nB\n||||||| base\na\nb\n=======\nA\nb2\n>>>>>>> task\nc\nd\nE\n",
    );
  });

  it("keeps line ends, byte order mark and an open last line, each marker on a line of its own", () => {
    const [base, ours, theirs] = ["\u00ef\u00bb\u00bfa\r\nb", "\u00ef\u00bb\u00bfa\r\nB", "\u00ef\u00bb\u00bfa\r\nc"];
    expect(withMarkers({ base, ours, theirs }, LABELS)).toBe(
      "\u00ef\u00bb\u00bfa\r\n<<<<<<< lane\r\nB\r\n||||||| base\r\nb\r\n=======\r\nc\r\n>>>>>>> task",
    );
  });

  it("shows two texts without a base by what they have not in common", () => {
    expect(withMarkers({ base: undefined, ours: "a\nb\n", theirs: "a\nc\n" }, LABELS)).toBe(
      "a\n<<<<<<< lane\nb\n||||||| base\n=======\nc\n>>>>>>> task\n",
    );
  });

  it("lets no label end its line", () => {
    const labels = { ours: "a\n=======\nb", base: "", theirs: "\r\n" };
    const text = withMarkers({ base: "1\n", ours: "2\n", theirs: "3\n" }, labels);
    expect(text).toBe("<<<<<<< a ======= b\n2\n|||||||\n1\n=======\n3\n>>>>>>>\n");
  });

  it("has markers where the merge has a conflict, and is the merge where it has none", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyLineVersions(anyLine).map(textsOf),
          fc.record({ base: fc.option(anyText, { nil: undefined }), ours: anyText, theirs: anyText }),
        ),
        (versions) => {
          const merge = mergeText(versions, "text");
          const marked = withMarkers(versions, LABELS);
          if (merge.status === "conflict" && merge.hunks.length > 0) expect(hasMarkers(marked)).toBe(true);
          if (merge.status === "merged" && merge.resolver === "lines") expect(marked).toBe(merge.text);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe("the search for markers", () => {
  it("finds them at any line end, with and without labels, and half removed", () => {
    expect(hasMarkers("a\n<<<<<<< x\nb\n=======\nc\n>>>>>>> y\n")).toBe(true);
    expect(hasMarkers("<<<<<<<\r\nb\r\n=======\r\nc\r\n>>>>>>>")).toBe(true);
    expect(hasMarkers("<<<<<<< x\nb\n>>>>>>> y")).toBe(true);
  });

  it("is not misled by headings, longer signs, signs within a line or a closing one alone", () => {
    for (const text of [
      "",
      "Title\n=======\ntext\n",
      "Title\n=======\n\n>>>>>>> quoted\n",
      "<<<<<<< opened\n=======\n",
      "<<<<<<<< x\n>>>>>>>> y\n",
      "<<<<<<<x\n>>>>>>>y\n",
      " <<<<<<< x\n >>>>>>> y\n",
      ">>>>>>> x\n<<<<<<< y\n",
    ]) {
      expect(hasMarkers(text), text).toBe(false);
    }
  });
});
