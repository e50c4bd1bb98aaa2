import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { RunView } from "../../src/protocol/views.ts";
import type { StartOptions } from "../../src/sdk/start-options.ts";
import { reachableObjects } from "../fixtures/acceptance.ts";
import { makeHome, type Home } from "../fixtures/home.ts";
import { photograph } from "../fixtures/photograph.ts";
import { refused } from "../fixtures/refused.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../fixtures/repository.ts";
import { until } from "../fixtures/until.ts";

const text = (root: string, path: string): string => readFileSync(join(root, path), "utf8");

async function run(home: Home, directory: string, options: Partial<StartOptions>): Promise<RunView> {
  const started = await home.client().start({ directory, mode: "sequential", ...options });
  return started.wait();
}

const accept = (home: Home, directory: string, id: string, undo = false) =>
  home.client().ask("accept", { id, directory, environment: home.environment, undo });

/** A photograph without some paths, and without what git keeps beside files. */
function photographWithout(root: string, paths: readonly string[]): Record<string, string> {
  const picture = photograph(root);
  for (const path of paths) {
    delete picture[path];
    delete picture[`/${path}`];
  }
  return picture;
}

describe("accepting a run", () => {
  it("into a dirty tree with a secret changes nothing nobody asked for, and the secret is reachable from no ref", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n", ".gitignore": "ignored\n" });
    writeFiles(root, { "b.txt": "my edit\n", "secret.txt": "my secret\n", ignored: "i\n" });
    const secret = git(root, "hash-object", "secret.txt");
    const view = await run(home, root, { tasks: { one: "echo A >> a.txt; echo made > new.txt; cat secret.txt" } });
    const before = photographWithout(root, ["a.txt", "new.txt"]);
    const done = await accept(home, root, view.id);
    expect(done).toMatchObject({ status: "accepted", target: "tree", written: ["a.txt", "new.txt"], commits: [] });
    expect(photographWithout(root, ["a.txt", "new.txt"])).toEqual(before);
    expect(text(root, "a.txt")).toBe("a\nA\n");
    expect(reachableObjects(root)).not.toContain(secret);
    expect((await accept(home, root, view.id)).status).toBe("already");
    expect((await accept(home, root, view.id, true)).status).toBe("undone");
    expect(text(root, "a.txt")).toBe("a\n");
    expect(existsSync(join(root, "new.txt"))).toBe(false);
    expect(photographWithout(root, ["a.txt", "new.txt"])).toEqual(before);
  });

  it("into a clean tree with a secret makes one commit of each changeset, and none holds the secret", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    writeFiles(root, { "secret.txt": "my secret\n" });
    const view = await run(home, root, {
      tasks: { one: "echo A >> a.txt; echo more >> secret.txt", two: "echo made > new.txt; cp secret.txt copy.txt" },
    });
    const done = await accept(home, root, view.id);
    expect(done.commits.map(({ subject }) => subject.split(":")[0])).toEqual(["one", "two"]);
    expect(done.uncommitted.map(({ path }) => path).toSorted()).toEqual(["copy.txt", "secret.txt"]);
    expect(git(root, "show", "--format=", "--name-only", "HEAD", "HEAD~1").split("\n").toSorted()).toEqual([
      "a.txt",
      "new.txt",
    ]);
    expect(git(root, "status", "--porcelain")).toBe("?? copy.txt\n?? secret.txt");
    for (const oid of reachableObjects(root)) expect(git(root, "cat-file", "-p", oid)).not.toContain("my secret");
    const receipt = JSON.parse(git(view.vault, "show", `refs/receipts/${done.acceptance}:receipt.json`)) as object;
    expect(receipt).toMatchObject({
      target: { kind: "branch", name: "main" },
      after: git(root, "rev-parse", "HEAD"),
      changesets: [{ task: "one", commit: git(root, "rev-parse", "HEAD~1") }, { task: "two" }],
      verification: { status: "unverified" },
    });
    expect(git(root, "log", "-1", "--format=%(trailers:key=Anabranch-Landing,valueonly)").trim()).toBe(
      view.landings.find(({ changesets }) => changesets.some(({ task }) => task === "two"))?.id,
    );
  });

  it("is refused where two runs are each green and break together, and where a task asks for it", async () => {
    const home = makeHome();
    const root = makeRepository({
      "anabranch.yaml": "verify: ['test ! -e one || test ! -e two']\n",
      "a.txt": "a\n",
    });
    const [one, two] = [
      await run(home, root, { tasks: { task: "echo 1 > one" } }),
      await run(home, root, { tasks: { task: "echo 2 > two" } }),
    ];
    expect([one.outcome, two.outcome]).toEqual(["succeeded", "succeeded"]);
    expect(await accept(home, root, one.id)).toMatchObject({ status: "accepted", verification: "passed" });
    const before = photograph(root);
    const error = await refused(accept(home, root, two.id), "VERIFY_FAILED");
    expect(error.message).toContain("nothing was written");
    expect(photograph(root)).toEqual(before);
    const inTask = await run(home, root, {
      tasks: {
        task: {
          run: `"${process.execPath}" "${join(import.meta.dirname, "../../dist/cli.js")}" accept ${two.id}`,
          writes: "none",
        },
      },
    });
    expect(inTask.outcome).toBe("failed");
    expect(existsSync(join(root, "two"))).toBe(false);
  });

  it("is refused, with the way on, where there is nothing, where the run goes on, or in another repository", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const nothing = await run(home, root, { tasks: { task: "true" } });
    await refused(accept(home, root, nothing.id), "NOTHING_TO_ACCEPT");
    await refused(accept(home, root, nothing.id, true), "NOTHING_TO_ACCEPT");
    const gate = join(temporaryFolder(), "gate");
    const going = await home.client().start({
      directory: root,
      tasks: { one: "echo 1 > one", wait: { run: `until [ -e "${gate}" ]; do sleep 0.05; done`, writes: "none" } },
    });
    expect((await refused(accept(home, root, going.id), "RUN_ACTIVE")).hint).toContain("anabranch wait");
    writeFileSync(gate, "");
    await going.wait();
    const other = makeRepository({ "a.txt": "a\n" });
    await run(home, other, { tasks: { task: "true" } });
    await refused(accept(home, other, going.id), "ACCEPT_REFUSED");
    expect((await accept(home, root, going.id)).status).toBe("accepted");
  });

  it("tells on the command line what was written, committed and left, and how to take it back", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    writeFileSync(join(root, ".git/hooks/pre-commit"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const view = await run(home, root, { tasks: { one: "echo A >> a.txt" } });
    const { stdout, status } = await home.cli(root, ["accept", view.id]);
    expect(status).toBe(0);
    expect(stdout).toContain("1 commit on main");
    expect(stdout).toContain(`${git(root, "rev-parse", "--short=10", "HEAD")} one: echo A >> a.txt`);
    expect(stdout).toContain("your hooks did not run: pre-commit");
    expect(stdout).toContain(`anabranch accept --undo ${view.id}`);
    const again = await home.cli(root, ["accept", view.id]);
    expect([again.status, again.stdout]).toEqual([0, expect.stringContaining("Nothing to accept")]);
    writeFiles(root, { "a.txt": "edited\n" });
    const kept = await home.cli(root, ["accept", "--undo", view.id]);
    expect(kept.status).toBe(5);
    expect(kept.stderr).toContain("a.txt");
    git(root, "checkout", "--", "a.txt");
    expect((await home.cli(root, ["accept", "--undo", view.id])).status).toBe(0);
    expect(git(root, "log", "--format=%s")).toBe("first");
    expect(git(root, "status", "--porcelain")).toBe("");
  });
});

describe("the daemon killed", () => {
  const steps = ["journalled", "objects", "path", "index", "ref", "receipt", "recorded"];
  const back = ["unref", "unindex", "unpath", "unrecorded"];

  /** Asks with a daemon that dies at a fault point; the client asks the next one again. @returns whether it died */
  async function askWithFault(home: Home, root: string, id: string, undo: boolean, fault: string): Promise<boolean> {
    const running = home.daemonPid();
    if (running !== undefined) {
      await home.client().ask("stop", {});
      await until(() => home.daemonPid() === undefined, "the daemon ends");
    }
    const daemon = await home.startDaemon({ ANABRANCH_FAULT: fault });
    // After the kill the daemon that comes next has done it already.
    await accept(home, root, id, undo);
    return daemon.signalCode === "SIGKILL";
  }

  for (const dirty of [false, true]) {
    it(`at any step of an acceptance into a ${dirty ? "dirty" : "clean"} tree, or of its undoing: all or nothing`, async () => {
      const home = makeHome();
      const root = makeRepository({ "a.txt": "a\n", "gone.txt": "g\n", "mine.txt": "m\n" });
      writeFiles(root, { "untracked.txt": "u\n", ...(dirty ? { "mine.txt": "edited\n" } : {}) });
      const view = await run(home, root, {
        tasks: { one: "echo A >> a.txt; rm gone.txt", two: "mkdir d; echo n > d/new.txt" },
      });
      const before = { ...snapshotOf(root), times: timesOf(root, ["mine.txt", "untracked.txt"]) };
      await accept(home, root, view.id);
      const after = { ...snapshotOf(root), times: before.times };
      expect(after.subjects).toBe(
        dirty ? "first" : "two: mkdir d; echo n > d/new.txt\none: echo A >> a.txt; rm gone.txt\nfirst",
      );
      await accept(home, root, view.id, true);
      const killed = new Set<string>();
      for (const step of [...steps, ...back]) {
        const undo = back.includes(step);
        for (let pass = 1; pass <= (step.endsWith("path") ? 3 : 1); pass += 1) {
          // What is to be undone has to be there, and the other way round.
          await accept(home, root, view.id, !undo);
          const died = await askWithFault(home, root, view.id, undo, `accept.${step}@${pass}`);
          if (died) killed.add(step);
          const now = { ...snapshotOf(root), times: timesOf(root, ["mine.txt", "untracked.txt"]) };
          expect(now, `${step}@${pass}`).toEqual(undo ? before : after);
          expect(git(view.vault, "for-each-ref", "refs/acceptances"), step).toBe("");
          expect(existsSync(join(root, ".git/index.lock"))).toBe(false);
        }
      }
      const commitSteps = new Set(["objects", "index", "ref", "unref"]);
      expect([...killed].toSorted()).toEqual(
        [...steps, ...back].filter((step) => !dirty || !commitSteps.has(step)).toSorted(),
      );
      expect(git(root, "fsck", "--connectivity-only", "--no-dangling")).toBe("");
    }, 600_000);
  }
});

/** What a person sees of a repository: files, index, commits. */
function snapshotOf(root: string) {
  const files = git(root, "ls-files", "--others", "--cached", "--deduplicate").split("\n").toSorted();
  return {
    subjects: git(root, "log", "--format=%s"),
    status: git(root, "status", "--porcelain"),
    staged: git(root, "ls-files", "--stage"),
    files: files.map((path) => [path, existsSync(join(root, path)) ? text(root, path) : null]),
    top: readdirSync(root).toSorted(),
  };
}

function timesOf(root: string, paths: readonly string[]): string[] {
  const picture = photograph(root);
  return paths.map((path) => picture[path] ?? picture[`/${path}`] ?? "");
}
