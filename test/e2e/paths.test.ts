import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { DIST, makeHome } from "../fixtures/home.ts";
import { photograph } from "../fixtures/photograph.ts";
import { git, makeFolder, makeRepository, removeFolder, temporaryFolder, writeFiles } from "../fixtures/repository.ts";
import { refused, runTask } from "../fixtures/runs.ts";

const ODD_NAMES = [
  "a space",
  " leading and trailing ",
  "new\nline",
  "carriage\r",
  "tab\tin",
  "-dash",
  "--output=x",
  'quote"s',
  '"quoted"',
  "'single'",
  "back\\slash",
  "star*",
  "[brackets]",
  "ques?tion",
  "!bang",
  "#hash",
  ":(top)colon",
  "$(touch hacked)",
  "`touch hacked`",
  "ünï-cödé-日本語-🎋",
  "cafe\u0301",
  "caf\u00e9",
  "\u001b[31mred\u001b[0m",
  "Case",
  "case",
  "x".repeat(255),
];

describe("names of files", () => {
  it("of every kind come along, are captured, and are brought back by accept byte for byte", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "one\n" });
    for (const name of ODD_NAMES) writeFiles(root, { [name]: `user ${name}`, [`folder/${name}/f`]: `deep ${name}` });
    const script = join(temporaryFolder(), "rewrite.mjs");
    writeFileSync(
      script,
      `import { readdirSync, readFileSync, writeFileSync, mkdirSync } from "node:fs";
       const names = ${JSON.stringify(ODD_NAMES)};
       const here = new Set(readdirSync("."));
       for (const name of names) {
         if (!here.has(name) || readFileSync(name, "utf8") !== "user " + name) throw new Error("absent: " + name);
         writeFileSync(name, "task " + name);
         mkdirSync("new/" + name, { recursive: true });
         writeFileSync("new/" + name + "/g", "new " + name);
       }`,
    );
    const { run, task, attempt } = await runTask(home, root, `"${process.execPath}" ${script}`);
    expect(task.outcome).toBe("succeeded");
    expect(attempt?.changeset?.paths).toBe(2 * ODD_NAMES.length);
    expect(readFileSync(join(root, "a space"), "utf8")).toBe("user a space");
    const accepted = await home.cli(root, ["accept", run.id, "--json"]);
    expect(accepted.stderr).toBe("");
    expect(accepted.status).toBe(0);
    for (const name of ODD_NAMES) {
      expect(readFileSync(join(root, name), "utf8")).toBe(`task ${name}`);
      expect(readFileSync(join(root, "new", name, "g"), "utf8")).toBe(`new ${name}`);
    }
    expect(existsSync(join(root, "hacked"))).toBe(false);
    for (const command of [
      ["show", `${run.id}/task`],
      ["diff", "--names", run.id],
      ["accept", run.id],
    ]) {
      const { stdout, stderr, status } = await home.cli(root, command);
      expect(status, command[0]).toBe(0);
      expect(stdout + stderr, command[0]).not.toMatch(/\u001b|\r/);
    }
  });

  it("that are not UTF-8 are kept, and accept refuses them instead of writing others", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "one\n" });
    const { run, task } = await runTask(home, root, `printf b > "$(printf 'caf\\351')"; echo two > a.txt`);
    expect(task.outcome).toBe("succeeded");
    const listing = execFileSync("git", ["ls-tree", "-z", "--name-only", `refs/snapshots/${run.id}/task/1`], {
      cwd: run.vault,
      encoding: "latin1",
    });
    expect(listing.split("\0")).toContain("caf\u00e9");
    const before = photograph(root);
    const client = home.client();
    const error = await refused(
      client.ask("accept", { id: run.id, directory: root, environment: {} }),
      "ACCEPT_REFUSED",
    );
    expect(error.hint).toContain("git apply");
    expect(photograph(root)).toEqual(before);
    execFileSync("sh", ["-c", `"$0" "$1" diff ${run.id} | git apply`, process.execPath, join(DIST, "cli.js")], {
      cwd: root,
      env: home.environment,
    });
    expect(git(root, "-c", "core.quotePath=true", "status", "--porcelain")).toBe(' M a.txt\n?? "caf\\351"');
  });

  it("of the repository's own folder may be odd; a line break in it is refused", async () => {
    const home = makeHome();
    for (const name of ["a space", "-dash", 'quote"s', "$HOME", "ünï 🎋", "colon:in", "#hash", "[b]*"]) {
      const root = makeRepository({ "a.txt": "one\n", "s u b/x": "x" }, temporaryFolder(`anabranch ${name} `));
      writeFiles(root, { "b.txt": "mine\n" });
      const { task, file } = await runTask(home, join(root, "s u b"), "cat ../b.txt x > c.txt; git log -1 > log");
      expect(task.reason, name).toBeUndefined();
      expect(file("s u b/c.txt")).toBe("mine\nx");
    }
    const broken = makeRepository({ "a.txt": "one\n" }, temporaryFolder("anabranch\nline"));
    await refused(runTask(home, broken, "true"), "REPOSITORY_UNSUPPORTED");
    const fine = makeRepository({ "sub\nfolder/a.txt": "one\n" });
    await refused(runTask(home, join(fine, "sub\nfolder"), "true"), "REPOSITORY_UNSUPPORTED");
    expect((await runTask(home, fine, "cat sub*/a.txt")).task.outcome).toBe("succeeded");
  });
});

describe("what files are", () => {
  it("modes and links come along and come back", async () => {
    const home = makeHome();
    const root = makeRepository({ "run.sh": "#!/bin/sh\necho ran\n", "plain.sh": "echo\n", "target/x": "x" });
    chmodSync(join(root, "run.sh"), 0o755);
    symlinkSync("target", join(root, "link"));
    symlinkSync("/nowhere/at all", join(root, "broken"));
    const { run, paths } = await runTask(
      home,
      root,
      "./run.sh > out && chmod +x plain.sh && chmod -x run.sh && ln -s /etc/passwd away && rm link && mkdir link && echo y > link/y",
    );
    expect(paths).toEqual(["away", "link", "link/y", "out", "plain.sh", "run.sh"]);
    expect((await home.cli(root, ["accept", run.id])).stderr).toBe("");
    expect(statSync(join(root, "plain.sh")).mode & 0o111).toBe(0o111);
    expect(statSync(join(root, "run.sh")).mode & 0o111).toBe(0);
    expect(readlinkSync(join(root, "away"))).toBe("/etc/passwd");
    expect(readlinkSync(join(root, "broken"))).toBe("/nowhere/at all");
    expect(lstatSync(join(root, "link")).isDirectory()).toBe(true);
  });

  for (const [how, settings, attributes] of [
    ["core.autocrlf", ["core.autocrlf", "true"], ""],
    [".gitattributes", ["core.eol", "lf"], "*.txt text eol=crlf\n"],
    ["core.autocrlf, strictly", ["core.safecrlf", "true"], "*.txt text\n"],
  ] as const) {
    it(`line ends that ${how} decides are the user's in the workspace and after accept`, async () => {
      const home = makeHome();
      const root = makeRepository(attributes === "" ? {} : { ".gitattributes": attributes.replace("\n", "\r\n") });
      git(root, "config", "core.autocrlf", how.startsWith("core.autocrlf") ? "true" : "false");
      git(root, "config", settings[0], settings[1]);
      writeFiles(root, { "a.txt": "one\r\ntwo\r\n" });
      git(root, "add", ".");
      git(root, "commit", "--quiet", "-m", "crlf");
      const { run, paths, file } = await runTask(
        home,
        root,
        "cp a.txt b.txt; printf 'lf\\n' > c.txt; git status -s > s.md",
      );
      expect(run.base.uncommittedPaths).toBe(0);
      expect(paths).toEqual(["b.txt", "c.txt", "s.md"]);
      expect(file("b.txt")).toBe("one\ntwo");
      expect((await home.cli(root, ["accept", run.id])).stderr).toBe("");
      expect(readFileSync(join(root, "b.txt"), "utf8")).toBe("one\r\ntwo\r\n");
      expect((await home.cli(root, ["accept", run.id])).stdout).toMatch(/^Nothing to accept/);
    });
  }
});

describe("where a run is started", () => {
  it("a folder that git does not track, or ignores, is there for its tasks", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "one\n", ".gitignore": "build/\n" });
    for (const folder of ["empty/deep", "build/out"]) {
      mkdirSync(join(root, folder), { recursive: true });
      const { task, run } = await runTask(home, join(root, folder), "cat ../../a.txt; pwd");
      expect(task.outcome, folder).toBe("succeeded");
      const log = readFileSync(run.taskList[0]?.attempts[0]?.log ?? "", "utf8");
      expect(log).toMatch(new RegExp(`^one\n/.*/tree/${folder}\n$`));
    }
  });

  it("a hook of git, whose variables must not lead anything back to the user's repository", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "one\n" });
    const linked = join(temporaryFolder(), "linked");
    git(root, "worktree", "add", "--quiet", linked);
    const log = join(temporaryFolder(), "log");
    const task = "env | grep ^GIT_ > git-variables; echo b > b.txt; git add b.txt; git status --porcelain > status";
    const lines = Object.entries(home.environment).map(([name, value]) => `export ${name}='${value}'`);
    writeFileSync(
      join(root, ".git/hooks/pre-commit"),
      `#!/bin/sh\n${lines.join("\n")}\nenv | grep ^GIT_ >&2\n"${process.execPath}" "${join(DIST, "cli.js")}" run --json -t task='${task}' > ${log}\n`,
      { mode: 0o755 },
    );
    for (const tree of [root, linked]) {
      writeFiles(tree, { "a.txt": "two\n" });
      git(tree, "commit", "--quiet", "-am", "by the hook's leave");
      const answer = JSON.parse(readFileSync(log, "utf8")) as { data: { id: string; outcome: string; vault: string } };
      expect(answer.data.outcome).toBe("succeeded");
      const show = (path: string) => git(answer.data.vault, "show", `refs/snapshots/${answer.data.id}/task/1:${path}`);
      expect(show("git-variables")).not.toMatch(/GIT_(DIR|INDEX_FILE|WORK_TREE|PREFIX)/);
      expect(show("status")).toBe("A  b.txt\n?? git-variables\n?? status");
      expect(git(tree, "status", "--porcelain")).toBe("");
      expect(git(tree, "show", "--name-only", "--format=%s", "HEAD")).toBe("by the hook's leave\n\na.txt");
    }
  });

  it("with git's variables pointing elsewhere", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "one\n" });
    const other = makeRepository({ "other.txt": "other\n" });
    const before = [photograph(root), photograph(other)];
    const { task, paths, run } = await runTask(home, root, "echo b > b.txt; git add .; git stash; git stash pop", {
      environment: {
        GIT_DIR: join(other, ".git"),
        GIT_WORK_TREE: other,
        GIT_INDEX_FILE: join(other, ".git/index"),
        GIT_OBJECT_DIRECTORY: join(other, ".git/objects"),
        GIT_ALTERNATE_OBJECT_DIRECTORIES: join(other, ".git/objects"),
        GIT_COMMON_DIR: join(other, ".git"),
        GIT_NAMESPACE: "elsewhere",
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: "core.worktree",
        GIT_CONFIG_VALUE_0: other,
        GIT_CONFIG_PARAMETERS: "'core.bare'='true'",
        GIT_CEILING_DIRECTORIES: root,
        GIT_EXTERNAL_DIFF: "false",
        GIT_AUTHOR_NAME: "A",
        GIT_AUTHOR_EMAIL: "a@b",
        GIT_COMMITTER_NAME: "A",
        GIT_COMMITTER_EMAIL: "a@b",
      },
    });
    expect(task.outcome).toBe("succeeded");
    expect(paths).toEqual(["b.txt"]);
    expect(run.repository).toBe(root);
    expect([photograph(root), photograph(other)]).toEqual(before);
  });

  it("a home folder that is named from where the client stands", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "one\n", ".gitignore": "own/\n" });
    const relative = { ...home.environment, ANABRANCH_HOME: "own" };
    for (let times = 0; times < 2; times += 1) {
      const end = await home.cli(
        root,
        ["run", "--plain", "-t", "task=anabranch-absent || echo $ANABRANCH_HOME"],
        relative,
      );
      expect(end.stderr).toContain(`task | ${join(root, "own")}`);
    }
    expect((await home.cli(root, ["ls", "--plain"], relative)).stdout.trim().split("\n")).toHaveLength(2);
    expect((await home.cli(root, ["daemon", "stop"], relative)).stdout).toContain("the daemon stopped");
  });

  it("a home folder whose path is two hundred characters long, and one inside the repository", async () => {
    const long = join(temporaryFolder("anabranch-home-"), "y".repeat(200), "z".repeat(50));
    mkdirSync(long, { recursive: true });
    const root = makeRepository({ "a.txt": "one\n" });
    expect((await runTask(makeHome({ folder: long }), root, "cat a.txt > b.txt")).paths).toEqual(["b.txt"]);

    const inside = makeHome({ folder: join(root, "my tools/anabranch") });
    const first = await runTask(inside, root, 'echo "$ANABRANCH_HOME" > home; cat a.txt > b.txt');
    expect(first.file("home")).toBe(inside.folder);
    expect(first.run.base.uncommittedPaths).toBe(0);
    const second = await runTask(inside, root, "find . -name anabranch.db > found");
    expect(second.file("found")).toBe("");
  });
});

describe("very many files", () => {
  it("that are not tracked take time in proportion to their number, and are warned of", async () => {
    const fast = existsSync("/dev/shm") ? makeFolder("anabranch-many-", "/dev/shm") : makeFolder("anabranch-many-");
    onTestFinished(() => removeFolder(fast));
    const home = makeHome({ folder: join(fast, "home") });
    const client = home.client();
    const timed = async (count: number): Promise<{ perFileMs: number; notices: readonly string[] }> => {
      const root = makeRepository({ "a.txt": "one\n" }, join(fast, String(count)));
      for (let index = 0; index < count; index += 1) {
        if (index % 1000 === 0) mkdirSync(join(root, `many/${index / 1000}`), { recursive: true });
        writeFileSync(join(root, `many/${Math.floor(index / 1000)}/${index}`), `${index}\n`);
      }
      const began = performance.now();
      const run = await client.start({ directory: root, tasks: { task: "find many -type f | wc -l > count" } });
      const view = await run.wait();
      const tookMs = performance.now() - began;
      expect(view.outcome).toBe("succeeded");
      expect(git(view.vault, "show", `refs/snapshots/${run.id}/task/1:count`).trim()).toBe(String(count));
      return { perFileMs: tookMs / count, notices: view.notices };
    };
    const few = await timed(10_000);
    const many = await timed(100_000);
    expect(many.perFileMs).toBeLessThan(few.perFileMs * 3);
    expect(many.notices.join()).toMatch(/100,000 untracked files .* ignore what is not needed/);
  }, 120_000);
});
