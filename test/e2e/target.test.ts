import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { RunView } from "../../src/protocol/views.ts";
import type { StartOptions } from "../../src/sdk/start-options.ts";
import { makeHome, type Home } from "../fixtures/home.ts";
import { photograph } from "../fixtures/photograph.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../fixtures/repository.ts";
import { refused, taskOf } from "../fixtures/runs.ts";
import { until } from "../fixtures/until.ts";

const one = { one: "echo 1 > one.txt" };

async function run(home: Home, directory: string, options: Partial<StartOptions>): Promise<RunView> {
  return (await home.client().start({ directory, mode: "parallel", ...options })).wait();
}

/** A repository that stands on main and has a branch `work` beside it. */
function makeProject(yaml = ""): string {
  const root = makeRepository({ "a.txt": "a\n", ...(yaml === "" ? {} : { "anabranch.yaml": yaml }) });
  git(root, "branch", "work");
  return root;
}

describe("work that lands on a branch of the user's", () => {
  it("starts from what is committed there and is on it in the end, and nothing else has changed", async () => {
    const home = makeHome();
    const root = makeProject();
    writeFiles(root, { "a.txt": "uncommitted\n", "secret.env": "s3cret\n" });
    const before = git(root, "status", "--porcelain");
    const view = await run(home, root, { target: "work", tasks: { one: "cat a.txt > one.txt; ls > names.txt" } });
    expect(view.outcome).toBe("succeeded");
    expect(git(root, "show", "work:one.txt")).toBe("a");
    expect(git(root, "show", "work:names.txt")).not.toContain("secret");
    expect(git(root, "log", "--format=%s", "main..work")).toMatch(/^one: cat/);
    expect(git(root, "status", "--porcelain")).toBe(before);
    expect(view.lane).toMatchObject({ kind: "branch", name: "work", tip: git(root, "rev-parse", "work") });
    expect(git(root, "fsck", "--connectivity-only", "--no-dangling")).toBe("");
  });

  it("brings the worktree along where the branch is checked out without changes", async () => {
    const home = makeHome();
    const root = makeProject();
    writeFiles(root, { "untracked.txt": "mine\n" });
    const view = await run(home, root, { target: "main", tasks: { one: "echo 1 > one.txt; rm a.txt" } });
    expect(view.outcome).toBe("succeeded");
    expect(readFileSync(join(root, "one.txt"), "utf8")).toBe("1\n");
    expect(existsSync(join(root, "a.txt"))).toBe(false);
    expect(git(root, "status", "--porcelain")).toBe("?? untracked.txt");
  });

  it("does not land while the branch is checked out with changes, or with files that are in the way", async () => {
    const home = makeHome();
    const root = makeProject();
    writeFiles(root, { "a.txt": "changed\n" });
    const before = photograph(root);
    const changed = await run(home, root, { target: "main", tasks: one });
    expect(taskOf(changed, "one")).toMatchObject({ outcome: "failed", reason: { code: "TARGET_BUSY" } });
    expect(photograph(root)).toEqual(before);
    git(root, "checkout", "--quiet", "a.txt");
    writeFiles(root, { "one.txt": "mine\n" });
    const inTheWay = await run(home, root, { target: "main", tasks: one });
    expect(taskOf(inTheWay, "one")).toMatchObject({ outcome: "failed", reason: { code: "TARGET_BUSY" } });
    expect(readFileSync(join(root, "one.txt"), "utf8")).toBe("mine\n");
    expect(git(root, "log", "--oneline", "main").split("\n")).toHaveLength(1);
  });

  it("is merged and verified again when the branch moves meanwhile", async () => {
    const home = makeHome();
    const [seen, gate] = [join(temporaryFolder(), "seen"), join(temporaryFolder(), "gate")];
    const root = makeProject(
      `verify: ['echo run >> ${seen}; test ! -e one.txt || until test -e ${gate}; do sleep 0.05; done']\n`,
    );
    const started = await home.client().start({ directory: root, target: "work", tasks: one });
    await until(() => existsSync(seen) && readFileSync(seen, "utf8").split("\n").length > 2, "verification runs");
    const other = join(temporaryFolder(), "other");
    git(root, "worktree", "add", "--quiet", other, "work");
    writeFiles(other, { "b.txt": "b\n" });
    git(other, "add", "--all");
    git(other, "commit", "--quiet", "-m", "came between");
    git(root, "worktree", "remove", "--force", other);
    writeFileSync(gate, "");
    const view = await started.wait();
    expect(view.outcome).toBe("succeeded");
    expect(git(root, "log", "--reverse", "--format=%s", "main..work").split("\n")).toEqual([
      "came between",
      "one: echo 1 > one.txt",
    ]);
    // The base, the tree that did not land, and the one that did.
    expect(readFileSync(seen, "utf8")).toBe("run\n".repeat(3));
  });

  it.each([
    ["is on top of what came onto the branch meanwhile also where all of it lands at once", "b.txt", "succeeded"],
    ["does not land where one of all conflicts with that, and the branch keeps it", "two.txt", "failed"],
  ])("%s", async (_title, path, outcome) => {
    const home = makeHome();
    const [begun, gate] = [join(temporaryFolder(), "begun"), join(temporaryFolder(), "gate")];
    const root = makeProject();
    const started = await home.client().start({
      directory: root,
      target: "work",
      land: "together",
      tasks: {
        one: `touch ${begun}; until test -e ${gate}; do sleep 0.05; done; echo 1 > one.txt`,
        two: "echo 2 > two.txt",
      },
    });
    await until(() => existsSync(begun), "the task is at work");
    const other = join(temporaryFolder(), "other");
    git(root, "worktree", "add", "--quiet", other, "work");
    writeFiles(other, { [path]: "theirs\n" });
    git(other, "add", "--all");
    git(other, "commit", "--quiet", "-m", "came between");
    git(root, "worktree", "remove", "--force", other);
    writeFileSync(gate, "");
    const view = await started.wait();
    expect(view.outcome).toBe(outcome);
    expect(git(root, "log", "--format=%s", "main..work")).toContain("came between");
    expect(git(root, "show", `work:${path}`)).toBe("theirs");
    const files = git(root, "ls-tree", "--name-only", "work").split("\n");
    if (outcome === "succeeded") expect(files).toEqual(["a.txt", "b.txt", "one.txt", "two.txt"]);
    else {
      expect(files).toEqual(["a.txt", "two.txt"]);
      expect(view.lane).toMatchObject({ together: "refused", reason: { code: "MERGE_CONFLICT" } });
    }
  });

  it("does not land when the branch is deleted meanwhile, and is refused when it never was", async () => {
    const home = makeHome();
    const root = makeProject();
    const view = await run(home, root, {
      target: "work",
      tasks: { one: `git -C ${root} branch -D work; echo 1 > one.txt` },
    });
    expect(taskOf(view, "one")).toMatchObject({ outcome: "failed", reason: { code: "TARGET_GONE" } });
    expect(git(root, "branch", "--list", "work")).toBe("");
    const error = await refused(run(home, root, { target: "mian", tasks: one }), "TARGET_GONE");
    expect(error.hint).toContain("--target main");
  });

  it("runs no hook of the user's, and says so", async () => {
    const home = makeHome();
    const root = makeProject();
    const proof = join(temporaryFolder(), "ran");
    for (const name of ["pre-commit", "reference-transaction"]) {
      const path = join(root, ".git/hooks", name);
      writeFileSync(path, `#!/bin/sh\ntouch ${proof}\nexit 1\n`);
      chmodSync(path, 0o755);
    }
    const view = await run(home, root, { target: "work", tasks: one });
    expect(view.outcome).toBe("succeeded");
    expect(existsSync(proof)).toBe(false);
    expect(view.landings[0]?.notices.join()).toContain("pre-commit, reference-transaction");
  });
});
