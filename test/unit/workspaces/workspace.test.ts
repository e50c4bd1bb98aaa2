import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { systemClock } from "../../../src/base/clock.ts";
import { createGit } from "../../../src/git/git.ts";
import { findRepository, readHead, readLocalConfig } from "../../../src/git/repository.ts";
import { archiveWorkspace } from "../../../src/workspaces/archive.ts";
import { takeBase } from "../../../src/workspaces/base.ts";
import { captureWorkspace } from "../../../src/workspaces/capture.ts";
import { describeSource, surveyBase } from "../../../src/workspaces/source.ts";
import { openTrash } from "../../../src/workspaces/trash.ts";
import { openVault, prepareVault } from "../../../src/workspaces/vault.ts";
import { resetWorkspace, stampOf, workspaceAt, type Workspace } from "../../../src/workspaces/workspace.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../../fixtures/repository.ts";

const runner = createGit({ PATH: process.env["PATH"], HOME: "/nonexistent" }, systemClock);

async function makeWorkspace(root: string) {
  const state = temporaryFolder();
  const repository = await findRepository(runner, root);
  const [head, local] = await Promise.all([readHead(runner, repository), readLocalConfig(runner, repository)]);
  const vault = openVault(runner, "r", join(state, "vault.git"));
  onTestFinished(() => vault.close());
  await prepareVault(vault.directory, repository, local);
  const base = await takeBase(runner, vault, repository, head);
  const survey = await surveyBase(runner, vault.place, base.commit);
  const source = await describeSource(runner, repository, head, local, survey, true);
  const trash = openTrash(join(state, "trash"));
  onTestFinished(() => trash.empty());
  const workspace = workspaceAt(join(state, "slot"), vault);
  const reset = () => resetWorkspace(runner, workspace, base.commit, source, ["node_modules"], trash);
  await reset();
  return { workspace, base, vault, source, reset, repository, state };
}

const request = (base: string, paths?: string[]) => ({
  base,
  ref: "refs/snapshots/run/task/1",
  message: "test",
  atSeconds: 1,
  kept: ["node_modules"],
  paths,
});

const capture = (workspace: Workspace, base: string, paths?: string[]) =>
  captureWorkspace(runner, workspace, request(base, paths));

describe("a workspace", () => {
  it("holds the user's current state and looks clean to git", async () => {
    const root = makeRepository({ "a.txt": "one\n", ".gitignore": "*.log\n" });
    writeFiles(root, { "a.txt": "two\n", "sub dir/new\nline.txt": "n\n", "noise.log": "x" });
    const { workspace, base } = await makeWorkspace(root);
    expect(readFileSync(join(workspace.tree, "a.txt"), "utf8")).toBe("two\n");
    expect(readFileSync(join(workspace.tree, "sub dir/new\nline.txt"), "utf8")).toBe("n\n");
    expect(existsSync(join(workspace.tree, "noise.log"))).toBe(false);
    expect(git(workspace.tree, "status", "--porcelain")).toBe("");
    expect(git(workspace.tree, "log", "--format=%s", "main")).toBe("first");
    expect(git(workspace.tree, "rev-parse", "HEAD")).toBe(base.commit);
    expect(git(root, "status", "--porcelain", "-z").split("\0").sort()).toEqual(["", " M a.txt", "?? sub dir/"].sort());
    expect(base.uncommittedPaths).toBe(2);
  });

  it("starts from the user's commit itself when nothing is uncommitted", async () => {
    const root = makeRepository({ "a.txt": "one\n" });
    const { base } = await makeWorkspace(root);
    expect(base.commit).toBe(git(root, "rev-parse", "HEAD"));
  });

  it("gives back what was captured, byte for byte, and is clean again after a reset", async () => {
    const root = makeRepository({ "a.txt": "one\n", "b.txt": "b\n", "d/x.txt": "x\n" });
    const { workspace, base, vault, reset } = await makeWorkspace(root);
    writeFiles(workspace.tree, { "a.txt": "changed\n", "new/file.txt": "new\n" });
    rmSync(join(workspace.tree, "b.txt"));
    rmSync(join(workspace.tree, "d"), { recursive: true });
    symlinkSync("a.txt", join(workspace.tree, "d"));
    chmodSync(join(workspace.tree, "a.txt"), 0o755);
    const snapshot = await capture(workspace, base.commit);
    expect(snapshot.changes.map((change) => `${change.kind} ${change.path}`).sort()).toEqual(
      ["added d", "added new/file.txt", "deleted b.txt", "deleted d/x.txt", "modified a.txt"].sort(),
    );
    expect(git(vault.directory, "show", `${snapshot.commit}:a.txt`)).toBe("changed");
    expect(git(vault.directory, "rev-parse", "refs/snapshots/run/task/1")).toBe(snapshot.commit);
    await reset();
    expect(git(workspace.tree, "status", "--porcelain")).toBe("");
    expect(readFileSync(join(workspace.tree, "d/x.txt"), "utf8")).toBe("x\n");
  });

  it("captures the same tree from a known write set as from a full look", async () => {
    const root = makeRepository({ "a.txt": "one\n", "b.txt": "b\n" });
    const { workspace, base, vault } = await makeWorkspace(root);
    writeFiles(workspace.tree, { "a.txt": "changed\n", "c.txt": "new\n" });
    rmSync(join(workspace.tree, "b.txt"));
    const known = await capture(workspace, base.commit, ["a.txt", "b.txt", "c.txt"]);
    const full = await capture(workspace, base.commit);
    const treeOf = (commit: string) => git(vault.directory, "rev-parse", `${commit}^{tree}`);
    expect(treeOf(known.commit)).toBe(treeOf(full.commit));
  });

  it("keeps work that a task hides by editing .gitignore, and leaves out what it reveals", async () => {
    const root = makeRepository({ "a.txt": "one\n", ".gitignore": ".env\nbuild/\n" });
    writeFiles(root, { ".env": "SECRET=1\n" });
    const { workspace, base, vault } = await makeWorkspace(root);
    writeFiles(workspace.tree, {
      ".gitignore": "*.ts\n",
      "work.ts": "work\n",
      ".env": "SECRET=1\n",
      "build/out": "o\n",
    });
    const snapshot = await capture(workspace, base.commit);
    const files = git(vault.directory, "ls-tree", "-r", "--name-only", snapshot.commit).split("\n");
    expect(files.sort()).toEqual([".gitignore", "a.txt", "work.ts"]);
  });

  it("is captured whole after its own repository was destroyed or misconfigured", async () => {
    const root = makeRepository({ "a.txt": "one\n" });
    const { workspace, base, state } = await makeWorkspace(root);
    const proof = join(state, "executed");
    writeFileSync(join(state, "evil.sh"), `#!/bin/sh\ntouch ${proof}\n`, { mode: 0o755 });
    git(workspace.tree, "config", "core.fsmonitor", join(state, "evil.sh"));
    mkdirSync(join(workspace.tree, ".git/hooks"), { recursive: true });
    writeFiles(workspace.tree, { "b.txt": "b\n" });
    const first = await capture(workspace, base.commit);
    expect(first.changes.map((change) => change.path)).toEqual(["b.txt"]);
    rmSync(join(workspace.tree, ".git"), { recursive: true });
    const second = await capture(workspace, base.commit);
    expect(second.changes.map((change) => change.path)).toEqual(["b.txt"]);
    expect(existsSync(proof)).toBe(false);
  });

  it("keeps an ignored file that was written in the very moment of the lease", async () => {
    const root = makeRepository({ "a.txt": "one\n", ".gitignore": "*.log\n" });
    const { workspace, base } = await makeWorkspace(root);
    writeFiles(workspace.tree, { "out.log": "log\n" });
    execFileSync("touch", ["-r", join(workspace.tree, "out.log"), stampOf(workspace.slot)]);
    const request = { name: "run/task/1", base: base.commit, knownOids: new Set<string>(), nested: [], kept: [] };
    expect(await archiveWorkspace(runner, workspace, { ...request, atSeconds: 1 })).toMatchObject({ ignoredFiles: 1 });
  });

  it("refuses to take its own removal for the deletion of every file", async () => {
    const root = makeRepository({ "a.txt": "one\n" });
    const { workspace, base } = await makeWorkspace(root);
    rmSync(workspace.tree, { recursive: true });
    await expect(capture(workspace, base.commit)).rejects.toMatchObject({ code: "WORKSPACE_GONE" });
  });

  it("keeps the agent's commits, nested repositories and new ignored files in the vault", async () => {
    const root = makeRepository({ "a.txt": "one\n", ".gitignore": "*.log\nnode_modules/\n" });
    const { workspace, base, vault, source } = await makeWorkspace(root);
    writeFiles(workspace.tree, { "a.txt": "mine\n", "out.log": "log\n", "node_modules/x/i.js": "1" });
    git(workspace.tree, "commit", "--quiet", "-am", "agent's own");
    const own = git(workspace.tree, "rev-parse", "HEAD");
    git(workspace.tree, "checkout", "--quiet", "main");
    mkdirSync(join(workspace.tree, "inner"));
    git(join(workspace.tree, "inner"), "init", "--quiet");
    writeFiles(workspace.tree, { "inner/deep.txt": "deep\n" });
    git(join(workspace.tree, "inner"), "add", "--all");
    git(join(workspace.tree, "inner"), "commit", "--quiet", "-m", "inner");
    writeFiles(workspace.tree, { "inner/deep.txt": "deeper\n" });
    const snapshot = await capture(workspace, base.commit);
    expect(snapshot.nested).toEqual(["inner"]);
    const archive = await archiveWorkspace(runner, workspace, {
      name: "run/task/1",
      base: base.commit,
      knownOids: new Set(source.refs.map((ref) => ref.oid)),
      nested: snapshot.nested,
      kept: ["node_modules"],
      atSeconds: 1,
    });
    expect(archive).toMatchObject({ commits: 1, nested: 1, ignoredFiles: 1, ignoredFilesLeftOut: 0 });
    expect(git(vault.directory, "rev-parse", "refs/commits/run/task/1/0")).toBe(own);
    rmSync(workspace.tree, { recursive: true });
    expect(git(vault.directory, "show", `${own}:a.txt`)).toBe("mine");
    expect(git(vault.directory, "show", "refs/nested/run/task/1/0/files:deep.txt")).toBe("deeper");
    expect(git(vault.directory, "show", "refs/nested/run/task/1/0/commits/0:deep.txt")).toBe("deep");
    expect(git(vault.directory, "show", "refs/ignored/run/task/1:out.log")).toBe("log");
  });

  it("survives the user's garbage collection, also of blobs only the user's index named", async () => {
    const root = makeRepository({ "a.txt": "one\n" });
    writeFiles(root, { "staged.txt": "staged only\n" });
    git(root, "add", "staged.txt");
    git(root, "checkout", "--quiet", "-b", "gone");
    git(root, "commit", "--quiet", "--allow-empty", "-m", "only on gone");
    const { workspace, base, vault, reset } = await makeWorkspace(root);
    git(root, "reset", "--quiet", "--hard", "main");
    git(root, "checkout", "--quiet", "main");
    git(root, "branch", "-D", "gone");
    git(root, "reflog", "expire", "--expire=now", "--all");
    git(root, "gc", "--quiet", "--prune=now");
    expect(git(vault.directory, "show", `${base.commit}:staged.txt`)).toBe("staged only");
    expect(git(vault.directory, "fsck", "--no-dangling", "--connectivity-only")).toBe("");
    await reset();
    expect(git(workspace.tree, "log", "-1", "--format=%s", "gone")).toBe("only on gone");
  });

  it("has the user's submodules checked out, without lending the user's repository", async () => {
    const parent = temporaryFolder();
    const library = makeRepository({ "lib.txt": "lib\n" }, join(parent, "library"));
    const root = makeRepository({ "a.txt": "one\n" }, join(parent, "main"));
    git(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "deps/library");
    git(root, "commit", "--quiet", "-m", "submodule");
    const { workspace, base } = await makeWorkspace(root);
    expect(readFileSync(join(workspace.tree, "deps/library/lib.txt"), "utf8")).toBe("lib\n");
    expect(git(workspace.tree, "status", "--porcelain")).toBe("");
    expect((await capture(workspace, base.commit)).changes).toEqual([]);
    git(join(workspace.tree, "deps/library"), "branch", "-D", "main");
    expect(git(join(root, "deps/library"), "rev-parse", "main")).toMatch(/^[0-9a-f]{40}$/);
  });
});

describe("a reset workspace", () => {
  it("keeps what the base ignores under a kept name, however deep, and nothing else", async () => {
    const root = makeRepository({ "a.txt": "one\n", ".gitignore": "node_modules/\nbuild/\n" });
    const { workspace, reset } = await makeWorkspace(root);
    writeFiles(workspace.tree, {
      "node_modules/x/i.js": "1",
      "packages/gone/node_modules/y/i.js": "1",
      "packages/gone/left.txt": "left",
      "build/out.js": "out",
      "new/deep/file.txt": "new",
      " odd\nname*.txt": "odd",
    });
    await reset();
    expect(listFiles(workspace.tree)).toEqual(
      [".gitignore", "a.txt", "node_modules/x/i.js", "packages/gone/node_modules/y/i.js"].sort(),
    );
  });

  it("does not keep a folder of a kept name that the base does not ignore, nor a link in its place", async () => {
    const root = makeRepository({ "a.txt": "one\n", ".gitignore": "sub/node_modules\n" });
    const { workspace, reset } = await makeWorkspace(root);
    writeFiles(workspace.tree, { ".gitignore": "node_modules\n", "node_modules/x/i.js": "1" });
    mkdirSync(join(workspace.tree, "sub"));
    symlinkSync("/tmp", join(workspace.tree, "sub/node_modules"));
    await reset();
    expect(listFiles(workspace.tree)).toEqual([".gitignore", "a.txt"]);
    expect(readFileSync(join(workspace.tree, ".gitignore"), "utf8")).toBe("sub/node_modules\n");
  });
});

function listFiles(tree: string): string[] {
  return readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(tree.length + 1))
    .filter((path) => !path.startsWith(".git/"))
    .sort();
}
