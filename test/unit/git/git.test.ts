import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { systemClock } from "../../../src/base/clock.ts";
import { createGit, withoutGitVariables } from "../../../src/git/git.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../../fixtures/repository.ts";

const ENVIRONMENT = { PATH: process.env["PATH"], HOME: "/nonexistent" };

describe("git, as it is run here", () => {
  it("runs nothing that a repository configures, in whatever it does", async () => {
    const root = makeRepository({ "a.txt": "a\n" });
    const ran = join(temporaryFolder(), "ran");
    const program = join(temporaryFolder(), "program");
    writeFileSync(program, `#!/bin/sh\ntouch '${ran}'\ncat\n`, { mode: 0o755 });
    for (const key of ["core.fsmonitor", "core.pager", "core.editor", "gpg.program", "sequence.editor"]) {
      git(root, "config", key, program);
    }
    git(root, "config", "commit.gpgSign", "true");
    git(root, "config", "gc.auto", "1");
    mkdirSync(join(root, "hooks"));
    git(root, "config", "core.hooksPath", join(root, "hooks"));
    for (const hook of ["pre-commit", "post-commit", "post-checkout", "reference-transaction", "post-index-change"]) {
      for (const folder of ["hooks", ".git/hooks"]) {
        mkdirSync(join(root, folder), { recursive: true });
        writeFileSync(join(root, folder, hook), `#!/bin/sh\ntouch '${ran}'\n`, { mode: 0o755 });
      }
    }
    const runner = createGit({ ...ENVIRONMENT, GIT_AUTHOR_NAME: "A", GIT_AUTHOR_EMAIL: "a@example.org" }, systemClock);
    const identity = { "user.name": "A", "user.email": "a@example.org" };
    writeFiles(root, { "a.txt": "b\n" });
    for (const args of [
      ["status"],
      ["add", "a.txt"],
      ["commit", "-qm", "m"],
      ["checkout", "-q", "-b", "x"],
      ["log", "-p"],
    ]) {
      await runner.run({ cwd: root }, args, { config: identity });
    }
    await runner.run({ cwd: root }, ["update-ref", "refs/heads/y", "HEAD"]);
    expect(git(root, "log", "-1", "--format=%s %G?", "x")).toBe("m N");
    expect(existsSync(ran)).toBe(false);
    // The trap works: git itself falls into it.
    git(root, "update-ref", "refs/heads/z", "HEAD");
    expect(existsSync(ran)).toBe(true);
  });

  it("is not led elsewhere by the variables of whoever started it", async () => {
    const [here, elsewhere] = [makeRepository({ "a.txt": "here\n" }), makeRepository({ "a.txt": "elsewhere\n" })];
    const runner = createGit(
      {
        ...ENVIRONMENT,
        GIT_DIR: join(elsewhere, ".git"),
        GIT_WORK_TREE: elsewhere,
        GIT_INDEX_FILE: join(elsewhere, ".git/index"),
        GIT_OBJECT_DIRECTORY: join(elsewhere, ".git/objects"),
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: "core.bare",
        GIT_CONFIG_VALUE_0: "true",
        GIT_CONFIG_PARAMETERS: "'core.bare=true'",
        GIT_EXTERNAL_DIFF: "false",
        GIT_TRACE: "1",
      },
      systemClock,
    );
    expect(await runner.text({ cwd: here }, ["rev-parse", "--show-toplevel"])).toBe(here);
    expect(await runner.text({ gitDirectory: join(here, ".git") }, ["show", "HEAD:a.txt"])).toBe("here");
  });

  it("keeps the variables by which a person signs and reaches a network, and drops the rest", () => {
    const kept = {
      GIT_AUTHOR_NAME: "a",
      GIT_COMMITTER_EMAIL: "b",
      GIT_SSH_COMMAND: "c",
      GIT_CONFIG_GLOBAL: "d",
      PATH: "e",
    };
    const dropped = { GIT_DIR: "a", GIT_CONFIG: "b", GIT_CONFIG_COUNT: "c", GIT_CONFIG_KEY_0: "d", GIT_PAGER: "e" };
    expect(withoutGitVariables({ ...kept, ...dropped, UNSET: undefined })).toEqual(kept);
  });

  it("reads objects of other stores, whatever their folders are called", async () => {
    const parent = join(temporaryFolder(), 'colon:quote"back\\slash');
    const borrowed = makeRepository({ "a.txt": "borrowed\n" }, parent);
    const own = makeRepository({ "b.txt": "own\n" });
    const runner = createGit(ENVIRONMENT, systemClock);
    const oid = git(borrowed, "rev-parse", "HEAD:a.txt");
    const place = { gitDirectory: join(own, ".git") };
    await expect(runner.text(place, ["cat-file", "-p", oid])).rejects.toMatchObject({ code: "GIT_FAILED" });
    const alternates = [join(borrowed, ".git/objects")];
    expect(await runner.text({ ...place, alternates }, ["cat-file", "-p", oid])).toBe("borrowed");
  });

  it("gives its output whole: as text, as records, and piece by piece", async () => {
    const root = makeRepository({ "line\nbreak": "x\n\n", b: "y" });
    const runner = createGit(ENVIRONMENT, systemClock);
    expect(await runner.records({ cwd: root }, ["ls-files", "-z"])).toEqual(["b", "line\nbreak"]);
    expect(await runner.records({ cwd: root }, ["ls-files", "-z", "nothing"])).toEqual([]);
    expect(await runner.text({ cwd: root }, ["show", "HEAD:line\nbreak"])).toBe("x\n");
    const pieces: string[] = [];
    await runner.run({ cwd: root }, ["show", "HEAD:b"], { onOutput: (piece) => void pieces.push(piece.toString()) });
    expect(pieces.join("")).toBe("y");
    const input = "from standard input";
    const oid = await runner.text({ cwd: root }, ["hash-object", "-w", "--stdin"], { input });
    expect(await runner.text({ cwd: root }, ["cat-file", "-p", oid])).toBe(input);
  });

  it("says what went wrong: in git's own words, and when there is no git", async () => {
    const root = makeRepository({ a: "a" });
    const runner = createGit(ENVIRONMENT, systemClock);
    await expect(runner.run({ cwd: root }, ["show", "nowhere"])).rejects.toMatchObject({
      code: "GIT_FAILED",
      message: expect.stringMatching(/^git show ended with status 128: .*nowhere/),
      data: { args: ["show", "nowhere"], status: 128 },
    });
    expect((await runner.run({ cwd: root }, ["diff", "--quiet", "HEAD"], { allow: [1] })).status).toBe(0);
    expect((await runner.run({ cwd: root }, ["show", "nowhere"], { allow: [128] })).status).toBe(128);
    const without = createGit({ PATH: temporaryFolder() }, systemClock);
    await expect(without.run({ cwd: root }, ["status"])).rejects.toMatchObject({ code: "GIT_MISSING" });
  });
});
