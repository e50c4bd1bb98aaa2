import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { StartOptions } from "../../src/sdk/start-options.ts";
import type { RunView } from "../../src/protocol/views.ts";
import { makeHome, type Home } from "../fixtures/home.ts";
import { expectSoundLane, landedSubjects, onLane } from "../fixtures/landings.ts";
import { photograph } from "../fixtures/photograph.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../fixtures/repository.ts";
import { taskOf } from "../fixtures/runs.ts";
import { until } from "../fixtures/until.ts";

const LINES = Array.from({ length: 20 }, (_, index) => `line ${index + 1}\n`).join("");

/** A repository with a file of twenty lines, and what its `anabranch.yaml` says. */
function makeProject(yaml = "", files: Readonly<Record<string, string>> = {}): string {
  return makeRepository({ "a.txt": LINES, ...(yaml === "" ? {} : { "anabranch.yaml": yaml }), ...files });
}

async function run(home: Home, directory: string, options: Partial<StartOptions>, environment = {}): Promise<RunView> {
  const started = await home.client(environment).start({ directory, mode: "parallel", ...options });
  return started.wait();
}

const replaceLine = (line: number, text: string): string => `sed -i 's/^line ${line}$/${text}/' a.txt`;

describe("the work of tasks", () => {
  it("lands side by side when it is in different files or different places of one file", async () => {
    const home = makeHome();
    const root = makeProject();
    const before = photograph(root);
    const view = await run(home, root, {
      tasks: { top: replaceLine(2, "top"), bottom: replaceLine(19, "bottom"), other: "echo new > b.txt" },
    });
    expect(view.outcome).toBe("succeeded");
    expect(onLane(view, "a.txt")).toBe(LINES.replace("line 2\n", "top\n").replace("line 19\n", "bottom\n").trimEnd());
    expect(onLane(view, "b.txt")).toBe("new");
    expect(landedSubjects(view).toSorted()).toEqual([
      "bottom: sed -i 's/^line 19$/bottom/' a.txt",
      "other: echo new > b.txt",
      "top: sed -i 's/^line 2$/top/' a.txt",
    ]);
    expectSoundLane(view);
    expect(view.landings.every(({ verification }) => verification.status === "unverified")).toBe(true);
    expect(photograph(root)).toEqual(before);
  });

  it("is kept as a conflict when two change one line, and the one that came first stays", async () => {
    const home = makeHome();
    const root = makeProject();
    const view = await run(home, root, {
      mode: "parallel",
      tasks: { one: replaceLine(5, "ours"), two: `sleep 0.3; ${replaceLine(5, "theirs")}` },
    });
    expect(view.outcome).toBe("failed");
    expect(taskOf(view, "one").outcome).toBe("succeeded");
    const two = taskOf(view, "two");
    expect(two).toMatchObject({ outcome: "failed", reason: { code: "MERGE_CONFLICT" } });
    expect(view.conflicts).toMatchObject([
      { task: "two", state: "open", paths: [{ path: "a.txt", kind: "contents" }] },
    ]);
    expect(onLane(view, "a.txt")).toContain("ours");
    expect(git(view.vault, "show", `${two.attempts[0]?.changeset?.snapshot}:a.txt`)).toContain("theirs");
    expectSoundLane(view);
  });

  it("that writes nothing, or changes nothing, never lands", async () => {
    const home = makeHome();
    const view = await run(home, makeProject(), {
      tasks: { none: { run: "echo x > b.txt", writes: "none" }, idle: "true", gone: "echo x > b.txt; rm b.txt" },
    });
    expect(view.outcome).toBe("succeeded");
    expect(view.landings).toEqual([]);
    expect(view.lane.tip).toBeUndefined();
    expectSoundLane(view);
  });

  it("that failed stays where it is, safe and not landed", async () => {
    const home = makeHome();
    const view = await run(home, makeProject(), { tasks: { bad: "echo half > b.txt; exit 3" } });
    expect(view.landings).toEqual([]);
    const { changeset } = taskOf(view, "bad").attempts[0] ?? {};
    expect(git(view.vault, "show", `${changeset?.snapshot}:b.txt`)).toBe("half");
  });

  it("is what tasks after several writers start from", async () => {
    const home = makeHome();
    const view = await run(home, makeProject(), {
      tasks: {
        one: "echo 1 > one.txt",
        two: "echo 2 > two.txt",
        both: { run: "cat one.txt two.txt > both.txt", needs: ["one", "two"] },
      },
    });
    expect(view.outcome).toBe("succeeded");
    expect(onLane(view, "both.txt")).toBe("1\n2");
    expectSoundLane(view);
  });

  it("lands once although two tasks did the same", async () => {
    const home = makeHome();
    const view = await run(home, makeProject(), {
      tasks: { one: replaceLine(3, "same"), two: replaceLine(3, "same") },
    });
    expect(view.outcome).toBe("succeeded");
    expect(landedSubjects(view)).toHaveLength(1);
    expectSoundLane(view);
  });

  it("that conflicted is done again on what has landed where its retries allow that", async () => {
    const home = makeHome();
    const view = await run(home, makeProject(), {
      tasks: {
        one: `sed -i '5s/.*/ours/' a.txt`,
        two: { run: `sleep 0.3; sed -i '5s/$/ and theirs/' a.txt`, retries: { times: 1, delay: "10ms" } },
      },
    });
    expect(view.outcome).toBe("succeeded");
    expect(taskOf(view, "two").attempts).toHaveLength(2);
    expect(onLane(view, "a.txt").split("\n")[4]).toBe("ours and theirs");
    expectSoundLane(view);
  });
});

describe("verification", () => {
  const verify = "verify: ['! grep -rq broken *.txt']\n";

  it("keeps a broken change out and lets the others land", async () => {
    const home = makeHome();
    const view = await run(home, makeProject(verify), {
      tasks: { good: "echo fine > good.txt", bad: "echo broken > bad.txt", more: "echo fine > more.txt" },
    });
    expect(taskOf(view, "bad")).toMatchObject({ outcome: "failed", reason: { code: "VERIFY_FAILED" } });
    expect(taskOf(view, "good").outcome).toBe("succeeded");
    expect(taskOf(view, "more").outcome).toBe("succeeded");
    expect(landedSubjects(view)).toHaveLength(2);
    expect(view.landings.every(({ verification }) => verification.status === "passed")).toBe(true);
    expect(view.lane.base).toBe("green");
    expectSoundLane(view);
  });

  it("sees two changes together that are each fine alone", async () => {
    const home = makeHome();
    const both = "verify: ['! (test -e one.txt && test -e two.txt)']\n";
    const view = await run(home, makeProject(both), { tasks: { one: "echo > one.txt", two: "echo > two.txt" } });
    expect(view.outcome).toBe("failed");
    expect(view.taskList.map((task) => String(task.outcome)).toSorted()).toEqual(["failed", "succeeded"]);
    expectSoundLane(view);
  });

  it("is remembered by tree and command", async () => {
    const home = makeHome();
    const count = join(temporaryFolder(), "count");
    const root = makeProject(`verify: ['echo run >> ${count}']\n`);
    for (const _ of [1, 2]) await run(home, root, { tasks: { same: "echo 1 > one.txt" } });
    // Once for the base, once for what landed.
    expect(readFileSync(count, "utf8")).toBe("run\nrun\n");
  });

  it("says at once that the base is red, lands nothing, and lands what breaks nothing else when that is chosen", async () => {
    const home = makeHome();
    const root = makeProject("verify: ['test -e missing', '! test -e broken.txt']\n");
    const stopped = await run(home, root, { tasks: { one: "echo 1 > one.txt" } });
    expect(stopped.lane).toMatchObject({ base: "red", failing: [{ command: "test -e missing" }] });
    expect(taskOf(stopped, "one")).toMatchObject({ outcome: "failed", reason: { code: "BASE_RED" } });
    expect(taskOf(stopped, "one").reason?.hint).toContain("--red-base forbid-new");
    const view = await run(home, root, {
      redBase: "forbid-new",
      tasks: { one: "echo 1 > one.txt", bad: "echo 1 > broken.txt" },
    });
    expect(taskOf(view, "one").outcome).toBe("succeeded");
    expect(taskOf(view, "bad")).toMatchObject({ outcome: "failed", reason: { code: "VERIFY_FAILED" } });
    expectSoundLane(view);
  });

  it("uses the rules of what the work lands on, whatever the work makes of them, and says so", async () => {
    const home = makeHome();
    const view = await run(home, makeProject(verify), {
      tasks: { sly: "echo 'verify: [\"true\"]' > anabranch.yaml; echo broken > bad.txt" },
    });
    expect(taskOf(view, "sly")).toMatchObject({ outcome: "failed", reason: { code: "VERIFY_FAILED" } });
    const open = await run(home, makeProject(verify), {
      tasks: { open: "echo 'verify: [\"true\"]' > anabranch.yaml" },
    });
    expect(open.outcome).toBe("succeeded");
    expect(open.landings[0]?.notices.join()).toContain("anabranch.yaml");
    const events = [];
    for await (const event of home.client().events({ run: open.id })) events.push(event.type);
    expect(events.indexOf("landing.notice")).toBeGreaterThan(-1);
    expect(events.indexOf("landing.notice")).toBeLessThan(events.indexOf("run.landed"));
  });

  it("that hangs, forks, is missing, edits files or fails only sometimes does no harm", async () => {
    const home = makeHome();
    const tasks = { one: "echo 1 > one.txt" };
    const hangs = await run(
      home,
      makeProject("verify: [{ run: 'test ! -e one.txt || sleep 600', timeout: 300ms }]\n"),
      { tasks },
    );
    expect(taskOf(hangs, "one").reason).toMatchObject({
      code: "VERIFY_FAILED",
      message: expect.stringMatching(/ran out of time/),
    });
    const forks = await run(home, makeProject("verify: ['(sleep 600 &) ; setsid sleep 600 & true']\n"), { tasks });
    expect(forks.outcome).toBe("succeeded");
    const missing = await run(home, makeProject("verify: ['test ! -e one.txt || no-such-program']\n"), { tasks });
    expect(taskOf(missing, "one").reason).toMatchObject({
      code: "VERIFY_FAILED",
      message: expect.stringMatching(/was not found/),
    });
    const edits = await run(home, makeProject("verify: ['echo edited > a.txt; echo left > made.txt']\n"), { tasks });
    expect(edits.outcome).toBe("succeeded");
    expect(onLane(edits, "a.txt")).toBe(LINES.trimEnd());
    expect(edits.landings[0]?.notices.join()).toContain("thrown away");
    const coin = join(temporaryFolder(), "coin");
    const flaky = await run(
      home,
      makeProject(`verify: ['test ! -e one.txt || test -e ${coin} || ! touch ${coin}']\n`),
      { tasks },
    );
    expect(flaky.outcome).toBe("succeeded");
    expect(flaky.landings[0]?.verification.commands[0]?.outcome).toBe("flaky");
    expect(flaky.landings[0]?.notices.join()).toContain("failed once and then passed");
  });

  it("is not waited for by who cancels meanwhile, and nothing of it lands", async () => {
    const home = makeHome();
    const seen = join(temporaryFolder(), "seen");
    const root = makeProject(`verify: ['test ! -e one.txt || { touch ${seen}; sleep 600; }']\n`);
    const client = home.client();
    const started = await client.start({ directory: root, tasks: { one: "echo 1 > one.txt" } });
    await until(() => existsSync(seen), "verification runs");
    await started.cancel();
    const view = await started.wait();
    expect(view.outcome).toBe("cancelled");
    expect(view.landings).toEqual([]);
    expectSoundLane(view);
  });

  it("cannot accept, whatever it runs", async () => {
    const home = makeHome();
    const cli = join(import.meta.dirname, "../../dist/cli.js");
    const said = join(temporaryFolder(), "said");
    const root = makeProject(
      `verify: ['test ! -e one.txt || ${process.execPath} ${cli} gc --yes > ${said} 2>&1 || true']\n`,
    );
    await run(home, root, { tasks: { one: "echo 1 > one.txt" } });
    expect(readFileSync(said, "utf8")).toContain("NOT_ALLOWED_IN_TASK");
  });
});

describe("a run that lands together", () => {
  it("lands all of its work in one step, verified once", async () => {
    const home = makeHome();
    const count = join(temporaryFolder(), "count");
    const root = makeProject(`verify: ['echo run >> ${count}']\n`);
    const view = await run(home, root, {
      land: "together",
      tasks: {
        one: "echo 1 > one.txt",
        two: "echo 2 > two.txt",
        both: { run: "cat one.txt two.txt > both.txt", needs: ["one", "two"] },
      },
    });
    expect(view.outcome).toBe("succeeded");
    expect(view.landings).toHaveLength(1);
    expect(view.landings[0]?.changesets.map(({ task }) => task).toSorted()).toEqual(["both", "one", "two"]);
    expect(onLane(view, "both.txt")).toBe("1\n2");
    expect(readFileSync(count, "utf8")).toBe("run\nrun\n");
    expectSoundLane(view);
  });

  it("lands nothing when one of its tasks fails, or the whole fails verification", async () => {
    const home = makeHome();
    const failed = await run(home, makeProject(), {
      land: "together",
      tasks: { one: "echo 1 > one.txt", bad: "echo 2 > two.txt; exit 1" },
    });
    expect(failed).toMatchObject({ outcome: "failed", landings: [] });
    const red = await run(home, makeProject("verify: ['! test -e two.txt']\n"), {
      land: "together",
      tasks: { one: "echo 1 > one.txt", two: "echo 2 > two.txt" },
    });
    expect(red).toMatchObject({ outcome: "failed", landings: [], lane: { together: "refused" } });
    expect(red.lane.reason?.code).toBe("VERIFY_FAILED");
    expectSoundLane(red);
  });
});

describe("of several candidates the best", () => {
  it("is the smallest change that passes verification, and it alone lands", async () => {
    const home = makeHome();
    const view = await run(home, makeProject("verify: ['! grep -q broken b.txt 2>/dev/null']\n"), {
      join: "best-of-n",
      tasks: {
        long: "seq 50 > b.txt",
        short: "seq 5 > b.txt",
        shortest: "echo broken > b.txt",
        fails: "exit 1",
      },
    });
    expect(view.outcome).toBe("succeeded");
    expect(view.taskList.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
      "long cancelled",
      "short succeeded",
      "shortest failed",
      "fails failed",
    ]);
    expect(taskOf(view, "long").reason).toMatchObject({ code: "RACE_LOST", message: "short was chosen" });
    expect(onLane(view, "b.txt").split("\n")).toHaveLength(5);
    expectSoundLane(view);
  });
});

describe("what a run prints at its end", () => {
  it("tells what landed, what conflicts and which command goes on, and exits with 5 when a person is needed", async () => {
    const home = makeHome();
    const root = makeProject();
    const end = await home.cli(root, [
      "run",
      "-t",
      `one=${replaceLine(5, "ours")}`,
      "-t",
      `two=sleep 0.3; ${replaceLine(5, "theirs")}`,
      "--mode",
      "parallel",
    ]);
    expect(end.status).toBe(5);
    expect(end.stdout).toContain("landed on the run's lane");
    expect(end.stdout).toMatch(/anabranch conflicts show \w+/);
    expect(end.stdout).toMatch(/anabranch accept \w+/);
    expect(end.stdout).toContain("Your files are untouched");
  });

  it("exits with 6 when verification kept work out", async () => {
    const home = makeHome();
    const root = makeProject("verify: ['! test -e b.txt']\n");
    const end = await home.cli(root, ["run", "-t", "bad=echo > b.txt"]);
    expect(end.status).toBe(6);
    expect(end.stdout).toContain("verification failed");
  });

  it("shows everything that landed as one difference", async () => {
    const home = makeHome();
    const root = makeProject();
    await home.cli(root, ["run", "-t", "one=echo 1 > one.txt", "-t", "two=echo 2 > two.txt"]);
    const { stdout } = await home.cli(root, ["diff", "@last", "--names"]);
    expect(stdout.trim().split("\n")).toEqual(["A\tone.txt", "A\ttwo.txt"]);
  });
});

describe("a user's uncommitted work", () => {
  it("is part of what tasks see and of no ref but the vault's", async () => {
    const home = makeHome();
    const root = makeProject();
    writeFiles(root, { "secret.env": "s3cret\n" });
    writeFileSync(join(root, "a.txt"), LINES.replace("line 1\n", "dirty\n"));
    const before = photograph(root);
    const view = await run(home, root, { tasks: { one: "cat secret.env a.txt > seen.txt" } });
    expect(onLane(view, "seen.txt")).toContain("s3cret");
    expect(photograph(root)).toEqual(before);
    expect(git(root, "log", "--all", "--format=%H", "--", "secret.env")).toBe("");
  });
});
