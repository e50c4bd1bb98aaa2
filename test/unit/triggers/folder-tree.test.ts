import { mkdirSync, renameSync, rmSync, watch } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { FolderTree, type WatchFolder } from "../../../src/triggers/watcher/folder-tree.ts";
import { RecursiveTree } from "../../../src/triggers/watcher/recursive-tree.ts";
import { temporaryFolder, writeFiles } from "../../fixtures/repository.ts";
import { until } from "../../fixtures/until.ts";

interface Heard {
  readonly changed: Set<string>;
  readonly ends: string[];
}

function listen(): { heard: Heard; listener: ConstructorParameters<typeof FolderTree>[1] } {
  const heard: Heard = { changed: new Set(), ends: [] };
  const listener = {
    changed: (path: string) => void heard.changed.add(path),
    gone: () => void heard.ends.push("gone"),
    failed: (code: string) => void heard.ends.push(`failed ${code}`),
  };
  return { heard, listener };
}

function openTree(
  root: string,
  skip: readonly string[] = [],
  watchFolder?: WatchFolder,
): { tree: FolderTree; heard: Heard } {
  const { heard, listener } = listen();
  const tree = watchFolder === undefined ? new FolderTree(root, listener) : new FolderTree(root, listener, watchFolder);
  onTestFinished(() => tree.close());
  tree.open(skip);
  return { tree, heard };
}

const ordinary: WatchFolder = (path, onChange) => watch(path, { encoding: "latin1" as BufferEncoding }, onChange);

describe("a tree of watched folders", () => {
  it("watches what is not skipped, and nothing that is another repository's", () => {
    const root = temporaryFolder();
    for (const path of ["a/b", "node_modules/x", "dist/x", ".git/refs", "inner/.git", "inner/src"]) {
      mkdirSync(join(root, path), { recursive: true });
    }
    expect(openTree(root, ["dist"]).tree.count).toBe(3);
  });

  it("follows a folder that is renamed, and one that takes another's place", async () => {
    const root = temporaryFolder();
    writeFiles(root, { "a/x/1": "1", "b/y/2": "2" });
    const { heard, tree } = openTree(root);
    renameSync(join(root, "a"), join(root, "c"));
    renameSync(join(root, "b"), join(root, "a"));
    await until(() => heard.changed.has("a/y/2") && heard.changed.has("c/x/1"), "both are told");
    expect([...heard.changed]).toEqual(expect.arrayContaining(["a/", "b/"]));
    expect(tree.count).toBe(5);
    heard.changed.clear();
    writeFiles(root, { "a/y/3": "3", "c/x/4": "4" });
    await until(() => heard.changed.has("a/y/3") && heard.changed.has("c/x/4"), "both are watched");
    expect([...heard.changed].filter((path) => path.startsWith("b/"))).toEqual([]);
  });

  it("watches a folder that was removed and made again before anybody looked", async () => {
    const root = temporaryFolder();
    writeFiles(root, { "a/b/1": "1" });
    const { heard } = openTree(root);
    rmSync(join(root, "a"), { recursive: true });
    mkdirSync(join(root, "a/b"), { recursive: true });
    await until(() => heard.changed.has("a/"), "the old one is told to be gone");
    writeFiles(root, { "a/b/2": "2" });
    await until(() => heard.changed.has("a/b/2"), "the new one is watched");
  });

  it("takes up what is not to be skipped any more, and lets go of what is", async () => {
    const root = temporaryFolder();
    writeFiles(root, { "dist/x/1": "1", "src/y/2": "2" });
    const { heard, tree } = openTree(root, ["dist"]);
    tree.skip(["src"]);
    expect(tree.count).toBe(3);
    writeFiles(root, { "src/y/2": "changed", "dist/x/1": "changed" });
    await until(() => heard.changed.has("dist/x/1"), "it is watched");
    expect([...heard.changed]).not.toContain("src/y/2");
  });

  it("says that its root has gone", async () => {
    const root = join(temporaryFolder(), "root");
    writeFiles(root, { "a/1": "1" });
    const { heard } = openTree(root);
    rmSync(root, { recursive: true });
    await until(() => heard.ends.length > 0, "it is told");
    expect(heard.ends).toEqual(["gone"]);
    expect(openTree(root).heard.ends).toEqual(["gone"]);
  });

  it.each(["ENOSPC", "EMFILE"])(
    "lets go of everything and says so when it meets the limit %s, at once or later",
    async (code) => {
      const root = temporaryFolder();
      mkdirSync(join(root, "a/b/c"), { recursive: true });
      let left = 3;
      const limited: WatchFolder = (path, onChange) => {
        left -= 1;
        if (left < 0) throw Object.assign(new Error("no more"), { code });
        return ordinary(path, onChange);
      };
      const atOnce = openTree(root, [], limited);
      expect([atOnce.heard.ends, atOnce.tree.count]).toEqual([[`failed ${code}`], 0]);
      left = 4;
      const later = openTree(root, [], limited);
      expect([later.heard.ends, later.tree.count]).toEqual([[], 4]);
      mkdirSync(join(root, "a/d"));
      await until(() => later.heard.ends.length > 0, "the limit is met");
      expect([later.heard.ends, later.tree.count]).toEqual([[`failed ${code}`], 0]);
    },
  );

  it("tells the same where the system watches the whole tree", async () => {
    const root = temporaryFolder();
    writeFiles(root, { "a/x": "1", "dist/x": "1" });
    mkdirSync(join(root, "inner/.git"), { recursive: true });
    const { heard, listener } = listen();
    const tree = new RecursiveTree(root, listener);
    onTestFinished(() => tree.close());
    expect(tree.open(["dist"])).toBe(true);
    writeFiles(root, { "a/x": "2", "dist/x": "2", "inner/x": "2", "node_modules/x": "2", "new/deep/y": "2" });
    await until(() => heard.changed.has("a/x") && heard.changed.has("new/deep/y"), "both are told");
    const strange = [...heard.changed].filter((path) => /^(dist|inner|node_modules)\//.test(path));
    expect(strange).toEqual([]);
  });
});
