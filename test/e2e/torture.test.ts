import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { makeHome } from "../fixtures/home.ts";
import { canChangeUser, startAsOrdinaryUser } from "../fixtures/ordinary-user.ts";
import { photograph } from "../fixtures/photograph.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../fixtures/repository.ts";
import { runTask } from "../fixtures/runs.ts";
import { until } from "../fixtures/until.ts";

const WHO = "-c user.name=A -c user.email=a@b";

/** A repository with everything that a careless command could hurt. */
function makePrecious(): string {
  const parent = temporaryFolder();
  const origin = makeRepository({ "a.txt": "one\n", "dir/b.txt": "b\n", ".gitignore": "*.log\n" }, parent);
  const root = join(parent, "precious");
  git(parent, "clone", "--quiet", origin, root);
  git(root, "branch", "feature");
  git(root, "tag", "-m", "tagged", "v1");
  writeFiles(root, { "a.txt": "stashed\n" });
  git(root, "stash");
  writeFiles(root, { "staged.txt": "staged\n", "a.txt": "edited\n", "new.txt": "untracked\n", "my.log": "ignored\n" });
  git(root, "add", "staged.txt");
  writeFiles(root, { ".git/hooks/pre-commit": "#!/bin/sh\nexit 0\n" });
  chmodSync(join(root, ".git/hooks/pre-commit"), 0o755);
  return root;
}

describe("whatever a task does in its workspace, the user's repository stays as it was, and the work is safe", () => {
  for (const [what, command, expected] of [
    [
      "stashes",
      `echo x > a.txt && git ${WHO} stash -qu && git stash list > list && git stash drop && echo w > w.txt`,
      ["list", "w.txt"],
    ],
    [
      "collects garbage at once",
      "git reflog expire --expire=now --all; git gc -q --prune=now; echo w > w.txt",
      ["w.txt"],
    ],
    [
      "prunes, repacks and packs refs",
      "git prune --expire=now; git repack -adq; git pack-refs --all; git prune-packed; echo w > w.txt",
      ["w.txt"],
    ],
    ["deletes branches and tags", "git branch -D feature main; git tag -d v1; echo w > w.txt", ["w.txt"]],
    ["checks out something else", "git checkout -qf feature && echo w > w.txt", ["w.txt"]],
    ["resets", "git reset -q --hard HEAD~1; echo w > w.txt", ["w.txt"]],
    [
      "commits and amends",
      `echo w > w.txt; git add .; git ${WHO} commit -qm w; git ${WHO} commit -q --amend -m x`,
      ["w.txt"],
    ],
    ["merges and rebases", `git ${WHO} merge -q feature; git ${WHO} rebase -q feature; echo w > w.txt`, ["w.txt"]],
    ["adds a worktree", `git worktree add -q --detach ../other && cd ../other && echo w > "$OLDPWD/w.txt"`, ["w.txt"]],
    ["pushes", "! git push origin HEAD:refs/heads/pushed && ! git push --all && echo w > w.txt", ["w.txt"]],
    ["deletes its .git", "rm -rf .git; echo w > w.txt", ["w.txt"]],
    ["makes its .git a file", 'rm -rf .git; echo "gitdir: /nowhere" > .git; echo w > w.txt', ["w.txt"]],
    ["breaks its index and HEAD", "echo x > .git/index; echo x > .git/HEAD; echo w > w.txt", ["w.txt"]],
    ["puts pipes into its .git", "rm .git/HEAD; mkfifo .git/HEAD .git/refs/heads/x pipe; echo w > w.txt", ["w.txt"]],
    ["cleans", "git clean -qffdx; echo w > w.txt", ["w.txt"]],
    ["makes a folder deeper than a path may be long", null, ["w.txt"]],
  ] as const) {
    it(`when it ${what}`, async () => {
      const home = makeHome();
      const root = makePrecious();
      const before = photograph(root);
      const deep = `echo w > w.txt; perl -e 'for (1..3000) { mkdir "d"; chdir "d" } open F, ">", "f"'`;
      const { task, run, paths, file } = await runTask(home, root, command ?? deep);
      if (command === null) {
        // What cannot be captured stays where it is, and the task says so.
        expect(task.outcome).toBe("failed");
        expect(task.reason).toMatchObject({ code: "UNREADABLE_FILES", hint: expect.stringContaining("remove") });
        const gc = await home.client().ask("gc", {});
        expect(gc.retained).toEqual([{ path: dirname(task.attempts[0]?.workspace ?? ""), holder: `${run.id}/task/1` }]);
        expect(readFileSync(join(task.attempts[0]?.workspace ?? "", "w.txt"), "utf8")).toBe("w\n");
      } else {
        expect(task.outcome, JSON.stringify(task.reason)).toBe("succeeded");
        expect(paths).toEqual(expect.arrayContaining([...expected]));
        expect(file("w.txt")).toBe("w");
      }
      expect(photograph(root)).toEqual(before);
      const next = await runTask(
        home,
        root,
        "cat a.txt new.txt; git stash list; git branch --list feature; git status -s",
      );
      expect(next.task.outcome).toBe("succeeded");
      expect(readFileSync(next.attempt?.log ?? "", "utf8")).toBe("edited\nuntracked\n  feature\n");
      expect(photograph(root)).toEqual(before);
      expect(git(run.vault, "fsck", "--connectivity-only", "--no-dangling")).toBe("");
    });
  }

  it("when it stashes its work away and leaves it there", async () => {
    const home = makeHome();
    const root = makePrecious();
    const { run } = await runTask(home, root, `echo hidden > a.txt; git ${WHO} stash -q`);
    const refs = git(run.vault, "for-each-ref", "--format=%(refname)", `refs/commits/${run.id}`).split("\n");
    expect(refs.map((ref) => git(run.vault, "show", `${ref}:a.txt`))).toContain("hidden");
    expect((await home.cli(root, ["show", run.id])).stdout).toMatch(/task left \d+ commits? beside its changes/);
  });

  it("when it commits on a detached HEAD of a worktree of its own and removes everything it names", async () => {
    const home = makeHome();
    const root = makePrecious();
    const { run } = await runTask(
      home,
      root,
      `git worktree add -q --detach ../wt; cd ../wt; echo lost > l.txt; git add .; git ${WHO} commit -qm l; git checkout -q HEAD~1`,
    );
    const refs = git(run.vault, "for-each-ref", "--format=%(refname)", `refs/commits/${run.id}`).split("\n");
    expect(refs.some((ref) => git(run.vault, "ls-tree", "--name-only", ref).includes("l.txt"))).toBe(true);
  });

  it("when it removes its workspace, moves it away, or puts a link to the user's own files in its place", async () => {
    const home = makeHome();
    const root = makePrecious();
    const before = photograph(root);
    for (const command of [
      'rm -rf "$PWD"',
      'rm -rf "$(dirname "$PWD")"',
      'mv "$PWD" "$PWD.moved"',
      'here=$PWD; cd /; rm -rf "$here"; ln -s "$PRECIOUS" "$here"',
      'here=$PWD; cd /; rm -rf "$here"; echo file > "$here"',
    ]) {
      const { task } = await runTask(home, root, command, { environment: { PRECIOUS: `/.${root}` } });
      expect(task.outcome, command).toBe("failed");
      expect(task.reason?.code, command).toBe("WORKSPACE_GONE");
      expect(photograph(root), command).toEqual(before);
      const next = await runTask(home, root, "cat a.txt > w.txt");
      expect(next.task.outcome, command).toBe("succeeded");
      expect(next.file("w.txt")).toBe("edited");
    }
    expect((await home.client().ask("gc", {})).retained).toEqual([]);
  });

  it("when it removes what stands beside its workspace", async () => {
    const home = makeHome();
    const root = makePrecious();
    const { task, file } = await runTask(home, root, "echo w > w.txt; rm -rf ../git ../stamp ../*.json");
    expect(task.outcome).toBe("succeeded");
    expect(file("w.txt")).toBe("w");
    expect((await runTask(home, root, "cat a.txt > w.txt")).file("w.txt")).toBe("edited");
    expect((await home.client().ask("gc", {})).retained).toEqual([]);
  });

  it("when it links folders of its workspace to the user's, and the next one writes through none of them", async () => {
    const home = makeHome();
    const root = makePrecious();
    writeFiles(root, { ".gitignore": "*.log\nnode_modules\n", "node_modules/x/i.js": "1" });
    const before = photograph(root);
    const link = 'rm -rf dir node_modules; ln -s "$PRECIOUS/dir" dir; ln -s "$PRECIOUS/node_modules" node_modules';
    await runTask(home, root, link, { environment: { PRECIOUS: `/.${root}` } });
    expect(photograph(root)).toEqual(before);
    const next = await runTask(home, root, "echo two > dir/b.txt; echo 2 > node_modules/x/i.js; ls -ld node_modules");
    expect(next.task.outcome).toBe("succeeded");
    expect(next.paths).toEqual(["dir/b.txt"]);
    expect(photograph(root)).toEqual(before);
  });

  it.skipIf(!canChangeUser)("when it takes all rights from its files and folders", async () => {
    const home = makeHome();
    const root = makePrecious();
    await startAsOrdinaryUser(home, [dirname(root)]);
    const before = photograph(root);
    const { task, paths, file, run } = await runTask(
      home,
      root,
      "mkdir -p no/deep seal; echo w > no/deep/w.txt; echo l > x.log; echo r > r.txt; chmod 000 r.txt x.log no/deep no; chmod 555 seal dir; chmod 000 .",
    );
    expect(task.reason).toBeUndefined();
    expect(paths).toEqual(expect.arrayContaining(["no/deep/w.txt", "r.txt"]));
    expect(file("no/deep/w.txt")).toBe("w");
    expect(file("r.txt")).toBe("r");
    expect(git(run.vault, "show", `refs/ignored/${run.id}/task/1:x.log`)).toBe("l");
    expect(photograph(root)).toEqual(before);
    const next = await runTask(home, root, "echo two > dir/b.txt; ls");
    expect(next.task.outcome).toBe("succeeded");
    expect((await home.client().ask("gc", {})).retained).toEqual([]);
  });

  it.skipIf(!canChangeUser)("when it makes files that nobody can change or remove", async () => {
    const home = makeHome();
    onTestFinished(() => void execFileSync("chattr", ["-R", "-i", home.folder]));
    const root = makePrecious();
    const before = photograph(root);
    const { task, file } = await runTask(home, root, "echo w > w.txt; echo two > a.txt; chattr +i a.txt w.txt dir");
    expect(task.outcome).toBe("succeeded");
    expect([file("w.txt"), file("a.txt")]).toEqual(["w", "two"]);
    expect((await runTask(home, root, "cat a.txt > w.txt")).file("w.txt")).toBe("edited");
    expect(photograph(root)).toEqual(before);
  });
});

describe("nothing that a task plants is ever executed by the daemon", () => {
  it("in its repository, in a nested one, in attributes or in the vault's way of reading them", async () => {
    const home = makeHome();
    const root = makePrecious();
    const proof = join(temporaryFolder(), "executed");
    const evil = join(temporaryFolder(), "evil.sh");
    writeFileSync(evil, `#!/bin/sh\necho "$0 $*" >> ${proof}\ncat\n`, { mode: 0o755 });
    const settings = [
      ["core.fsmonitor", evil],
      ["core.hooksPath", dirname(evil)],
      ["core.sshCommand", evil],
      ["core.gitProxy", evil],
      ["core.editor", evil],
      ["core.pager", evil],
      ["core.alternateRefsCommand", evil],
      ["core.attributesFile", `${dirname(evil)}/attributes`],
      ["filter.evil.clean", evil],
      ["filter.evil.smudge", evil],
      ["filter.evil.process", evil],
      ["diff.external", evil],
      ["diff.evil.command", evil],
      ["diff.evil.textconv", evil],
      ["merge.evil.driver", evil],
      ["gpg.program", evil],
      ["log.showSignature", "true"],
      ["credential.helper", evil],
      ["uploadpack.packObjectsHook", evil],
      ["remote.origin.uploadpack", evil],
      ["remote.origin.receivepack", evil],
      ["submodule.recurse", "true"],
      ["trace2.eventTarget", proof],
      ["alias.diff", `!${evil}`],
      ["include.path", `${dirname(evil)}/config`],
    ].map(([key, value]) => `git config ${key} '${value}'`);
    const hooks = ["post-checkout", "pre-commit", "post-index-change", "reference-transaction", "fsmonitor-watchman"];
    const plant = [
      ...hooks.map((hook) => `cp ${evil} .git/hooks/${hook}; cp ${evil} ${dirname(evil)}/${hook}`),
      "printf '* filter=evil diff=evil merge=evil\\n' > .gitattributes",
      "mkdir -p .git/info; cp .gitattributes .git/info/attributes; cp .gitattributes ../git/info/attributes",
      "git init -q nested; echo n > nested/n.txt",
      `cp ${evil} nested/.git/hooks/post-index-change`,
      `git -C nested config core.fsmonitor ${evil}`,
      "echo w > w.txt",
      // Last, so that none of the task's own commands runs into them.
      ...settings,
    ].join("\n");
    const before = photograph(root);
    const { run, task, paths } = await runTask(home, root, plant);
    expect(task.outcome).toBe("succeeded");
    expect(paths).toEqual([".gitattributes", "w.txt"]);
    const commands = [
      ["diff", run.id],
      ["diff", "--stat", run.id],
      ["git", "--", "log", "-p", "--all"],
      ["git", "--", "show", `refs/snapshots/${run.id}/task/1`],
      ["git", "--", "blame", `refs/snapshots/${run.id}/task/1`, "--", "w.txt"],
      ["git", "--", "grep", "w", `refs/snapshots/${run.id}/task/1`],
      ["git", "--", "cat-file", "-p", `refs/snapshots/${run.id}/task/1:w.txt`],
      ["gc", "--yes"],
    ];
    for (const command of commands) expect((await home.cli(root, command)).status, command.join(" ")).toBe(0);
    const next = await runTask(
      home,
      root,
      "git config --list --local; ls .git/hooks; git status; git diff; cat .gitattributes",
    );
    const log = readFileSync(next.attempt?.log ?? "", "utf8");
    expect(log).not.toContain("evil");
    expect(photograph(root)).toEqual(before);
    expect((await home.cli(root, ["accept", run.id])).status).toBe(0);
    expect((await runTask(home, root, "cat w.txt")).task.outcome).toBe("succeeded");
    expect(existsSync(proof) ? readFileSync(proof, "utf8") : "").toBe("");
  });

  it("in the user's own repository, where its configuration names programs", async () => {
    const home = makeHome();
    const root = makePrecious();
    const proof = join(temporaryFolder(), "executed");
    const evil = join(temporaryFolder(), "evil.sh");
    writeFileSync(evil, `#!/bin/sh\necho "$0 $*" >> ${proof}\ncat\n`, { mode: 0o755 });
    for (const [key, value] of [
      ["core.fsmonitor", evil],
      ["core.hooksPath", dirname(evil)],
      ["diff.external", evil],
      ["diff.evil.textconv", evil],
      ["gpg.program", evil],
      ["log.showSignature", "true"],
      ["core.sshCommand", evil],
      ["remote.origin.uploadpack", evil],
    ] as const)
      git(root, "config", key, value);
    for (const hook of ["post-index-change", "reference-transaction", "post-checkout"])
      writeFileSync(join(dirname(evil), hook), readFileSync(evil), { mode: 0o755 });
    writeFiles(root, { ".gitattributes": "* diff=evil\n" });
    const { run, task } = await runTask(home, root, "echo w > w.txt");
    expect(task.outcome).toBe("succeeded");
    expect((await home.cli(root, ["diff", run.id])).status).toBe(0);
    expect((await home.cli(root, ["accept", run.id])).status).toBe(0);
    expect((await home.cli(root, ["gc", "--yes", "--older-than", "0s"])).status).toBe(0);
    expect(existsSync(proof) ? readFileSync(proof, "utf8") : "").toBe("");
  });
});

describe("a workspace that was kept because it could not be made safe", () => {
  it("is given back by the next daemon once what was in the way is gone", async () => {
    const home = makeHome();
    const root = makePrecious();
    const deep = `echo w > w.txt; perl -e 'for (1..3000) { mkdir "d"; chdir "d" } open F, ">", "f"'`;
    const { task, run } = await runTask(home, root, deep);
    const tree = task.attempts[0]?.workspace ?? "";
    const listed = await home.cli(root, ["gc"]);
    expect(listed.stdout).toContain(`${dirname(tree)} holds work of ${run.id}/task/1 that could not be made safe`);
    expect(listed.stdout).toContain("anabranch daemon restart");
    execFileSync("rm", ["-rf", join(tree, "d")]);
    expect((await home.cli(root, ["daemon", "restart"])).status).toBe(0);
    const client = home.client();
    await until(
      async () => (await client.ask("doctor", {})).some((check) => check.evidence === "1 in all, 0 in use"),
      "the workspace is given back",
    );
    expect(git(run.vault, "show", `refs/snapshots/${run.id}/task/1:w.txt`)).toBe("w");
    expect(lstatSync(tree).isDirectory()).toBe(true);
    mkdirSync(join(tree, "probe"));
  });
});
