import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

import { storeFor, TrialWatch } from "../fixtures/file-watches.ts";
import { DIST } from "../fixtures/home.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../fixtures/repository.ts";
import { until } from "../fixtures/until.ts";

async function watchRepository(files: Readonly<Record<string, string>>): Promise<{ root: string; trial: TrialWatch }> {
  const root = makeRepository(files);
  const trial = new TrialWatch(await storeFor(root), root);
  await trial.start();
  return { root, trial };
}

const filesOf = (told: Awaited<ReturnType<TrialWatch["told"]>>): string[] =>
  told.flatMap(({ files }) => files).toSorted();

describe("the watching of files", () => {
  it("tells what was created, changed and deleted", async () => {
    const { root, trial } = await watchRepository({ "a.txt": "a\n", "sub/b.txt": "b\n" });
    writeFiles(root, { "a.txt": "other\n", "sub/new.txt": "new\n" });
    rmSync(join(root, "sub/b.txt"));
    expect(filesOf(await trial.settled())).toEqual(["changed a.txt", "created sub/new.txt", "deleted sub/b.txt"]);
  });

  it("tells nothing of a file that was only touched, or written with what it held", async () => {
    const { root, trial } = await watchRepository({ "a.txt": "a\n" });
    utimesSync(join(root, "a.txt"), 1, 1);
    writeFiles(root, { "a.txt": "a\n" });
    writeFiles(root, { "a.tmp": "a\n" });
    renameSync(join(root, "a.tmp"), join(root, "a.txt"));
    expect(filesOf(await trial.settled())).not.toContain("changed a.txt");
  });

  it("tells that a file has become a program", async () => {
    const { root, trial } = await watchRepository({ "run.sh": "true\n" });
    chmodSync(join(root, "run.sh"), 0o755);
    expect(filesOf(await trial.settled())).toEqual(["changed run.sh"]);
  });

  it("keeps git's own rules of what is ignored, and follows them when they change", async () => {
    const { root, trial } = await watchRepository({
      ".gitignore": "*.log\n/build/\n!keep.log\n",
      "sub/.gitignore": "local\n",
      "build/tracked.txt": "t\n",
    });
    writeFiles(root, {
      "x.log": "1",
      "keep.log": "1",
      "build/out.txt": "1",
      "build/deep/er/out.txt": "1",
      "sub/local": "1",
      local: "1",
      "build/tracked.txt": "changed\n",
    });
    expect(filesOf(await trial.settled())).toEqual(["changed build/tracked.txt", "created keep.log", "created local"]);
    writeFiles(root, { ".gitignore": "/build/\n" });
    expect(filesOf(await trial.settled())).toEqual(["changed .gitignore", "created x.log"]);
    writeFiles(root, { "y.log": "1" });
    expect(filesOf(await trial.settled())).toEqual(["created y.log"]);
  });

  it("tells nothing of .git, node_modules, other repositories and folders of Anabranch's own", async () => {
    const root = makeRepository({ "a.txt": "a\n" });
    const trial = new TrialWatch(await storeFor(root), root, { ownFolders: [join(root, "own/state")] });
    mkdirSync(join(root, "inner"));
    git(join(root, "inner"), "init", "--quiet");
    await trial.start();
    writeFiles(root, {
      "node_modules/x/index.js": "1",
      "sub/node_modules/y.js": "1",
      "own/state/z": "1",
      "own/z": "1",
    });
    writeFiles(root, { "inner/file.txt": "1", ".git/info/exclude": "nothing\n" });
    git(root, "commit", "--quiet", "--allow-empty", "-m", "second");
    expect(filesOf(await trial.settled())).toEqual(["created own/z"]);
  });

  it("tells of files in folders that were made, moved in or moved away at once", async () => {
    const { root, trial } = await watchRepository({ "from/deep/a.txt": "a\n", "from/deep/b.txt": "b\n" });
    const outside = temporaryFolder();
    writeFiles(outside, { "tree/x/y/c.txt": "c\n" });
    writeFiles(root, { "n1/n2/n3/d.txt": "d\n" });
    renameSync(join(outside, "tree"), join(root, "tree"));
    renameSync(join(root, "from"), join(root, "to"));
    expect(filesOf(await trial.settled())).toEqual([
      "created n1/n2/n3/d.txt",
      "created to/deep/a.txt",
      "created to/deep/b.txt",
      "created tree/x/y/c.txt",
      "deleted from/deep/a.txt",
      "deleted from/deep/b.txt",
    ]);
    writeFiles(root, { "n1/n2/e.txt": "e\n", "to/deep/a.txt": "changed\n", "tree/x/f.txt": "f\n" });
    expect(filesOf(await trial.settled())).toEqual([
      "changed to/deep/a.txt",
      "created n1/n2/e.txt",
      "created tree/x/f.txt",
    ]);
  });

  it("tells a file that takes a folder's place, a link, and names that are no text", async () => {
    const { root, trial } = await watchRepository({ "place/a.txt": "a\n" });
    rmSync(join(root, "place"), { recursive: true });
    writeFileSync(join(root, "place"), "file\n");
    symlinkSync("place", join(root, "link"));
    writeFileSync(Buffer.concat([Buffer.from(`${root}/caf`), Buffer.from([0xe9])]), "latin1\n");
    writeFiles(root, { "line\nend": "1", "ü b": "1" });
    expect(filesOf(await trial.settled())).toEqual([
      "created caf\udce9",
      "created line\nend",
      "created link",
      "created place",
      "created ü b",
      "deleted place/a.txt",
    ]);
  });

  it("tells a checkout of many files as one event, and of few ones that it is a checkout", async () => {
    const { root, trial } = await watchRepository({ "a.txt": "a\n" });
    git(root, "checkout", "--quiet", "-b", "many");
    writeFiles(root, Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`d${n % 70}/f${n}.txt`, `${n}\n`])));
    git(root, "add", "--all");
    git(root, "commit", "--quiet", "-m", "many");
    await trial.next();
    git(root, "checkout", "--quiet", "main");
    const [event, ...rest] = await trial.next();
    expect([event?.bulk, event?.count, event?.files.length, rest.length]).toEqual([true, 3000, 1000, 0]);
    git(root, "checkout", "--quiet", "-b", "few");
    writeFiles(root, { "a.txt": "few\n" });
    git(root, "commit", "--quiet", "-am", "few");
    await trial.next();
    git(root, "checkout", "--quiet", "main");
    expect(await trial.next()).toMatchObject([{ bulk: true, files: ["changed a.txt"] }]);
    writeFiles(root, { "a.txt": "by hand\n" });
    expect(await trial.next()).toMatchObject([{ bulk: false, files: ["changed a.txt"] }]);
  });

  it("tells nothing of a commit of what was told already", async () => {
    const { root, trial } = await watchRepository({ "a.txt": "a\n" });
    writeFiles(root, { "a.txt": "b\n", "new.txt": "n\n" });
    await trial.settled();
    git(root, "add", "--all");
    git(root, "commit", "--quiet", "-m", "second");
    utimesSync(join(root, "a.txt"), 1, 1);
    expect(await trial.settled()).toEqual([]);
    writeFiles(root, { "a.txt": "a\n" });
    expect(filesOf(await trial.settled())).toEqual(["changed a.txt"]);
  });

  it("tells what has changed while its daemon was away, once", async () => {
    const root = makeRepository({ "a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n" });
    writeFiles(root, { "dirty.txt": "1\n" });
    const store = await storeFor(root);
    const first = new TrialWatch(store, root);
    await first.start();
    writeFiles(root, { "a.txt": "told\n" });
    await first.settled();
    await first.watch.close();
    writeFiles(root, { "b.txt": "away\n", "new.txt": "n\n", "dirty.txt": "2\n" });
    rmSync(join(root, "c.txt"));
    git(root, "commit", "--quiet", "-am", "away");
    const second = new TrialWatch(store, root);
    await second.told();
    await second.start();
    expect(filesOf(await second.settled())).toEqual([
      "changed b.txt",
      "changed dirty.txt",
      "created new.txt",
      "deleted c.txt",
    ]);
    await second.watch.close();
    const third = new TrialWatch(store, root);
    await third.told();
    await third.start();
    expect(await third.settled()).toEqual([]);
  });

  it("goes on when the watcher is killed, and tells what it did not see", async () => {
    const { root, trial } = await watchRepository({ "a.txt": "a\n" });
    const pid = trial.watch.watcherPid ?? 0;
    process.kill(pid, "SIGKILL");
    writeFiles(root, { "a.txt": "unseen\n" });
    await until(() => trial.watch.watcherPid !== pid && trial.watch.watcherPid !== undefined, "another watcher");
    await trial.ready();
    expect(filesOf(await trial.settled())).toEqual(["changed a.txt"]);
  });

  it("looks for a repository that was deleted, and begins anew with the one that was made in its place", async () => {
    const { root, trial } = await watchRepository({ "a.txt": "a\n" });
    rmSync(root, { recursive: true });
    await until(() => trial.watch.views()[0]?.state === "gone", "it is gone");
    makeRepository({ "b.txt": "b\n" }, join(root, ".."));
    await trial.ready();
    await trial.told();
    writeFiles(root, { "b.txt": "changed\n" });
    expect(filesOf(await trial.settled())).toEqual(["changed b.txt"]);
  });

  it("forgets what it knows once nobody wants to know any more", async () => {
    const { root, trial } = await watchRepository({ "a.txt": "a\n" });
    await trial.watch.want([]);
    writeFiles(root, { "a.txt": "private\n" });
    await trial.start();
    expect(await trial.settled()).toEqual([]);
  });

  it("asks git every few seconds where the system refuses to watch, and says how to mend that", async () => {
    const root = makeRepository({ "a.txt": "a\n", ".gitignore": "*.log\n" });
    const watcherFile = resolve(import.meta.dirname, "../fixtures/watchers/refusing.mjs");
    const trial = new TrialWatch(await storeFor(root), root, { watcherFile });
    await trial.watch.want([{ repositoryId: "r", root }]);
    await until(() => trial.troubles.length > 0, "trouble is told");
    expect(trial.troubles).toMatchObject([{ repositoryId: "r", hint: expect.stringContaining("max_user_watches") }]);
    expect(trial.watch.views()).toMatchObject([{ state: "polling", why: "no space" }]);
    writeFiles(root, { "a.txt": "b\n", "new.txt": "n\n", "x.log": "1" });
    expect(filesOf(await trial.settled())).toEqual(["changed a.txt", "created new.txt"]);
  });

  it("polls where there is no watcher at all, and says so in the log", async () => {
    const root = makeRepository({ "a.txt": "a\n" });
    const trial = new TrialWatch(await storeFor(root), root, { watcherFile: join(root, "missing.js") });
    await trial.watch.want([{ repositoryId: "r", root }]);
    writeFiles(root, { "a.txt": "b\n" });
    expect(filesOf(await trial.settled())).toEqual(["changed a.txt"]);
    expect(trial.logged.join("\n")).toContain("the watcher of files has died");
  });

  it("lets its watcher end with the daemon, also with one that is killed", async () => {
    const child = spawn(process.execPath, [join(DIST, "watcher.js")], { stdio: ["pipe", "pipe", "inherit"] });
    const ended = new Promise((done) => child.once("exit", done));
    const root = makeRepository({ "a.txt": "a\n" });
    child.stdin.write(`${JSON.stringify({ do: "watch", id: "r", root, skip: [] })}\n`);
    await new Promise((ready) => child.stdout.once("data", ready));
    child.stdin.destroy();
    expect(await ended).toBe(0);
  });
});
