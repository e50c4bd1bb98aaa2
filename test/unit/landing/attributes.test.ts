import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { mergeTrees } from "../../../src/landing/merge-trees.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { makeVault, type TestVault, type TreeSpec } from "../../fixtures/vault.ts";

const LINES = Array.from({ length: 30 }, (_, index) => `line ${index}\n`).join("");
const edit = (index: number, to = "edited") => LINES.replace(`line ${index}\n`, `${to}\n`);

/** Merges two edits of the same files, with the same attributes everywhere. */
async function mergeWith(test: TestVault, attributes: TreeSpec, path = "a.txt", ours = edit(3), theirs = edit(20)) {
  const trees = [LINES, ours, theirs].map((text) => ({ ...attributes, [path]: text }));
  const [base = "", own = "", other = ""] = test.commit(...trees);
  const result = await mergeTrees(test.git, test.vault, { base, ours: own, theirs: other });
  if (result.status === "merged") return { status: "merged", text: test.files(result.tree)[path] };
  return { status: "conflict", kinds: result.conflicts.map(({ kind }) => kind), conflicts: result.conflicts };
}

const clean = { status: "merged", text: edit(3).replace("line 20\n", "edited\n") };

describe("the attributes of ours", () => {
  it("forbid or allow a merge of two edits of one file", async () => {
    const test = makeVault();
    const withRoot = (text: string, path?: string) => mergeWith(test, { ".gitattributes": text }, path);
    expect(await withRoot("* text=auto\n")).toEqual(clean);
    expect(await withRoot("*.txt merge\n")).toEqual(clean);
    expect(await withRoot("*.txt merge=text\n")).toEqual(clean);
    // The name under which git itself may use the engine.
    expect(await withRoot("*.txt merge=anabranch\n")).toEqual(clean);
    expect(await withRoot("*.bin binary\n")).toEqual(clean);
    for (const attribute of ["-merge", "binary", "merge=binary"]) {
      expect(await withRoot(`*.txt ${attribute}\n`)).toMatchObject({ status: "conflict", kinds: ["binary"] });
    }
    expect(await withRoot("[attr]whole -merge\n*.txt whole\n")).toMatchObject({
      status: "conflict",
      kinds: ["binary"],
    });
    expect(await withRoot("caf\xc3\xa9.txt -merge\n", "caf\u00e9.txt")).toMatchObject({ kinds: ["binary"] });
    expect(await withRoot("caf\xc3\xa9.txt -merge\n", "caf\udce9.txt")).toMatchObject({ status: "merged" });
  });

  it("of the nearest folder count", async () => {
    const test = makeVault();
    const attributes = {
      ".gitattributes": "*.txt -merge\n",
      "d/.gitattributes": "*.txt merge\n",
      "e/.gitattributes": "x",
    };
    expect(await mergeWith(test, attributes, "d/e/a.txt")).toEqual(clean);
    expect(await mergeWith(test, attributes, "e/a.txt")).toMatchObject({ kinds: ["binary"] });
  });

  it("let both of two additions at one place stay", async () => {
    const test = makeVault();
    const [ours, theirs] = [`${LINES}ours\n`, `${LINES}theirs\n`];
    const union = await mergeWith(test, { ".gitattributes": "*.txt merge=union\n" }, "a.txt", ours, theirs);
    expect(union).toEqual({ status: "merged", text: `${LINES}ours\ntheirs\n` });
    expect(await mergeWith(test, {}, "a.txt", ours, theirs)).toMatchObject({ kinds: ["contents"] });
  });

  it("are those of ours, not of theirs or the base", async () => {
    const test = makeVault();
    const [base = "", ours = "", theirs = ""] = test.commit(
      { ".gitattributes": "a -merge\n", a: LINES },
      { ".gitattributes": "a -merge\n", a: edit(3) },
      { a: edit(20) },
    );
    expect(await mergeTrees(test.git, test.vault, { base, ours, theirs })).toMatchObject({ status: "conflict" });
    expect(await mergeTrees(test.git, test.vault, { base, ours: theirs, theirs: ours })).toMatchObject({
      status: "merged",
    });
  });

  it("count as well where git had to say what becomes of the paths", async () => {
    const test = makeVault();
    const attributes = { ".gitattributes": "*.txt -merge\n" };
    const [base = "", ours = "", theirs = ""] = test.commit(
      { ...attributes, "a.txt": LINES, "b.txt": LINES, c: LINES },
      { ...attributes, "d/a.txt": edit(3), "b.txt": edit(3), "d/c": edit(3) },
      { ...attributes, "a.txt": edit(20), "b.txt": edit(20), c: edit(20) },
    );
    const result = await mergeTrees(test.git, test.vault, { base, ours, theirs });
    const found = result.status === "conflict" ? result.conflicts.map(({ path, kind }) => `${path} ${kind}`) : [];
    expect(found.toSorted()).toEqual(["b.txt binary", "d/a.txt binary"]);
  });

  it("never start a merge driver, whoever configured it", async () => {
    const home = temporaryFolder();
    const proof = join(home, "ran");
    const driver = `[merge "evil"]\n\tname = evil\n\tdriver = touch '${proof}'\n[merge]\n\tdefault = evil\n`;
    const everything = "* merge=evil\n";
    mkdirSync(join(home, ".config/git"), { recursive: true });
    writeFileSync(join(home, "attributes"), everything);
    writeFileSync(join(home, ".config/git/attributes"), everything);
    writeFileSync(join(home, ".gitconfig"), `${driver}[core]\n\tattributesFile = ${join(home, "attributes")}\n`);
    const test = makeVault({ HOME: home, GIT_CONFIG_GLOBAL: join(home, ".gitconfig") });
    mkdirSync(join(test.vault.directory, "info"), { recursive: true });
    writeFileSync(join(test.vault.directory, "info/attributes"), everything);
    writeFileSync(
      join(test.vault.directory, "config"),
      `[core]\n\tbare = true\n\trepositoryformatversion = 0\n${driver}`,
    );

    const meeting = await mergeWith(test, { ".gitattributes": everything });
    expect(meeting).toMatchObject({
      kinds: ["attributes"],
      conflicts: [{ message: expect.stringContaining('"evil"') as string }],
    });
    const [base = "", ours = "", theirs = ""] = test.commit(
      { ".gitattributes": everything, a: LINES, b: LINES, c: LINES },
      { ".gitattributes": everything, "d/a": edit(3), b: edit(3) },
      { ".gitattributes": everything, a: edit(20), b: edit(3, "theirs"), c: edit(3) },
    );
    const structural = await mergeTrees(test.git, test.vault, { base, ours, theirs });
    expect(structural).toMatchObject({ status: "conflict" });
    expect(existsSync(proof)).toBe(false);
    expect(readdirSync(test.vault.directory).filter((name) => name.startsWith("scratch-"))).toEqual([]);
  });
});

describe("a quarantine", () => {
  it("leaves nothing behind: no folder, and no half-merged content in the vault", async () => {
    const test = makeVault();
    // As a process that was killed would leave it.
    mkdirSync(join(test.vault.directory, "scratch-1-abc/objects"), { recursive: true });
    const [base = "", ours = "", theirs = ""] = test.commit(
      { a: LINES, b: LINES },
      { a: edit(3, "ours"), "d/b": LINES },
      { a: edit(3, "theirs"), b: edit(20) },
    );
    const result = await mergeTrees(test.git, test.vault, { base, ours, theirs });
    expect(result).toMatchObject({ status: "conflict", conflicts: [{ path: "a" }] });
    await expect(mergeTrees(test.git, test.vault, { base, ours: "f".repeat(40), theirs })).rejects.toMatchObject({
      code: "GIT_FAILED",
    });
    expect(readdirSync(test.vault.directory).filter((name) => name.startsWith("scratch-"))).toEqual([]);
    const oids = test.plain(["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]).toString();
    expect(test.plain(["cat-file", "--batch"], oids).toString("latin1")).not.toContain("<<<<<<<");
    test.plain(["fsck", "--strict"]);
  });
});
