import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { mergeTrees, type TreeMerge } from "../../../src/landing/merge-trees.ts";
import { makeFolder, removeFolder } from "../../fixtures/repository.ts";
import { EXECUTABLE, LINK, openTestVault, type FileSpec, type TestVault, type TreeSpec } from "../../fixtures/vault.ts";

let folder = "";
let shared: TestVault;

beforeAll(() => {
  folder = makeFolder("anabranch-properties-");
  shared = openTestVault(folder);
});

afterAll(async () => {
  await shared.vault.close();
  removeFolder(folder);
});

const PATHS = ["a", "b", "A", "d/a", "d/b", "d/e/a", "d", "e/a", "é", "\udcff"] as const;

/** Texts long enough to be known again after a move, each of lines that no other has. */
const textOf = (seed: number): string =>
  Array.from({ length: 12 }, (_, index) => `text ${seed} line ${index}\n`).join("");

type Edit =
  | { readonly type: "edit"; readonly at: number; readonly line: number; readonly word: string }
  | { readonly type: "insert"; readonly at: number; readonly line: number; readonly word: string }
  | { readonly type: "delete-line"; readonly at: number; readonly line: number }
  | { readonly type: "delete"; readonly at: number }
  | { readonly type: "move"; readonly at: number; readonly to: string }
  | { readonly type: "add"; readonly path: string; readonly file: FileSpec }
  | { readonly type: "mode"; readonly at: number };

const word = fc.constantFrom("one", "two", "three", "four");
const at = fc.nat({ max: 9 });
const line = fc.nat({ max: 11 });
const path = fc.constantFrom(...PATHS);
const newFile = fc.oneof(
  fc.nat({ max: 5 }).map((seed) => textOf(100 + seed)),
  fc.constantFrom<FileSpec>("", "x\0", { mode: LINK, content: "a" }, { mode: EXECUTABLE, content: "x\n" }),
);
const editArbitrary: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant("edit" as const), at, line, word }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("insert" as const), at, line, word }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("delete-line" as const), at, line }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("delete" as const), at }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("move" as const), at, to: path }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("add" as const), path, file: newFile }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("mode" as const), at }) },
);
const baseArbitrary = fc
  .uniqueArray(path, { minLength: 1, maxLength: 5 })
  .map((paths) => paths.reduce<TreeSpec>((tree, one, index) => put(tree, one, textOf(index)), {}));

/** Puts a file where it can stand: nothing above it may be a file, nothing may be below it. */
function put(tree: TreeSpec, to: string, file: FileSpec): TreeSpec {
  const others = Object.entries(tree).filter(
    ([other]) => other !== to && !other.startsWith(`${to}/`) && !to.startsWith(`${other}/`),
  );
  return Object.fromEntries([...others, [to, file]]);
}

function without(tree: TreeSpec, gone: string): TreeSpec {
  return Object.fromEntries(Object.entries(tree).filter(([other]) => other !== gone));
}

function contentOf(file: FileSpec): string {
  return typeof file === "string" ? file : file.content;
}

function apply(tree: TreeSpec, edit: Edit): TreeSpec {
  if (edit.type === "add") return put(tree, edit.path, edit.file);
  const names = Object.keys(tree);
  const name = names[edit.at % Math.max(1, names.length)];
  const file = name === undefined ? undefined : tree[name];
  if (name === undefined || file === undefined) return tree;
  if (edit.type === "delete") return without(tree, name);
  // Moved over another file, it would be that file's new content, and deleted at its own path.
  if (edit.type === "move") return edit.to in tree ? tree : put(without(tree, name), edit.to, file);
  if (typeof file !== "string") return tree;
  if (edit.type === "mode") return { ...tree, [name]: { mode: EXECUTABLE, content: file } };
  const lines = file.split(/(?<=\n)/);
  const inserted = edit.type === "delete-line" ? [] : [`${edit.word} ${edit.line}\n`];
  lines.splice(edit.line % Math.max(1, lines.length), edit.type === "insert" ? 0 : 1, ...inserted);
  return { ...tree, [name]: lines.join("") };
}

const sideArbitrary = fc.array(editArbitrary, { maxLength: 5 });
const caseArbitrary = fc
  .tuple(baseArbitrary, sideArbitrary, sideArbitrary)
  .map(([base, ours, theirs]) => ({ base, ours: ours.reduce(apply, base), theirs: theirs.reduce(apply, base) }));

/** How often each line is there, over all files: moves change nothing about it. */
function countLines(tree: Readonly<Record<string, FileSpec>>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const one of Object.values(tree).flatMap((file) => contentOf(file).split("\n"))) {
    // What stands behind the last line end is no line.
    if (one !== "") counts.set(one, (counts.get(one) ?? 0) + 1);
  }
  return counts;
}

/** Lines that a side added and that are not in the result, or that it deleted and that are there unchanged. */
function findLostLines(base: TreeSpec, sides: readonly TreeSpec[], result: TreeSpec): string[] {
  const [before, after, ...others] = [base, result, ...sides].map(countLines);
  const count = (counts: Map<string, number> | undefined, one: string): number => counts?.get(one) ?? 0;
  const lines = new Set([...(before?.keys() ?? []), ...others.flatMap((counts) => [...counts.keys()])]);
  return [...lines].filter((one) => {
    const changes = others.map((counts) => count(counts, one) - count(before, one));
    const [gained, lost] = [Math.max(0, ...changes), Math.min(0, ...changes)];
    const fewest = count(before, one) + gained + changes.filter((change) => change < 0).reduce((a, b) => a + b, 0);
    const most = count(before, one) + lost + changes.filter((change) => change > 0).reduce((a, b) => a + b, 0);
    const found = count(after, one);
    return found < fewest || found > most;
  });
}

function pathsOf(merge: TreeMerge): string[] {
  if (merge.status === "merged") return [];
  return merge.conflicts.flatMap(({ path: open, renamedTo }) => [
    open,
    ...(renamedTo === undefined ? [] : [renamedTo]),
  ]);
}

function hasMoves(merge: TreeMerge): boolean {
  const kinds = new Set(["rename-rename", "rename-delete", "name-clash", "loss"]);
  return (
    merge.status === "conflict" &&
    merge.conflicts.some(({ kind, renamedTo }) => kinds.has(kind) || renamedTo !== undefined)
  );
}

describe("any merge of any trees", () => {
  it("is the side that changed, is the same both ways round, and keeps every line of both sides", async () => {
    const { git, vault } = shared;
    const seen = { merged: 0, conflict: 0 };
    await fc.assert(
      fc.asyncProperty(caseArbitrary, async ({ base, ours, theirs }) => {
        const [b = "", o = "", t = ""] = shared.commit(base, ours, theirs);
        const merge = (one: string, two: string, three: string) =>
          mergeTrees(git, vault, { base: one, ours: two, theirs: three });
        const [oursTree, theirsTree] = [await vault.objects.treeOf(o), await vault.objects.treeOf(t)];
        expect(await merge(b, t, b)).toMatchObject({ status: "merged", tree: theirsTree, changes: [] });
        expect(await merge(b, b, t)).toMatchObject({ status: "merged", tree: theirsTree });
        expect(await merge(b, o, o)).toMatchObject({ status: "merged", tree: oursTree });

        const [result, reverse] = [await merge(b, o, t), await merge(b, t, o)];
        seen[result.status] += 1;
        expect(reverse.status).toBe(result.status);
        if (result.status === "merged" && reverse.status === "merged") {
          expect(reverse.tree).toBe(result.tree);
          expect(findLostLines(base, [ours, theirs], shared.files(result.tree))).toEqual([]);
          expect(result.changes).toEqual(await vault.objects.compare(o, result.tree));
        }
        if (result.status === "conflict" && !hasMoves(result) && !hasMoves(reverse)) {
          expect(new Set(pathsOf(reverse))).toEqual(new Set(pathsOf(result)));
        }
      }),
      { numRuns: Number(process.env["ANABRANCH_RUNS"] ?? 150) },
    );
    // Else it would say nothing.
    expect(Math.min(seen.merged, seen.conflict)).toBeGreaterThan(20);
    shared.plain(["fsck", "--strict"]);
  }, 240_000);

  it("lets a person settle every conflict, and keeps the other side's lines elsewhere", async () => {
    const { git, vault } = shared;
    await fc.assert(
      fc.asyncProperty(caseArbitrary, fc.constantFrom("ours", "theirs"), async ({ base, ours, theirs }, choice) => {
        const [b = "", o = "", t = ""] = shared.commit(base, ours, theirs);
        const first = await mergeTrees(git, vault, { base: b, ours: o, theirs: t });
        if (first.status === "merged") return;
        const partial = shared.files(first.partial);
        const oursFiles = shared.files(o);
        for (const { path: open } of first.conflicts) expect(partial[open]).toEqual(oursFiles[open]);
        const choices = new Map(pathsOf(first).map((open) => [open, choice] as const));
        const second = await mergeTrees(git, vault, { base: b, ours: o, theirs: t, choices });
        const left = second.status === "merged" ? [] : second.conflicts;
        for (const { kind } of left) expect(["name-clash", "loss", "both-added", "file-folder"]).toContain(kind);
        if (second.status === "merged") expect(second.waivers.length).toBeGreaterThan(0);
      }),
      { numRuns: Number(process.env["ANABRANCH_RUNS"] ?? 60) },
    );
  }, 240_000);
});
