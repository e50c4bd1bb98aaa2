import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";

import type { PredictionView, RunView, TaskView } from "../../src/protocol/views.ts";
import { makeHome, type Home } from "../fixtures/home.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../fixtures/repository.ts";
import { taskOf } from "../fixtures/runs.ts";
import { hasTerminals, startOnTerminal } from "../fixtures/terminal.ts";
import { until } from "../fixtures/until.ts";

// Looking takes a twentieth of the time, so that on a busy machine it is long before everything has been seen.
const PATIENCE_MS = 150_000;
vi.setConfig({ testTimeout: 2 * PATIENCE_MS });

const LINES = Array.from({ length: 40 }, (_, index) => `line ${index + 1}\n`);
const TEXT = LINES.join("");

/** A home in which workspaces are looked at as often as can be. */
function makeWatchfulHome(): Home {
  const home = makeHome();
  writeFiles(home.folder, { "config/config.yaml": "forecast: 20ms\n" });
  return home;
}

/** Tasks that do something and then wait until they are let go; whatever comes of the test, they do not wait for ever. */
function makeGates() {
  const folder = temporaryFolder();
  // However a test ends, nothing is to wait for it.
  onTestFinished(() =>
    ["all", "early", "late", "yield", "looked"].forEach((gate) => writeFileSync(join(folder, gate), "")),
  );
  return {
    held: (command: string, gate = "all") =>
      `${command}; i=0; while [ ! -e "${folder}/${gate}" ] && [ $i -lt 6000 ]; do i=$((i+1)); sleep 0.05; done`,
    open: (gate = "all") => writeFileSync(join(folder, gate), ""),
    path: (name: string) => join(folder, name),
  };
}

const replaceLine = (number: number, text: string, file = "README.md"): string =>
  `sed -i.old 's/^line ${number}$/${text}/' ${file} && rm ${file}.old`;

async function viewWhen(home: Home, id: string, isTrue: (run: RunView) => boolean, what: string): Promise<RunView> {
  const client = home.client();
  let run = await client.ask("show", { id });
  await until(
    async () => {
      run = await client.ask("show", { id });
      return isTrue(run);
    },
    what,
    PATIENCE_MS,
  );
  return run;
}

async function predictionWhen(
  home: Home,
  directory: string,
  isTrue: (prediction: PredictionView) => boolean,
  what: string,
): Promise<PredictionView> {
  const client = home.client();
  let prediction = await client.ask("predict", { directory });
  await until(
    async () => {
      prediction = await client.ask("predict", { directory });
      return isTrue(prediction);
    },
    what,
    PATIENCE_MS,
  );
  return prediction;
}

const overlapsOf = (run: RunView, task: string): TaskView["overlaps"] => taskOf(run, task).overlaps;

describe("tasks at work", () => {
  it("are told to overlap while they still work, and no longer when they have ended", async () => {
    const home = makeWatchfulHome();
    const root = makeRepository({ "README.md": TEXT, "other.md": TEXT });
    const gates = makeGates();
    const handle = await home.client().start({
      directory: root,
      mode: "parallel",
      tasks: {
        docs: gates.held(replaceLine(20, "the docs")),
        api: gates.held(`${replaceLine(20, "the api")}; ${replaceLine(1, "api", "other.md")}`),
        apart: gates.held(replaceLine(40, "apart", "other.md")),
      },
    });
    const both = (view: RunView): boolean =>
      overlapsOf(view, "docs") !== undefined && overlapsOf(view, "api") !== undefined;
    const run = await viewWhen(home, handle.id, both, "docs and api overlap");
    expect(overlapsOf(run, "docs")).toEqual([{ run: run.id, task: "api", paths: ["README.md"] }]);
    expect(overlapsOf(run, "api")).toEqual([{ run: run.id, task: "docs", paths: ["README.md"] }]);
    expect(run.taskList.map((task) => task.state)).toEqual(["working", "working", "working"]);

    const all = (prediction: PredictionView): boolean => prediction.meetings.length === 2;
    const { meetings, watched } = await predictionWhen(home, root, all, "the other two meet");
    expect(meetings.find(({ status }) => status === "conflict")).toMatchObject({
      between: expect.arrayContaining([
        { run: run.id, task: "docs" },
        { run: run.id, task: "api" },
      ]),
      paths: [{ path: "README.md", kind: "contents" }],
      sinceMs: expect.any(Number),
    });
    expect(meetings.find(({ status }) => status === "merges")).toMatchObject({
      between: expect.arrayContaining([
        { run: run.id, task: "api" },
        { run: run.id, task: "apart" },
      ]),
      paths: [{ path: "other.md" }],
    });
    expect(watched.map(({ task }) => task).toSorted()).toEqual(["apart", "api", "docs"]);
    expect(overlapsOf(await home.client().ask("show", { id: run.id }), "apart")).toBeUndefined();

    const said = await home.cli(root, ["conflicts", "--predict"]);
    expect(said.stdout).toMatch(/(docs and \w+\/api|api and \w+\/docs) overlap in README\.md/);
    expect(said.stdout).toMatch(/(apart and \w+\/api|api and \w+\/apart) both change other\.md, which merges/);
    expect(said.stdout).toMatch(/3 tasks at work, last looked at \w+/);
    const json = await home.cli(root, ["conflicts", "--predict", "@last", "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, data: { meetings: expect.any(Array) } });

    gates.open();
    const ended = await handle.wait();
    expect(ended.taskList.flatMap((task) => task.overlaps ?? [])).toEqual([]);
    expect(taskOf(ended, "apart").outcome).toBe("succeeded");
    const outcomes = ["docs", "api"].map((name) => taskOf(ended, name).outcome);
    expect(new Set(outcomes)).toEqual(new Set(["failed", "succeeded"]));
    const told: string[] = [];
    for await (const { type, task, data } of home.client().events({ run: run.id })) {
      if (type === "task.overlap") told.push(`${task} ${JSON.stringify(data)}`);
    }
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^docs .*"task":"api".*"README.md"|^api .*"task":"docs".*"README.md"/);
    const nothing = ({ watched: at, meetings: met }: PredictionView): boolean => at.length + met.length === 0;
    await predictionWhen(home, root, nothing, "nobody is watched");
  });

  it("are warned of once what one of them did has landed, and when the other gives way the warning goes", async () => {
    const home = makeWatchfulHome();
    const root = makeRepository({ "README.md": TEXT });
    const gates = makeGates();
    const restore = `cp README.md "${gates.path("copy")}"; ${replaceLine(20, "late")}; while [ ! -e "${gates.path("yield")}" ]; do sleep 0.02; done; cp "${gates.path("copy")}" README.md`;
    const handle = await home.client().start({
      directory: root,
      mode: "parallel",
      tasks: { early: gates.held(replaceLine(20, "early"), "early"), late: gates.held(restore, "late") },
    });
    await viewWhen(home, handle.id, (run) => overlapsOf(run, "late") !== undefined, "late overlaps with early");
    gates.open("early");
    const landed = (run: RunView): boolean => taskOf(run, "early").state === "ended";
    const run = await viewWhen(home, handle.id, landed, "early has landed");
    expect(taskOf(run, "early").outcome).toBe("succeeded");
    expect(overlapsOf(run, "late")).toEqual([{ run: run.id, task: "early", paths: ["README.md"] }]);
    expect(overlapsOf(run, "early")).toBeUndefined();
    gates.open("yield");
    await viewWhen(home, handle.id, (view) => overlapsOf(view, "late") === undefined, "late overlaps no longer");
    gates.open("late");
    expect((await handle.wait()).outcome).toBe("succeeded");
  });

  it("of two runs of one repository that started from different states are told to overlap", async () => {
    const home = makeWatchfulHome();
    const root = makeRepository({ "README.md": TEXT });
    const gates = makeGates();
    const first = await home.client().start({ directory: root, tasks: { one: gates.held(replaceLine(5, "one")) } });
    writeFiles(root, { "README.md": TEXT.replace("line 39", "the user's") });
    const second = await home.client().start({
      directory: root,
      mode: "parallel",
      tasks: { two: gates.held(replaceLine(5, "two")), far: gates.held(replaceLine(30, "far")) },
    });
    const run = await viewWhen(home, second.id, (view) => overlapsOf(view, "two") !== undefined, "two overlaps");
    expect(overlapsOf(run, "two")).toEqual([{ run: first.id, task: "one", paths: ["README.md"] }]);
    const merging = ({ meetings }: PredictionView): boolean => meetings.length === 3;
    await predictionWhen(home, root, merging, "all three meet");
    const after = await home.client().ask("show", { id: second.id });
    expect(overlapsOf(after, "far")).toBeUndefined();
    expect(overlapsOf(await home.client().ask("show", { id: first.id }), "one")).toEqual([
      { run: second.id, task: "two", paths: ["README.md"] },
    ]);
    gates.open();
    await Promise.all([first.wait(), second.wait()]);
  });

  it("that race for the same place are no rivals, nor is a task that starts from the other's work", async () => {
    const home = makeWatchfulHome();
    const root = makeRepository({ "README.md": TEXT });
    const gates = makeGates();
    const raced = await home.client().start({
      directory: root,
      mode: "parallel",
      join: "first",
      tasks: { a: gates.held(replaceLine(5, "a")), b: gates.held(replaceLine(5, "b")) },
    });
    const chained = await home.client().start({
      directory: makeRepository({ "README.md": TEXT }),
      mode: "parallel",
      tasks: {
        before: replaceLine(5, "before"),
        after: { run: gates.held(`sed -i.old 's/^before$/after/' README.md && rm README.md.old`), needs: ["before"] },
        beside: gates.held(replaceLine(7, "beside")),
      },
    });
    const isSeen = ({ watched }: PredictionView): boolean =>
      ["after", "beside"].every((name) => (watched.find(({ task }) => task === name)?.paths ?? 0) > 0);
    const prediction = await predictionWhen(home, chained.view.repository, isSeen, "after and beside are seen");
    expect(prediction.meetings.map(({ between }) => between.map(({ task }) => task).toSorted())).not.toContainEqual([
      "after",
      "before",
    ]);
    expect((await home.client().ask("predict", { directory: root })).watched).toEqual([]);
    gates.open();
    await Promise.all([raced.wait(), chained.wait()]);
  });
});

describe("looking at tasks at work", () => {
  it("leaves nothing in the vault, and what it wrote is gone when they have ended", async () => {
    const home = makeWatchfulHome();
    const root = makeRepository({ "README.md": TEXT });
    const gates = makeGates();
    const [seen, done] = ["a secret of the moment\n", "what stays\n"];
    const command = (name: string): string =>
      `printf '${seen}' > ${name}.txt; while [ ! -e "${gates.path("looked")}" ]; do sleep 0.02; done; printf '${done}' > ${name}.txt`;
    const handle = await home.client().start({
      directory: root,
      mode: "parallel",
      tasks: { a: command("a"), b: command("b") },
    });
    const looked = ({ watched }: PredictionView): boolean => watched.filter(({ paths }) => paths === 1).length === 2;
    await predictionWhen(home, root, looked, "both are seen");
    const { vault } = handle.view;
    const forecast = join(vault, "../forecast.git");
    const oid = git(root, "hash-object", "--stdin", "-t", "blob").length;
    expect(oid).toBeGreaterThan(0);
    expect(existsSync(forecast)).toBe(true);
    expect(git(vault, "for-each-ref", "--format=%(refname)")).not.toContain("forecast");
    gates.open("looked");
    const ended = await handle.wait();
    expect(ended.outcome).toBe("succeeded");
    await until(() => !existsSync(forecast), "the repository of what was seen is gone");
    const kept = git(vault, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split("\n");
    writeFileSync(gates.path("seen"), seen);
    expect(kept).not.toContain(git(root, "hash-object", "--no-filters", gates.path("seen")));
    writeFileSync(gates.path("done"), done);
    expect(kept).toContain(git(root, "hash-object", "--no-filters", gates.path("done")));
  });

  it("begins anew where a daemon was killed in the middle of it", async () => {
    const home = makeWatchfulHome();
    const root = makeRepository({ "README.md": TEXT });
    const gates = makeGates();
    const daemon = await home.startDaemon({});
    const handle = await home.client().start({
      directory: root,
      mode: "parallel",
      tasks: { a: gates.held(replaceLine(5, "a")), b: gates.held(replaceLine(5, "b")) },
    });
    await viewWhen(home, handle.id, (run) => overlapsOf(run, "a") !== undefined, "a and b overlap");
    const forecast = join(handle.view.vault, "../forecast.git");
    mkdirSync(join(forecast, "left-over"));
    const killed = once(daemon, "exit");
    daemon.kill("SIGKILL");
    await killed;
    await home.client().ask("status", {});
    expect(existsSync(join(forecast, "left-over"))).toBe(false);
    await viewWhen(home, handle.id, (run) => overlapsOf(run, "a") !== undefined, "they overlap again");
    gates.open();
    await handle.wait();
  });

  it("does not see tasks that write nothing", async () => {
    const home = makeWatchfulHome();
    const root = makeRepository({ "README.md": TEXT });
    const gates = makeGates();
    const handle = await home.client().start({
      directory: root,
      mode: "parallel",
      tasks: {
        reader: { run: gates.held(replaceLine(5, "reader")), writes: "none" },
        a: gates.held(replaceLine(5, "a")),
        b: gates.held(replaceLine(35, "b")),
      },
    });
    const both = ({ watched }: PredictionView): boolean => watched.filter(({ paths }) => paths === 1).length === 2;
    const { watched } = await predictionWhen(home, root, both, "both writers are seen");
    expect(watched.map(({ task }) => task).toSorted()).toEqual(["a", "b"]);
    gates.open();
    const ended = await handle.wait();
    expect(taskOf(ended, "reader").attempts[0]?.discarded).toEqual(["README.md"]);
  });

  it("harms no task that takes its rights away, removes its workspace or replaces it by a link to other files", async () => {
    const home = makeWatchfulHome();
    const root = makeRepository({ "README.md": TEXT, "locked/a.txt": "a\n" });
    const gates = makeGates();
    const precious = temporaryFolder();
    writeFiles(precious, { "README.md": "precious\n" });
    const handle = await home.client().start({
      directory: root,
      mode: "parallel",
      tasks: {
        plain: gates.held(replaceLine(5, "plain")),
        locking: `${gates.held("echo b > locked/a.txt; chmod 000 locked/a.txt locked; echo seen > new.txt")}; stat -c %a locked > "${gates.path("rights")}"; chmod 755 locked; chmod 644 locked/a.txt`,
        removing: gates.held('rm -rf "$PWD"'),
        linking: gates.held(`cd ..; rm -rf tree; ln -s "${precious}" tree`),
      },
    });
    const isLooked = ({ watched }: PredictionView): boolean =>
      watched.some((one) => one.task === "plain" && one.paths === 1);
    await predictionWhen(home, root, isLooked, "the plain one is seen");
    // Each of the others has had its turn by the time the plain one has had its second.
    const first = await home.client().ask("predict", { directory: root });
    const lookedMs = (prediction: PredictionView): number =>
      prediction.watched.find(({ task }) => task === "plain")?.lookedMs ?? 0;
    await predictionWhen(home, root, (now) => lookedMs(now) > lookedMs(first), "it is looked at again");
    gates.open();
    const ended = await handle.wait();
    expect(taskOf(ended, "plain").outcome).toBe("succeeded");
    expect(taskOf(ended, "locking").outcome, JSON.stringify(taskOf(ended, "locking").reason)).toBe("succeeded");
    expect(readFileSync(gates.path("rights"), "utf8")).toBe("0\n");
    expect(taskOf(ended, "removing").reason?.code).toBe("WORKSPACE_GONE");
    expect(taskOf(ended, "linking").reason?.code).toBe("WORKSPACE_GONE");
    expect(readFileSync(join(precious, "README.md"), "utf8")).toBe("precious\n");
  });
});

describe.skipIf(!hasTerminals)("a run that is followed on a terminal", () => {
  it("shows whom a task overlaps with, beside what it prints", async () => {
    const home = makeWatchfulHome();
    const root = makeRepository({ "README.md": TEXT });
    const gates = makeGates();
    const task = (name: string): string[] => [
      "-t",
      `${name}=${gates.held(`${replaceLine(5, name)}; echo ${name} goes on`)}`,
    ];
    const cli = startOnTerminal(home, root, ["run", "--mode", "parallel", ...task("docs"), ...task("api")]);
    await cli.shows(/docs .*working.*overlaps with api in README\.md.*docs goes on/);
    await cli.shows(/api .*working.*overlaps with docs in README\.md.*api goes on/);
    gates.open();
    await cli.ended;
  });
});
