import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { systemClock } from "../../../src/base/clock.ts";
import { createGit } from "../../../src/git/git.ts";
import {
  findRepository,
  formatConfig,
  operationInProgress,
  readHead,
  readLocalConfig,
  resolveCommit,
} from "../../../src/git/repository.ts";
import { git, gitFails, makeQuarrel, makeRepository, temporaryFolder } from "../../fixtures/repository.ts";

const runner = createGit({ PATH: process.env["PATH"], HOME: "/nonexistent" }, systemClock);
const find = (folder: string) => findRepository(runner, folder);

describe("a configuration file", () => {
  it("is read by git as it was meant, whatever the values and names hold", () => {
    const path = join(temporaryFolder(), "config");
    const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
    const awkward = fc.constantFrom('"', "\\", "\n", "\t", "#", ";", " ", "=", "[", "]", "\r", "é", "😀", "\\n", ".");
    const text = fc
      .array(fc.oneof(awkward, fc.string({ unit: "grapheme" })), { maxLength: 6 })
      .map((parts) => parts.join("").replaceAll("\0", ""));
    const subsection = text.map((name) => name.replaceAll("\n", ""));
    const key = fc
      .tuple(word, fc.option(subsection.filter((name) => name !== "")), word)
      .map(([section, middle, name]) => (middle === null ? `${section}.${name}` : `${section}.${middle}.${name}`));
    fc.assert(
      fc.property(fc.array(fc.tuple(key, text), { maxLength: 8 }), (entries) => {
        writeFileSync(path, formatConfig(entries));
        const read = execFileSync("git", ["config", "--file", path, "--list", "-z"]).toString();
        expect(read).toBe(entries.map(([name, value]) => `${name}\n${value}\0`).join(""));
      }),
      { numRuns: 80 },
    );
  });
});

describe("a repository's own settings", () => {
  it("are told without the user's, with every value as it stands", async () => {
    const root = makeRepository({ "a.txt": "a\n" });
    git(root, "config", "demo.text", 'two\nlines = "q"');
    git(root, "config", "--add", "demo.text", "again");
    git(root, "config", "demo.Sub.Key.name", "");
    writeFileSync(join(root, ".git/config"), "[demo]\n\tflag\n", { flag: "a" });
    const withGlobal = createGit(
      { PATH: process.env["PATH"], GIT_CONFIG_GLOBAL: join(temporaryFolder(), "none"), HOME: "/nonexistent" },
      systemClock,
    );
    const entries = await readLocalConfig(withGlobal, await find(root));
    expect(entries.filter(([key]) => key.startsWith("demo."))).toEqual([
      ["demo.text", 'two\nlines = "q"'],
      ["demo.text", "again"],
      ["demo.Sub.Key.name", ""],
      ["demo.flag", "true"],
    ]);
    expect(entries.some(([key]) => key === "core.hookspath")).toBe(false);
  });
});

describe("the repository around a folder", () => {
  it("is found from its root, from below, and from another worktree of it", async () => {
    const root = makeRepository({ "deep/er/a.txt": "a\n" });
    expect(await find(root)).toEqual({
      root,
      subdirectory: "",
      gitDirectory: join(root, ".git"),
      commonDirectory: join(root, ".git"),
      objectsDirectory: join(root, ".git/objects"),
      objectFormat: "sha1",
      shallow: false,
    });
    expect(await find(join(root, "deep/er"))).toMatchObject({ root, subdirectory: "deep/er" });
    const other = join(temporaryFolder(), "other tree");
    git(root, "worktree", "add", "--quiet", "--detach", other);
    expect(await find(other)).toMatchObject({
      root: other,
      gitDirectory: join(root, ".git/worktrees/other-tree"),
      commonDirectory: join(root, ".git"),
    });
  });

  it("tells a shallow one and one of SHA-256", async () => {
    const root = makeRepository({ "a.txt": "a\n" });
    git(root, "commit", "--quiet", "--allow-empty", "-m", "second");
    const shallow = join(temporaryFolder(), "shallow");
    git(root, "clone", "--quiet", "--depth=1", `file://${root}`, shallow);
    expect(await find(shallow)).toMatchObject({ shallow: true });
    const modern = temporaryFolder();
    git(modern, "init", "--quiet", "--object-format=sha256");
    expect(await find(modern)).toMatchObject({ objectFormat: "sha256" });
  });

  it("is refused where there is none, where it is bare, and where its path cannot be told", async () => {
    const folder = temporaryFolder();
    await expect(find(folder)).rejects.toMatchObject({ code: "NOT_A_REPOSITORY" });
    await expect(find(join(folder, "gone"))).rejects.toMatchObject({ code: "NOT_A_REPOSITORY" });
    git(folder, "init", "--quiet", "--bare", "bare.git");
    await expect(find(join(folder, "bare.git"))).rejects.toMatchObject({ code: "BARE_REPOSITORY" });
    const broken = join(folder, "two\nlines");
    mkdirSync(broken);
    git(broken, "init", "--quiet");
    await expect(find(broken)).rejects.toMatchObject({ code: "REPOSITORY_UNSUPPORTED" });
  });
});

describe("where a worktree stands", () => {
  it("is told with every ref, and what annotated tags are tags of", async () => {
    const root = makeRepository({ "a.txt": "a\n" });
    git(root, "tag", "light");
    git(root, "tag", "-a", "-m", "m", "heavy");
    git(root, "branch", "feature/é");
    const commit = git(root, "rev-parse", "HEAD");
    const head = await readHead(runner, await find(root));
    expect(head.commit).toBe(commit);
    expect(head.branch).toBe("main");
    expect(head.refs.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: "refs/heads/feature/é", oid: commit, peeledOid: undefined },
      { name: "refs/heads/main", oid: commit, peeledOid: undefined },
      { name: "refs/tags/heavy", oid: git(root, "rev-parse", "heavy"), peeledOid: commit },
      { name: "refs/tags/light", oid: commit, peeledOid: undefined },
    ]);
    git(root, "checkout", "--quiet", "--detach");
    expect(await readHead(runner, await find(root))).toMatchObject({ commit, branch: undefined });
  });

  it("is told before the first commit too", async () => {
    const root = temporaryFolder();
    git(root, "init", "--quiet", "--initial-branch=trunk");
    expect(await readHead(runner, await find(root))).toEqual({ commit: undefined, branch: "trunk", refs: [] });
  });

  it("is told with what was begun and not ended", async () => {
    const root = makeQuarrel();
    expect(operationInProgress(await find(root))).toBeUndefined();
    for (const [words, what] of [
      [["merge", "other"], "a merge"],
      [["rebase", "other"], "a rebase"],
      [["cherry-pick", "other"], "a cherry-pick"],
      [["revert", "HEAD~1"], "a revert"],
    ] as const) {
      gitFails(root, ...words);
      expect(operationInProgress(await find(root)), what).toBe(what);
      git(root, words[0], "--abort");
    }
  });
});

describe("a commit that somebody names", () => {
  it("is found by branch, tag, place and the start of its id", async () => {
    const root = makeRepository({ "a.txt": "a\n" });
    const first = git(root, "rev-parse", "HEAD");
    git(root, "tag", "-a", "-m", "m", "heavy");
    git(root, "commit", "--quiet", "--allow-empty", "-m", "second");
    const repository = await find(root);
    expect(await resolveCommit(runner, repository, "main")).toBe(git(root, "rev-parse", "HEAD"));
    for (const word of ["heavy", "HEAD~1", "main^", first, first.slice(0, 8)]) {
      expect(await resolveCommit(runner, repository, word), word).toBe(first);
    }
  });

  it("is refused when it is none, and never taken for an option", async () => {
    const root = makeRepository({ "a.txt": "a\n" });
    const repository = await find(root);
    const tree = git(root, "rev-parse", "HEAD^{tree}");
    for (const word of [
      "nowhere",
      tree,
      "HEAD:a.txt",
      "",
      " ",
      "--all",
      "--output=x",
      "-h",
      "main..main",
      "0".repeat(40),
    ]) {
      await expect(resolveCommit(runner, repository, word), word).rejects.toMatchObject({
        code: "UNKNOWN_BASE",
        data: { base: word },
      });
    }
  });
});
