import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { compareTrees } from "../../../src/git/changes.ts";
import { makeVault, openTestVault, type FileSpec, type TreeSpec } from "../../fixtures/vault.ts";
import { makeFolder, removeFolder } from "../../fixtures/repository.ts";

const NONE = "0".repeat(40);
const content = fc.constantFrom("one\n", "two\n", "");
const file: fc.Arbitrary<FileSpec> = fc.oneof(
  content,
  content.map((text) => ({ mode: "100755", content: text })),
  fc.constantFrom("a", "b").map((target) => ({ mode: "120000", content: target })),
);
const path = fc.constantFrom("a", "a b", "d/x", "d/e/x", "d/e/y\tz", 'q"uote', "line\nbreak", "é", "z-last");
const anyTree: fc.Arbitrary<TreeSpec> = fc.dictionary(path, file, { maxKeys: 6 });

const modeOf = (spec: FileSpec | undefined): string =>
  spec === undefined ? "000000" : typeof spec === "string" ? "100644" : spec.mode;
const textOf = (spec: FileSpec | undefined): string | undefined => (typeof spec === "object" ? spec.content : spec);

/** What a comparison must say of a path, when it says anything. */
function expectedKind(before: FileSpec | undefined, after: FileSpec | undefined): string | undefined {
  if (modeOf(before) === modeOf(after) && textOf(before) === textOf(after)) return undefined;
  if (before === undefined) return "added";
  if (after === undefined) return "deleted";
  return modeOf(before).slice(0, 3) === modeOf(after).slice(0, 3) ? "modified" : "type-changed";
}

describe("the difference of two trees", () => {
  it("names exactly the paths that differ, with how, and every object that is new", async () => {
    await fc.assert(
      fc.asyncProperty(anyTree, anyTree, async (before, after) => {
        const folder = makeFolder("anabranch-changes-");
        const { git, vault, commit, plain } = openTestVault(folder);
        try {
          const [from = "", to = ""] = commit(before, after);
          const { changes, newObjects } = await compareTrees(git, vault.place, from, to);
          const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])];
          const expected = paths.flatMap((one) => {
            const kind = expectedKind(before[one], after[one]);
            return kind === undefined
              ? []
              : [{ path: one, kind, oldMode: modeOf(before[one]), newMode: modeOf(after[one]) }];
          });
          const seen = changes.map(({ path: one, kind, oldMode, newMode }) => ({ path: one, kind, oldMode, newMode }));
          expect(seen.toSorted(byPath)).toEqual(expected.toSorted(byPath));
          for (const change of changes) {
            expect(change.oldOid === NONE).toBe(change.kind === "added");
            expect(change.newOid === NONE).toBe(change.kind === "deleted");
          }
          expect(newObjects.toSorted()).toEqual(newBelow(plain, from, to).toSorted());
        } finally {
          await vault.close();
          removeFolder(folder);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("of a tree and itself is nothing, without asking", async () => {
    const { git, vault } = makeVault();
    const nothing = { changes: [], lines: [], newObjects: [] };
    expect(await compareTrees(git, vault.place, "nowhere", "nowhere", { lines: true })).toEqual(nothing);
  });

  it("takes a folder in place of a file for one path gone and others come, and a submodule for no object of ours", async () => {
    const { git, vault, commit } = makeVault();
    const [one = "", two = ""] = commit(
      { thing: "file\n" },
      { "thing/inside": "file\n", module: { mode: "160000", content: "1".repeat(40) } },
    );
    const { changes, newObjects } = await compareTrees(git, vault.place, one, two);
    expect(changes.map(({ path: at, kind, newMode }) => `${kind} ${at} ${newMode}`).toSorted()).toEqual([
      "added module 160000",
      "added thing/inside 100644",
      "deleted thing 000000",
    ]);
    expect(newObjects).not.toContain("1".repeat(40));
  });
});

describe("the lines of a change", () => {
  it("are counted per path, whatever it is called, and not for binary files", async () => {
    const { git, vault, commit } = makeVault();
    const [one = "", two = ""] = commit(
      { "tab\tbed": "1\n2\n3\n", "new\nline": "a\n", same: "s\n", binary: "a\0b" },
      { "tab\tbed": "1\n3\n4\n5\n", 'q"uote': "x\ny", same: "s\n", binary: "a\0c" },
    );
    const { lines, changes } = await compareTrees(git, vault.place, one, two, { lines: true });
    expect(changes.map((change) => change.path).toSorted()).toEqual(lines.map((line) => line.path).toSorted());
    expect((await compareTrees(git, vault.place, one, two)).lines).toEqual([]);
    expect(lines.toSorted(byPath)).toEqual(
      [
        { path: "tab\tbed", added: 2, deleted: 1 },
        { path: "new\nline", added: 0, deleted: 1 },
        { path: 'q"uote', added: 2, deleted: 0 },
        { path: "binary", added: undefined, deleted: undefined },
      ].toSorted(byPath),
    );
  });
});

/** The objects below a tree that the other one does not have at the same path, as two whole listings tell them. */
function newBelow(plain: (args: readonly string[]) => Buffer, from: string, to: string): string[] {
  const list = (tree: string): Map<string, string> =>
    new Map(
      plain(["ls-tree", "-r", "-t", "-z", "--full-tree", tree])
        .toString()
        .split("\0")
        .slice(0, -1)
        .map((line) => [line.slice(line.indexOf("\t") + 1), line.split("\t")[0] ?? ""]),
    );
  const [before, after] = [list(from), list(to)];
  const fresh = [...after].filter(([at, entry]) => before.get(at) !== entry);
  return [...new Set(fresh.map(([, entry]) => entry.split(" ")[2] ?? ""))];
}

function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : 1;
}
