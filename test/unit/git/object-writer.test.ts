import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { TreeEditor } from "../../../src/git/tree-editor.ts";
import { makeVault } from "../../fixtures/vault.ts";

describe("staged objects", () => {
  it("can be read at once, and by git after a flush", async () => {
    const { vault, plain } = makeVault();
    const { objects, commits } = vault;
    const blob = objects.stageBlob(Buffer.from("one\n"));
    const tree = objects.stageTree([{ mode: "100644", type: "blob", oid: blob, name: "a" }]);
    const commit = commits.stage({ tree, parents: [], message: "one", atSeconds: 1 });
    expect(String(await objects.readBlob(blob))).toBe("one\n");
    expect(await objects.sizeOf(blob)).toBe(4);
    expect(await objects.treeOf(commit)).toBe(tree);
    expect((await objects.readTree(commit)).map(({ name }) => name)).toEqual(["a"]);
    expect(await objects.compare(commit, await objects.writeTree([]))).toHaveLength(1);
    plain(["fsck", "--strict", commit]);
    expect(() => plain(["cat-file", "-e", objects.stageBlob(Buffer.from("two\n"))])).toThrow();
  });

  it("are on the disk before a ref stands at them", async () => {
    const { vault, plain } = makeVault();
    const tree = vault.objects.stageTree([]);
    const commit = vault.commits.stage({ tree, parents: [], message: "one", atSeconds: 1 });
    await vault.refs.update([{ name: "refs/lanes/r", to: commit, from: null }]);
    expect(plain(["rev-parse", "refs/lanes/r^{tree}"]).toString().trim()).toBe(tree);
  });

  it("stay staged where they cannot be written, and are written by the next flush", async () => {
    const { vault, plain } = makeVault();
    const blob = vault.objects.stageBlob(Buffer.from("one\n"));
    const fan = join(vault.directory, "objects", blob.slice(0, 2));
    writeFileSync(fan, "in the way");
    await expect(vault.objects.flush()).rejects.toThrow();
    expect(String(await vault.objects.readBlob(blob))).toBe("one\n");
    rmSync(fan);
    await vault.objects.flush();
    expect(plain(["cat-file", "blob", blob]).toString()).toBe("one\n");
    expect(readdirSync(fan).filter((name) => name.startsWith("tmp_"))).toEqual([]);
  });

  it("are written also where a borrowed store has them", async () => {
    const [lender, borrower] = [makeVault(), makeVault()];
    const blob = await lender.vault.objects.writeBlob(Buffer.from("one\n"));
    const info = join(borrower.vault.directory, "objects/info");
    mkdirSync(info, { recursive: true });
    writeFileSync(join(info, "alternates"), `${join(lender.vault.directory, "objects")}\n`);
    expect(await borrower.vault.objects.writeBlob(Buffer.from("one\n"))).toBe(blob);
    rmSync(join(info, "alternates"));
    expect(borrower.plain(["cat-file", "blob", blob]).toString()).toBe("one\n");
  });

  it("of many changesets in a row become one pack, with every commit as git would have it", async () => {
    const { vault, commit, plain, files } = makeVault();
    const names = Array.from({ length: 400 }, (_, index) => `d${index % 20}/f${index}`);
    const [base = ""] = commit(Object.fromEntries(names.map((name) => [name, `${name}\n`])));
    const packsBefore = plain(["count-objects", "-v"]).toString();
    const editor = new TreeEditor(vault.objects, base);
    let tip = base;
    for (let index = 0; index < 100; index += 1) {
      const oid = vault.objects.stageBlob(Buffer.from(`changed ${index}\n`));
      await editor.apply([{ path: names[index * 3] ?? "", mode: "100644", oid }]);
      const tree = await editor.stage();
      tip = vault.commits.stage({ tree, parents: [tip], message: `${index}`, atSeconds: index });
    }
    await vault.objects.flush();
    plain(["fsck", "--strict", tip]);
    expect(plain(["rev-list", "--count", tip]).toString().trim()).toBe("101");
    expect(plain(["diff", "--name-only", base, tip]).toString().trim().split("\n")).toHaveLength(100);
    expect(files(tip)[names[297] ?? ""]).toBe("changed 99\n");
    const packs = (text: string) => Number(/packs: (\d+)/.exec(text)?.[1]);
    expect(packs(plain(["count-objects", "-v"]).toString())).toBe(packs(packsBefore) + 1);
  });
});
