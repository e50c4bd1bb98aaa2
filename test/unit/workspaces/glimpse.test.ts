import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { systemClock } from "../../../src/base/clock.ts";
import { createGit } from "../../../src/git/git.ts";
import { findRepository, readHead, readLocalConfig } from "../../../src/git/repository.ts";
import { takeBase } from "../../../src/workspaces/base.ts";
import { captureWorkspace } from "../../../src/workspaces/capture.ts";
import { openForecastVault } from "../../../src/workspaces/forecast-vault.ts";
import { glimpseWorkspace, type Glimpse } from "../../../src/workspaces/glimpse.ts";
import { describeSource, surveyBase } from "../../../src/workspaces/source.ts";
import { openTrash } from "../../../src/workspaces/trash.ts";
import { openVault, prepareVault } from "../../../src/workspaces/vault.ts";
import { resetWorkspace, workspaceAt } from "../../../src/workspaces/workspace.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../../fixtures/repository.ts";

const runner = createGit({ PATH: process.env["PATH"], HOME: "/nonexistent" }, systemClock);

async function makeWorkspace(files: Readonly<Record<string, string>>) {
  const root = makeRepository(files);
  const state = temporaryFolder();
  const repository = await findRepository(runner, root);
  const [head, local] = await Promise.all([readHead(runner, repository), readLocalConfig(runner, repository)]);
  const vault = openVault(runner, "r", join(state, "vault.git"));
  await prepareVault(vault.directory, repository, local);
  const { commit: base } = await takeBase(runner, vault, repository, head);
  const source = await describeSource(
    runner,
    repository,
    head,
    local,
    await surveyBase(runner, vault.place, base),
    true,
  );
  const trash = openTrash(join(state, "trash"));
  const slot = join(state, "slot");
  await resetWorkspace(runner, workspaceAt(slot, vault), base, source, [], trash);
  const forecast = await openForecastVault(runner, vault, join(state, "forecast.git"));
  onTestFinished(async () => {
    await Promise.all([forecast.close(), vault.close(), trash.empty()]);
  });
  const workspace = workspaceAt(slot, forecast);
  const look = (stamp?: string, signal = new AbortController().signal) =>
    glimpseWorkspace(runner, workspace, { base, kept: [], stamp, signal });
  const capture = () =>
    captureWorkspace(runner, workspaceAt(slot, vault), {
      base,
      ref: "refs/snapshots/run/task/1",
      message: "test",
      atSeconds: 1,
      kept: [],
    });
  return { workspace, tree: workspace.tree, slot, vault, forecast, base, look, capture };
}

function seen(glimpse: Glimpse | string): Glimpse {
  if (typeof glimpse === "string") throw new Error(`it is ${glimpse}`);
  return glimpse;
}

const FILES = { "a.txt": "a\n", "b/c.txt": "c\n", "d/e.txt": "e\n", f: "f\n", ".gitignore": "*.log\n" };

describe("a look at a workspace", () => {
  it("sees the tree that a snapshot would hold, whatever was changed into what", async () => {
    const { tree, look, capture, vault } = await makeWorkspace(FILES);
    writeFiles(tree, { "a.txt": "A\n", "new folder/n\new.txt": "n\n", "noise.log": "x\n" });
    writeFileSync(Buffer.from(`${tree}/\xff\xfe.txt`, "latin1"), "bytes\n");
    // A folder becomes a file, a file a folder, a folder a link.
    rmSync(join(tree, "b"), { recursive: true });
    writeFileSync(join(tree, "b"), "b\n");
    rmSync(join(tree, "f"));
    writeFiles(tree, { "f/g.txt": "g\n" });
    renameSync(join(tree, "d"), join(tree, "elsewhere"));
    symlinkSync("elsewhere", join(tree, "d"));
    const glimpse = seen(await look());
    const snapshot = await capture();
    expect(glimpse.tree).toBe(await vault.objects.treeOf(snapshot.commit));
    expect(glimpse.changes.map(({ path }) => path)).toContain("new folder/n\new.txt");
    expect(glimpse.changes.length).toBe(snapshot.changes.length);
  });

  it("goes by the ignore rules of the base, as a snapshot does", async () => {
    const { tree, look, capture, vault } = await makeWorkspace(FILES);
    writeFiles(tree, { ".gitignore": "hidden.txt\n", "hidden.txt": "h\n", "shown.log": "s\n" });
    const glimpse = seen(await look());
    expect(glimpse.changes.map(({ path }) => path)).toEqual([".gitignore", "hidden.txt"]);
    expect(glimpse.tree).toBe(await vault.objects.treeOf((await capture()).commit));
  });

  it("tells that nothing has changed since, and sees a change that leaves the size as it was", async () => {
    const { tree, look, base, forecast } = await makeWorkspace(FILES);
    const untouched = seen(await look());
    expect(untouched).toMatchObject({ changes: [], sizeBytes: 0, tree: await forecast.objects.treeOf(base) });
    writeFiles(tree, { "a.txt": "1\n" });
    const first = seen(await look(untouched.stamp));
    expect(await look(first.stamp)).toBe("unchanged");
    writeFiles(tree, { "a.txt": "2\n" });
    const second = seen(await look(first.stamp));
    expect(second.tree).not.toBe(first.tree);
    rmSync(join(tree, "a.txt"));
    expect(seen(await look(second.stamp)).changes).toMatchObject([{ path: "a.txt", kind: "deleted" }]);
  });

  it("writes nothing into the workspace, its index or the vault", async () => {
    const { tree, slot, vault, forecast, look } = await makeWorkspace(FILES);
    writeFiles(tree, { "a.txt": "seen\n", "n.txt": "seen as well\n" });
    const before = [contents(slot), contents(vault.directory)];
    const glimpse = seen(await look());
    expect([contents(slot), contents(vault.directory)]).toEqual(before);
    expect(readdirSync(forecast.directory).filter((name) => name.startsWith("glimpse-"))).toEqual([]);
    expect(git(forecast.directory, "show", `${glimpse.tree}:n.txt`)).toBe("seen as well");
    expect(() => git(vault.directory, "cat-file", "-e", glimpse.tree)).toThrow();
  });

  it("finds a workspace gone that was removed, replaced by a link, or has lost our index", async () => {
    for (const remove of [
      (tree: string) => rmSync(tree, { recursive: true }),
      (tree: string) => {
        renameSync(tree, `${tree}.moved`);
        symlinkSync(`${tree}.moved`, tree);
      },
      (tree: string) => rmSync(join(tree, "../git/index")),
    ]) {
      const { tree, look } = await makeWorkspace(FILES);
      remove(tree);
      expect(await look()).toBe("gone");
    }
  });

  it("leaves out a huge file, and gives up where there is too much", async () => {
    const { tree, look } = await makeWorkspace(FILES);
    writeFiles(tree, { "small.txt": "s\n", "huge.bin": "" });
    truncateSync(join(tree, "huge.bin"), 100 * 1024 * 1024);
    expect(seen(await look()).changes.map(({ path }) => path)).toEqual(["small.txt"]);
    for (let number = 0; number < 9; number += 1) {
      writeFileSync(join(tree, `large-${number}.bin`), "");
      truncateSync(join(tree, `large-${number}.bin`), 15 * 1024 * 1024);
    }
    expect(await look()).toBe("too-much");
    rmSync(join(tree, "large-0.bin"));
    mkdirSync(join(tree, "many"));
    for (let number = 0; number <= 20_000; number += 1) writeFileSync(join(tree, `many/${number}`), "");
    expect(await look()).toBe("too-much");
  });

  it("fails where it is aborted, and where a file cannot be read, whose rights stay as they are", async () => {
    const { tree, look } = await makeWorkspace(FILES);
    writeFiles(tree, { "a.txt": "changed\n" });
    await expect(look(undefined, AbortSignal.abort())).rejects.toThrow(/abort/i);
    chmodSync(join(tree, "a.txt"), 0);
    if (process.getuid?.() === 0) await look();
    else await expect(look()).rejects.toThrow();
    expect(statSync(join(tree, "a.txt")).mode & 0o777).toBe(0);
    chmodSync(join(tree, "a.txt"), 0o644);
  });

  it("runs nothing that the workspace or a repository inside it configures", async () => {
    const { tree, look, slot } = await makeWorkspace({ ...FILES, ".gitattributes": "*.txt filter=evil\n" });
    const proof = join(slot, "it-ran");
    for (const folder of [tree, join(tree, "nested")]) {
      mkdirSync(folder, { recursive: true });
      if (folder !== tree) git(folder, "init", "--quiet");
      git(folder, "config", "core.fsmonitor", `touch ${proof}`);
      git(folder, "config", "filter.evil.clean", `touch ${proof}; cat`);
    }
    writeFiles(tree, { "a.txt": "changed\n", "nested/x.txt": "x\n" });
    const paths = seen(await look()).changes.map(({ path }) => path);
    expect(paths).toEqual(["a.txt"]);
    expect(existsSync(proof)).toBe(false);
  });
});

/** Everything below a folder: names, rights, times, sizes. */
function contents(folder: string): string {
  return execFileSync("find", [folder, "-printf", "%P %m %s %T@ %C@\\n"], { encoding: "utf8" })
    .split("\n")
    .toSorted()
    .join("\n");
}
