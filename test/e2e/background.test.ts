/** Work that goes on without whoever has started it: how many, whose, why it waits, and that it ends for good. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { openSqlite } from "../../src/store/sqlite-module.ts";
import type { RunView } from "../../src/protocol/views.ts";
import { DIST, makeHome, type Home } from "../fixtures/home.ts";
import { git, makeRepository, temporaryFolder } from "../fixtures/repository.ts";
import { taskOf } from "../fixtures/runs.ts";
import { hasTerminals, startOnTerminal } from "../fixtures/terminal.ts";
import { askRaw, socketOf } from "../fixtures/wire.ts";
import { until } from "../fixtures/until.ts";

const CLI = `"${process.execPath}" "${join(DIST, "cli.js")}"`;

const waitFor = (path: string): string => `while [ ! -e ${path} ]; do sleep 0.02; done`;

function configure(home: Home, text: string): void {
  mkdirSync(join(home.folder, "config"), { recursive: true });
  writeFileSync(join(home.folder, "config/config.yaml"), text);
}

/** The runs there are, the oldest first. */
async function allRuns(home: Home): Promise<RunView[]> {
  const client = home.client();
  const listed = await client.ask("list", { limit: 1000 });
  return Promise.all(listed.toReversed().map(({ id }) => client.ask("show", { id })));
}

const lines = (path: string): string[] =>
  existsSync(path) ? readFileSync(path, "utf8").trim().split("\n").filter(Boolean) : [];

describe("never more agents than the plan allows", () => {
  it("asked for 3, runs 3: also when asked twice at once, again later, and by a parent that is killed and goes on", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const go = join(temporaryFolder(), "go");
    const client = home.client();
    const request = {
      directory: root,
      tasks: { a: waitFor(go), b: waitFor(go), c: waitFor(go) },
      requestId: "three-of-them",
    };
    const asked = await Promise.all([
      ...Array.from({ length: 6 }, () => client.start(request)),
      ...Array.from({ length: 3 }, () => home.client().start(request)),
    ]);
    expect(new Set(asked.map(({ id }) => id)).size).toBe(1);
    process.kill(home.daemonPid() ?? 0, "SIGKILL");
    expect((await client.start(request)).id).toBe(asked[0]?.id);
    await until(async () => (await client.ask("status", {})).workingTasks === 3, "three work");
    writeFileSync(go, "");
    await asked[0]?.wait();
    expect((await client.start(request)).id).toBe(asked[0]?.id);
    expect(await allRuns(home)).toHaveLength(1);
  });

  it("and a task that asks for more than it may have gets none of them, and is told how to go on", async () => {
    const home = makeHome();
    configure(home, "children: { depth: 2, most: 2 }\n");
    const root = makeRepository({ "a.txt": "a\n" });
    const folder = temporaryFolder();
    const go = join(folder, "go");
    const spawn = `${CLI} spawn --json -t x='${waitFor(go)}' >> ${folder}/out 2>&1 || true`;
    const run = await home.client().start({
      directory: root,
      tasks: { parent: `${spawn}; ${spawn}; ${spawn}; ${spawn}; touch ${folder}/asked; ${waitFor(go)}` },
    });
    await until(() => existsSync(join(folder, "asked")), "it has asked");
    const answers = lines(join(folder, "out")).map(
      (line) => JSON.parse(line) as { ok: boolean; error?: { code: string; hint: string } },
    );
    expect(answers.map(({ ok, error }) => error?.code ?? ok)).toEqual([
      true,
      true,
      "TOO_MANY_CHILDREN",
      "TOO_MANY_CHILDREN",
    ]);
    expect(answers[2]?.error?.hint).toMatch(/^anabranch wait --any \w+/);
    expect(await allRuns(home)).toHaveLength(3);
    writeFileSync(go, "");
    expect((await run.wait()).outcome).toBe("succeeded");
  });

  it("and no chain of tasks that start tasks goes deeper than is set", async () => {
    const home = makeHome();
    configure(home, "children: { depth: 2 }\n");
    const folder = temporaryFolder();
    const root = makeRepository({
      "again.sh": `${CLI} run -t x='sh again.sh' --json >> ${folder}/out 2>/dev/null; exit 0\n`,
    });
    await (await home.client().start({ directory: root, tasks: { x: "sh again.sh" } })).wait();
    expect(await allRuns(home)).toHaveLength(3);
    expect(lines(join(folder, "out")).filter((line) => line.includes('"TOO_DEEP"'))).toHaveLength(1);
  });
});

describe("a grandchild is adopted and tracked", () => {
  it("when its starter ends: it goes on, is told to whoever comes next, and still ends with what was above it", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const folder = temporaryFolder();
    const go = join(folder, "go");
    writeFileSync(join(folder, "grandchild.sh"), `echo up > ${folder}/up; sleep 600\n`);
    writeFileSync(join(folder, "child.sh"), `${CLI} spawn -t low='sh ${folder}/grandchild.sh' > ${folder}/low\n`);
    const client = home.client();
    const run = await client.start({
      directory: root,
      tasks: { top: `${CLI} run -q -t middle='sh ${folder}/child.sh'; touch ${folder}/ended; ${waitFor(go)}` },
    });
    await until(() => existsSync(join(folder, "ended")) && existsSync(join(folder, "up")), "its starter has ended");
    const [low = ""] = lines(join(folder, "low"));
    const view = await client.ask("show", { id: low });
    const [, middle] = await allRuns(home);
    expect(middle).toMatchObject({ state: "ended", outcome: "succeeded" });
    expect(view).toMatchObject({
      state: "active",
      parent: { run: middle?.id, task: "middle" },
      adoptedBy: { run: run.id, task: "top" },
    });
    await client.cancel(run.id, { force: true });
    const [end] = await client.wait(low);
    expect(end?.outcome).toBe("cancelled");
    expect(taskOf(await client.ask("show", { id: low }), "low").reason?.message).toBe(
      "what has started it was cancelled",
    );
  });

  it("and a run is adopted by who asks for it: cancelled with that, and never in a circle", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const folder = temporaryFolder();
    const client = home.client();
    const stray = await client.start({ directory: root, tasks: { stray: "sleep 600" } });
    const run = await client.start({
      directory: root,
      tasks: {
        keeper: `${CLI} adopt ${stray.id} > ${folder}/out; ${CLI} adopt $ANABRANCH_RUN --json > ${folder}/circle; touch ${folder}/asked; sleep 600`,
      },
    });
    await until(() => existsSync(join(folder, "asked")), "it has asked");
    expect(lines(join(folder, "out"))).toEqual([`run ${stray.id} belongs to task keeper of run ${run.id}`]);
    expect(lines(join(folder, "circle")).join("")).toContain('"CANNOT_ADOPT"');
    const events: string[] = [];
    for await (const { type } of client.events({ run: stray.id })) events.push(type);
    expect(events).toContain("run.adopted");
    await client.cancel(`${run.id}/keeper`, { force: true });
    const [end] = await client.wait(stray.id);
    expect(end).toMatchObject({ outcome: "cancelled", parent: { run: run.id, task: "keeper" } });
  });
});

describe("a child outlives its parent's turn", () => {
  it("and what its starter did not wait for goes on after it", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const folder = temporaryFolder();
    const client = home.client();
    const task = `${CLI} spawn -t child='${waitFor(`${folder}/go`)}; echo done > c.txt' > ${folder}/child`;
    expect((await (await client.start({ directory: root, tasks: { parent: task } })).wait()).outcome).toBe("succeeded");
    const [child = ""] = lines(join(folder, "child"));
    expect(await client.ask("show", { id: child })).toMatchObject({ state: "active", adoptedBy: "person" });
    writeFileSync(join(folder, "go"), "");
    const [end] = await client.wait(child);
    expect(end?.outcome).toBe("succeeded");
  });
});

describe("a killed agent stays dead after restart", () => {
  it("with all it has started, also when the daemon is killed in the middle of stopping them", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const folder = temporaryFolder();
    const client = home.client();
    const daemon = await home.startDaemon({ ANABRANCH_FAULT: "cancel.cascade@1" });
    writeFileSync(join(folder, "child.sh"), `echo begun >> ${folder}/begun; sleep 600\n`);
    const run = await client.start({
      directory: root,
      tasks: { parent: `${CLI} spawn -t child='sh ${folder}/child.sh' > ${folder}/child; sleep 600` },
    });
    await until(() => existsSync(join(folder, "begun")), "the child works");
    const ended = new Promise((resolve) => daemon.once("exit", resolve));
    // Asked by nobody who would ask again.
    const body = { id: run.id, force: true };
    await askRaw(socketOf(home), "/v1/cancel", { body }).catch(() => undefined);
    await ended;
    const [child = ""] = lines(join(folder, "child"));
    const ends = await client.wait([run.id, child]);
    expect(ends.map(({ outcome }) => outcome)).toEqual(["cancelled", "cancelled"]);
    await home.cli(root, ["daemon", "restart"]);
    expect((await client.ask("status", {})).workingTasks).toBe(0);
    expect(lines(join(folder, "begun"))).toEqual(["begun"]);
  });
});

describe("a detached run can be attached by id", () => {
  it("and what a task prints is followed from its last lines on, over its attempts, to its end", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const folder = temporaryFolder();
    const command = `seq 1 100; [ -e ${folder}/again ] || { touch ${folder}/again; ${waitFor(`${folder}/go`)}; echo first; exit 1; }; echo second`;
    const client = home.client();
    const run = await client.start({ directory: root, tasks: { printer: { run: command, retries: 1 } } });
    await until(async () => {
      const [attempt] = taskOf(await client.ask("show", { id: run.id }), "printer").attempts;
      return lines(attempt?.log ?? "").includes("100");
    }, "it has printed");
    const attached = home.cli(root, ["attach", `${run.id}/printer`]);
    const whole = home.cli(root, ["attach", run.id, "--json"]);
    let text = "";
    for await (const { data } of client.stream("logs", { id: `${run.id}/printer`, follow: true, lastLines: 3 })) {
      text += Buffer.from(data.bytes, "base64").toString("utf8");
      writeFileSync(join(folder, "go"), "");
    }
    const printed = text.trimEnd().split("\n");
    expect(printed.slice(0, 5)).toEqual(["98", "99", "100", "first", "1"]);
    expect(printed.at(-1)).toBe("second");
    expect(printed).toHaveLength(4 + 101);
    const end = await attached;
    expect(end.status, end.stderr).toBe(0);
    expect(end.stdout).toMatch(/\nsecond\n$/);
    expect(JSON.parse((await whole).stdout)).toMatchObject({ data: { id: run.id, outcome: "succeeded" } });
  });

  it.skipIf(!hasTerminals)("and left with d or Ctrl-C: then it goes on", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const run = await home.client().start({ directory: root, tasks: { task: "echo here; sleep 600" } });
    for (const [what, keys] of [
      [run.id, "d"],
      [`${run.id}/task`, "\u0003"],
    ] as const) {
      const attached = startOnTerminal(home, root, ["attach", what]);
      await attached.shows(/here/);
      attached.type(keys);
      expect((await attached.ended).status).toBe(0);
      expect(attached.printed()).toContain(`${what} goes on`);
    }
    expect((await home.client().ask("show", { id: run.id })).state).toBe("active");
    await run.cancel({ force: true });
  });
});

describe("what waits", () => {
  it("says why in ls: for others, for a place, for a rate, for room on the disk", async () => {
    const home = makeHome();
    configure(home, "kinds: { shell: { parallel: 1, perMinute: 100 } }\n");
    const root = makeRepository({ "a.txt": "a\n" });
    const go = join(temporaryFolder(), "go");
    const other = await home.client().start({ directory: root, tasks: { one: waitFor(go) } });
    await until(async () => (await home.client().ask("status", {})).workingTasks === 1, "one works");
    const tasks = { two: "true", three: { run: "true", needs: ["two"] } };
    const run = await home.client().start({ directory: root, tasks });
    const listed = (await home.cli(root, ["ls"])).stdout;
    expect(listed).toMatch(/^running\n.* active /);
    expect(listed).toContain("two: waits for a place: the kind shell has 1 at work");
    expect(listed).toContain("three: waits for two");
    const { data } = JSON.parse((await home.cli(root, ["ls", "--json"])).stdout) as { data: unknown[] };
    expect(data[0]).toMatchObject({
      id: run.id,
      group: "running",
      waits: [{ task: "two" }, { task: "three" }],
      waitsLeft: 0,
    });
    writeFileSync(go, "");
    await Promise.all([other.wait(), run.wait()]);
    expect((await home.cli(root, ["ls"])).stdout).toMatch(/^finished\n.* succeeded /);
  });

  it("for room on the disk is held before it starts, says so everywhere, and can be cancelled", async () => {
    const home = makeHome();
    configure(home, "hold: { disk: 900000gb }\n");
    const root = makeRepository({ "a.txt": "a\n" });
    const client = home.client();
    const run = await client.start({ directory: root, tasks: { task: "true" } });
    const held = /held: [\d.]+ (GB|MB) free at \S+, 900000\.0 GB wanted/;
    await until(async () => {
      const view = await client.ask("show", { id: run.id });
      return held.test(taskOf(view, "task").activity ?? "");
    }, "the task says that it is held");
    expect((await home.cli(root, ["ls"])).stdout).toMatch(/^nothing new starts: held: /);
    expect((await client.ask("status", {})).held).toMatch(held);
    expect((await home.cli(root, ["daemon", "status"])).stdout).toMatch(/starts nothing +held: /);
    const doctor = await home.cli(root, ["doctor", "--json"]);
    expect(doctor.stdout).toContain('"room to start"');
    expect(doctor.status).toBe(6);
    await client.cancel(run.id);
    expect((await run.wait()).outcome).toBe("cancelled");
  });

  it("is waited for by --any, --all and for so long", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const go = join(temporaryFolder(), "go");
    const client = home.client();
    const [slow, fast] = [
      await client.spawn({ directory: root, tasks: { task: waitFor(go) } }),
      await client.spawn({ directory: root, tasks: { task: "true" } }),
    ];
    expect((await home.cli(root, ["wait", slow, fast, "--any"])).stdout).toMatch(new RegExp(`^${fast}\\tsucceeded`));
    expect((await home.cli(root, ["wait", slow, fast, "--all", "--timeout", "10ms"])).status).toBe(7);
    expect((await home.cli(root, ["wait", slow, "--any", "--all"])).status).toBe(2);
    writeFileSync(go, "");
    expect((await home.cli(root, ["wait", slow, fast, "--all"])).status).toBe(0);
  });
});

describe("after a reboot", () => {
  it("a task that was at work is lost with what it had done, and one that waited goes on", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const folder = temporaryFolder();
    const client = home.client();
    const run = await client.start({
      directory: root,
      tasks: {
        task: `echo work > w.txt; echo up > ${folder}/up; sleep 600`,
        later: { run: "true", needs: ["task"], when: "always" },
      },
    });
    await until(() => existsSync(join(folder, "up")), "the task works");
    let pid = 0;
    await until(async () => {
      pid = taskOf(await client.ask("show", { id: run.id }), "task").attempts[0]?.pid ?? 0;
      return pid > 0;
    }, "it is known");
    process.kill(home.daemonPid() ?? 0, "SIGKILL");
    process.kill(-pid, "SIGKILL");
    await until(() => home.daemonPid() === undefined, "the daemon is gone");
    // All that a reboot leaves: rows and files of another boot. Its number may be somebody else's by now.
    const database = openSqlite(join(home.folder, "state/anabranch.db"));
    const [row] = database.prepare("select process_json from attempts").all() as { process_json: string }[];
    const left = { ...(JSON.parse(row?.process_json ?? "{}") as object), pid: process.pid, bootId: "earlier" };
    database.prepare("update attempts set boot_id = 'earlier', process_json = ?").run(JSON.stringify(left));
    database.close();
    const view = await run.wait();
    expect(taskOf(view, "task")).toMatchObject({ outcome: "lost", reason: { code: "TASK_LOST" } });
    const snapshot = taskOf(view, "task").attempts[0]?.changeset?.snapshot;
    expect(git(view.vault, "show", `${snapshot}:w.txt`)).toBe("work");
    expect(taskOf(view, "later").outcome).toBe("succeeded");
  });
});
