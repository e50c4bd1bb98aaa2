import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { EXIT_CODES } from "../../src/base/error-codes.ts";
import { openSqlite } from "../../src/store/sqlite-module.ts";
import { makeHome, type CliEnd, type Home } from "../fixtures/home.ts";
import { canChangeUser } from "../fixtures/ordinary-user.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../fixtures/repository.ts";
import { runTask } from "../fixtures/runs.ts";
import { askRaw, socketOf } from "../fixtures/wire.ts";
import { until } from "../fixtures/until.ts";

/** Expects a command to fail with an error that has a code, and says what mends it, on one JSON document. */
function expectError(end: CliEnd, status: number, code: string, words: RegExp): { message: string; hint: string } {
  expect(end.status, end.stdout + end.stderr).toBe(status);
  const answer = JSON.parse(end.stdout) as { error: { message: string; hint: string } };
  expect(answer).toMatchObject({ v: 1, ok: false, error: { code, message: expect.stringMatching(/.{15}/) } });
  expect(`${answer.error.message} ${answer.error.hint}`).toMatch(words);
  return answer.error;
}

const stateOf = (home: Home, name = ""): string => join(home.folder, "state", name);

/** A number that no process has: it is beyond the largest. */
const NOBODY = 2 ** 22 + 1;

/** A daemon that is not ours: of another version, or one that does not answer as it should. */
async function pretendDaemon(home: Home, answer: (path: string) => { status: number; body: unknown }): Promise<Server> {
  const socket = join(temporaryFolder(), "socket");
  const server = createServer((request, response) => {
    const { status, body } = answer(request.url ?? "");
    request.resume().on("end", () => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      if (request.url === "/v1/stop") server.close();
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  onTestFinished(() => void server.close());
  mkdirSync(stateOf(home), { recursive: true, mode: 0o700 });
  const file = { pid: NOBODY, socket, version: "9.0.0", protocol: 9, startedMs: 1 };
  writeFileSync(stateOf(home, "daemon.json"), JSON.stringify(file));
  return server;
}

describe("anabranch daemon", () => {
  it("starts, tells what it does, stops and starts again", async () => {
    const home = makeHome();
    const folder = temporaryFolder();
    expect((await home.cli(folder, ["daemon", "status"])).stdout).toMatch(/^no daemon is running; it starts with/);
    expect(JSON.parse((await home.cli(folder, ["daemon", "status", "--json"])).stdout)).toEqual({
      v: 1,
      ok: true,
      data: { running: false },
    });
    expect((await home.cli(folder, ["daemon", "stop"])).stdout).toBe("no daemon was running\n");
    expect((await home.cli(folder, ["daemon", "start"])).stdout).toMatch(/^the daemon runs \(process \d+\)\n$/);
    const pid = home.daemonPid();
    expect((await home.cli(folder, ["daemon", "start"])).stdout).toBe(`the daemon runs (process ${pid})\n`);
    const status = await home.cli(folder, ["daemon", "status"]);
    for (const words of [/process +\d+/, /version +\S+ \(protocol \d+, Node \d+/, /at work +0 tasks of 0 runs/, /MiB/])
      expect(status.stdout).toMatch(words);
    expect((await home.cli(folder, ["daemon", "restart"])).stdout).toMatch(/^the daemon runs \(process \d+, version/);
    expect(home.daemonPid()).not.toBe(pid);
    expect((await home.cli(folder, ["daemon", "stop"])).stdout).toBe("the daemon stopped\n");
    expect(home.daemonPid()).toBeUndefined();
    expect(existsSync(stateOf(home, "daemon.json"))).toBe(false);
  });

  it("says what becomes of work that is under way, and with --cancel stops it", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const go = join(temporaryFolder(), "go");
    const client = home.client();
    const task = `echo begun > b.txt; while [ ! -e ${go} ]; do sleep 0.02; done; echo went on > b.txt`;
    const run = await client.start({ directory: root, tasks: { one: task, two: task } });
    const bothWork = () =>
      until(async () => (await client.ask("status", {})).workingTasks === 2, "both are at work").then(() =>
        until(async () => {
          const { taskList } = await client.ask("show", { id: run.id });
          return taskList.every((each) => each.state === "working");
        }, "both commands run"),
      );
    await bothWork();
    const restarted = await home.cli(root, ["daemon", "restart"]);
    expect(restarted.stdout).toContain("2 tasks went on meanwhile");
    await bothWork();
    const stopped = await home.cli(root, ["daemon", "stop"]);
    expect(stopped.stdout).toMatch(/^the daemon stopped; 2 tasks go on without it, and the next command takes them up/);
    expect(stopped.stdout).toContain("anabranch daemon stop --cancel");
    expect(home.daemonPid()).toBeUndefined();
    writeFileSync(go, "");
    const view = await run.wait();
    expect(view.outcome).toBe("succeeded");
    for (const each of view.taskList)
      expect(git(view.vault, "show", `${each.attempts[0]?.changeset?.snapshot}:b.txt`)).toBe("went on");

    const other = await client.start({ directory: root, tasks: { task: "echo begun > b.txt; sleep 600" } });
    await until(async () => (await client.ask("show", { id: other.id })).taskList[0]?.state === "working", "it works");
    const ended = await home.cli(root, ["daemon", "stop", "--cancel"]);
    expect(ended.stdout).toBe("the daemon stopped, 1 task with it\n");
    expect(await client.ask("show", { id: other.id })).toMatchObject({ state: "ended", outcome: "cancelled" });
  });

  it("leaves by itself after its idle time, but not while a detached task is at work", async () => {
    const home = makeHome();
    writeFiles(home.folder, { "config/config.yaml": "idle: 1ms\n" });
    const root = makeRepository({ "a.txt": "a\n" });
    const done = join(temporaryFolder(), "done");
    const client = home.client();
    // It looks every five seconds.
    const tasks = { task: { run: `sleep 6; touch ${done}`, detach: true, writes: "none" } } as const;
    const { id } = await client.start({ directory: root, tasks });
    client.close();
    await until(() => home.daemonPid() === undefined, "it leaves", 50_000);
    expect(existsSync(done)).toBe(true);
    expect((await home.client().wait(`${id}/task`))[0]?.outcome).toBe("succeeded");
  });

  it("is one for each user, however many clients want it at once", async () => {
    const home = makeHome();
    const folder = temporaryFolder();
    const ends = await Promise.all(Array.from({ length: 6 }, () => home.cli(folder, ["daemon", "start", "--json"])));
    const pids = ends.map((end) => (JSON.parse(end.stdout) as { data: { pid: number } }).data.pid);
    expect(new Set(pids)).toEqual(new Set([home.daemonPid()]));
    const second = await home.startDaemon({});
    await until(() => second.exitCode !== null, "the second one ends");
    expect(second.exitCode).toBe(EXIT_CODES.conflict);
    expect((await home.client().ask("status", {})).pid).toBe(pids[0]);
  });
});

describe("what an earlier daemon left behind does not matter", () => {
  const leavings: Readonly<Record<string, (home: Home) => void>> = {
    "a socket and a file of one that was killed": () => undefined,
    "a file that is cut off": (home) => writeFileSync(stateOf(home, "daemon.json"), '{"pid": 1, "sock'),
    "an empty file": (home) => writeFileSync(stateOf(home, "daemon.json"), ""),
    "a file that names no socket": (home) => writeFileSync(stateOf(home, "daemon.json"), '{"pid": 1}'),
    "a file of another process's number": (home) => {
      const file = JSON.parse(readFileSync(stateOf(home, "daemon.json"), "utf8")) as object;
      const other = spawn("sleep", ["600"]);
      onTestFinished(() => void other.kill());
      writeFileSync(stateOf(home, "daemon.json"), JSON.stringify({ ...file, pid: other.pid }));
    },
    "a file that names a folder, or nothing that is there": (home) =>
      writeFileSync(stateOf(home, "daemon.json"), JSON.stringify({ pid: 1, socket: home.folder })),
  };
  for (const [what, leave] of Object.entries(leavings)) {
    it(`as ${what}`, async () => {
      const home = makeHome();
      const folder = temporaryFolder();
      expect((await home.cli(folder, ["daemon", "start"])).status).toBe(0);
      const pid = home.daemonPid() ?? 0;
      const socket = socketOf(home);
      process.kill(pid, "SIGKILL");
      await until(() => home.daemonPid() !== pid, "it is gone");
      expect(existsSync(socket)).toBe(true);
      leave(home);
      expect((await home.cli(folder, ["ls"])).stdout).toMatch(/^No runs here yet/);
      expect(home.daemonPid()).not.toBe(pid);
      expect(socketOf(home)).toBe(socket);
      expect((await home.cli(folder, ["daemon", "stop"])).status).toBe(0);
    });
  }

  it("nor that its socket was cleaned away while it runs: it listens again, and clients wait for that", async () => {
    const home = makeHome();
    const folder = temporaryFolder();
    await home.cli(folder, ["daemon", "start"]);
    const pid = home.daemonPid();
    spawnSync("rm", ["-rf", dirname(socketOf(home))]);
    const end = await home.cli(folder, ["daemon", "status", "--json"]);
    expect(JSON.parse(end.stdout)).toMatchObject({ ok: true });
    const again = await home.cli(folder, ["ls"]);
    expect(again.status, again.stderr).toBe(0);
    expect(home.daemonPid()).toBe(pid);
    expect(statSync(socketOf(home)).mode & 0o777).toBe(0o600);
  });
});

describe("a client and a daemon of different versions", () => {
  it("a newer daemon is not asked for anything it does not speak; the client is told to restart it, and can", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const status = {
      pid: NOBODY,
      version: "9.0.0",
      protocol: 9,
      node: "30.0.0",
      home: home.folder,
      startedMs: 1,
      memoryBytes: 1,
      activeRuns: 0,
      workingTasks: 0,
      readyTasks: 0,
    };
    const refusal = {
      code: "DAEMON_VERSION",
      kind: "unreachable",
      message: "this daemon (9.0.0) speaks protocol 9, the client speaks 1",
      hint: "anabranch daemon restart (running tasks go on meanwhile)",
    };
    const known: Readonly<Record<string, unknown>> = {
      "/v1/status": status,
      "/v1/stop": { pid: NOBODY, goingOn: 0, cancelled: 0 },
    };
    await pretendDaemon(home, (path) =>
      path in known
        ? { status: 200, body: { v: 1, ok: true, data: known[path] } }
        : { status: 503, body: { v: 1, ok: false, error: refusal } },
    );
    for (const args of [["run", "-t", "x=true"], ["ls"], ["show"], ["wait", "x"]])
      expectError(await home.cli(root, [...args, "--json"]), 69, "DAEMON_VERSION", /anabranch daemon restart/);
    const told = await home.cli(root, ["daemon", "status"]);
    expect(told.status).toBe(0);
    expect(told.stdout).toContain("9.0.0 (protocol 9");
    expect((await home.cli(root, ["daemon", "restart"])).stdout).toMatch(/^the daemon runs/);
    expect((await home.cli(root, ["run", "-t", "x=true"])).status).toBe(0);
  });

  it("the daemon serves whom it understands, tells others, and lets anybody see and stop it without dropping work", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const go = join(temporaryFolder(), "go");
    const task = `while [ ! -e ${go} ]; do sleep 0.02; done; echo b > b.txt`;
    const run = await home.client().start({ directory: root, tasks: { task } });
    const socket = socketOf(home);
    for (const headers of [{}, { "x-anabranch-protocol": "0" }, { "x-anabranch-protocol": "999" }]) {
      for (const path of ["/v1/list", "/v1/start", "/v1/show", "/v1/streams/events", "/v1/streams/watch"]) {
        const answer = await askRaw(socket, path, { headers, body: { id: run.id } });
        expect(answer.status).toBe(503);
        expect(JSON.parse(answer.body)).toMatchObject({
          ok: false,
          error: { code: "DAEMON_VERSION", hint: expect.stringContaining("daemon restart") },
        });
      }
      expect(JSON.parse((await askRaw(socket, "/v1/status", { headers })).body)).toMatchObject({ ok: true });
    }
    const stop = await askRaw(socket, "/v1/stop", { headers: { "x-anabranch-protocol": "999" } });
    expect(JSON.parse(stop.body)).toMatchObject({ ok: true, data: { goingOn: 1 } });
    writeFileSync(go, "");
    expect((await run.wait()).outcome).toBe("succeeded");
  });

  it("what answers on the socket but is no daemon is told from one, and ends in no endless loop", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    await pretendDaemon(home, () => ({ status: 200, body: "something else" }));
    const end = await home.cli(root, ["ls", "--json"]);
    // Whoever holds no lock is no daemon: a real one is started beside it.
    expect(end.status, end.stdout).toBe(0);
    expect(home.daemonPid()).toBeDefined();
  });
});

describe("a database that cannot be used is told with what mends it, and stays as it is", () => {
  /** A home with one finished run and no daemon. */
  async function makeUsedHome(): Promise<{ home: Home; root: string; id: string; database: string }> {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const { run } = await runTask(home, root, "echo b > b.txt");
    expect((await home.cli(root, ["daemon", "stop"])).status).toBe(0);
    return { home, root, id: run.id, database: stateOf(home, "anabranch.db") };
  }

  it("when a newer version has used it", async () => {
    const { home, root, database } = await makeUsedHome();
    const db = openSqlite(database);
    db.exec("insert into migrations (number) values (999)");
    db.close();
    const before = readFileSync(database);
    for (const args of [["ls"], ["run", "-t", "x=true"], ["daemon", "start"], ["doctor"]])
      expectError(await home.cli(root, [...args, "--json"]), 1, "STORE_NEWER", /999.*(npm install|ANABRANCH_HOME)/);
    expect(readFileSync(database)).toEqual(before);
    expect(home.daemonPid()).toBeUndefined();
  });

  it("when it is damaged, and after moving it away the snapshots are still there", async () => {
    const { home, root, id, database } = await makeUsedHome();
    const vault = join(home.folder, "state/repositories");
    const whole = readFileSync(database);
    for (const damaged of [
      Buffer.from("this is no database\n".repeat(500)),
      Buffer.concat([whole.subarray(0, 100), Buffer.alloc(whole.length - 100, 7)]),
    ]) {
      writeFileSync(database, damaged);
      const error = expectError(
        await home.cli(root, ["ls", "--json"]),
        1,
        "STORE_CORRUPT",
        /move it away .*\(mkdir .*; mv /,
      );
      expect(readFileSync(database)).toEqual(damaged);
      const [, command = ""] = /\((mkdir .*?)\)/.exec(error.hint) ?? [];
      spawnSync("sh", ["-c", command]);
      expect((await home.cli(root, ["ls"])).stdout).toMatch(/^No runs here yet/);
      await home.cli(root, ["daemon", "stop"]);
    }
    const refs = spawnSync("sh", ["-c", `git -C ${vault}/*/vault.git for-each-ref refs/snapshots/${id}`], {
      encoding: "utf8",
    });
    expect(refs.stdout).toContain(`refs/snapshots/${id}/task/1`);
  });

  it("when another program holds it", async () => {
    const { home, root, id, database } = await makeUsedHome();
    const db = openSqlite(database);
    db.exec("begin exclusive");
    try {
      // Nobody else may write: what is known can be read, and nothing new starts.
      expect((await home.cli(root, ["ls", "--plain"])).stdout).toContain(id);
      const refused = await home.cli(root, ["run", "-t", "x=true", "--json"]);
      expectError(refused, 1, "STORE_LOCKED", /close whatever has it open/);
      await home.cli(root, ["daemon", "stop"]);
      // Nobody else may even read.
      db.exec("rollback; pragma locking_mode = exclusive; begin immediate; create table other (x); commit; begin");
      db.exec("insert into other values (1)");
      expectError(await home.cli(root, ["ls", "--json"]), 1, "STORE_LOCKED", /close whatever has it open/);
    } finally {
      db.exec("rollback");
      db.close();
    }
    expect((await home.cli(root, ["ls", "--plain"])).stdout).toContain(id);
  });

  it.skipIf(!canChangeUser)("when the state directory cannot be written", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    mkdirSync(stateOf(home), { recursive: true });
    expect(spawnSync("mount", ["-t", "tmpfs", "-o", "ro", "none", stateOf(home)]).status).toBe(0);
    onTestFinished(() => void spawnSync("umount", ["--lazy", stateOf(home)]));
    for (const args of [["ls"], ["run", "-t", "x=true"]])
      expectError(await home.cli(root, [...args, "--json"]), 1, "READ_ONLY", /ANABRANCH_HOME/);
  });

  it("when config.yaml is wrong, which is told with line and column", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    writeFiles(home.folder, { "config/config.yaml": "idle: 5m\nparalel: 3\n" });
    const error = expectError(await home.cli(root, ["ls", "--json"]), 2, "CONFIG_INVALID", /parallel/);
    expect(error.message).toMatch(/config\.yaml:2:1: /);
  });
});
