import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { mergeTrees, type MergeRequest, type TreeMerge } from "../../../src/landing/merge-trees.ts";
import { hasMarkers } from "../../../src/merge/text.ts";
import { makeFolder, removeFolder } from "../../fixtures/repository.ts";
import {
  EXECUTABLE,
  LINK,
  makeVault,
  openTestVault,
  SUBMODULE,
  type TestVault,
  type TreeSpec,
} from "../../fixtures/vault.ts";

const LINES = Array.from({ length: 30 }, (_, index) => `line ${index}\n`).join("");
const edit = (text: string, index: number, to = `edited ${index}`) => text.replace(`line ${index}\n`, `${to}\n`);
const module = (digit: string) => ({ mode: SUBMODULE, content: digit.repeat(40) });
const link = (content: string) => ({ mode: LINK, content });
const executable = (content: string) => ({ mode: EXECUTABLE, content });

let folder = "";
let shared: TestVault;

beforeAll(() => {
  folder = makeFolder("anabranch-merge-");
  shared = openTestVault(folder);
});

afterAll(async () => {
  await shared.vault.close();
  removeFolder(folder);
});

interface Case {
  readonly base: TreeSpec;
  readonly ours: TreeSpec;
  readonly theirs: TreeSpec;
}

async function merge(
  { base, ours, theirs }: Case,
  choices: Record<string, "ours" | "theirs"> = {},
  test: TestVault = shared,
): Promise<TreeMerge> {
  const [b = "", o = "", t = ""] = test.commit(base, ours, theirs);
  const request: MergeRequest = { base: b, ours: o, theirs: t, choices: new Map(Object.entries(choices)) };
  return mergeTrees(test.git, test.vault, request);
}

/** The files of a merge that must be clean. */
async function merged(input: Case, choices: Record<string, "ours" | "theirs"> = {}, test = shared) {
  const result = await merge(input, choices, test);
  expect(result).toMatchObject({ status: "merged" });
  return test.files(result.status === "merged" ? result.tree : result.partial);
}

/** The conflicts of a merge that must have some; at each path that is open, the partial tree holds ours. */
async function conflicts(input: Case, test = shared) {
  const result = await merge(input, {}, test);
  if (result.status !== "conflict") throw new Error(`merged: ${JSON.stringify(test.files(result.tree))}`);
  const partial = test.files(result.partial);
  for (const { path } of result.conflicts) expect(partial[path]).toEqual(input.ours[path]);
  for (const file of Object.values(partial)) {
    expect(hasMarkers(typeof file === "string" ? file : file.content)).toBe(false);
  }
  return { conflicts: result.conflicts, partial };
}

describe("a merge of trees", () => {
  it("takes the one side that changed anything", async () => {
    const [base, other] = [{ a: "1\n" }, { a: "2\n", b: "3\n" }];
    expect(await merged({ base, ours: other, theirs: base })).toEqual(other);
    expect(await merged({ base, ours: base, theirs: other })).toEqual(other);
    expect(await merged({ base, ours: other, theirs: other })).toEqual(other);
  });

  it("keeps what each side did elsewhere", async () => {
    const base = { a: "1\n", b: "2\n", "d/c": "3\n", gone: "4\n", left: "5\n" };
    const ours = { ...base, a: "ours\n", "d/new": "6\n" };
    const { gone: _gone, ...theirs } = { ...base, b: executable("2\n"), "d/c": "theirs\n", "e/f/g": "7\n", gone: "" };
    const result = await merge({ base, ours, theirs });
    expect(result).toMatchObject({ status: "merged", resolved: [], waivers: [] });
    expect(result.status === "merged" && result.changes.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      "modified b",
      "modified d/c",
      "added e/f/g",
      "deleted gone",
    ]);
    expect(shared.files(result.status === "merged" ? result.tree : "")).toEqual({
      a: "ours\n",
      b: executable("2\n"),
      "d/c": "theirs\n",
      "d/new": "6\n",
      "e/f/g": "7\n",
      left: "5\n",
    });
  });

  it("merges the lines of a file that both changed, and its mode", async () => {
    const base = { a: LINES, b: "1\n" };
    const result = await merge({
      base,
      ours: { a: edit(LINES, 3), b: "2\n" },
      theirs: { a: executable(edit(LINES, 20)), b: "1\n" },
    });
    expect(result).toMatchObject({ status: "merged", resolved: [{ path: "a", resolver: "lines", class: "A" }] });
    expect(shared.files(result.status === "merged" ? result.tree : "")).toEqual({
      a: executable(edit(edit(LINES, 3), 20)),
      b: "2\n",
    });
  });

  it("knows no conflict where both did the same", async () => {
    const base = { a: LINES, b: "1\n", c: "2\n", d: "3\n" };
    const both = { a: edit(LINES, 3), c: executable("2\n"), d: link("a"), e: "new\n" };
    expect(await merged({ base, ours: { ...both, f: "1" }, theirs: { ...both, g: "2" } })).toEqual({
      ...both,
      f: "1",
      g: "2",
    });
  });

  it("keeps the line ends, the byte order mark and the missing last line end of each side", async () => {
    const crlf = LINES.replaceAll("\n", "\r\n");
    const base = { crlf, mark: LINES, end: LINES };
    const ours = { crlf: crlf.replace("line 3", "ours"), mark: `\xef\xbb\xbf${LINES}`, end: LINES.slice(0, -1) };
    const theirs = { crlf: crlf.replace("line 20", "theirs"), mark: edit(LINES, 9), end: edit(LINES, 9) };
    expect(await merged({ base, ours, theirs })).toEqual({
      crlf: crlf.replace("line 3", "ours").replace("line 20", "theirs"),
      mark: `\xef\xbb\xbf${edit(LINES, 9)}`,
      end: edit(LINES, 9).slice(0, -1),
    });
  });

  it("merges texts of any encoding byte by byte", async () => {
    const base = { a: `${LINES}\xe9\xff\n` };
    const result = await merged({ base, ours: { a: `\xfe\n${base.a}` }, theirs: { a: `${base.a}\x80\n` } });
    expect(result).toEqual({ a: `\xfe\n${base.a}\x80\n` });
  });

  it("goes by the trees, however the commits are related", async () => {
    const { vault, git, commit, files, plain } = makeVault();
    const [base = "", ours = "", theirs = ""] = commit({ a: LINES }, { a: edit(LINES, 1) }, { a: edit(LINES, 20) });
    expect(() => plain(["merge-base", ours, theirs])).toThrow();
    const [one, two] = await Promise.all([
      mergeTrees(git, vault, { base, ours, theirs }),
      mergeTrees(git, vault, {
        base: await vault.objects.treeOf(base),
        ours: await vault.objects.treeOf(ours),
        theirs,
      }),
    ]);
    expect(one).toEqual(two);
    expect(files(one.status === "merged" ? one.tree : "")).toEqual({ a: edit(edit(LINES, 1), 20) });
  });

  it("leaves names that are not UTF-8 as they are, and merges them", async () => {
    const base = { "d/caf\udce9": LINES, "d/a": "1\n" };
    const files = await merged({
      base,
      ours: { ...base, "d/caf\udce9": edit(LINES, 1), "d/\udcff": "2\n" },
      theirs: { ...base, "d/caf\udce9": edit(LINES, 20), "d/\udcfe": "3\n" },
    });
    expect(files).toEqual({ "d/caf\xe9": edit(edit(LINES, 1), 20), "d/a": "1\n", "d/\xff": "2\n", "d/\xfe": "3\n" });
  });

  it("never reads a file that one side changed, however large it is", async () => {
    const { git, vault, plain, files } = makeVault();
    const blob = (content: Buffer | string) => plain(["hash-object", "-w", "--stdin"], content).toString().trim();
    const tree = (entries: Record<string, string>) =>
      plain(
        ["mktree"],
        Object.entries(entries)
          .map(([name, oid]) => `100644 blob ${oid}\t${name}\n`)
          .join(""),
      )
        .toString()
        .trim();
    const large = blob(Buffer.alloc(100 * 1024 * 1024, 7));
    const small = blob("1\n");
    const [base, ours, theirs] = [
      tree({ l: small, a: small }),
      tree({ l: small, a: blob("2\n") }),
      tree({ l: large, a: small }),
    ];
    const before = process.memoryUsage().arrayBuffers;
    const result = await mergeTrees(git, vault, { base, ours, theirs });
    expect(result).toMatchObject({ status: "merged", tree: tree({ l: large, a: blob("2\n") }) });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * 1024 * 1024);
    const other = blob(Buffer.alloc(17 * 1024 * 1024, 8));
    const both = await mergeTrees(git, vault, { base, ours: tree({ l: other, a: small }), theirs });
    expect(both).toMatchObject({ status: "conflict", conflicts: [{ path: "l", kind: "binary" }] });
    expect(files(base)).toEqual({ l: "1\n", a: "1\n" });
  });

  it("brings ten thousand changed files together", async () => {
    const { git, vault, commit } = makeVault();
    const numbers = Array.from({ length: 10_000 }, (_, index) => index);
    const tree = (text: (index: number) => string) =>
      Object.fromEntries(numbers.map((index) => [`d${index % 100}/f${index}`, text(index)]));
    const [base = "", ours = "", theirs = "", both = ""] = commit(
      tree((index) => `${index}\n`),
      { ...tree((index) => `${index}\n`), new: "1\n" },
      tree((index) => `theirs ${index}\n`),
      { ...tree((index) => `theirs ${index}\n`), new: "1\n" },
    );
    const result = await mergeTrees(git, vault, { base, ours, theirs });
    expect(result).toMatchObject({ status: "merged", tree: await vault.objects.treeOf(both) });
    expect(result.status === "merged" && result.changes.length).toBe(10_000);
  });
});

describe("a move on one side and an edit on the other", () => {
  const base = { a: LINES, z: "1\n" };
  const expected = { "d/b": edit(LINES, 20), z: "1\n" };

  it("lands, whichever side moved", async () => {
    const moved = { "d/b": LINES, z: "1\n" };
    const edited = { a: edit(LINES, 20), z: "1\n" };
    expect(await merged({ base, ours: moved, theirs: edited })).toEqual(expected);
    expect(await merged({ base, ours: edited, theirs: moved })).toEqual(expected);
  });

  it("lands with the edits of the side that moved", async () => {
    const moved = { "d/b": edit(LINES, 3), z: "1\n" };
    const edited = { a: edit(LINES, 20), z: "1\n" };
    const result = await merge({ base, ours: moved, theirs: edited });
    expect(result).toMatchObject({ status: "merged", resolved: [{ path: "d/b", resolver: "lines" }] });
    expect(await merged({ base, ours: moved, theirs: edited })).toEqual({
      ...expected,
      "d/b": edit(edit(LINES, 3), 20),
    });
    expect(await merged({ base, ours: edited, theirs: moved })).toEqual({
      ...expected,
      "d/b": edit(edit(LINES, 3), 20),
    });
  });

  it("lands where both moved it to the same place", async () => {
    expect(
      await merged({ base, ours: { "d/b": edit(LINES, 3), z: "1\n" }, theirs: { "d/b": edit(LINES, 20), z: "1\n" } }),
    ).toEqual({ ...expected, "d/b": edit(edit(LINES, 3), 20) });
  });

  it("is a conflict where the edits meet, and keeps the move with either choice", async () => {
    const moved = { "d/b": edit(LINES, 3, "ours"), z: "1\n" };
    const edited = { a: edit(LINES, 3, "theirs"), z: "1\n" };
    const { conflicts: found } = await conflicts({ base, ours: moved, theirs: edited });
    expect(found).toMatchObject([
      { path: "d/b", kind: "contents", hunks: [{ baseStart: 3, ours: ["ours"], theirs: ["theirs"] }] },
    ]);
    const { conflicts: reverse, partial } = await conflicts({ base, ours: edited, theirs: moved });
    expect(reverse).toMatchObject([{ path: "a", renamedTo: "d/b", kind: "contents" }]);
    expect(partial).toEqual(edited);
    expect(await merged({ base, ours: edited, theirs: moved }, { a: "ours" })).toEqual({ "d/b": edited.a, z: "1\n" });
    expect(await merged({ base, ours: edited, theirs: moved }, { a: "theirs" })).toEqual(moved);
    expect(await merged({ base, ours: moved, theirs: edited }, { "d/b": "theirs" })).toEqual({
      "d/b": edited.a,
      z: "1\n",
    });
  });
});

describe("a conflict", () => {
  const base = { a: LINES, b: LINES, keep: "1\n" };

  const CASES: Record<
    string,
    Case & { kind: string; path: string; message: RegExp; ifOurs: TreeSpec; ifTheirs: TreeSpec | undefined }
  > = {
    "of contents": {
      base: { a: LINES, b: "1\n" },
      ours: { a: edit(LINES, 3, "ours"), b: "1\n" },
      theirs: { a: edit(LINES, 3, "theirs"), b: "2\n" },
      kind: "contents",
      path: "a",
      message: /both sides changed a at the same place/,
      ifOurs: { a: edit(LINES, 3, "ours"), b: "2\n" },
      ifTheirs: { a: edit(LINES, 3, "theirs"), b: "2\n" },
    },
    "of binary contents": {
      base: { a: "0\0" },
      ours: { a: "1\0" },
      theirs: { a: "2\0" },
      kind: "binary",
      path: "a",
      message: /no text/,
      ifOurs: { a: "1\0" },
      ifTheirs: { a: "2\0" },
    },
    "of two added files": {
      base,
      ours: { ...base, n: "ours\n" },
      theirs: { ...base, n: "theirs\n" },
      kind: "both-added",
      path: "n",
      message: /both sides added n/,
      ifOurs: { ...base, n: "ours\n" },
      ifTheirs: { ...base, n: "theirs\n" },
    },
    "of modes": {
      base,
      ours: { ...base, n: "n\n" },
      theirs: { ...base, n: executable("n\n") },
      kind: "mode",
      path: "n",
      message: /100644 and 100755/,
      ifOurs: { ...base, n: "n\n" },
      ifTheirs: { ...base, n: executable("n\n") },
    },
    "of a deletion with a change": {
      base,
      ours: { b: LINES, keep: "1\n" },
      theirs: { ...base, a: edit(LINES, 3), keep: "2\n" },
      kind: "modified-deleted",
      path: "a",
      message: /theirs changed a, and ours deleted it/,
      ifOurs: { b: LINES, keep: "2\n" },
      ifTheirs: { ...base, a: edit(LINES, 3), keep: "2\n" },
    },
    "of a change with a deletion": {
      base,
      ours: { ...base, a: edit(LINES, 3) },
      theirs: { b: LINES, keep: "2\n" },
      kind: "modified-deleted",
      path: "a",
      message: /ours changed a, and theirs deleted it/,
      ifOurs: { ...base, a: edit(LINES, 3), keep: "2\n" },
      ifTheirs: { b: LINES, keep: "2\n" },
    },
    "of two moves": {
      base: { a: LINES },
      ours: { "o/a": LINES },
      theirs: { "t/a": LINES },
      kind: "rename-rename",
      path: "o/a",
      message: /ours has a at o\/a, and theirs has it at t\/a/,
      ifOurs: { "o/a": LINES },
      ifTheirs: { "t/a": LINES },
    },
    "of a move with a deletion": {
      base: { a: LINES, b: "1\n" },
      ours: { "o/a": edit(LINES, 3), b: "1\n" },
      theirs: { b: "2\n" },
      kind: "rename-delete",
      path: "o/a",
      message: /ours moved a to o\/a, and theirs deleted it/,
      ifOurs: { "o/a": edit(LINES, 3), b: "2\n" },
      ifTheirs: { b: "2\n" },
    },
    "of a deletion with a move": {
      base: { a: LINES, b: "1\n" },
      ours: { b: "2\n" },
      theirs: { "o/a": edit(LINES, 3), b: "1\n" },
      kind: "rename-delete",
      path: "a",
      message: /theirs moved a to o\/a, and ours deleted it/,
      ifOurs: { b: "2\n" },
      ifTheirs: { "o/a": edit(LINES, 3), b: "2\n" },
    },
    "of a folder with a file": {
      base: { a: "1\n" },
      ours: { a: "1\n", "d/x": "ours\n" },
      theirs: { a: "2\n", d: "theirs\n" },
      kind: "file-folder",
      path: "d",
      message: /d is a file on one side and a folder on the other/,
      ifOurs: { a: "2\n", "d/x": "ours\n" },
      ifTheirs: { a: "2\n", d: "theirs\n" },
    },
    "of a file with a folder": {
      base: { a: "1\n" },
      ours: { a: "1\n", d: "ours\n" },
      theirs: { a: "2\n", "d/x": "theirs\n", "d/y/z": "theirs\n" },
      kind: "file-folder",
      path: "d",
      message: /d is a file on one side and a folder on the other/,
      ifOurs: { a: "2\n", d: "ours\n" },
      ifTheirs: { a: "2\n", "d/x": "theirs\n", "d/y/z": "theirs\n" },
    },
    "of a file that became a folder with an edit of it": {
      base: { a: LINES, b: "1\n" },
      ours: { a: edit(LINES, 3), b: "1\n" },
      theirs: { "a/x": "theirs\n", b: "2\n" },
      kind: "file-folder",
      path: "a",
      message: /a is a file on one side and a folder on the other/,
      ifOurs: { a: edit(LINES, 3), b: "2\n" },
      ifTheirs: { "a/x": "theirs\n", b: "2\n" },
    },
    "of types": {
      base: { a: LINES, b: "1\n" },
      ours: { a: edit(LINES, 3), b: "1\n" },
      theirs: { a: link("b"), b: "2\n" },
      kind: "type",
      path: "a",
      message: /a is a file on one side and a link/,
      ifOurs: { a: edit(LINES, 3), b: "2\n" },
      ifTheirs: { a: link("b"), b: "2\n" },
    },
    "of links": {
      base: { a: link("x"), b: "1\n" },
      ours: { a: link("y"), b: "1\n" },
      theirs: { a: link("z"), b: "2\n" },
      kind: "contents",
      path: "a",
      message: /both sides changed a/,
      ifOurs: { a: link("y"), b: "2\n" },
      ifTheirs: { a: link("z"), b: "2\n" },
    },
    "of submodules": {
      base: { s: module("1"), b: "1\n" },
      ours: { s: module("2"), b: "1\n" },
      theirs: { s: module("3"), b: "2\n" },
      kind: "submodule",
      path: "s",
      message: /submodule s/,
      ifOurs: { s: module("2"), b: "2\n" },
      ifTheirs: { s: module("3"), b: "2\n" },
    },
    "of a submodule with its removal": {
      base: { s: module("1"), b: "1\n" },
      ours: { s: module("2"), b: "1\n" },
      theirs: { b: "2\n" },
      kind: "submodule",
      path: "s",
      message: /submodule s/,
      ifOurs: { s: module("2"), b: "2\n" },
      ifTheirs: { b: "2\n" },
    },
    "of a file in a folder that ours moved": {
      base: { "d/a": LINES, "d/b": `${LINES}b`, c: LINES },
      ours: { "e/a": LINES, "e/b": `${LINES}b`, c: LINES },
      theirs: { "d/a": LINES, "d/b": `${LINES}b`, "d/n": "new\n", c: edit(LINES, 3) },
      kind: "rename-rename",
      path: "d/n",
      message: /theirs has d\/n in a folder that ours moved: it may belong at e\/n/,
      ifOurs: { "e/a": LINES, "e/b": `${LINES}b`, c: edit(LINES, 3) },
      ifTheirs: { "e/a": LINES, "e/b": `${LINES}b`, "e/n": "new\n", c: edit(LINES, 3) },
    },
    "of names that differ in case": {
      base: { a: "1\n" },
      ours: { a: "1\n", Readme: "ours\n" },
      theirs: { a: "2\n", README: "theirs\n" },
      kind: "name-clash",
      path: "README",
      message: /ours added Readme and theirs added README/,
      ifOurs: { a: "2\n", Readme: "ours\n" },
      ifTheirs: { a: "2\n", README: "theirs\n" },
    },
    "of folders that differ in case": {
      base: { a: "1\n", "lib/x": LINES },
      ours: { a: "1\n", "Lib/x": LINES },
      theirs: { a: "2\n", "lib/x": LINES, "lib/y/z": "theirs\n", "lib/y/w": "theirs\n" },
      kind: "name-clash",
      path: "lib",
      message: /ours added Lib and theirs added lib/,
      ifOurs: { a: "2\n", "Lib/x": LINES },
      ifTheirs: undefined,
    },
    "of names that differ in how letters are composed": {
      base: { a: "1\n" },
      ours: { a: "1\n", "caf\u00e9/x": "ours\n" },
      theirs: { a: "2\n", "cafe\u0301/y": "theirs\n" },
      kind: "name-clash",
      path: "cafe\u0301",
      message: /composition of letters/,
      ifOurs: { a: "2\n", "caf\u00e9/x": "ours\n" },
      ifTheirs: undefined,
    },
  };

  for (const [name, { kind, path, message, ifOurs, ifTheirs, ...input }] of Object.entries(CASES)) {
    it(`${name} says what it is, keeps ours meanwhile, and takes either choice`, async () => {
      const { conflicts: found } = await conflicts(input);
      expect(found.map((one) => [one.kind, one.path])).toEqual([[kind, path]]);
      expect(found[0]?.message).toMatch(message);
      for (const [choice, expected] of [
        ["ours", ifOurs],
        ["theirs", ifTheirs],
      ] as const) {
        const result = await merge(input, { [path]: choice });
        if (expected === undefined) {
          expect(result).toMatchObject({ status: "conflict", conflicts: [{ path, kind }] });
          continue;
        }
        expect(result).toMatchObject({ status: "merged", waivers: [{ path, by: "person" }] });
        expect(shared.files(result.status === "merged" ? result.tree : "")).toEqual(expected);
      }
    });
  }
});
