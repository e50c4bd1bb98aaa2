import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { makeHome } from "../fixtures/home.ts";
import { photograph } from "../fixtures/photograph.ts";
import { git, gitFails, makeQuarrel, makeRepository, temporaryFolder, writeFiles } from "../fixtures/repository.ts";
import { refused, runTask } from "../fixtures/runs.ts";

describe("a folder that cannot be worked on is refused", () => {
  it("when it is not in a repository, with the command that makes one", async () => {
    const home = makeHome();
    const error = await refused(runTask(home, temporaryFolder(), "true"), "NOT_A_REPOSITORY");
    expect(error.hint).toContain("git init");
    await refused(runTask(home, join(temporaryFolder(), "absent"), "true"), "NOT_A_REPOSITORY");
  });

  it("when it is a bare repository, or the git directory of one that is not", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "one\n" });
    const bare = join(temporaryFolder(), "bare.git");
    git(root, "clone", "--quiet", "--bare", root, bare);
    const error = await refused(runTask(home, bare, "true"), "BARE_REPOSITORY");
    expect(error.hint).toContain("git worktree add");
    await refused(runTask(home, join(root, ".git"), "true"), "NOT_A_REPOSITORY");
    expect((await home.cli(bare, ["run", "-t", "a=true"])).status).toBe(1);
  });

  for (const [operation, begin] of [
    ["a merge", ["merge", "other"]],
    ["a rebase", ["rebase", "other"]],
    ["a cherry-pick", ["cherry-pick", "other"]],
    ["a revert", ["revert", "--no-edit", "other~0", "HEAD~1"]],
  ] as const) {
    it(`during ${operation}, and works from the last commit when told to`, async () => {
      const home = makeHome();
      const root = makeQuarrel();
      gitFails(root, ...begin);
      const before = photograph(root);
      const error = await refused(runTask(home, root, "cat a.txt"), "REPOSITORY_BUSY");
      expect(error.message).toContain(operation);
      expect(error.hint).toContain("--base HEAD");
      const { task, file } = await runTask(home, root, "cat a.txt > copy.txt", { base: "HEAD" });
      expect(task.outcome).toBe("succeeded");
      expect(file("copy.txt")).toBe(git(root, "show", "HEAD:a.txt"));
      expect(photograph(root)).toEqual(before);
    });
  }

  it("with conflicts of a stash left unsettled, naming the files", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "one\n" });
    writeFiles(root, { "a.txt": "stashed\n" });
    git(root, "stash");
    writeFiles(root, { "a.txt": "committed\n" });
    git(root, "commit", "--quiet", "-am", "second");
    gitFails(root, "stash", "pop");
    const before = photograph(root);
    const error = await refused(runTask(home, root, "true"), "REPOSITORY_BUSY");
    expect(error.data["paths"]).toEqual(["a.txt"]);
    expect((await runTask(home, root, "cat a.txt > b.txt", { base: "HEAD" })).file("b.txt")).toBe("committed");
    expect(photograph(root)).toEqual(before);
  });

  it("with a filter that only its own configuration defines, wherever the attribute stands", async () => {
    const home = makeHome();
    for (const place of [".gitattributes", "sub/.gitattributes", ".git/info/attributes"]) {
      const root = makeRepository({ "a.txt": "one\n", "sub/b.txt": "two\n" });
      const proof = join(temporaryFolder(), "ran");
      git(root, "config", "filter.evil.clean", `touch ${proof}; cat`);
      git(root, "config", "filter.evil.smudge", `touch ${proof}; cat`);
      // The attribute file is not tracked yet.
      writeFiles(root, { [place]: "*.txt filter=evil\n", "sub/b.txt": "three\n" });
      const error = await refused(runTask(home, root, "true"), "REPOSITORY_UNSUPPORTED");
      expect(error.message).toContain('"evil"');
      expect(error.hint).toContain("git config --global filter.evil.clean");
      expect(existsSync(proof)).toBe(false);
    }
  });

  it("with a command of its own under the name of git LFS", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "one\n", ".gitattributes": "*.txt filter=lfs\n" });
    const proof = join(temporaryFolder(), "ran");
    git(root, "config", "filter.lfs.clean", `touch ${proof}; cat`);
    writeFiles(root, { "a.txt": "two\n" });
    await refused(runTask(home, root, "true"), "REPOSITORY_UNSUPPORTED");
    expect(existsSync(proof)).toBe(false);
  });
});

describe("a repository is worked on correctly", () => {
  it("before its first commit", async () => {
    const home = makeHome();
    const root = join(temporaryFolder(), "new");
    mkdirSync(root);
    git(root, "init", "--quiet", "--initial-branch=main");
    writeFiles(root, { "a.txt": "one\n", ".gitignore": "*.log\n", "noise.log": "x" });
    const { task, paths } = await runTask(home, root, "cat a.txt > b.txt; ls");
    expect(task.outcome).toBe("succeeded");
    expect(paths).toEqual(["b.txt"]);
    expect(git(root, "for-each-ref")).toBe("");
    await refused(runTask(home, root, "true", { base: "HEAD" }), "UNKNOWN_BASE");
  });

  it("before its first commit, and empty", async () => {
    const home = makeHome();
    const root = temporaryFolder();
    git(root, "init", "--quiet");
    expect((await runTask(home, root, "echo a > a.txt")).paths).toEqual(["a.txt"]);
  });

  it("with a detached HEAD", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "one\n" });
    git(root, "checkout", "--quiet", "--detach");
    git(root, "commit", "--quiet", "--allow-empty", "-m", "on no branch");
    const { task, file } = await runTask(home, root, "git log -1 --format=%s > subject.txt");
    expect(task.outcome).toBe("succeeded");
    expect(file("subject.txt")).toBe("on no branch");
  });

  it("from a linked worktree, with that worktree's state and not the main one's", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "one\n" });
    const linked = join(temporaryFolder(), "linked");
    git(root, "worktree", "add", "--quiet", "-b", "feature", linked);
    writeFiles(root, { "a.txt": "main's edit\n" });
    writeFiles(linked, { "a.txt": "linked edit\n" });
    const [before, beforeLinked] = [photograph(root), photograph(linked)];
    const [one, other] = await Promise.all([
      runTask(home, linked, "cat a.txt > b.txt; git rev-parse --abbrev-ref feature >> b.txt"),
      runTask(home, root, "cat a.txt > b.txt"),
    ]);
    expect(one.file("b.txt")).toBe("linked edit\nfeature");
    expect(other.file("b.txt")).toBe("main's edit");
    expect(one.run.vault).toBe(other.run.vault);
    expect([photograph(root), photograph(linked)]).toEqual([before, beforeLinked]);
  });

  it("inside a submodule", async () => {
    const home = makeHome();
    const parent = temporaryFolder();
    const library = makeRepository({ "lib.txt": "lib\n" }, join(parent, "library"));
    const root = makeRepository({ "a.txt": "one\n" }, join(parent, "main"));
    git(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "deps/library");
    git(root, "commit", "--quiet", "-m", "submodule");
    const inside = join(root, "deps/library");
    writeFiles(inside, { "lib.txt": "edited\n" });
    const { task, paths, file } = await runTask(home, inside, "cat lib.txt > copy.txt");
    expect(task.outcome).toBe("succeeded");
    expect(paths).toEqual(["copy.txt"]);
    expect(file("copy.txt")).toBe("edited");
  });

  it("with submodules: clean ones come along, and what a task does in them is kept", async () => {
    const home = makeHome();
    const parent = temporaryFolder();
    const library = makeRepository({ "lib.txt": "lib\n" }, join(parent, "library"));
    const root = makeRepository({ "a.txt": "one\n" }, join(parent, "main"));
    git(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "lib");
    git(root, "commit", "--quiet", "-m", "submodule");
    const before = photograph(root);
    const { run, task, attempt } = await runTask(
      home,
      root,
      [
        "cat lib/lib.txt > seen.txt",
        "cd lib",
        "echo committed > lib.txt",
        "git -c user.name=A -c user.email=a@b commit -qam inner",
        "git rev-parse HEAD > ../inner.txt",
        "echo uncommitted > lib.txt",
      ].join(" && "),
    );
    expect(task.outcome).toBe("succeeded");
    const name = `${run.id}/task/1`;
    const show = (what: string) => git(run.vault, "show", what);
    expect(show(`refs/nested/${name}/submodule-0/files:lib.txt`)).toBe("uncommitted");
    // The snapshot names the inner commit: it must be somewhere.
    const inner = show(`${attempt?.changeset?.snapshot}:inner.txt`);
    expect(show(`${inner}:lib.txt`)).toBe("committed");
    expect(photograph(root)).toEqual(before);
    writeFiles(root, { "lib/lib.txt": "dirty\n" });
    const error = await refused(runTask(home, root, "true"), "REPOSITORY_UNSUPPORTED");
    expect(error.message).toContain("submodule lib");
    expect((await runTask(home, root, "cat lib/lib.txt > seen.txt", { base: "HEAD" })).file("seen.txt")).toBe("lib");
  });

  it("with a submodule that is not checked out, and keeps what a task writes there", async () => {
    const home = makeHome();
    const parent = temporaryFolder();
    const library = makeRepository({ "lib.txt": "lib\n" }, join(parent, "library"));
    const root = makeRepository({ "a.txt": "one\n" }, join(parent, "main"));
    git(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "lib");
    git(root, "commit", "--quiet", "-m", "submodule");
    git(root, "submodule", "--quiet", "deinit", "--force", "lib");
    const { run, task } = await runTask(home, root, "echo work > lib/work.txt");
    expect(task.outcome).toBe("succeeded");
    const kept = git(run.vault, "for-each-ref", "--format=%(refname)").split("\n");
    const holds = kept.filter((ref) => git(run.vault, "ls-tree", "-r", "--name-only", ref).includes("work.txt"));
    expect(holds).not.toEqual([]);
  });

  it("with repositories inside of repositories, whose files and commits are all kept", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "one\n", ".gitignore": "ignored/\n" });
    const commit = "git -c user.name=A -c user.email=a@b commit -q";
    const { run, task, paths } = await runTask(
      home,
      root,
      [
        "git init -q outer && cd outer && echo o > o.txt && git add . && " + commit + " -m o",
        "git init -q inner && cd inner && echo i > i.txt && git add . && " + commit + " -m i && echo later > i.txt",
        "cd ../.. && git init -q unborn && echo u > unborn/u.txt",
        "mkdir ignored && cd ignored && git init -q hidden && echo h > hidden/h.txt",
      ].join(" && "),
    );
    expect(task.outcome).toBe("succeeded");
    expect(paths).toEqual([]);
    const refs = git(run.vault, "for-each-ref", "--format=%(refname)", "refs/nested", "refs/ignored").split("\n");
    const files = refs.flatMap((ref) =>
      git(run.vault, "ls-tree", "-r", ref)
        .split("\n")
        .filter((line) => line.includes(" blob "))
        .map((line) => line.slice(line.indexOf("\t") + 1))
        .map((path) => `${path.split("/").at(-1)}=${git(run.vault, "show", `${ref}:${path}`)}`),
    );
    expect(new Set(files)).toEqual(new Set(["o.txt=o", "i.txt=i", "i.txt=later", "u.txt=u", "h.txt=h"]));
  });

  it("with a shallow clone made inside of it, which the vault can hold without breaking", async () => {
    const home = makeHome();
    const origin = makeRepository({ "a.txt": "one\n" });
    git(origin, "commit", "--quiet", "--allow-empty", "-m", "second");
    const root = makeRepository({ "a.txt": "one\n" });
    const clone = `git clone -q --depth=1 file://${origin} vendored && cd vendored && echo mine > mine.txt && git add .`;
    const { run } = await runTask(home, root, `${clone} && git -c user.name=A -c user.email=a@b commit -qm mine`);
    const commits = `refs/nested/${run.id}/task/1/0/commits`;
    expect(git(run.vault, "for-each-ref", "--format=%(subject)", commits).split("\n")).toContain("mine");
    expect((await runTask(home, root, "true")).task.outcome).toBe("succeeded");
    expect(git(run.vault, "fsck", "--connectivity-only", "--no-dangling")).toBe("");
  });

  it("whose ignore rules a task changes: what it hides is captured, what it reveals is kept apart", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "one\n", ".gitignore": "*.log\n.env\n" });
    const { run, paths } = await runTask(home, root, "echo '*.txt' > .gitignore; echo b > b.txt; echo l > out.log");
    expect(paths).toEqual([".gitignore", "b.txt"]);
    expect(git(run.vault, "show", `refs/ignored/${run.id}/task/1:out.log`)).toBe("l");
    const report = await home.cli(root, ["show", run.id]);
    expect(report.stdout).toContain("task left 1 ignored file beside its changes");
    expect(report.stdout).toContain(`anabranch git -- ls-tree -r --name-only refs/ignored/${run.id}/task/1`);
  });

  it("that is shallow", async () => {
    const home = makeHome();
    const origin = makeRepository({ "a.txt": "one\n" });
    for (const text of ["two", "three"]) {
      writeFiles(origin, { "a.txt": `${text}\n` });
      git(origin, "commit", "--quiet", "-am", text);
    }
    const root = join(temporaryFolder(), "shallow");
    git(origin, "clone", "--quiet", "--depth=1", `file://${origin}`, root);
    writeFiles(root, { "b.txt": "mine\n" });
    const { task, file, run } = await runTask(home, root, "git log --format=%s > log.txt; cat b.txt > c.txt");
    expect(task.outcome).toBe("succeeded");
    expect(file("log.txt").split("\n").at(-1)).toBe("three");
    expect(file("c.txt")).toBe("mine");
    expect(git(run.vault, "fsck", "--connectivity-only", "--no-dangling")).toBe("");
  });

  for (const [kind, settings] of [
    ["in cone mode", ["sparse-checkout", "set", "--cone", "in"]],
    ["with patterns", ["sparse-checkout", "set", "--no-cone", "/in/", "/*.txt"]],
    ["with a sparse index", ["sparse-checkout", "set", "--cone", "--sparse-index", "in"]],
  ] as const) {
    it(`that is sparse ${kind}, and keeps what is written outside of the part that is there`, async () => {
      const home = makeHome();
      const root = makeRepository({ "top.txt": "t\n", "in/a.txt": "a\n", "out/b.txt": "b\n", "out/deep/c.txt": "c\n" });
      git(root, ...settings);
      writeFiles(root, { "in/a.txt": "edited\n", "out/mine.txt": "outside, untracked\n" });
      const before = photograph(root);
      const { task, paths, file } = await runTask(
        home,
        root,
        "ls in out > ls.txt; mkdir -p out/deep; echo new > out/new.txt; echo changed > in/a.txt; echo c2 > out/deep/c.txt",
      );
      expect(task.reason).toBeUndefined();
      expect(task.outcome).toBe("succeeded");
      expect(paths).toEqual(["in/a.txt", "ls.txt", "out/deep/c.txt", "out/new.txt"]);
      expect(file("ls.txt")).not.toContain("b.txt");
      expect(file("out/b.txt")).toBe("b");
      expect(file("out/mine.txt")).toBe("outside, untracked");
      expect(photograph(root)).toEqual(before);
    });
  }

  it("that is a partial clone, fetching what it needs and leaving the clone as it was", async () => {
    const home = makeHome();
    const origin = makeRepository({ "a.txt": "one\n", "b.txt": "b\n" });
    writeFiles(origin, { "a.txt": "two\n" });
    git(origin, "commit", "--quiet", "-am", "second");
    git(origin, "config", "uploadpack.allowFilter", "true");
    git(origin, "config", "uploadpack.allowAnySHA1InWant", "true");
    const root = join(temporaryFolder(), "partial");
    git(origin, "clone", "--quiet", "--filter=blob:none", `file://${origin}`, root);
    writeFiles(root, { "b.txt": "mine\n" });
    const before = photograph(root);
    const now = await runTask(home, root, "cat a.txt b.txt > c.txt");
    expect(now.file("c.txt")).toBe("two\nmine");
    const old = await runTask(home, root, "cat a.txt > c.txt; git show HEAD:b.txt >> c.txt", { base: "HEAD~1" });
    expect(old.task.outcome).toBe("succeeded");
    expect(old.file("c.txt")).toBe("one\nb");
    expect(photograph(root)).toEqual(before);
  });

  it("with a filter of the user's own configuration", async () => {
    const home = makeHome();
    const bin = temporaryFolder();
    for (const [name, map] of [
      ["clean", "a-z A-Z"],
      ["smudge", "A-Z a-z"],
    ] as const) {
      writeFileSync(join(bin, name), `#!/bin/sh\nexec tr ${map}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    const user = join(home.folder, "user");
    mkdirSync(user, { recursive: true });
    writeFileSync(
      join(user, ".gitconfig"),
      `[filter "shout"]\n\tclean = ${bin}/clean\n\tsmudge = ${bin}/smudge\n\trequired = true\n`,
    );
    const root = makeRepository({ ".gitattributes": "*.txt filter=shout\n", "plain.md": "plain\n" });
    writeFiles(root, { "a.txt": "whisper\n" });
    const first = await runTask(home, root, "cat a.txt > seen.md; echo quiet > b.txt");
    expect(first.task.outcome).toBe("succeeded");
    expect(first.file("seen.md")).toBe("whisper");
    expect(first.file("a.txt")).toBe("WHISPER");
    expect(first.file("b.txt")).toBe("QUIET");
    expect((await home.cli(root, ["accept", first.run.id])).status).toBe(0);
    expect(readFileSync(join(root, "b.txt"), "utf8")).toBe("quiet\n");
  });

  it("whose objects are another repository's", async () => {
    const home = makeHome();
    const parent = temporaryFolder('anabranch "odd: ');
    const origin = makeRepository({ "a.txt": "one\n" }, parent);
    const root = join(temporaryFolder(), "borrower");
    git(origin, "clone", "--quiet", "--shared", origin, root);
    writeFiles(root, { "b.txt": "mine\n" });
    const { task, file } = await runTask(home, root, "git show HEAD:a.txt > c.txt; cat b.txt >> c.txt");
    expect(task.outcome).toBe("succeeded");
    expect(file("c.txt")).toBe("one\nmine");
  });

  it("that names objects by SHA-256", async () => {
    const home = makeHome();
    const root = temporaryFolder();
    git(root, "init", "--quiet", "--object-format=sha256", "--initial-branch=main");
    expect((await runTask(home, root, "echo first > first.txt")).paths).toEqual(["first.txt"]);
    writeFiles(root, { "a.txt": "one\n" });
    git(root, "add", ".");
    git(root, "commit", "--quiet", "-m", "first");
    writeFiles(root, { "a.txt": "two\n" });
    const { run, attempt, paths } = await runTask(home, root, "cat a.txt > b.txt; git commit -qm x --allow-empty", {
      environment: {
        GIT_AUTHOR_NAME: "A",
        GIT_AUTHOR_EMAIL: "a@b",
        GIT_COMMITTER_NAME: "A",
        GIT_COMMITTER_EMAIL: "a@b",
      },
    });
    expect(paths).toEqual(["b.txt"]);
    expect(attempt?.changeset?.snapshot).toMatch(/^[0-9a-f]{64}$/);
    expect(git(run.vault, "log", "-1", "--format=%s", `refs/commits/${run.id}/task/1/0`)).toBe("x");
    expect((await home.cli(root, ["accept", run.id])).status).toBe(0);
    expect(readFileSync(join(root, "b.txt"), "utf8")).toBe("two\n");
  });

  it("whose files change in the very second they were last looked at, without changing their size", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "one\n", "b.txt": "one\n" });
    writeFiles(root, { "a.txt": "two\n" });
    // Long enough for whatever is written later to be of a later second.
    const { paths, file } = await runTask(home, root, "echo two > b.txt; git status --porcelain > c.txt; sleep 1.1");
    expect(paths).toEqual(["b.txt", "c.txt"]);
    expect([file("a.txt"), file("b.txt"), file("c.txt")]).toEqual(["two", "two", " M b.txt\n?? c.txt"]);
  });

  it("that keeps its index in two parts, writing no third one", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "one\n", "b.txt": "b\n" });
    git(root, "config", "core.splitIndex", "true");
    git(root, "update-index", "--split-index");
    writeFiles(root, { "c.txt": "c\n" });
    git(root, "add", "c.txt");
    writeFiles(root, { "a.txt": "edited\n" });
    const before = photograph(root);
    expect((await runTask(home, root, "cat a.txt c.txt > d.txt")).file("d.txt")).toBe("edited\nc");
    expect(photograph(root)).toEqual(before);
  });

  it("that the user stashes, edits and commits in meanwhile", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "one\n" });
    const gate = join(temporaryFolder(), "gate");
    const run = await home.client({ GATE: gate }).start({
      directory: root,
      mode: "sequential",
      tasks: {
        first: 'while [ ! -e "$GATE" ]; do sleep 0.05; done; cat a.txt > first.txt',
        second: "cat a.txt first.txt > second.txt",
      },
    });
    writeFiles(root, { "a.txt": "two\n" });
    git(root, "commit", "--quiet", "-am", "meanwhile");
    git(root, "branch", "other", "HEAD~1");
    writeFiles(root, { "a.txt": "three\n" });
    git(root, "stash");
    git(root, "gc", "--quiet", "--prune=now");
    const before = photograph(root);
    writeFileSync(gate, "");
    const view = await run.wait();
    expect(view.outcome).toBe("succeeded");
    const last = view.taskList[1]?.attempts[0]?.changeset?.snapshot;
    expect(git(view.vault, "show", `${last}:second.txt`)).toBe("one\none");
    expect(photograph(root)).toEqual(before);
    rmSync(gate);
  });

  it("when ten runs start in it at once", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "one\n" });
    for (let index = 0; index < 20; index += 1) git(root, "branch", `branch-${index}`);
    const client = home.client();
    const runs = await Promise.all(
      Array.from({ length: 10 }, () => client.start({ directory: root, tasks: { task: "cat a.txt" } })),
    );
    const ends = await Promise.all(runs.map((run) => run.wait()));
    expect(ends.map((end) => end.outcome)).toEqual(Array.from({ length: 10 }, () => "succeeded"));
  });
});
