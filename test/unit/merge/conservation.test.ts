import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { PathChange } from "../../../src/merge/change.ts";
import type { Loss } from "../../../src/merge/conservation/loss.ts";
import { findTextLosses } from "../../../src/merge/conservation/text-losses.ts";
import { findTreeLosses } from "../../../src/merge/conservation/tree-losses.ts";
import { mergeText } from "../../../src/merge/text.ts";
import { anyPlainVersions, textOf, textsOf } from "../../fixtures/texts.ts";

function found(base: string, ours: string, theirs: string, result: string): string[] {
  return findTextLosses("file", { base, ours, theirs }, result).map(
    ({ kind, detail, count }) => `${kind} ${detail} ${count}`,
  );
}

describe("the conservation check of a text", () => {
  it("finds what either side added and the result lacks", () => {
    expect(found("a\n", "a\nb\n", "a\nc\n", "a\nb\nc\n")).toEqual([]);
    expect(found("a\n", "a\nb\n", "a\nc\n", "a\nb\n")).toEqual(["lost-line c 1"]);
    expect(found("a\n", "a\nb\n", "a\nc\n", "a\n")).toEqual(["lost-line b 1", "lost-line c 1"]);
    expect(found("a\n", "a\nb\nb\n", "a\nb\n", "a\nb\n")).toEqual(["lost-line b 1"]);
  });

  it("finds what either side deleted and the result has, and what neither had or both kept", () => {
    expect(found("a\nb\n", "a\n", "a\nb\nc\n", "a\nb\nc\n")).toEqual(["resurrected-line b 1"]);
    expect(found("a\nb\n", "a\nb\nc\n", "a\nb\n", "a\nb\nc\nd\n")).toEqual(["foreign-change d 1"]);
    expect(found("a\nb\n", "a\nb\nc\n", "a\nb\n", "a\nc\n")).toEqual(["lost-line b 1"]);
  });

  it("lets both have added or deleted the same, or not the same", () => {
    for (const result of ["a\nb\n", "a\nb\nb\n"]) expect(found("a\n", "a\nb\n", "a\nb\n", result)).toEqual([]);
    expect(found("a\n", "a\nb\n", "a\nb\n", "a\nb\nb\nb\n")).toEqual(["foreign-change b 1"]);
    for (const result of ["a\na\n", "a\n"]) expect(found("a\na\na\n", "a\na\n", "a\na\n", result)).toEqual([]);
    expect(found("a\na\na\n", "a\na\n", "a\na\n", "")).toEqual(["lost-line a 1"]);
  });

  it("finds a line that both sides moved, each elsewhere, and that is there twice", () => {
    const versions = { base: "x\na\nb\nc\n", ours: "a\nx\nb\nc\n", theirs: "a\nb\nc\nx\n" };
    const merge = mergeText(versions, "text");
    expect(merge).toMatchObject({ status: "merged", text: "a\nx\nb\nc\nx\n" });
    expect(found(versions.base, versions.ours, versions.theirs, "a\nx\nb\nc\nx\n")).toEqual(["foreign-change x 1"]);
  });

  it("leaves to a person a line that one side added where the other moved it to, though the merge is right", () => {
    const [base, ours, theirs] = ["x\na\nb\nc\n", "x\na\nb\nx\nc\n", "a\nb\nx\nc\n"];
    expect(mergeText({ base, ours, theirs }, "text")).toMatchObject({ status: "merged", text: theirs });
    expect(found(base, ours, theirs, theirs)).toEqual(["lost-line x 1"]);
  });

  it("does not mind the order, nor line ends that a side changed throughout", () => {
    expect(found("a\nb\n", "b\na\n", "a\nb\nc\n", "c\nb\na\n")).toEqual([]);
    expect(found("a\nb\n", "a\r\nb\r\n", "a\nb\nc\n", "a\r\nb\r\nc\r\n")).toEqual([]);
  });

  it("finds line ends, a byte order mark and an end of the last line that a side changed for nothing", () => {
    expect(found("a\nb\n", "a\r\nb\r\n", "a\nb\nc\n", "a\nb\nc\n")).toEqual(["lost-change line ends 1"]);
    for (const mark of ["\u00ef\u00bb\u00bf", "\ufeff"]) {
      expect(found("a\n", `${mark}a\n`, "a\nb\n", "a\nb\n")).toEqual(["lost-change byte order mark 1"]);
    }
    expect(found("a\n", "a", "a\nb\n", "a\nb\n")).toEqual(["lost-change end of the last line 1"]);
    expect(found("a\n", "a\nb\n", "a\n", "a\nb")).toEqual(["foreign-change end of the last line 1"]);
  });

  it("lets white space of a line go only where the other side changed that line", () => {
    const [base, ours] = ["  a\n  b\n", "    a\n    b\n"];
    expect(found(base, ours, "  a\n  B\n", "    a\n  B\n")).toEqual([]);
    expect(found(base, ours, "  a\n  B\n", "    a\n    B\n")).toEqual([]);
    expect(found(base, ours, "  a\n  B\n", "  a\n    B\n")).toEqual(["resurrected-line   a 1", "lost-line     a 1"]);
    expect(found(base, ours, "  a\n  B\n", "    a\n    b\n")).toEqual(["resurrected-line b 1", "lost-line B 1"]);
    expect(found(base, ours, base, base)).not.toEqual([]);
  });

  it("finds any one line taken out of a merge, put back into it or put into it", () => {
    fc.assert(
      fc.property(anyPlainVersions, fc.nat(), fc.constantFrom("take", "repeat", "invent"), (versions, at, does) => {
        const texts = textsOf(versions);
        const merge = mergeText(texts, "union");
        if (merge.status !== "merged") return;
        const lines = merge.text.split("\n").slice(0, -1);
        if (lines.length === 0) return;
        const place = at % lines.length;
        const inserted = does === "take" ? [] : [lines[place] ?? "", does === "repeat" ? (lines[place] ?? "") : "new"];
        expect(findTextLosses("file", texts, merge.text)).toEqual([]);
        const losses = findTextLosses("file", texts, textOf(lines.toSpliced(place, 1, ...inserted)));
        // What both sides added may be there once or twice.
        const isTwice = lines.indexOf(lines[place] ?? "") !== lines.lastIndexOf(lines[place] ?? "");
        const isFree = does === "repeat" || (does === "take" && isTwice);
        if (isFree && lines[place]?.endsWith("by both") === true) return;
        expect(losses).toHaveLength(1);
        expect(losses[0]).toMatchObject({ path: "file", count: 1 });
      }),
      { numRuns: 2000 },
    );
  });

  it("finds the other side's edits missing when one side is taken whole", () => {
    let checked = 0;
    fc.assert(
      fc.property(anyPlainVersions, (versions) => {
        const texts = textsOf(versions);
        const merge = mergeText(texts, "text");
        if (merge.status !== "merged" || merge.resolver !== "lines" || merge.text === texts.ours) return;
        checked += 1;
        expect(findTextLosses("file", texts, texts.ours)).not.toEqual([]);
      }),
      { numRuns: 2000 },
    );
    expect(checked).toBeGreaterThan(50);
  });
});

const ABSENT = { mode: "000000", oid: "0".repeat(40) };

/** `name:before>after`, each a letter for content, `x` in front for an executable, `-` for none. */
function changes(...texts: readonly string[]): PathChange[] {
  return texts.map((text) => {
    const [path = "", content = ""] = text.split(":");
    const [before, after] = content.split(">").map(entry) as [typeof ABSENT, typeof ABSENT];
    const kind = before === ABSENT ? "added" : after === ABSENT ? "deleted" : "modified";
    return { path, kind, oldMode: before.mode, newMode: after.mode, oldOid: before.oid, newOid: after.oid };
  });
}

function entry(text: string): { mode: string; oid: string } {
  if (text === "-") return ABSENT;
  return { mode: text.startsWith("x") ? "100755" : "100644", oid: (text.at(-1) ?? "").repeat(40) };
}

function losses(
  ours: readonly string[],
  theirs: readonly string[],
  result: readonly string[],
  more: Partial<Parameters<typeof findTreeLosses>[0]> = {},
): string[] {
  const input = { ours: changes(...ours), theirs: changes(...theirs), result: changes(...result) };
  const found: Loss[] = findTreeLosses({ merged: new Set(), waived: new Set(), ...input, ...more });
  return found.map(({ path, kind }) => `${kind} ${path}`);
}

describe("the conservation check of a tree", () => {
  it("wants each change that one side made, and no other", () => {
    expect(losses(["a:1>2"], ["b:1>2"], ["a:1>2", "b:1>2"])).toEqual([]);
    expect(losses(["a:1>2"], ["b:1>2"], ["a:1>2"])).toEqual(["lost-change b"]);
    expect(losses(["a:1>2"], ["b:->2"], ["a:1>2"])).toEqual(["lost-change b"]);
    expect(losses(["a:1>2"], ["b:1>-"], ["a:1>2"])).toEqual(["resurrected-path b"]);
    expect(losses(["a:1>2"], [], ["a:1>3"])).toEqual(["lost-change a"]);
    expect(losses(["a:1>2"], [], ["a:1>-"])).toEqual(["lost-change a"]);
    expect(losses([], [], ["a:1>2"])).toEqual(["foreign-change a"]);
    expect(losses([], [], ["a:1>-"])).toEqual(["foreign-change a"]);
    expect(losses([], [], ["a:->2"])).toEqual(["foreign-change a"]);
  });

  it("takes a change that both made once, and wants others merged or waived", () => {
    expect(losses(["a:1>2"], ["a:1>2"], ["a:1>2"])).toEqual([]);
    expect(losses(["a:1>-"], ["a:1>-"], ["a:1>-"])).toEqual([]);
    expect(losses(["a:1>-"], ["a:1>-"], [])).toEqual(["resurrected-path a"]);
    expect(losses(["a:1>2"], ["a:1>3"], ["a:1>2"])).toEqual(["lost-change a"]);
    expect(losses(["a:1>2"], ["a:1>3"], ["a:1>4"], { merged: new Set(["a"]) })).toEqual([]);
    expect(losses(["a:1>2"], ["a:1>3"], [], { merged: new Set(["a"]) })).toEqual([]);
    expect(losses(["a:1>2"], ["a:1>3"], ["a:1>-"], { merged: new Set(["a"]) })).toEqual(["lost-change a"]);
    expect(losses(["a:1>2"], ["a:1>3"], ["a:1>3"], { waived: new Set(["a"]) })).toEqual([]);
    expect(losses(["a:->2"], ["a:->3"], ["a:->3"])).toEqual(["lost-change a"]);
  });

  it("takes no side when one deleted what the other modified", () => {
    expect(losses(["a:1>-"], ["a:1>2"], ["a:1>2"])).toEqual(["resurrected-path a"]);
    expect(losses(["a:1>-"], ["a:1>2"], ["a:1>-"])).toEqual(["lost-change a"]);
    expect(losses(["a:1>-"], ["a:1>2"], ["a:1>2"], { waived: new Set(["a"]) })).toEqual([]);
  });

  it("wants modes too", () => {
    expect(losses(["a:1>x1"], ["a:1>2"], ["a:1>x2"])).toEqual([]);
    expect(losses(["a:1>x1"], ["a:1>2"], ["a:1>2"])).toEqual(["mode a"]);
    expect(losses(["a:1>x1"], [], ["a:1>1"])).toEqual(["mode a"]);
    expect(losses(["a:1>x2"], ["a:1>3"], ["a:1>4"], { merged: new Set(["a"]) })).toEqual(["mode a"]);
    expect(losses(["a:->x2"], ["a:->2"], ["a:->x2"])).toEqual(["mode a"]);
  });

  it("follows a rename", () => {
    const renames = [{ from: "a", to: "b", side: "ours" as const }];
    const ours = ["a:1>-", "b:->1"];
    expect(losses(ours, [], ["a:1>-", "b:->1"], { renames })).toEqual([]);
    expect(losses(ours, ["a:1>2"], ["a:1>-", "b:->2"], { renames })).toEqual([]);
    expect(losses(ours, ["a:1>2"], ["a:1>-", "b:->1"], { renames })).toEqual(["lost-change b"]);
    expect(losses(ours, ["a:1>2"], ["a:1>2", "b:->2"], { renames })).toEqual(["resurrected-path a"]);
    expect(losses(ours, ["a:1>2"], ["a:1>2"], { renames })).toEqual(["resurrected-path a", "lost-change b"]);
    expect(losses(["a:1>-", "b:->3"], ["a:1>2"], ["a:1>-", "b:->4"], { renames })).toEqual(["lost-change b"]);
    expect(losses(["a:1>-", "b:->3"], ["a:1>2"], ["a:1>-", "b:->4"], { renames, merged: new Set(["b"]) })).toEqual([]);
    expect(losses(ours, ["a:1>x1"], ["a:1>-", "b:->1"], { renames })).toEqual(["mode b"]);
  });

  it("follows a file that was added to a folder which the other side moved", () => {
    const renames = [{ from: "old/new", to: "moved/new", side: "theirs" as const }];
    const theirs = ["old/a:1>-", "moved/a:->1"];
    expect(losses(["old/new:->2"], theirs, [...theirs, "moved/new:->2"], { renames })).toEqual([]);
    expect(losses(["old/new:->2"], theirs, theirs, { renames })).toEqual(["lost-change moved/new"]);
  });

  it("keeps both files where each side gave one another name", () => {
    const renames = [
      { from: "a", to: "b", side: "ours" as const },
      { from: "a", to: "c", side: "theirs" as const },
    ];
    const [ours, theirs] = [
      ["a:1>-", "b:->2"],
      ["a:1>-", "c:->3"],
    ];
    expect(losses(ours, theirs, ["a:1>-", "b:->2", "c:->3"], { renames })).toEqual([]);
    expect(losses(ours, theirs, ["a:1>-", "b:->2"], { renames })).toEqual(["lost-change c"]);
  });
});
