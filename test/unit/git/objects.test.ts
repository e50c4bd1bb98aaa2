import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { LARGEST_BLOB_BYTES } from "../../../src/git/objects.ts";
import { compareTrees } from "../../../src/git/changes.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { EXECUTABLE, LINK, makeVault, SUBMODULE } from "../../fixtures/vault.ts";

const ABSENT = "f".repeat(40);

describe("the objects of a repository", () => {
  it("come back as the bytes that were written, and git reads them too", async () => {
    const { vault, plain } = makeVault();
    const contents = [0, 1, 100, 65_535, 65_536, 1_000_000, 5_000_000].map((size) => randomBytes(size));
    const oids = await Promise.all(contents.map((content) => vault.objects.writeBlob(content)));
    const read = await Promise.all(oids.map((oid) => vault.objects.readBlob(oid)));
    for (const [index, content] of contents.entries()) {
      expect(read[index]?.equals(content)).toBe(true);
      expect(plain(["cat-file", "blob", oids[index] ?? ""]).equals(content)).toBe(true);
    }
    plain(["fsck", "--strict"]);
  });

  it("are read in order by many questions at once, whatever is in them", async () => {
    const { vault } = makeVault();
    const texts = Array.from(
      { length: 300 },
      (_, index) => `${"x".repeat(index % 7)}\n${ABSENT} blob 7\nend\n\0${index}\n`,
    );
    const oids = await Promise.all(texts.map((text) => vault.objects.writeBlob(Buffer.from(text))));
    const answers = await Promise.all(
      oids.flatMap((oid) => [
        vault.objects.readBlob(oid).then(String),
        vault.objects.sizeOf(oid),
        vault.objects.sizeOf(ABSENT),
      ]),
    );
    expect(answers).toEqual(texts.flatMap((text) => [text, Buffer.byteLength(text), undefined]));
  });

  it("that are missing, or no blobs, or no objects' names, are refused one by one", async () => {
    const { vault, commit } = makeVault();
    const [one = ""] = commit({ a: "a\n" });
    await expect(vault.objects.readBlob(ABSENT)).rejects.toMatchObject({ code: "GIT_FAILED" });
    await expect(vault.objects.readBlob(one)).rejects.toMatchObject({ code: "GIT_FAILED" });
    await expect(vault.objects.readTree(ABSENT)).rejects.toMatchObject({ code: "GIT_FAILED" });
    await expect(vault.objects.compare(one, ABSENT)).rejects.toMatchObject({ code: "GIT_FAILED" });
    await expect(vault.objects.sizeOf(`${one}\ncontents ${one}`)).rejects.toMatchObject({ code: "INTERNAL" });
    expect((await vault.objects.readTree(one)).map((entry) => entry.name)).toEqual(["a"]);
  });

  it("are not read into memory when they are too large", async () => {
    const { vault, plain } = makeVault();
    const large = plain(["hash-object", "-w", "--stdin"], Buffer.alloc(LARGEST_BLOB_BYTES + 1))
      .toString()
      .trim();
    expect(await vault.objects.sizeOf(large)).toBe(LARGEST_BLOB_BYTES + 1);
    await expect(vault.objects.readBlob(large)).rejects.toMatchObject({ data: { sizeBytes: LARGEST_BLOB_BYTES + 1 } });
  });

  it("go on being read after the program that read them ended", async () => {
    const { vault } = makeVault();
    const oid = await vault.objects.writeBlob(Buffer.from("one\n"));
    expect(String(await vault.objects.readBlob(oid))).toBe("one\n");
    await vault.close();
    expect(String(await vault.objects.readBlob(oid))).toBe("one\n");
  });

  it("have the names that SHA-256 gives them where the repository uses it", async () => {
    const { vault, plain } = makeVault({}, "sha256");
    const blob = await vault.objects.writeBlob(Buffer.from("one\n"));
    const entry = { mode: "100644", type: "blob", oid: blob, name: "a" } as const;
    const tree = await vault.objects.writeTree([entry]);
    expect(tree).toHaveLength(64);
    expect(await vault.objects.readTree(tree)).toEqual([entry]);
    const commit = await vault.commits.write({ tree, parents: [], message: "one", atSeconds: 1 });
    plain(["fsck", "--strict", commit]);
    expect((await vault.objects.compare(tree, await vault.objects.writeTree([]))).map(({ kind }) => kind)).toEqual([
      "deleted",
    ]);
  });
});

describe("a tree", () => {
  it("is written as git would write it, in whatever order its entries come", async () => {
    const { vault, commit, plain } = makeVault();
    const [one = ""] = commit({
      "a-b": "1",
      "a/b": "2",
      "a.b": "3",
      a0: { mode: EXECUTABLE, content: "4" },
      link: { mode: LINK, content: "a/b" },
      module: { mode: SUBMODULE, content: ABSENT },
      'näme\n"': "5",
      "\udcff\udc80": "6",
    });
    const tree = plain(["rev-parse", `${one}^{tree}`])
      .toString()
      .trim();
    const entries = await vault.objects.readTree(one);
    expect(await vault.objects.writeTree([...entries].reverse())).toBe(tree);
  });

  it("cannot have names that are none, or one twice", async () => {
    const { vault } = makeVault();
    const oid = await vault.objects.writeBlob(Buffer.from(""));
    const entry = (name: string) => ({ mode: "100644", type: "blob", oid, name }) as const;
    for (const name of ["", ".", "..", ".git", "a/b", "a\0b"]) {
      await expect(vault.objects.writeTree([entry(name)])).rejects.toMatchObject({ code: "INTERNAL" });
    }
    const folder = { mode: "040000", type: "tree", oid: await vault.objects.writeTree([]), name: "a" } as const;
    await expect(vault.objects.writeTree([entry("a"), entry("a-b"), folder])).rejects.toMatchObject({
      code: "INTERNAL",
    });
  });
});

describe("a comparison", () => {
  it("says what git's own comparison says", async () => {
    const { git, vault, commit } = makeVault();
    const [one = "", two = ""] = commit(
      {
        gone: "1",
        "d/kept": "2",
        "d/changed": "3",
        type: "t",
        mode: "m",
        "end\n": "x",
        ":100644 a": "y",
        module: { mode: SUBMODULE, content: ABSENT },
      },
      {
        "new/file": "1",
        "d/kept": "2",
        "d/changed": "4",
        type: { mode: LINK, content: "t" },
        mode: { mode: EXECUTABLE, content: "m" },
        "end\n": "xx",
        ":100644 a": "yy",
        module: { mode: SUBMODULE, content: "e".repeat(40) },
      },
    );
    const [changes, back, none] = await Promise.all([
      vault.objects.compare(one, two),
      vault.objects.compare(two, one),
      vault.objects.compare(one, one),
    ]);
    expect(changes).toEqual((await compareTrees(git, vault.place, one, two)).changes);
    expect(back).toEqual((await compareTrees(git, vault.place, two, one)).changes);
    expect(changes).toHaveLength(8);
    expect(none).toEqual([]);
  });

  it("sees a submodule that the user's configuration hides", async () => {
    const { vault, commit } = makeVault({
      GIT_CONFIG_GLOBAL: makeConfig("[diff]\n\tignoreSubmodules = all\n"),
    });
    const module = (content: string) => ({ module: { mode: SUBMODULE, content } });
    const [one = "", two = ""] = commit(module(ABSENT), module("e".repeat(40)));
    expect(await vault.objects.compare(one, two)).toHaveLength(1);
  });

  it("keeps names that are not UTF-8 apart", async () => {
    const { vault, commit } = makeVault();
    const [one = "", two = ""] = commit({}, { "a\udcff": "1", "a\udcfe": "2", aé: "3" });
    expect((await vault.objects.compare(one, two)).map(({ path }) => path).toSorted()).toEqual(
      ["aé", "a\udcfe", "a\udcff"].toSorted(),
    );
  });
});

function makeConfig(text: string): string {
  const path = join(temporaryFolder(), "config");
  writeFileSync(path, text);
  return path;
}
