import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { reachableObjects, startTrial } from "../../fixtures/acceptance.ts";
import { photograph } from "../../fixtures/photograph.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../../fixtures/repository.ts";
import { refused } from "../../fixtures/refused.ts";

const text = (root: string, path: string): string => readFileSync(join(root, path), "utf8");
const log = (root: string, format = "%s"): string[] => git(root, "log", `--format=${format}`).split("\n");

describe("accepting into a clean tree", () => {
  it("makes one commit of each changeset, by its author, committed by the user, with the landing named", async () => {
    const root = makeRepository({ "a.txt": "a\n", "b.txt": "b\n", "c/d.txt": "d\n" });
    git(root, "config", "user.name", "Grace");
    git(root, "config", "user.email", "grace@example.org");
    const trial = await startTrial(root);
    await trial.land("one: first change", { "a.txt": "A\n", "n/new.txt": "new\n" });
    await trial.land("two: second change", { "a.txt": "AA\n", "c/d.txt": null });
    await trial.accept();
    expect(log(root)).toEqual(["two: second change", "one: first change", "first"]);
    expect(log(root, "%an|%cn <%ce>|%(trailers:key=Anabranch-Landing,valueonly,separator=%x2C)")).toEqual([
      "task2 (Anabranch)|Grace <grace@example.org>|landing2",
      "task1 (Anabranch)|Grace <grace@example.org>|landing1",
      "Ada|Ada <ada@example.org>|",
    ]);
    expect(git(root, "status", "--porcelain")).toBe("");
    expect(git(root, "diff-files")).toBe("");
    expect(text(root, "a.txt")).toBe("AA\n");
    expect(existsSync(join(root, "c"))).toBe(false);
    expect(git(root, "show", "HEAD~1:a.txt")).toBe("A");
    expect(git(root, "reflog", "-1", "--format=%gs")).toBe("anabranch accept run1");
    expect(git(root, "reflog", "main", "-1", "--format=%gs")).toBe("anabranch accept run1");
    expect(git(root, "fsck", "--full")).toBe("");
  });

  it("moves a detached HEAD and no branch", async () => {
    const root = makeRepository({ "a.txt": "a\n" });
    const before = git(root, "rev-parse", "main");
    git(root, "checkout", "--quiet", "--detach");
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": "A\n" });
    await trial.accept();
    expect(git(root, "rev-parse", "main")).toBe(before);
    expect(git(root, "show", "HEAD:a.txt")).toBe("A");
    expect(git(root, "status", "--porcelain")).toBe("");
  });

  it("works in a linked worktree and leaves the main one as it is", async () => {
    const root = makeRepository({ "a.txt": "a\n" });
    const linked = join(temporaryFolder(), "linked");
    git(root, "worktree", "add", "--quiet", "-b", "side", linked);
    const trial = await startTrial(linked);
    await trial.land("one: change", { "a.txt": "A\n" });
    await trial.accept();
    expect(git(linked, "log", "--format=%s", "side")).toBe("one: change\nfirst");
    expect(git(linked, "status", "--porcelain")).toBe("");
    expect(git(root, "log", "--format=%s")).toBe("first");
    expect(git(root, "status", "--porcelain")).toBe("");
    expect(text(root, "a.txt")).toBe("a\n");
  });

  it("puts its commits on what the branch has become meanwhile", async () => {
    const root = makeRepository({ "a.txt": "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "b.txt": "b\n" });
    const trial = await startTrial(root);
    await trial.land("one: first line", { "a.txt": "one\n2\n3\n4\n5\n6\n7\n8\n9\n" });
    await trial.land("two: b", { "b.txt": "B\n" });
    writeFiles(root, { "a.txt": "1\n2\n3\n4\n5\n6\n7\n8\nnine\n", "mine.txt": "mine\n" });
    git(root, "add", "--all");
    git(root, "commit", "--quiet", "-m", "mine");
    await trial.accept();
    expect(log(root)).toEqual(["two: b", "one: first line", "mine", "first"]);
    expect(text(root, "a.txt")).toBe("one\n2\n3\n4\n5\n6\n7\n8\nnine\n");
    expect(git(root, "show", "--name-only", "--format=", "HEAD~1")).toBe("a.txt");
    expect(git(root, "status", "--porcelain")).toBe("");
  });

  it("refuses what conflicts with the branch, with the way to go on, and writes nothing", async () => {
    const root = makeRepository({ "a.txt": "a\n", "b.txt": "b\n" });
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": "theirs\n", "b.txt": "B\n" });
    writeFiles(root, { "a.txt": "mine\n" });
    git(root, "commit", "--quiet", "-am", "mine");
    const before = photograph(root);
    const error = await refused(trial.accept(), "ACCEPT_REFUSED");
    expect(error.data["paths"]).toEqual([expect.objectContaining({ path: "a.txt" })]);
    expect(error.hint).toContain("git switch -c");
    expect(photograph(root)).toEqual(before);
  });

  it("names the hooks that did not run, and runs none", async () => {
    const root = makeRepository({ "a.txt": "a\n" });
    const trace = join(temporaryFolder(), "trace");
    for (const hook of ["pre-commit", "commit-msg", "reference-transaction", "post-index-change", "post-commit"]) {
      writeFileSync(join(root, ".git/hooks", hook), `#!/bin/sh\necho ${hook} >> ${trace}\n`, { mode: 0o755 });
    }
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": "A\n" });
    const plan = await trial.plan();
    expect(plan.request.state.hooks).toEqual([
      "pre-commit",
      "commit-msg",
      "post-commit",
      "reference-transaction",
      "post-index-change",
    ]);
    expect(await trial.write(await trial.stage(plan))).toEqual([]);
    expect(existsSync(trace)).toBe(false);
  });
});

describe("the user's uncommitted content", () => {
  it("is reachable from no ref: an untracked file that the run changed stays out of every commit", async () => {
    const root = makeRepository({ "a.txt": "a\n" });
    writeFiles(root, { "secret.txt": "the secret\n", "other.txt": "other\n" });
    const secrets = ["the secret\n", "the secret\nmore\n", "other\n"].map((content) => blobOf(content));
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": "A\n", "secret.txt": "the secret\nmore\n" });
    const record = await trial.accept();
    expect(record.uncommitted).toEqual([{ path: "secret.txt", why: "git does not track it" }]);
    expect(text(root, "secret.txt")).toBe("the secret\nmore\n");
    expect(git(root, "show", "--name-only", "--format=", "HEAD")).toBe("a.txt");
    expect(git(root, "status", "--porcelain")).toBe("?? other.txt\n?? secret.txt");
    const objects = new Set(reachableObjects(root));
    expect(secrets.filter((oid) => objects.has(oid))).toEqual([]);
    expect(storedObjects(root).filter((oid) => secrets.includes(oid))).toEqual([]);
  });

  it("is not committed under another name either: copied, renamed, renamed and edited, or in a tracked file", async () => {
    const secret = `${Array.from({ length: 40 }, (_, line) => `secret line ${line}`).join("\n")}\n`;
    const root = makeRepository({ "a.txt": "a\n", "tracked.txt": "t\n" });
    writeFiles(root, { "secret.txt": secret, "moved.txt": `moved ${secret}`, "edited.txt": `edited ${secret}` });
    const trial = await startTrial(root);
    await trial.land("one: change", {
      "a.txt": "A\n",
      "copy.txt": secret,
      "tracked.txt": secret,
      "moved.txt": null,
      "now/moved.txt": `moved ${secret}`,
      "edited.txt": null,
      "now/edited.txt": `edited ${secret}one line\n`,
    });
    await trial.land("two: change", { "again.txt": `edited ${secret}one line\n`, "now/edited.txt": "short\n" });
    const record = await trial.accept();
    expect(git(root, "show", "--name-only", "--format=", "HEAD")).toBe("a.txt");
    expect(record.uncommitted.map(({ path }) => path).toSorted()).toEqual([
      "again.txt",
      "copy.txt",
      "edited.txt",
      "moved.txt",
      "now/edited.txt",
      "now/moved.txt",
      "tracked.txt",
    ]);
    expect(text(root, "copy.txt")).toBe(secret);
    expect(existsSync(join(root, "moved.txt"))).toBe(false);
    const pieces = reachableObjects(root).filter((oid) => git(root, "cat-file", "-p", oid).includes("secret line"));
    expect(pieces).toEqual([]);
  });

  it("that was given up since the run started does not come back in a commit", async () => {
    const lines = ["1", "2", "3", "4", "5", "6", "7", "8"];
    const root = makeRepository({ "a.txt": `${lines.join("\n")}\n` });
    writeFiles(root, { "a.txt": `draft\n${lines.join("\n")}\n` });
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": `draft\n${lines.slice(0, 7).join("\n")}\neight\n` });
    git(root, "checkout", "--", "a.txt");
    await trial.accept();
    expect(text(root, "a.txt")).toBe(`${lines.slice(0, 7).join("\n")}\neight\n`);
    expect(git(root, "show", "HEAD:a.txt")).not.toContain("draft");
    expect(git(root, "status", "--porcelain")).toBe("");
  });

  it("is not committed where it was made after the run started, and the run made the same", async () => {
    const root = makeRepository({ "a.txt": "a\n" });
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": "A\n", "notes.txt": "same\n", "two.txt": "mine\n" });
    writeFiles(root, { "notes.txt": "same\n", "mine.txt": "mine\n" });
    const record = await trial.accept();
    expect(record.uncommitted.map(({ path }) => path).toSorted()).toEqual(["notes.txt", "two.txt"]);
    expect(git(root, "show", "--name-only", "--format=", "HEAD")).toBe("a.txt");
    expect(git(root, "status", "--porcelain")).toBe("?? mine.txt\n?? notes.txt\n?? two.txt");
  });

  it("may be empty: an empty file is nobody's secret", async () => {
    const root = makeRepository({ "a.txt": "a\n" });
    writeFiles(root, { "mine/__init__.py": "" });
    const trial = await startTrial(root);
    await trial.land("one: change", { "theirs/__init__.py": "" });
    await trial.accept();
    expect(git(root, "show", "--name-only", "--format=", "HEAD")).toBe("theirs/__init__.py");
  });
});

describe("accepting into a tree with uncommitted changes", () => {
  it("leaves unstaged edits, makes no commit, and touches neither the index nor anything nobody asked for", async () => {
    const root = makeRepository({ "a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n" });
    writeFiles(root, { "b.txt": "my edit\n", "untracked.txt": "u\n" });
    writeFiles(root, { "c.txt": "staged\n" });
    git(root, "add", "c.txt");
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": "A\n", "new.txt": "new\n" });
    const before = photograph(root);
    const record = await trial.accept();
    expect(record.commits).toEqual([]);
    const after = photograph(root);
    for (const path of ["/a.txt", "/new.txt", "a.txt", "new.txt"]) {
      delete before[path];
      delete after[path];
    }
    expect(after).toEqual(before);
    expect(text(root, "a.txt")).toBe("A\n");
    expect(text(root, "new.txt")).toBe("new\n");
  });

  it("writes a file that the run edited on top of an edit of the user's, while that stands as it was", async () => {
    const root = makeRepository({ "a.txt": "a\n" });
    writeFiles(root, { "a.txt": "mine\n" });
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": "mine\ntheirs\n" });
    await trial.accept();
    expect(text(root, "a.txt")).toBe("mine\ntheirs\n");
    expect(git(root, "log", "--format=%s")).toBe("first");
  });

  it("refuses and lists what was edited since, also where the texts would merge, and writes nothing", async () => {
    const root = makeRepository({ "a.txt": "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "b.txt": "b\n" });
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": "one\n2\n3\n4\n5\n6\n7\n8\n9\n", "b.txt": "B\n", "new.txt": "n\n" });
    writeFiles(root, { "a.txt": "1\n2\n3\n4\n5\n6\n7\n8\nnine\n" });
    const before = photograph(root);
    const error = await refused(trial.accept(), "ACCEPT_REFUSED");
    expect(error.data["paths"]).toEqual([{ path: "a.txt", why: expect.stringContaining("edited") }]);
    expect(photograph(root)).toEqual(before);
  });

  it("skips what is as it should be already", async () => {
    const root = makeRepository({ "a.txt": "a\n", "b.txt": "b\n" });
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": "A\n", "b.txt": "B\n" });
    writeFiles(root, { "a.txt": "A\n" });
    const record = await trial.accept();
    expect(record.unchanged).toEqual(["a.txt"]);
    expect(record.paths.map(({ path }) => path)).toEqual(["b.txt"]);
  });

  it("makes no commit on a branch that has none yet", async () => {
    const root = join(temporaryFolder(), "unborn");
    mkdirSync(root);
    git(root, "init", "--quiet");
    writeFiles(root, { "a.txt": "a\n" });
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": "A\n", "b.txt": "b\n" });
    const record = await trial.accept();
    expect(record.commits).toEqual([]);
    expect(text(root, "a.txt")).toBe("A\n");
    expect(git(root, "status", "--porcelain")).toBe("?? a.txt\n?? b.txt");
  });
});

describe("what is in the way", () => {
  it("is refused: an ignored file where a new one is to be, unless it is the same", async () => {
    const root = makeRepository({ "a.txt": "a\n", ".gitignore": "*.env\n" });
    writeFiles(root, { "local.env": "TOKEN=1\n", "same.env": "same\n" });
    const trial = await startTrial(root);
    await trial.land("one: change", { "local.env": "TOKEN=2\n", "a.txt": "A\n", "same.env": "same\n" });
    const before = photograph(root);
    const error = await refused(trial.accept(), "ACCEPT_REFUSED");
    expect(error.data["paths"]).toEqual([{ path: "local.env", why: expect.stringContaining("ignores") }]);
    expect(photograph(root)).toEqual(before);
  });

  it("is refused: a link that would lead out of the working tree", async () => {
    const root = makeRepository({ "a.txt": "a\n", ".gitignore": "/out\n" });
    const outside = temporaryFolder();
    symlinkSync(outside, join(root, "out"));
    const trial = await startTrial(root);
    await trial.land("one: change", { "out/new.txt": "n\n" });
    await refused(trial.accept(), "ACCEPT_REFUSED");
    expect(existsSync(join(outside, "new.txt"))).toBe(false);
  });

  it("is refused: a folder with other files in it where a file is to be", async () => {
    const root = makeRepository({ "d/a.txt": "a\n", ".gitignore": "*.log\n" });
    writeFiles(root, { "d/kept.log": "log\n" });
    const trial = await startTrial(root);
    await trial.land("one: change", { "d/a.txt": null, d: "a file\n" });
    const error = await refused(trial.accept(), "ACCEPT_REFUSED");
    expect(error.data["paths"]).toEqual([{ path: "d", why: expect.stringContaining("d/kept.log") }]);
    expect(text(root, "d/kept.log")).toBe("log\n");
  });

  it("is refused: a file edited between planning and writing", async () => {
    const root = makeRepository({ "a.txt": "a\n", "b.txt": "b\n" });
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": "A\n", "b.txt": "B\n" });
    const error = await refused(
      trial.accept({}, () => writeFiles(root, { "b.txt": "edited\n" })),
      "ACCEPT_REFUSED",
    );
    expect(error.data["paths"]).toEqual([{ path: "b.txt", why: expect.stringContaining("meanwhile") }]);
    expect(text(root, "a.txt")).toBe("a\n");
  });

  it("is refused: a locked index, a merge that is not over", async () => {
    const root = makeRepository({ "a.txt": "a\n" });
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": "A\n" });
    writeFileSync(join(root, ".git/index.lock"), "");
    await refused(trial.accept(), "REPOSITORY_BUSY");
    rmSync(join(root, ".git/index.lock"));
    writeFileSync(join(root, ".git/MERGE_HEAD"), `${git(root, "rev-parse", "HEAD")}\n`);
    await refused(trial.accept(), "REPOSITORY_BUSY");
    expect(text(root, "a.txt")).toBe("a\n");
  });

  it("is planned anew: a branch that moved between planning and writing", async () => {
    const root = makeRepository({ "a.txt": "a\n" });
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": "A\n" });
    await expect(
      trial.accept({}, () => {
        git(root, "commit", "--quiet", "--allow-empty", "-m", "mine");
      }),
    ).rejects.toThrow("HEAD has moved");
  });

  it("is left alone when it came after the journal: everything else is taken back", async () => {
    const root = makeRepository({ "a.txt": "a\n", "b.txt": "b\n", "z.txt": "z\n" });
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": "A\n", "b.txt": null, "new/n.txt": "n\n", "z.txt": "Z\n" });
    const record = await trial.stage(await trial.plan());
    writeFiles(root, { "z.txt": "edited\n" });
    expect(await trial.write(record)).toEqual([{ path: "z.txt", why: expect.any(String) }]);
    expect(await trial.restore(record)).toEqual([{ path: "z.txt", why: expect.any(String) }]);
    expect(git(root, "status", "--porcelain")).toBe(" M z.txt");
    expect(text(root, "z.txt")).toBe("edited\n");
    expect(git(root, "log", "--format=%s")).toBe("first");
    expect(existsSync(join(root, "new"))).toBe(false);
  });

  it("is left alone when it came after the journal: a commit of the user's, a staged change", async () => {
    const root = makeRepository({ "a.txt": "a\n", "b.txt": "b\n" });
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": "A\n" });
    const record = await trial.stage(await trial.plan());
    writeFiles(root, { "b.txt": "mine\n" });
    git(root, "commit", "--quiet", "-am", "mine");
    expect(await trial.write(record)).toHaveLength(1);
    expect(await trial.restore(record)).toEqual([]);
    expect(log(root)).toEqual(["mine", "first"]);
    expect(git(root, "status", "--porcelain")).toBe("");
    expect(text(root, "a.txt")).toBe("a\n");
  });
});

describe("a lane that went on after it was accepted", () => {
  it("is accepted from where that was, also on top of edits of the user's in other places", async () => {
    const lines = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
    const root = makeRepository({ "a.txt": `${lines.join("\n")}\n`, "b.txt": "b\n" });
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": `${["one", ...lines.slice(1)].join("\n")}\n` });
    const first = await trial.accept();
    writeFiles(root, { "b.txt": "mine\n" });
    await trial.land("two: change", { "a.txt": `${["one", ...lines.slice(1, 8), "nine"].join("\n")}\n` });
    const second = await trial.accept({ from: first.lane });
    expect(second.commits).toEqual([]);
    expect(text(root, "a.txt")).toBe(`${["one", ...lines.slice(1, 8), "nine"].join("\n")}\n`);
    expect(git(root, "status", "--porcelain")).toBe(" M a.txt\n M b.txt");
  });
});

describe("changesets that do not fit one by one", () => {
  it("become one commit, where all of them together fit", async () => {
    const root = makeRepository({ "a.txt": "a\n", "b.txt": "b\n" });
    const trial = await startTrial(root);
    await trial.land("one: there", { "a.txt": "there\n", "b.txt": "B\n" });
    await trial.land("two: and back", { "a.txt": "a\n" });
    writeFiles(root, { "a.txt": "mine\n" });
    git(root, "commit", "--quiet", "-am", "mine");
    const plan = await trial.plan();
    expect(plan.replayed.isSeparate).toBe(false);
    expect(await trial.write(await trial.stage(plan))).toEqual([]);
    expect(log(root)).toEqual(["Accept 2 changesets of run run1", "mine", "first"]);
    expect(git(root, "log", "-1", "--format=%(trailers:key=Anabranch-Landing,valueonly,separator=%x2C)")).toBe(
      "landing1,landing2",
    );
    expect(text(root, "a.txt")).toBe("mine\n");
    expect(text(root, "b.txt")).toBe("B\n");
    expect(git(root, "status", "--porcelain")).toBe("");
  });
});

describe("taking an acceptance back", () => {
  it("restores files byte for byte, index entries and the branch", async () => {
    const root = makeRepository({ "a.txt": "a\n", "run.sh": "x\n", "gone/deep.txt": "g\n", "b.txt": "b\n" });
    git(root, "config", "core.autocrlf", "input");
    chmodSync(join(root, "a.txt"), 0o600);
    writeFiles(root, { "a.txt": "a\r\n", "untracked.txt": "u\n" });
    git(root, "add", "a.txt");
    expect(git(root, "status", "--porcelain", "a.txt")).toBe("");
    const index = git(root, "ls-files", "--stage");
    const head = git(root, "rev-parse", "HEAD");
    const trial = await startTrial(root);
    await trial.land("one: change", {
      "a.txt": "A\n",
      "run.sh": { mode: "100755", content: "x\n" },
      "gone/deep.txt": null,
      "new/deep/n.txt": "n\n",
      "untracked.txt": "changed\n",
    });
    const record = await trial.accept();
    expect(text(root, "a.txt")).toBe("A\n");
    expect(lstatSync(join(root, "a.txt")).mode & 0o777).toBe(0o600);
    expect(lstatSync(join(root, "run.sh")).mode & 0o100).toBe(0o100);
    expect(await trial.obstacles(record)).toEqual([]);
    expect(await trial.restore(record)).toEqual([]);
    expect(text(root, "a.txt")).toBe("a\r\n");
    expect(lstatSync(join(root, "a.txt")).mode & 0o777).toBe(0o600);
    expect(lstatSync(join(root, "run.sh")).mode & 0o100).toBe(0);
    expect(text(root, "untracked.txt")).toBe("u\n");
    expect(text(root, "gone/deep.txt")).toBe("g\n");
    expect(existsSync(join(root, "new"))).toBe(false);
    expect(git(root, "ls-files", "--stage")).toBe(index);
    expect(git(root, "rev-parse", "HEAD")).toBe(head);
    expect(git(root, "status", "--porcelain")).toBe("?? untracked.txt");
    expect(git(root, "reflog", "-1", "--format=%gs")).toBe("anabranch accept --undo run1");
  });

  it("finds what stands against it: an edit, a staged change, a commit on top, another branch", async () => {
    const root = makeRepository({ "a.txt": "a\n", "b.txt": "b\n" });
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": "A\n", "b.txt": "B\n" });
    const record = await trial.accept();
    writeFiles(root, { "a.txt": "edited\n" });
    expect((await trial.obstacles(record)).map(({ path }) => path)).toEqual(["a.txt"]);
    git(root, "add", "a.txt");
    expect((await trial.obstacles(record)).map(({ path }) => path)).toEqual(["a.txt", "a.txt"]);
    git(root, "reset", "--quiet", "--hard");
    expect(await trial.obstacles(record)).toEqual([]);
    git(root, "checkout", "--quiet", "-b", "other");
    expect((await trial.obstacles(record)).map(({ path }) => path)).toEqual(["HEAD"]);
    git(root, "checkout", "--quiet", "main");
    git(root, "commit", "--quiet", "--allow-empty", "-m", "on top");
    expect((await trial.obstacles(record)).map(({ path }) => path)).toEqual(["HEAD"]);
    expect(await trial.restore(record)).toBeUndefined();
    expect(text(root, "a.txt")).toBe("A\n");
  });
});

describe("every kind of file", () => {
  it("is written as git would: links, exec bits, a file for a folder and the reverse, names that differ in case", async () => {
    const root = makeRepository({
      "README.md": "r\n",
      file: "f\n",
      "folder/x": "x\n",
      "tool.sh": "#!/bin/sh\n",
      "plain.txt": "p\n",
      "with space/ünï\tcode\n.txt": "u\n",
    });
    symlinkSync("README.md", join(root, "link"));
    git(root, "add", "link");
    git(root, "commit", "--quiet", "-m", "link");
    const trial = await startTrial(root);
    await trial.land("one: change", {
      "README.md": null,
      "readme.md": "r\n",
      file: null,
      "file/inner": "i\n",
      "folder/x": null,
      folder: "now a file\n",
      "tool.sh": { mode: "100755", content: "#!/bin/sh\n" },
      link: { mode: "120000", content: "readme.md" },
      "plain.txt": { mode: "120000", content: "folder" },
      "with space/ünï\tcode\n.txt": "U\n",
      '"quoted"': "q\n",
    });
    const record = await trial.accept();
    expect(git(root, "status", "--porcelain")).toBe("");
    expect(git(root, "rev-parse", "HEAD^{tree}")).toBe(git(trial.vault, "rev-parse", `${record.after}^{tree}`));
    expect(readlinkSync(join(root, "link"))).toBe("readme.md");
    expect(readlinkSync(join(root, "plain.txt"))).toBe("folder");
    expect(await trial.restore(record)).toEqual([]);
    expect(git(root, "status", "--porcelain")).toBe("");
    expect(text(root, "folder/x")).toBe("x\n");
    expect(lstatSync(join(root, "plain.txt")).isFile()).toBe(true);
  });

  it("has the user's line ends, also by attributes that come with the change", async () => {
    const root = makeRepository({ "a.txt": "a\n", "b.dat": "b\n" });
    const trial = await startTrial(root);
    await trial.land("one: change", {
      ".gitattributes": "*.txt text eol=crlf\n",
      "a.txt": "A\nA\n",
      "new.txt": "n\n",
      "b.dat": "B\n",
    });
    await trial.accept();
    expect(text(root, "a.txt")).toBe("A\r\nA\r\n");
    expect(text(root, "new.txt")).toBe("n\r\n");
    expect(text(root, "b.dat")).toBe("B\n");
    expect(git(root, "status", "--porcelain")).toBe("");
  });

  it.skipIf(!isOtherDisk("/dev/shm"))("is copied and then renamed where it lies on another disk", async () => {
    const parent = mkdtempSync("/dev/shm/anabranch-test-");
    onTestFinished(() => rmSync(parent, { recursive: true }));
    const root = makeRepository({ "a.txt": "a\n", "gone.txt": "g\n" }, parent);
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": "A\n", "gone.txt": null, link: { mode: "120000", content: "a.txt" } });
    const record = await trial.stage(await trial.plan());
    // What a kill in the middle of the copy leaves.
    const copy = `.${createHash("sha256").update("a.txt").digest("hex").slice(0, 16)}.${basename(record.folder)}.tmp`;
    writeFiles(root, { [copy]: "half" });
    expect(await trial.write(record)).toEqual([]);
    expect(git(root, "status", "--porcelain")).toBe("");
    expect(readlinkSync(join(root, "link"))).toBe("a.txt");
    expect(await trial.restore(record)).toEqual([]);
    expect(git(root, "status", "--porcelain")).toBe("");
    expect(text(root, "gone.txt")).toBe("g\n");
  });

  it("may be large", async () => {
    const root = makeRepository({ "a.txt": "a\n" });
    const large = Buffer.alloc(100 * 1024 * 1024);
    for (let at = 0; at < large.length; at += 4096) large.writeUInt32LE((at * 2654435761) >>> 0, at);
    writeFileSync(join(root, "large.bin"), large);
    git(root, "add", "large.bin");
    git(root, "commit", "--quiet", "-m", "large");
    const trial = await startTrial(root);
    large.writeUInt32LE(42, 1024);
    await trial.land("one: change", { "large.bin": large });
    const record = await trial.accept();
    expect(readFileSync(join(root, "large.bin")).equals(large)).toBe(true);
    expect(git(root, "status", "--porcelain")).toBe("");
    expect(await trial.restore(record)).toEqual([]);
    expect(statSync(join(root, "large.bin")).size).toBe(large.length);
    expect(git(root, "status", "--porcelain")).toBe("");
  }, 120_000);

  it("is refused where its name is not UTF-8, or it is a submodule", async () => {
    const root = makeRepository({ "a.txt": "a\n" });
    const trial = await startTrial(root);
    await trial.land("one: change", { "name\udcff": "x\n", "a.txt": "A\n" });
    expect((await refused(trial.accept(), "ACCEPT_REFUSED")).hint).toContain("git apply");
    const other = makeRepository({ "a.txt": "a\n" });
    git(other, "update-index", "--add", "--cacheinfo", `160000,${git(root, "rev-parse", "HEAD")},module`);
    git(other, "commit", "--quiet", "-m", "module");
    mkdirSync(join(other, "module"));
    const moved = await startTrial(other);
    await moved.land("one: change", { "a.txt": "A\n", module: null });
    const error = await refused(moved.accept(), "ACCEPT_REFUSED");
    expect(error.data["paths"]).toEqual([{ path: "module", why: expect.stringContaining("submodule") }]);
    expect(text(other, "a.txt")).toBe("a\n");
  });

  it("is committed and taken back where objects are named by SHA-256", async () => {
    const root = join(temporaryFolder(), "sha256");
    mkdirSync(root);
    git(root, "init", "--quiet", "--object-format=sha256", "--initial-branch=main");
    writeFiles(root, { "a.txt": "a\n", "b.txt": "b\n" });
    git(root, "add", ".");
    git(root, "commit", "--quiet", "-m", "first");
    const trial = await startTrial(root);
    await trial.land("one: change", { "a.txt": "A\n", "b.txt": null, "c/c.txt": "c\n" });
    const record = await trial.accept();
    expect(git(root, "show", "--name-status", "--format=", "HEAD")).toBe("M\ta.txt\nD\tb.txt\nA\tc/c.txt");
    expect(git(root, "status", "--porcelain")).toBe("");
    expect(await trial.restore(record)).toEqual([]);
    expect(git(root, "status", "--porcelain")).toBe("");
  });

  it("is refused where a sparse checkout leaves it out", async () => {
    const root = makeRepository({ "in/a.txt": "a\n", "out/b.txt": "b\n" });
    git(root, "sparse-checkout", "set", "in");
    const trial = await startTrial(root);
    await trial.land("one: change", { "in/a.txt": "A\n", "out/b.txt": "B\n" });
    const error = await refused(trial.accept(), "ACCEPT_REFUSED");
    expect(error.data["paths"]).toEqual([{ path: "out/b.txt", why: expect.stringContaining("sparse") }]);
  });
});

describe("ten thousand files", () => {
  it("are accepted and taken back", async () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `f/${index % 100}/${index}.txt`);
    const root = makeRepository(Object.fromEntries(names.map((name) => [name, `${name}\n`])));
    const trial = await startTrial(root);
    await trial.land("one: change", Object.fromEntries(names.map((name) => [name, `changed ${name}\n`])));
    const record = await trial.accept();
    expect(git(root, "status", "--porcelain")).toBe("");
    expect(git(root, "show", "--name-only", "--format=", "HEAD").split("\n")).toHaveLength(10_000);
    expect(await trial.restore(record)).toEqual([]);
    expect(git(root, "status", "--porcelain")).toBe("");
  }, 600_000);
});

function isOtherDisk(folder: string): boolean {
  return existsSync(folder) && statSync(folder).dev !== statSync(tmpdir()).dev;
}

function blobOf(content: string): string {
  const folder = makeRepository({ x: content });
  return git(folder, "rev-parse", "HEAD:x");
}

function storedObjects(root: string): string[] {
  return git(root, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split("\n");
}
