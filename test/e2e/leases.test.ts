import { existsSync, readFileSync, writeFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { RunView } from "../../src/protocol/views.ts";
import type { RunHandle } from "../../src/sdk/run-handle.ts";
import type { StartOptions } from "../../src/sdk/start-options.ts";
import { makeHome, type Home } from "../fixtures/home.ts";
import { onLane } from "../fixtures/landings.ts";
import { git, makeRepository, temporaryFolder } from "../fixtures/repository.ts";
import { refused, taskOf } from "../fixtures/runs.ts";
import { until } from "../fixtures/until.ts";

/** A place where tasks say how far they are and wait for a word. */
interface Stage {
  readonly home: Home;
  readonly root: string;
  readonly folder: string;
  /** A command that says that it began, waits for its word, and then does something. */
  readonly waiting: (name: string, command: string) => string;
  readonly hasBegun: (name: string) => boolean;
  readonly release: (name: string) => void;
  readonly start: (tasks: StartOptions["tasks"], more?: Partial<StartOptions>) => Promise<RunHandle>;
}

function makeStage(config = ""): Stage {
  const home = makeHome();
  if (config !== "") {
    mkdirSync(join(home.folder, "config"), { recursive: true });
    writeFileSync(join(home.folder, "config/config.yaml"), config);
  }
  const root = makeRepository({ "src/a.txt": "a\n", "docs/a.txt": "a\n" });
  const folder = temporaryFolder();
  return {
    home,
    root,
    folder,
    waiting: (name, command) =>
      `touch "${folder}/${name}.began"; until [ -e "${folder}/${name}.go" ]; do sleep 0.02; done; ${command}`,
    hasBegun: (name) => existsSync(join(folder, `${name}.began`)),
    release: (name) => writeFileSync(join(folder, `${name}.go`), ""),
    start: (tasks, more = {}) =>
      home.client().start({ directory: root, mode: "parallel", ...more, tasks: tasks ?? {} }),
  };
}

const view = (stage: Stage, run: RunHandle): Promise<RunView> => stage.home.client().ask("show", { id: run.id });

async function untilActivity(stage: Stage, run: RunHandle, task: string, text: string): Promise<void> {
  const isSo = async (): Promise<boolean> => taskOf(await view(stage, run), task).activity?.includes(text) === true;
  await until(isSo, `${task} says: ${text}`);
}

describe("tasks that are exclusive", () => {
  it("start one after the other, in order, where their scopes meet, in whichever runs they are", async () => {
    const stage = makeStage();
    const { waiting, start } = stage;
    const exclusive = (name: string, scope: string): StartOptions["tasks"] => ({
      [name]: { run: waiting(name, `echo ${name} >> ${scope}/${name}.txt`), writes: `${scope}/**`, exclusive: true },
    });
    const first = await start(exclusive("first", "src"));
    await until(() => stage.hasBegun("first"), "the first has begun");
    const second = await start(exclusive("second", "src"));
    const third = await start(exclusive("third", "src"));
    const elsewhere = await start(exclusive("elsewhere", "docs"));
    await until(() => stage.hasBegun("elsewhere"), "what writes elsewhere begins at once");
    await untilActivity(stage, second, "second", `held: lease of ${first.id}/first`);
    await untilActivity(stage, third, "third", "held: ");
    expect(taskOf(await view(stage, second), "second").state).toBe("ready");
    expect(stage.hasBegun("second")).toBe(false);

    stage.release("first");
    await until(() => stage.hasBegun("second"), "the second begins");
    expect(taskOf(await first.wait(), "first")).toMatchObject({ outcome: "succeeded", landing: expect.any(String) });
    expect(stage.hasBegun("third")).toBe(false);
    stage.release("second");
    await until(() => stage.hasBegun("third"), "the third begins");
    stage.release("third");
    stage.release("elsewhere");
    for (const run of [second, third, elsewhere]) expect((await run.wait()).outcome).toBe("succeeded");
  });

  it("free their scope when they fail or are cancelled", async () => {
    const stage = makeStage();
    const { waiting, start } = stage;
    const failing = await start({
      failing: { run: waiting("failing", "exit 1"), writes: "src/**", exclusive: true },
    });
    await until(() => stage.hasBegun("failing"), "it has begun");
    const cancelled = await start({
      cancelled: { run: waiting("cancelled", "true"), writes: ["src/a.txt"], exclusive: true },
    });
    await untilActivity(stage, cancelled, "cancelled", "held: ");
    const next = await start({ next: { run: "echo b > src/a.txt", writes: ["src/a.txt"], exclusive: true } });
    stage.release("failing");
    expect((await failing.wait()).outcome).toBe("failed");
    await until(() => stage.hasBegun("cancelled"), "it has begun");
    await cancelled.cancel();
    expect((await cancelled.wait()).outcome).toBe("cancelled");
    const done = await next.wait();
    expect(onLane(done, "src/a.txt")).toBe("b");
  });

  it("keep their scope when the daemon is killed, and land when they are done", async () => {
    const stage = makeStage();
    const { home, waiting, start } = stage;
    const first = await start({
      first: { run: waiting("first", "echo 1 > src/a.txt"), writes: "src/**", exclusive: true },
    });
    await until(() => stage.hasBegun("first"), "the first has begun");
    process.kill(home.daemonPid() ?? 0, "SIGKILL");
    const second = await start({
      second: { run: waiting("second", "echo 2 > src/a.txt"), writes: "src/**", exclusive: true },
    });
    await untilActivity(stage, second, "second", `held: lease of ${first.id}/first`);
    stage.release("first");
    stage.release("second");
    expect(onLane(await first.wait(), "src/a.txt")).toBe("1");
    expect(onLane(await second.wait(), "src/a.txt")).toBe("2");
  });

  it("do not land once their lease has expired (invariant 10), and keep what they did", async () => {
    const stage = makeStage("lease: 300ms\n");
    const { home, waiting, start, root } = stage;
    const first = await start({
      first: { run: waiting("first", "echo 1 > src/a.txt"), writes: "src/**", exclusive: true },
      other: "echo other > docs/other.txt",
    });
    await until(() => stage.hasBegun("first"), "the first has begun");
    const second = await start({
      second: { run: waiting("second", "echo 2 > src/a.txt"), writes: "src/**", exclusive: true },
    });
    await untilActivity(stage, second, "second", "held: ");
    process.kill(home.daemonPid() ?? 0, "SIGKILL");
    await until(() => home.daemonPid() === undefined, "the daemon is gone");
    const killedMs = Date.now();
    await until(() => Date.now() - killedMs > 400, "the lease is over");
    await home.client().ask("status", {});
    await until(() => stage.hasBegun("second"), "the second begins, although the first goes on");
    stage.release("first");
    const lost = await first.wait();
    expect(lost.outcome).toBe("failed");
    const task = taskOf(lost, "first");
    expect(task).toMatchObject({ outcome: "failed", reason: { code: "LEASE_LOST", data: { scope: ["src/**"] } } });
    expect(taskOf(lost, "other")).toMatchObject({ outcome: "succeeded", landing: expect.any(String) });
    expect(onLane(lost, "src/a.txt")).toBe("a");
    expect(git(lost.vault, "show", `${task.attempts[0]?.changeset?.snapshot}:src/a.txt`)).toBe("1");
    stage.release("second");
    expect(onLane(await second.wait(), "src/a.txt")).toBe("2");
    // A person may decide otherwise.
    const landed = await home.cli(root, ["land", `${first.id}/first`]);
    expect(landed).toMatchObject({ status: 0 });
    expect(onLane(await view(stage, first), "src/a.txt")).toBe("1");
  });
});

describe("what others have changed in a scope that is held", () => {
  it("waits until it is free, keeps nobody else waiting, and says for whom it waits", async () => {
    const stage = makeStage();
    const { waiting, start } = stage;
    const holder = await start({
      holder: { run: waiting("holder", "echo held > src/a.txt"), writes: "src/**", exclusive: true },
    });
    await until(() => stage.hasBegun("holder"), "the holder has begun");
    const others = await start({ inside: "echo b > src/b.txt", outside: "echo b > docs/b.txt" });
    await untilActivity(stage, others, "inside", `held: lease of ${holder.id}/holder until its work has landed`);
    await until(async () => taskOf(await view(stage, others), "outside").state === "ended", "the other one lands");
    expect(taskOf(await view(stage, others), "inside")).toMatchObject({ state: "landing" });
    const late = await stage.home.cli(stage.root, ["show", `${others.id}/inside`]);
    expect(late.stdout).toContain("landing");
    stage.release("holder");
    const done = await others.wait();
    expect(done.outcome).toBe("succeeded");
    expect(onLane(done, "src/b.txt")).toBe("b");
    expect(taskOf(done, "inside").activity).toBeUndefined();
    const held = taskOf(await holder.wait(), "holder");
    expect(taskOf(done, "inside").endedMs).toBeGreaterThanOrEqual(held.endedMs ?? 0);
  });

  it("is cancelled while it waits", async () => {
    const stage = makeStage();
    const { waiting, start } = stage;
    const holder = await start({ holder: { run: waiting("holder", "true"), writes: "src/**", exclusive: true } });
    await until(() => stage.hasBegun("holder"), "the holder has begun");
    const other = await start({ inside: "echo b > src/b.txt" });
    await untilActivity(stage, other, "inside", "held: ");
    await other.cancel();
    expect((await other.wait()).outcome).toBe("cancelled");
    stage.release("holder");
    await holder.wait();
  });

  it("waits as a whole where it is to land at once", async () => {
    const stage = makeStage();
    const { waiting, start, home } = stage;
    const others = await start(
      { one: waiting("one", "echo b > src/b.txt"), two: waiting("two", "echo b > docs/b.txt") },
      { land: "together" },
    );
    await until(() => stage.hasBegun("one") && stage.hasBegun("two"), "both have begun");
    stage.release("one");
    await until(async () => taskOf(await view(stage, others), "one").state === "ended", "the first is put together");
    const holder = await start({ holder: { run: waiting("holder", "true"), writes: "src/**", exclusive: true } });
    await until(() => stage.hasBegun("holder"), "the holder has begun");
    stage.release("two");
    const waits = async (): Promise<boolean> => (await view(stage, others)).lane.reason?.code === "LEASE_HELD";
    await until(waits, "the run waits");
    expect((await view(stage, others)).state).toBe("active");
    process.kill(home.daemonPid() ?? 0, "SIGKILL");
    await home.client().ask("status", {});
    expect((await view(stage, others)).state).toBe("active");
    stage.release("holder");
    const done = await others.wait();
    expect(done).toMatchObject({ outcome: "succeeded", lane: { together: "landed" } });
    expect(done.lane.reason).toBeUndefined();
    expect(onLane(done, "src/b.txt")).toBe("b");
    await holder.wait();
  });

  it("is refused to a person who lands it by hand, with who holds it", async () => {
    const stage = makeStage();
    const { waiting, start, home, root } = stage;
    const failed = await start({ failed: "echo b > src/b.txt; exit 1" });
    await failed.wait();
    const holder = await start({ holder: { run: waiting("holder", "true"), writes: "src/**", exclusive: true } });
    await until(() => stage.hasBegun("holder"), "the holder has begun");
    const told = await home.cli(root, ["land", `${failed.id}/failed`, "--json"]);
    expect(JSON.parse(told.stdout || told.stderr)).toMatchObject({
      ok: false,
      error: { code: "LEASE_HELD", message: expect.stringContaining(`lease of ${holder.id}/holder`) },
    });
    stage.release("holder");
    await holder.wait();
    expect(await home.cli(root, ["land", `${failed.id}/failed`])).toMatchObject({ status: 0 });
  });

  it("lands at once where the holder has started it itself, so that neither waits for the other", async () => {
    const stage = makeStage();
    const { start, folder } = stage;
    const cli = join(import.meta.dirname, "../../dist/cli.js");
    const holder = await start({
      holder: {
        run: `${process.execPath} ${cli} run -t inside='echo child > src/child.txt' --json > "${folder}/child.json"; echo parent > src/parent.txt`,
        writes: "src/**",
        exclusive: true,
      },
    });
    expect((await holder.wait()).outcome).toBe("succeeded");
    const child = JSON.parse(readFileSync(join(folder, "child.json"), "utf8")) as { data: RunView };
    expect(child.data).toMatchObject({ outcome: "succeeded", parent: { run: holder.id, task: "holder" } });
  });
});

/** A script by which a task asks for leases, and prints what it is told. */
function askScript(folder: string): string {
  const path = join(folder, "ask.mjs");
  writeFileSync(
    path,
    `import { Anabranch } from ${JSON.stringify(join(import.meta.dirname, "../../dist/index.js"))};
     const anabranch = new Anabranch();
     const [what, ...args] = process.argv.slice(2);
     const asked = what === "release" ? anabranch.release(args[0]) : anabranch.claim(args, { ttlMs: 60_000 });
     const told = await asked.catch(({ code, message }) => ({ code, message }));
     console.log(JSON.stringify(told));
     anabranch.close();`,
  );
  return `${process.execPath} ${path}`;
}

describe("a task that claims files on its way", () => {
  it("holds them until it is over, and others are told at once", async () => {
    const stage = makeStage();
    const { waiting, start, folder, home, root } = stage;
    const ask = askScript(folder);
    const holder = await start({
      holder: `cd src && ${ask} claim './*.txt' "$PWD/../docs/a.txt" > "${folder}/first.json"; ${waiting("holder", "true")}`,
    });
    await until(() => stage.hasBegun("holder"), "the holder has claimed");
    const first: unknown = JSON.parse(readFileSync(join(folder, "first.json"), "utf8"));
    expect(first).toMatchObject({ run: holder.id, task: "holder", scope: ["src/*.txt", "docs/a.txt"], renews: false });
    const other = await start({
      other: `${ask} claim src/a.txt > "${folder}/told.json"; ${ask} release ${(first as { id: string }).id} >> "${folder}/told.json"; ${ask} claim ../x /etc/passwd >> "${folder}/told.json"; ${ask} claim 'lib/**' >> "${folder}/told.json"`,
    });
    expect((await other.wait()).outcome).toBe("succeeded");
    const told = readFileSync(join(folder, "told.json"), "utf8").trim().split("\n");
    expect(told.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { code: "LEASE_HELD", message: expect.stringContaining(`lease of ${holder.id}/holder`) },
      { code: "NOT_FOUND" },
      { code: "USAGE" },
      { scope: ["lib/**"], token: 2 },
    ]);
    const listed = await home.cli(root, ["leases", "--json"]);
    expect(JSON.parse(listed.stdout)).toMatchObject({ ok: true, data: [{ task: "holder", token: 1 }] });
    expect((await home.cli(root, ["leases"])).stdout).toContain(`${holder.id}/holder  src/*.txt, docs/a.txt`);
    stage.release("holder");
    await holder.wait();
    expect((await home.cli(root, ["leases"])).stdout).toContain("Nobody holds a lease here");
  });

  it("may give them up before", async () => {
    const stage = makeStage();
    const { start, folder } = stage;
    const ask = askScript(folder);
    const run = await start({
      holder: `id=$(${ask} claim 'src/**' | sed 's/.*"id":"\\([^"]*\\)".*/\\1/'); ${ask} release "$id" > "${folder}/told.json"; ${ask} release "$id" >> "${folder}/told.json"`,
    });
    await run.wait();
    const told = readFileSync(join(folder, "told.json"), "utf8").trim().split("\n");
    expect(told.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { scope: ["src/**"] },
      { code: "NOT_FOUND" },
    ]);
  });

  it("is needed for that: nobody else has leases", async () => {
    const { home, root, start } = makeStage();
    await (await start({ one: "true" })).wait();
    await refused(home.client().claim(["src/**"], { directory: root }), "USAGE");
    await refused(home.client().release("abc"), "USAGE");
  });
});

describe("a task that is one of several of which the best lands", () => {
  it("cannot be exclusive: it would keep its lease while it waits to be chosen", async () => {
    const { start } = makeStage();
    const task = { run: "echo x > src/a.txt", writes: "src/**", exclusive: true };
    await refused(start({ one: task, two: "echo y > src/a.txt" }, { join: "best-of-n" }), "GRAPH_INVALID");
  });
});
