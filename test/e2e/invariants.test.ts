/** The promises of the design, each by its number, each with an attempt to break it. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { DIST, makeHome } from "../fixtures/home.ts";
import { canChangeUser } from "../fixtures/ordinary-user.ts";
import { photograph } from "../fixtures/photograph.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../fixtures/repository.ts";
import { runTask, taskOf } from "../fixtures/runs.ts";
import { hasTerminals, startOnTerminal } from "../fixtures/terminal.ts";
import { askRaw, socketOf } from "../fixtures/wire.ts";
import { until } from "../fixtures/until.ts";

const CLI = `"${process.execPath}" "${join(DIST, "cli.js")}"`;

/** Whether file systems can be mounted here. */
const canMount = canChangeUser && spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/tmp"]).status === 0;

/** Live processes whose command line holds a text. */
function running(text: string): string[] {
  const { stdout } = spawnSync("ps", ["-eo", "pid=,stat=,args="], { encoding: "utf8" });
  return stdout.split("\n").filter((line) => line.includes(text) && !/^\s*\d+ Z/.test(line));
}

describe("invariant 1: no work of a task is lost", () => {
  it.skipIf(!canMount)(
    "also while the disk is full: what runs goes on, and its work is kept once there is room",
    async () => {
      const folder = temporaryFolder();
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=48m", "none", folder]);
      onTestFinished(() => void execFileSync("umount", ["--lazy", folder]));
      const home = makeHome({ folder: join(folder, "home") });
      const root = makeRepository({ "a.txt": "a\n" });
      const go = join(temporaryFolder(), "go");
      const client = home.client();
      const task = `echo work > w.txt; while [ ! -e ${go} ]; do sleep 0.02; done; echo more >> w.txt || echo held; echo end`;
      const run = await client.start({ directory: root, tasks: { task }, requestId: "full-disk" });
      const watched = until(async () => {
        const view = await client.ask("show", { id: run.id });
        return existsSync(view.taskList[0]?.attempts[0]?.log ?? "") && view.taskList[0]?.state === "working";
      }, "the task works");
      await watched;
      const ballast = join(folder, "ballast");
      spawnSync("dd", ["if=/dev/zero", `of=${ballast}`, "bs=64k"], { stdio: "ignore" });
      writeFileSync(go, "");
      await until(async () => {
        const [only] = (await client.ask("show", { id: run.id })).taskList;
        return /held|cannot|full/i.test(only?.activity ?? "") || only?.state === "ended";
      }, "the task's end meets the full disk");
      expect((await client.ask("show", { id: run.id })).state).toBe("active");
      rmSync(ballast);
      const view = await run.wait();
      expect(view.taskList[0]?.outcome, JSON.stringify(view.taskList[0]?.reason)).toBe("succeeded");
      const snapshot = taskOf(view, "task").attempts.at(-1)?.changeset?.snapshot;
      expect(git(view.vault, "show", `${snapshot}:w.txt`)).toMatch(/^work/);
    },
  );

  it("when a task is killed together with its shim and the daemon, what it had written is in its snapshot", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const client = home.client();
    const run = await client.start({ directory: root, tasks: { task: "echo work > w.txt; echo up; sleep 600" } });
    let pid = 0;
    await until(async () => {
      const [attempt] = (await client.ask("show", { id: run.id })).taskList[0]?.attempts ?? [];
      pid = attempt?.pid ?? 0;
      return pid > 0 && existsSync(attempt?.log ?? "") && readFileSync(attempt?.log ?? "", "utf8") === "up\n";
    }, "the task works");
    process.kill(home.daemonPid() ?? 0, "SIGKILL");
    process.kill(-pid, "SIGKILL");
    const view = await run.wait();
    expect(view.taskList[0]).toMatchObject({ outcome: "lost", reason: { code: "TASK_LOST" } });
    expect(git(view.vault, "show", `${view.taskList[0]?.attempts[0]?.changeset?.snapshot}:w.txt`)).toBe("work");
  });
});

describe("invariant 2: the user's repository changes only by a command that says so", () => {
  it("and no other command of the command line leaves a trace in it", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n", ".gitignore": "*.log\n" });
    writeFiles(root, { "a.txt": "edited\n", "new.txt": "new\n", "x.log": "ignored\n", "s.txt": "staged\n" });
    git(root, "add", "s.txt");
    const before = photograph(root);
    for (const args of [
      ["init", "--print"],
      ["plan", "-t", "task=echo b > b.txt"],
      ["run", "-t", "task=echo b > b.txt; git add .; git -c user.name=A -c user.email=a@b commit -qm b; git stash -u"],
      ["run", "-t", "task=echo c >> a.txt", "--base", "HEAD"],
      ["spawn", "-t", "task=rm a.txt; sleep 600"],
      ["cancel", "@last", "--force"],
      ["ls"],
      ["ls", "--all"],
      ["show"],
      ["logs", "@last~1"],
      ["diff", "@last~1"],
      ["wait", "@last~1"],
      ["git", "--", "log", "--all"],
      ["doctor"],
      ["daemon", "status"],
      ["daemon", "restart"],
      ["gc"],
      ["gc", "--yes", "--older-than", "0s"],
      ["daemon", "stop"],
    ]) {
      const { status, stderr } = await home.cli(root, args);
      expect(status, `${args.join(" ")}: ${stderr}`).toBe(0);
      expect(photograph(root), args.join(" ")).toEqual(before);
    }
  }, 120_000);
});

describe("invariant 6: every task reaches exactly one outcome, and whoever waits for it learns it", () => {
  it("also the clients that wait, watch and follow while daemons die one after another", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const go = join(temporaryFolder(), "go");
    const client = home.client();
    const hold = `echo up; while [ ! -e ${go} ]; do sleep 0.02; done`;
    const run = await client.start({ directory: root, tasks: { a: hold, b: `${hold}; exit 3` } });
    const waiting = home.cli(root, ["wait", run.id, `${run.id}/a`, "--json"]);
    const logging = run.wait();
    const events: string[] = [];
    const following = (async () => {
      for await (const { type, task = "" } of run.events()) events.push(`${type} ${task}`.trim());
    })();
    const watching = (async () => {
      let last;
      for await (const message of home.client().watch({ id: run.id })) if (message.type === "run") last = message.data;
      return last;
    })();
    await until(() => events.includes("task.started a") && events.includes("task.started b"), "both work");
    for (let deaths = 0; deaths < 3; deaths += 1) {
      const pid = home.daemonPid();
      process.kill(pid ?? 0, "SIGKILL");
      await until(() => home.daemonPid() !== undefined && home.daemonPid() !== pid, "a client has started the next");
    }
    writeFileSync(go, "");
    const view = await logging;
    expect(view.taskList.map((task) => task.outcome)).toEqual(["succeeded", "failed"]);
    const ends = JSON.parse((await waiting).stdout) as { data: { outcome: string; task?: string }[] };
    expect(ends.data.map((end) => end.outcome)).toEqual(["failed", "succeeded"]);
    expect((await waiting).status).toBe(1);
    await following;
    expect(events.filter((event) => event.startsWith("task.ended")).toSorted()).toEqual([
      "task.ended a",
      "task.ended b",
    ]);
    expect(events.filter((event) => event === "run.ended")).toHaveLength(1);
    expect((await watching)?.outcome).toBe("failed");
  });
});

/** Ways of a program to get away from who started it. Each leaves a process whose command line holds the number. */
const ESCAPES: Readonly<Record<string, (number: string) => string>> = {
  "forks and exits": (n) => `(sleep ${n} &); `,
  "makes a session of its own": (n) => `setsid sleep ${n} & `,
  "drops its environment and its session": (n) => `env -i setsid sleep ${n} & `,
  "does so twice, from a subfolder": (n) => `mkdir d; cd d; env -i setsid sh -c 'setsid sleep ${n} & ' & cd ..; `,
  "ignores signals": (n) => `(trap '' INT TERM HUP; exec nohup sleep ${n}) & `,
  "stops itself": (n) => `(exec sh -c 'kill -STOP $$; sleep ${n}' x${n}) & `,
};

describe("invariant 7: a task that is over stays dead, with all that descends from it", () => {
  for (const [what, escape] of Object.entries(ESCAPES)) {
    it(`when it ${what} and ends, and when it ${what} and is cancelled`, async () => {
      const home = makeHome();
      writeFiles(home.folder, { "config/config.yaml": "kill: { interrupt: 100ms, terminate: 100ms }\n" });
      const root = makeRepository({ "a.txt": "a\n" });
      const number = `${600 + Math.floor(Math.random() * 1e6)}.${process.pid}`;
      const up = `until ps -eo args= | grep -q '[s]leep ${number}\\|x${number}$'; do sleep 0.01; done; echo w > w.txt; `;
      const { task } = await runTask(home, root, escape(number) + up);
      expect(task.outcome).toBe("succeeded");
      expect(running(number)).toEqual([]);
      const client = home.client();
      const run = await client.start({
        directory: root,
        tasks: { task: `${escape(number)}${up}echo up; sleep ${number}` },
      });
      for await (const { data } of client.stream("logs", { id: run.id, follow: true }))
        if (Buffer.from(data.bytes, "base64").toString().includes("up")) break;
      await run.cancel();
      const view = await run.wait();
      expect(view.taskList[0]?.outcome).toBe("cancelled");
      expect(running(number)).toEqual([]);
      // What it had done until then is kept.
      expect(view.taskList[0]?.attempts[0]?.changeset?.changes.map((one) => one.path)).toContain("w.txt");
    });
  }

  it.skipIf(!canMount)("however it tries to get away, also where the system offers no control groups", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    // In a view of the file system of its own, where they cannot be seen.
    const hide = 'umount --all --types cgroup2; exec "$0" "$@"';
    await home.startDaemon({}, ["unshare", "--mount", "sh", "-c", hide]);
    const client = home.client();
    const groups = (await client.ask("doctor", {})).find((check) => check.name === "control groups");
    expect(groups?.evidence).toContain("cannot be made here");
    const number = `${600 + Math.floor(Math.random() * 1e6)}.${process.pid}`;
    const up = `until ps -eo args= | grep -q '[s]leep NUMBER\\|xNUMBER$'; do sleep 0.01; done`;
    const tasks = Object.values(ESCAPES).map((escape, index) => {
      const own = `${number}${index}`;
      return [`t${index}`, escape(own) + up.replaceAll("NUMBER", own)] as const;
    });
    const run = await client.start({ directory: root, tasks: Object.fromEntries(tasks), mode: "parallel" });
    const view = await run.wait();
    expect(view.taskList.map((task) => task.outcome)).toEqual(tasks.map(() => "succeeded"));
    expect(view.taskList.map((task) => task.attempts[0]?.stragglers ?? 0).every((count) => count > 0)).toBe(true);
    expect(running(number)).toEqual([]);
  });

  for (const [what, command] of [
    ["stops itself and all around it", "kill -STOP 0"],
    ["ignores every signal that can be ignored", "trap '' INT TERM HUP QUIT; echo up; sleep 600; sleep 600"],
  ] as const) {
    it(`when it ${what}: its timeout still ends it`, async () => {
      const home = makeHome();
      writeFiles(home.folder, { "config/config.yaml": "kill: { interrupt: 100ms, terminate: 100ms }\n" });
      const root = makeRepository({ "a.txt": "a\n" });
      const run = await home.client().start({
        directory: root,
        tasks: { task: { run: `echo w > w.txt; ${command}`, timeout: "300ms" } },
      });
      const view = await run.wait();
      expect(view.taskList[0]).toMatchObject({ outcome: "failed", reason: { code: "TASK_TIMEOUT" } });
      expect(view.taskList[0]?.attempts[0]?.changeset?.changes.map((one) => one.path)).toEqual(["w.txt"]);
    });
  }

  it("when the daemon is killed at any store write while a whole tree of runs is being cancelled", async () => {
    const home = makeHome();
    writeFiles(home.folder, { "config/config.yaml": "kill: { interrupt: 200ms, terminate: 100ms }\n" });
    const root = makeRepository({ "a.txt": "a\n" });
    let kills = 0;
    for (let pass = 1; ; pass += 1) {
      const number = `${600 + pass}.${process.pid}`;
      // The first daemon starts the tree, the second one is to die while it cancels it.
      const client = home.client();
      const inner = `${CLI} spawn --quiet -t inner='setsid sleep ${number}'; sleep ${number}`;
      const run = await client.start({
        directory: root,
        tasks: {
          outer: inner,
          later: { run: "touch later", needs: "outer", when: "always" },
        },
      });
      const asleep = (): string[] => running(number).filter((line) => /^\s*\d+ \S+ +sleep /.test(line));
      await until(() => asleep().length === 2, "all work");
      await client.ask("stop", {});
      await until(() => home.daemonPid() === undefined, "the daemon ends");
      const daemon = await home.startDaemon({ ANABRANCH_FAULT: `store.commit.after@${pass}` });
      await run.cancel();
      const view = await run.wait();
      const runs = await client.ask("list", {});
      const child = runs.find((one) => one.parent?.run === run.id);
      await client.wait(child?.id ?? "");
      expect(view.outcome).toBe("cancelled");
      expect(view.taskList.map((task) => task.outcome)).toEqual(["cancelled", "cancelled"]);
      expect((await client.ask("show", { id: child?.id ?? "" })).outcome).toBe("cancelled");
      expect(running(number)).toEqual([]);
      const killed = daemon.signalCode === "SIGKILL";
      await client.ask("stop", {});
      client.close();
      await until(() => home.daemonPid() === undefined, "the daemon ends");
      if (!killed) break;
      kills += 1;
    }
    expect(kills).toBeGreaterThanOrEqual(3);
  }, 180_000);
});

describe("invariant 13: who has no right to, runs nothing and reads nothing", () => {
  it("the socket, its folder and everything that is kept are the user's alone", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const { run } = await runTask(home, root, "true", { environment: { SECRET: "hunter2" } });
    const socket = socketOf(home);
    const state = join(home.folder, "state");
    const rights = (path: string): string => (statSync(path).mode & 0o777).toString(8);
    expect(rights(socket)).toBe("600");
    for (const folder of [dirname(socket), dirname(dirname(socket)), state, join(state, "runs", run.id)])
      expect(rights(folder), folder).toBe("700");
    for (const file of [socket, dirname(socket), dirname(dirname(socket)), state])
      expect(statSync(file).uid).toBe(process.getuid?.());
    // The values of the environment are gone with the run that needed them.
    await until(() => !existsSync(join(state, "runs", run.id, "inputs.json")), "its environment is forgotten");
    expect(spawnSync("grep", ["-rl", "hunter2", state], { encoding: "utf8" }).stdout).toBe("");
  });

  it.skipIf(!canChangeUser)(
    "another user reaches neither the socket nor the state, and cannot prepare a place for them",
    async () => {
      const home = makeHome();
      const root = makeRepository({ "a.txt": "a\n" });
      await runTask(home, root, "true");
      const stranger = ["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups"] as const;
      const asStranger = (...command: string[]) =>
        spawnSync(stranger[0], [...stranger.slice(1), ...command], { encoding: "utf8" });
      const probe = `require("net").connect(process.argv[1]).on("error",(e)=>{console.log(e.code);process.exit(3)}).on("connect",()=>process.exit(0))`;
      expect(asStranger(process.execPath, "-e", probe, socketOf(home))).toMatchObject({
        status: 3,
        stdout: "EACCES\n",
      });
      expect(asStranger("ls", join(home.folder, "state")).status).not.toBe(0);

      // Somebody else made the folder in which the stranger's daemon would put its socket.
      const place = "/tmp/anabranch-65533";
      const theirs = temporaryFolder();
      execFileSync("chmod", ["777", theirs]);
      const own = temporaryFolder();
      execFileSync("chown", ["-R", "65533:65533", own]);
      onTestFinished(() => rmSync(place, { recursive: true, force: true }));
      for (const prepare of [
        () => mkdirSync(place, { mode: 0o777 }),
        () => symlinkSync(theirs, place),
        () => writeFileSync(place, ""),
      ]) {
        rmSync(place, { recursive: true, force: true });
        prepare();
        const end = spawnSync(
          stranger[0],
          [...stranger.slice(1), process.execPath, join(DIST, "cli.js"), "daemon", "start", "--json"],
          {
            cwd: own,
            env: { PATH: process.env["PATH"], HOME: own, ANABRANCH_HOME: own },
            encoding: "utf8",
          },
        );
        expect(end.status).toBe(1);
        expect(JSON.parse(end.stdout)).toMatchObject({ ok: false, error: { code: "RUNTIME_DIRECTORY_UNSAFE" } });
      }
    },
  );

  it("nothing listens but the socket, and it answers only what the protocol names", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const { run } = await runTask(home, root, "true");
    const socket = socketOf(home);
    const pid = home.daemonPid();
    const inodes = execFileSync("sh", ["-c", `ls -l /proc/${pid}/fd | grep -o 'socket:\\[[0-9]*' | cut -d[ -f2`], {
      encoding: "utf8",
    });
    const tables = ["tcp", "tcp6", "udp", "udp6"].map((name) => readFileSync(`/proc/net/${name}`, "utf8"));
    const open = new Set(tables.flatMap((table) => table.split("\n").map((row) => row.trim().split(/\s+/)[9])));
    expect(
      inodes
        .trim()
        .split("\n")
        .filter((inode) => open.has(inode)),
    ).toEqual([]);

    for (const [method, path] of [
      ["GET", "/"],
      ["GET", "/v1/status"],
      ["GET", "/v1/show?id=@last"],
      ["PUT", "/v1/stop"],
      ["POST", "/v1/../../etc/passwd"],
      ["POST", "/v1/%2e%2e/%2e%2e/etc/passwd"],
      ["POST", "/v1/constructor"],
      ["POST", "/v1/__proto__"],
      ["POST", "/v1/streams/toString"],
      ["POST", "//v1/stop"],
    ] as const) {
      const answer = await askRaw(socket, path, { method });
      expect(answer.status, path).toBe(404);
      expect(JSON.parse(answer.body)).toMatchObject({ v: 1, ok: false, error: { code: "NOT_FOUND" } });
    }
    for (const body of [
      "",
      "null",
      "[]",
      '"x"',
      "{",
      '{"id":1}',
      '{"id":"@last","more":1}',
      '{"__proto__":{"id":"@last"}}',
    ])
      expect(JSON.parse((await askRaw(socket, "/v1/show", { body })).body), body).toMatchObject({
        error: { code: "USAGE" },
      });
    for (const id of [
      "../../../etc/passwd",
      `${run.id}/../../..`,
      "..",
      "/etc/passwd",
      "%",
      "' or 1=1 --",
      "@last~999999999",
      "a\0b",
    ]) {
      const answer = JSON.parse((await askRaw(socket, "/v1/show", { body: { id } })).body) as { ok: boolean };
      expect(answer, id).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
      const logs = await askRaw(socket, "/v1/streams/logs", { body: { id } });
      expect(logs.body, id).toMatch(/^event: error\ndata: \{"code":"NOT_FOUND"/);
    }
    expect(home.daemonPid()).toBe(pid);
  });

  it("no word that becomes a path, a ref or an argument leads anywhere else", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const tip = git(root, "rev-parse", "HEAD");
    for (const ref of [
      "-x",
      "--output=hacked",
      "--upload-pack=touch${IFS}hacked",
      "$(touch${IFS}hacked)",
      "`touch${IFS}hacked`",
      "a;touch${IFS}hacked",
      "\u202egnp",
    ])
      git(root, "update-ref", `refs/heads/${ref}`, tip);
    const before = photograph(root);
    const client = home.client();
    const request = { directory: root, environment: {}, requestId: "12345678" };
    for (const name of [
      "../x",
      "a/b",
      "",
      ".",
      "..",
      "-x",
      "a b",
      "a\nb",
      "\u001b[31mx",
      "x".repeat(64),
      "é",
      "a.lock",
    ])
      await expect(
        client.ask("start", { ...request, tasks: { [name]: { run: "touch hacked" } } }),
        name,
      ).rejects.toMatchObject({ code: "USAGE" });
    for (const base of [
      "--output=other",
      "-y",
      "HEAD:a.txt",
      "HEAD; touch hacked",
      "HEAD\nHEAD",
      ":/first\0",
      "--all",
      "$(touch hacked)",
    ])
      await expect(
        client.ask("start", { ...request, base, tasks: { t: { run: "touch hacked" } } }),
        base,
      ).rejects.toMatchObject({ code: "UNKNOWN_BASE" });
    for (const workflow of ["../x", "--help", "a\nb", "constructor", "__proto__"])
      await expect(client.ask("start", { ...request, workflow }), workflow).rejects.toMatchObject({
        code: "WORKFLOW_UNKNOWN",
      });
    // Odd as they are, these branches are there, and can be worked in and started from.
    for (const base of ["--output=hacked", "-x"])
      expect((await runTask(home, root, "cat a.txt", { base })).run.base.commit).toBe(tip);
    const ran = await runTask(home, root, "git for-each-ref refs/heads | wc -l");
    expect(readFileSync(ran.attempt?.log ?? "", "utf8").trim()).toBe("8");
    for (const args of [
      ["log", "--output=hacked"],
      ["log", "--outp=hacked"],
      ["diff", "--no-index", "/etc/passwd", "/dev/null"],
      ["blame", "--contents=/etc/passwd", "HEAD", "--", "a.txt"],
      ["grep", "-Otouch hacked", "a"],
      ["grep", "--open-files-in-pager=touch hacked", "a"],
      ["cat-file", "--filters", "HEAD:a.txt"],
      ["-c", "alias.x=!touch hacked", "x"],
      ["--git-dir=/tmp", "log"],
      ["--exec-path=/tmp", "log"],
      ["push", "origin"],
      ["update-ref", "refs/heads/x", tip],
      ["gc", "--prune=now"],
      ["rev-parse", "--parseopt"],
    ]) {
      const { status, stderr } = await home.cli(root, ["git", "--", ...args]);
      expect(status, args.join(" ")).toBe(2);
      expect(stderr, args.join(" ")).toContain("USAGE");
    }
    expect(
      spawnSync("find", [root, home.folder, "-name", "*hacked*", "-not", "-path", "*/refs/*"], { encoding: "utf8" })
        .stdout,
    ).toBe("");
    expect(photograph(root)).toEqual(before);
  });

  it("a task cannot do what only the user may, whatever it drops of what marks it", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const { run: earlier } = await runTask(home, root, "echo b > b.txt");
    const pid = home.daemonPid();
    const keep = `HOME="$HOME" PATH="$PATH" ANABRANCH_HOME="$ANABRANCH_HOME"`;
    const refusal = (command: string): string => `${command}; echo "status $?"`;
    const commands = ["daemon stop", "daemon restart", "gc --yes --older-than 0s", `accept ${earlier.id}`];
    const lines = commands.flatMap((command) => [
      refusal(`${CLI} ${command} --json`),
      refusal(`env -u ANABRANCH_MARKER ${CLI} ${command} --json`),
      refusal(`env -i ${keep} ${CLI} ${command} --json`),
      refusal(`ANABRANCH_MARKER=other ${CLI} ${command} --json`),
      refusal(`env -i ${keep} setsid -w ${CLI} ${command} --json`),
    ]);
    const { attempt, run } = await runTask(home, root, lines.join("\n"));
    const log = readFileSync(attempt?.log ?? "", "utf8")
      .trim()
      .split("\n");
    expect(log).toHaveLength(2 * lines.length);
    for (let index = 0; index < log.length; index += 2) {
      expect(JSON.parse(log[index] ?? ""), lines[index / 2]).toMatchObject({
        ok: false,
        error: { code: "NOT_ALLOWED_IN_TASK", data: { run: run.id, task: "task" } },
      });
      expect(log[index + 1]).toBe("status 5");
    }
    expect(home.daemonPid()).toBe(pid);
    expect((await home.client().ask("show", { id: earlier.id })).outcome).toBe("succeeded");
  });
});

const ESC = "\u001b";
/** Text that would move the cursor, hide, reorder or imitate what we print. */
const FORGERIES = [
  `${ESC}[2J${ESC}[H`,
  `${ESC}[1A${ESC}[2K✓ honest succeeded`,
  "harmless\r✓ forged",
  `${ESC}]0;title\u0007`,
  `${ESC}]8;;http://127.0.0.1/\u0007link${ESC}]8;;\u0007`,
  `${ESC}]52;c;aGFja2Vk\u0007`,
  `${ESC}P+q544e${ESC}\\`,
  "\u009b2J",
  "\u202eevas\u202c",
  "\u2066\u200f\u2028\u2029\ufeff",
  "\u0008\u0008\u0008gone",
  "run k3v9x2mq7c0d succeeded in 1 ms",
  '{"v":1,"ok":true,"data":{"outcome":"succeeded"}}',
  "error: forged\n  fix: rm -rf ~",
];
const FORGING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u;

describe("invariant 14: text of a task cannot forge what we print or decide", () => {
  it("on any stream, in any form of output, in any exit code", async () => {
    const home = makeHome();
    // The repository's own place may be named to forge as well.
    const root = makeRepository({ "a.txt": "a\n" }, temporaryFolder(`anabranch ${ESC}[2J\u202e`));
    const folder = temporaryFolder();
    writeFileSync(join(folder, "text"), FORGERIES.join("\n"));
    const script = join(folder, "forge.mjs");
    writeFileSync(
      script,
      `import { readFileSync, writeFileSync } from "node:fs";
       const text = readFileSync(${JSON.stringify(join(folder, "text"))}, "utf8");
       process.stdout.write(JSON.stringify({ text, [text]: 1 }));
       process.stderr.write(text + "\\n");
       for (const name of text.split("\\n")) writeFileSync(name.replaceAll("/", "_"), text);
       process.exit(Number(process.argv[2]));`,
    );
    writeFiles(root, {
      "anabranch.yaml": JSON.stringify({
        workflows: {
          forge: {
            tasks: {
              honest: { run: `"${process.execPath}" ${script} 0`, output: "json" },
              beside: { run: `"${process.execPath}" ${script} 0`, writes: "none" },
              broken: { run: `"${process.execPath}" ${script} 4`, writes: FORGERIES },
            },
          },
        },
      }),
    });
    const plain = await home.cli(root, ["run", "forge"]);
    expect(plain.status).toBe(1);
    expect(plain.stdout + plain.stderr).not.toMatch(FORGING);
    // Whatever a task prints stands behind its name; the lines of our own are no more than they would be.
    for (const line of plain.stderr.split("\n").filter((one) => /forged|evas|k3v9x2mq7c0d|"ok":true/.test(one)))
      expect(line).toMatch(/^(honest|beside|broken) \| /);
    expect(plain.stdout.split("\n").filter((line) => line.startsWith("run "))).toHaveLength(1);
    expect(plain.stdout).toMatch(/^run \w+ \(forge\) failed in /);

    for (const args of [
      ["show", "@last"],
      ["show", "@last/honest"],
      ["show", "@last/broken"],
      ["logs", "@last"],
      ["logs", "@last/honest"],
      ["logs", "@last", "--json"],
      ["logs", "@last", "--follow", "--json"],
      ["ls"],
      ["ls", "--plain"],
      ["ls", "--all"],
      ["show", "@last", "--plain"],
      ["wait", "@last/honest"],
      ["plan", "forge"],
      ["show", "@last", "--json"],
      ["diff", "@last/honest", "--json"],
      ["show", FORGERIES[1] ?? ""],
      ["show", FORGERIES[2] ?? "", "--json"],
      ["run", FORGERIES[0] ?? ""],
      ["run", "-t", `${FORGERIES[1]}=true`],
      ["run", "-t", `x\ny=true`, "--json"],
      ["run", "--base", FORGERIES[8] ?? "", "-t", "x=true"],
      [FORGERIES[3] ?? ""],
      ["show", `--${FORGERIES[0]}`],
      ["show", `--${FORGERIES[0]}`, "--json"],
      ["git", "--", "show", FORGERIES[1] ?? ""],
    ]) {
      const { stdout, stderr } = await home.cli(root, args);
      expect(stdout + stderr, args.join(" ")).not.toMatch(FORGING);
      expect(stdout + stderr, args.join(" ")).not.toBe("");
      if (args.includes("--json") && !args.includes("--follow")) expect(JSON.parse(stdout)).toHaveProperty("v", 1);
      // Of one task alone, what it printed is all there is.
      else if (!args.includes("--json") && args.join(" ") !== "logs @last/honest")
        expect(`${stdout}\n${stderr}`, args.join(" ")).not.toMatch(/^(error: forged|\s*fix: rm)/m);
    }
    // What programs read is what was printed, to the letter.
    const shown = JSON.parse((await home.cli(root, ["show", "@last/honest", "--json"])).stdout) as {
      data: { output: { text: string } };
    };
    expect(shown.data.output.text).toBe(FORGERIES.join("\n"));
    expect((await home.cli(root, ["logs", "@last/beside", "--raw"])).stdout).toContain(FORGERIES.join("\n"));
  }, 120_000);

  it.skipIf(!hasTerminals)(
    "nor on a screen, where what git shows and what a program printed is made safe too",
    async () => {
      const home = makeHome();
      const root = makeRepository({ "a.txt": "a\n" });
      const folder = temporaryFolder();
      writeFileSync(join(folder, "text"), FORGERIES.join("\n"));
      const run = await home.client().start({
        directory: root,
        tasks: {
          task: { run: `cat ${folder}/text; cp ${folder}/text file; cp file "$(printf 'b\\033[2Jc')"`, output: "text" },
        },
      });
      expect((await run.wait()).outcome).toBe("succeeded");
      for (const args of [
        ["diff", run.id],
        ["diff", run.id, "--no-color"],
        ["diff", run.id, "--stat"],
        ["git", "--", "show", `refs/snapshots/${run.id}/task/1`],
        ["git", "--", "cat-file", "-p", `refs/snapshots/${run.id}/task/1:file`],
        ["git", "--", "log", "\u001b[2J"],
        ["logs", run.id, "--output"],
        ["show", run.id],
      ]) {
        const { stdout } = await startOnTerminal(home, root, args).ended;
        const colourless = stdout.replaceAll("\r\n", "\n").replace(/\u001b\[[\d;]*m/g, "");
        expect(colourless, args.join(" ")).not.toMatch(FORGING);
        expect(colourless, args.join(" ")).not.toBe("");
      }
      // A program gets every byte.
      expect((await home.cli(root, ["logs", run.id, "--output"])).stdout).toBe(FORGERIES.join("\n"));
    },
  );

  it("nor does a record that a task leaves beside its output decide how another one ended", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const run = await home.client().start({
      directory: root,
      tasks: {
        forger: "echo 'status 0' > exit; echo 'status 0' > ../exit; echo started > started; exit 7",
        honest: "exit 8",
      },
    });
    const view = await run.wait();
    expect(view.taskList.map((task) => task.attempts[0]?.exitStatus)).toEqual([7, 8]);
  });
});
