import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { PathChange } from "../../../src/merge/change.ts";
import { findTreeLosses } from "../../../src/merge/conservation/tree-losses.ts";
import { planPaths } from "../../../src/merge/paths.ts";

const ABSENT = { mode: "000000", oid: "0".repeat(40) };
type Tree = ReadonlyMap<string, { readonly mode: string; readonly oid: string }>;

function compare(base: Tree, side: Tree): PathChange[] {
  return [...new Set([...base.keys(), ...side.keys()])].flatMap((path) => {
    const [before, after] = [base.get(path) ?? ABSENT, side.get(path) ?? ABSENT];
    if (before.mode === after.mode && before.oid === after.oid) return [];
    const kind =
      before === ABSENT
        ? "added"
        : after === ABSENT
          ? "deleted"
          : before.mode.slice(0, 3) === after.mode.slice(0, 3)
            ? "modified"
            : "type-changed";
    return [{ path, kind, oldMode: before.mode, newMode: after.mode, oldOid: before.oid, newOid: after.oid }];
  });
}

function apply(tree: Tree, changes: readonly PathChange[]): Tree {
  const result = new Map(tree);
  for (const { path, newMode, newOid } of changes) {
    if (newMode === ABSENT.mode) result.delete(path);
    else result.set(path, { mode: newMode, oid: newOid });
  }
  return result;
}

/** `name` for a file, `name=2` with other content, `!` in front for an executable, `@` for a link, `&` for a submodule. */
function tree(...files: readonly string[]): Tree {
  const modes: Readonly<Record<string, string>> = { "!": "100755", "@": "120000", "&": "160000" };
  return new Map(
    files.map((file) => {
      const [name = "", content = "1"] = file.split("=");
      const mode = modes[name.charAt(0)];
      return [mode === undefined ? name : name.slice(1), { mode: mode ?? "100644", oid: content.repeat(40) }] as const;
    }),
  );
}

function plan(base: Tree, ours: Tree, theirs: Tree): string {
  const straight = planPaths(compare(base, ours), compare(base, theirs));
  expect(planPaths(compare(base, theirs), compare(base, ours))).toEqual(straight);
  return straight.type === "disjoint" ? "disjoint" : `${straight.type} ${straight.paths.join(" ")}`;
}

const BASE = tree("a", "b", "src/x", "src/y");

describe("the plan for two sets of changes", () => {
  it("is disjoint where they change other paths, or the same in the same way", () => {
    expect(plan(BASE, tree("a=2", "b", "src/x", "src/y"), tree("a", "b=2", "src/x", "src/y", "c"))).toBe("disjoint");
    expect(plan(BASE, tree("a=2", "b", "src/x", "src/y"), tree("a=2", "b=2", "src/x", "src/y"))).toBe("disjoint");
    expect(plan(BASE, tree("b", "src/x", "src/y"), tree("b", "src/x", "src/y", "c"))).toBe("disjoint");
    expect(plan(BASE, BASE, BASE)).toBe("disjoint");
  });

  it("is disjoint where one side moved files and the other modified others", () => {
    expect(plan(BASE, tree("b", "src/x", "src/y", "moved"), tree("a", "b=2", "src/x", "src/y"))).toBe("disjoint");
    expect(plan(BASE, tree("a", "b", "lib/x", "lib/y"), tree("a=2", "b", "src/x", "src/y"))).toBe("disjoint");
  });

  it("is a matter of contents where both modified a regular file, and at most one gave it another mode", () => {
    expect(plan(BASE, tree("a=2", "b=2", "src/x", "src/y"), tree("a=3", "b", "src/x", "src/y"))).toBe("contents a");
    expect(plan(tree("a", "b"), tree("!a", "b=2"), tree("a=3", "b=3"))).toBe("contents a b");
    expect(plan(tree("a"), tree("!a=2"), tree("!a=3"))).toBe("contents a");
    expect(plan(tree("!a"), tree("a=2"), tree("!a=3"))).toBe("contents a");
  });

  it("is structural where one deleted or both added a path, or it is no regular file", () => {
    expect(plan(tree("a", "b"), tree("b"), tree("a=2", "b"))).toBe("structural a");
    expect(plan(tree("b"), tree("a=2", "b"), tree("a=3", "b"))).toBe("structural a");
    expect(plan(tree("a"), tree("@a=2"), tree("a=3"))).toBe("structural a");
    expect(plan(tree("@a"), tree("@a=2"), tree("@a=3"))).toBe("structural a");
    expect(plan(tree("&a"), tree("&a=2"), tree("&a=3"))).toBe("structural a");
    expect(plan(tree("a", "b"), tree("b=2"), tree("a=2", "b=3"))).toBe("structural a");
  });

  it("is structural where one has a file and the other a folder", () => {
    expect(plan(tree("b"), tree("b", "a"), tree("b", "a/x/y"))).toBe("structural a");
    expect(plan(tree("a"), tree("a/x"), tree("a=2"))).toBe("structural a");
    expect(plan(tree("a/x", "b"), tree("a", "b"), tree("a/x", "a/y", "b"))).toBe("structural a a/y");
  });

  it("is structural where names differ only in case or composition", () => {
    expect(plan(tree("b"), tree("b", "readme"), tree("b", "README"))).toBe("structural README readme");
    expect(plan(tree("b"), tree("b", "caf\u00e9"), tree("b", "cafe\u0301"))).toBe("structural cafe\u0301 caf\u00e9");
    expect(plan(tree("b"), tree("b", "Src/new"), tree("b", "src/other"))).toBe("structural Src/new src/other");
    expect(plan(tree("b", "src/x"), tree("b", "src/x", "SRC/new"), tree("b", "src/x=2"))).toBe("structural SRC/new");
    expect(plan(tree("b"), tree("b", "src/new"), tree("b", "src/other"))).toBe("disjoint");
    expect(plan(tree("b", "x", "X"), tree("b", "x=2", "X"), tree("b", "x", "X=2"))).toBe("disjoint");
  });

  it("is structural where one adds to a folder that the other may have moved", () => {
    expect(plan(BASE, tree("a", "b", "lib/x", "lib/y"), tree("a", "b", "src/x", "src/y", "src/new"))).toBe(
      "structural src/new",
    );
    expect(plan(BASE, tree("a", "b"), tree("a", "b", "src/x", "src/y", "src/deep/er/new"))).toBe(
      "structural src/deep/er/new",
    );
    expect(plan(BASE, tree("a", "b", "src/x", "src/z"), tree("a", "b", "src/x", "src/y", "src/new"))).toBe("disjoint");
    expect(plan(BASE, tree("a", "src/x", "src/y"), tree("a", "b", "src/x", "src/y", "new"))).toBe("disjoint");
  });

  it("is disjoint only where the result is a tree with every change of both, and none is left out of a plan", () => {
    const anyPath = fc
      .array(fc.constantFrom("a", "b", "A", "\u00e9", "e\u0301", "c"), { minLength: 1, maxLength: 3 })
      .map((names) => names.join("/"));
    const anyMode = fc.constantFrom("100644", "100644", "100644", "100644", "100755", "120000", "160000");
    const anyEntry = fc.record({ mode: anyMode, oid: fc.constantFrom("1", "2", "3").map((digit) => digit.repeat(40)) });
    const anyTree = fc
      .dictionary(anyPath, anyEntry, { maxKeys: 8, size: "max" })
      .map((files) => valid(new Map(Object.entries(files))));
    const anyStep = fc.oneof(
      { weight: 8, arbitrary: fc.constant("keep" as const) },
      { weight: 1, arbitrary: fc.constant("delete" as const) },
      { weight: 2, arbitrary: anyEntry },
    );
    const anySide = (base: Tree) =>
      fc
        .tuple(fc.array(anyStep, { minLength: base.size, maxLength: base.size, size: "max" }), fc.option(anyTree))
        .map(([steps, added]) => {
          const kept = [...base].flatMap(([path, entry], at) => {
            const step = steps[at] ?? "keep";
            return step === "delete" ? [] : [[path, step === "keep" ? entry : step] as const];
          });
          return valid(new Map([...kept, ...[...(added ?? [])].filter(([path]) => !base.has(path)).slice(0, 2)]));
        });
    const found = { disjoint: 0, contents: 0, structural: 0 };
    fc.assert(
      fc.property(
        anyTree.chain((base) => fc.tuple(fc.constant(base), anySide(base), anySide(base))),
        ([base, ourTree, theirTree]) => {
          const [ours, theirs] = [compare(base, ourTree), compare(base, theirTree)];
          const plan = planPaths(ours, theirs);
          found[plan.type] += 1;
          if (plan.type === "structural") {
            expect(plan.paths.length).toBeGreaterThan(0);
            return;
          }
          const result = apply(apply(base, ours), theirs);
          expect(valid(result).size).toBe(result.size);
          const contents = new Set(plan.type === "contents" ? plan.paths : []);
          const both = new Set(
            ours.map(({ path }) => path).filter((path) => theirs.some((change) => change.path === path)),
          );
          for (const path of contents) expect(both.has(path)).toBe(true);
          const losses = findTreeLosses({
            ours,
            theirs,
            result: compare(base, result),
            merged: contents,
            waived: new Set(),
          });
          expect(losses.filter(({ kind }) => kind !== "mode")).toEqual([]);
        },
      ),
      { numRuns: 3000 },
    );
    expect(Math.min(found.disjoint, found.contents, found.structural)).toBeGreaterThan(10);
  });

  it("takes many changes", () => {
    const many = (name: string) =>
      Array.from({ length: 100_000 }, (_, at): PathChange => ({
        path: `folder ${at % 100}/${name}/deeper/file ${at}`,
        kind: "added",
        oldMode: ABSENT.mode,
        newMode: "100644",
        oldOid: ABSENT.oid,
        newOid: "1".repeat(40),
      }));
    expect(planPaths(many("ours"), many("theirs"))).toEqual({ type: "disjoint" });
  });
});

/** The files of a tree that can stand side by side on any file system. */
function valid(files: Tree): Tree {
  const fold = (name: string) => name.normalize("NFC").toLowerCase();
  const taken = new Map<string, string>();
  const result = new Map<string, { mode: string; oid: string }>();
  for (const [path, entry] of files) {
    const names = path.split("/").map((_, at, parts) => parts.slice(0, at + 1).join("/"));
    const kindOf = (name: string) => `${name === path ? "file" : "folder"} ${name}`;
    if (result.has(path)) continue;
    if (names.some((name) => taken.has(fold(name)) && taken.get(fold(name)) !== kindOf(name))) continue;
    for (const name of names) taken.set(fold(name), kindOf(name));
    result.set(path, entry);
  }
  return result;
}
