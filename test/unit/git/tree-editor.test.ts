import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { decodePath, encodePath } from "../../../src/git/path-bytes.ts";
import { TreeEditor } from "../../../src/git/tree-editor.ts";
import { makeFolder, removeFolder } from "../../fixtures/repository.ts";
import { EXECUTABLE, LINK, makeVault, openTestVault, type TestVault, type TreeSpec } from "../../fixtures/vault.ts";

let folder = "";
let shared: TestVault;

beforeAll(() => {
  folder = makeFolder("anabranch-editor-");
  shared = openTestVault(folder);
});

afterAll(async () => {
  await shared.vault.close();
  removeFolder(folder);
});

const pathArbitrary = fc
  .array(fc.constantFrom("a", "b", "a-b", "a.b", "a0", "é", "\udcff"), { minLength: 1, maxLength: 3 })
  .map((names) => names.join("/"));
const fileArbitrary = fc.constantFrom("1\n", "2\n", { mode: EXECUTABLE, content: "1\n" }, { mode: LINK, content: "a" });

/** A tree in which no file stands where another has its folder. */
const treeArbitrary = fc.dictionary(pathArbitrary, fileArbitrary, { maxKeys: 8 }).map((tree): TreeSpec => {
  const paths = Object.keys(tree);
  return Object.fromEntries(Object.entries(tree).filter(([path]) => !paths.some((p) => p.startsWith(`${path}/`))));
});

describe("a tree editor", () => {
  it("makes of one tree any other, by the changes between them", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(treeArbitrary, { minLength: 2, maxLength: 4 }), async (trees) => {
        const commits = shared.commit(...trees);
        const editor = new TreeEditor(shared.vault.objects, commits[0] ?? "");
        for (const [index, target] of commits.entries()) {
          const changes = await shared.vault.objects.compare(commits[Math.max(index - 1, 0)] ?? "", target);
          await editor.apply(
            changes.map(({ path, newMode, newOid, kind }) => ({
              path,
              mode: newMode,
              oid: kind === "deleted" ? null : newOid,
            })),
          );
          expect(await editor.write()).toBe(await shared.vault.objects.treeOf(target));
        }
      }),
      { numRuns: 60 },
    );
    shared.plain(["fsck", "--strict"]);
  });

  it("keeps the bytes of what it does not change", async () => {
    const { vault, commit, files } = makeVault();
    const tree = { "a\udcff/b": "1", "a\udcff/c\udc80": "2", d: "3" };
    const [one = ""] = commit(tree);
    const editor = new TreeEditor(vault.objects, one);
    await editor.apply([{ path: "a\udcff/b", mode: "100644", oid: await vault.objects.writeBlob(Buffer.from("9")) }]);
    expect(files(await editor.write())).toEqual({ "a\xff/b": "9", "a\xff/c\x80": "2", d: "3" });
  });

  it("lets a file take the place of a folder, and the reverse, where the other one is removed", async () => {
    const { vault, commit, files } = makeVault();
    const [one = ""] = commit({ "a/x": "1", "a/y/z": "2", b: "3" });
    const oid = await vault.objects.writeBlob(Buffer.from("9"));
    const editor = new TreeEditor(vault.objects, one);
    await editor.apply([
      { path: "a", mode: "100644", oid },
      { path: "a/x", mode: "000000", oid: null },
      { path: "b/c/d", mode: "100644", oid },
      { path: "a/y/z", mode: "000000", oid: null },
      { path: "b", mode: "000000", oid: null },
    ]);
    expect(files(await editor.write())).toEqual({ a: "9", "b/c/d": "9" });
    await editor.apply([
      { path: "b", mode: "000000", oid: null },
      { path: "nothing/here", mode: "000000", oid: null },
      { path: "a/neither", mode: "000000", oid: null },
    ]);
    expect(files(await editor.write())).toEqual({ a: "9" });
    expect([await editor.has("b"), await editor.has("a"), await editor.has("a/x")]).toEqual([false, true, false]);
  });

  it("overwrites nothing silently", async () => {
    const { vault, commit } = makeVault();
    const [one = ""] = commit({ "a/x": "1", b: "3" });
    const oid = await vault.objects.writeBlob(Buffer.from("9"));
    const put = (path: string) => new TreeEditor(vault.objects, one).apply([{ path, mode: "100644", oid }]);
    await expect(put("a")).rejects.toMatchObject({ code: "INTERNAL" });
    await expect(put("b/c")).rejects.toMatchObject({ code: "INTERNAL" });
    const outside = new TreeEditor(vault.objects, one);
    await outside.apply([{ path: "../c", mode: "100644", oid }]);
    await expect(outside.write()).rejects.toMatchObject({ code: "INTERNAL" });
  });
});

describe("the text of a path", () => {
  it("stands for its bytes, whatever they are", () => {
    const bytes = fc.uint8Array({ maxLength: 12 }).map((raw) => Buffer.from(raw).toString("latin1"));
    fc.assert(fc.property(bytes, (raw) => encodePath(decodePath(raw)) === raw));
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => decodePath(encodePath(text)) === text));
    expect(decodePath("caf\xc3\xa9")).toBe("café");
    expect(decodePath("caf\xe9")).toBe("caf\udce9");
  });
});
