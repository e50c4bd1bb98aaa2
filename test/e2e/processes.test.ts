import { createHash } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

import { makeHome } from "../fixtures/home.ts";
import { makeRepository, temporaryFolder, writeFiles } from "../fixtures/repository.ts";
import { runTask, taskOf } from "../fixtures/runs.ts";
import { until } from "../fixtures/until.ts";

const MIB = 1024 ** 2;

describe("very much output", () => {
  it("of one gigabyte, which nobody reads, stops nothing: its start and its end are kept, and it says what was cut", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const client = home.client();
    const { pid } = await client.ask("status", {});
    const memoryMiB = (): number =>
      Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
    const command = `echo first line; head -c ${1024 * MIB} /dev/zero | tr '\\0' 'x' | fold -w 1023; echo last line; echo done > d.txt`;
    const run = await client.start({ directory: root, tasks: { task: { run: command, timeout: "5m" } } });
    const view = await run.wait();
    const task = taskOf(view, "task");
    expect(task.outcome, JSON.stringify(task.reason)).toBe("succeeded");
    const log = task.attempts[0]?.log ?? "";
    expect(statSync(log).size).toBe(64 * MIB);
    expect(statSync(`${log}.tail`).size).toBe(256 * 1024);
    expect(memoryMiB()).toBeLessThan(200);
    const shown = await home.cli(root, ["logs", run.id]);
    expect(shown.status).toBe(0);
    expect(shown.stdout.startsWith("first line\nxxx")).toBe(true);
    expect(shown.stdout.endsWith("xlast line\n")).toBe(true);
    const cut = /^\[anabranch: output was cut here: the first (\d+) bytes and the last (\d+) are kept\]$/m.exec(
      shown.stdout,
    );
    expect(cut?.slice(1).map(Number)).toEqual([64 * MIB, 256 * 1024]);
    expect(memoryMiB()).toBeLessThan(200);
  }, 300_000);

  it("up to the cap is kept to the last byte, also what is no text, and standard output apart from the rest", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    writeFiles(root, {
      "anabranch.yaml":
        "limits: { log: 1mb }\nworkflows: { w: { tasks: { task: { run: 'cat b >&1; echo e >&2', output: text } } } }\n",
    });
    const bytes = Buffer.from(Array.from({ length: MIB - 2 }, (_, index) => (index * index) % 256));
    writeFileSync(join(root, "b"), bytes);
    const run = await home.client().start({ directory: root, workflow: "w" });
    const view = await run.wait();
    expect(view.outcome).toBe("succeeded");
    const folder = join(taskOf(view, "task").attempts[0]?.log ?? "", "..");
    const hash = (content: Buffer): string => createHash("sha256").update(content).digest("hex");
    expect(hash(readFileSync(join(folder, "output")))).toBe(hash(bytes));
    expect(readFileSync(join(folder, "log"), "utf8")).toBe("e\n");
  });

  it("as one line without an end, or written a byte at a time, reaches who follows it", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const command = `head -c 300000 /dev/zero | tr '\\0' 'y'; for i in a b c; do printf $i; sleep 0.05; done; printf '\\303'; sleep 0.1; printf '\\244'`;
    const end = await home.cli(root, ["run", "--progress", "json", "-t", `task=${command}`]);
    expect(end.status).toBe(0);
    const lines = end.stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; data: { text?: string } });
    const texts = lines.filter((line) => line.type === "line").map((line) => line.data.text ?? "");
    expect(texts.join("")).toBe(`${"y".repeat(300_000)}abcä`);
    expect(texts.every((text) => text.length <= 65_536)).toBe(true);
  });

  it("of several tasks at once comes line by line, each with its task", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const say = (name: string): string => `for i in $(seq 400); do echo ${name}-$i-${name}; done`;
    const end = await home.cli(root, [
      "run",
      "-q",
      "--progress",
      "plain",
      ...["a", "b", "c"].flatMap((name) => ["-t", `${name}=${say(name)}`]),
    ]);
    const lines = end.stderr.split("\n").filter((line) => line.includes(" | "));
    expect(lines).toHaveLength(1200);
    for (const name of ["a", "b", "c"]) {
      const own = lines.filter((line) => line.startsWith(`${name} | `));
      expect(own).toEqual(Array.from({ length: 400 }, (_, index) => `${name} | ${name}-${index + 1}-${name}`));
    }
  });
});

describe("a clock that jumps", () => {
  it("by years, forward and back, changes neither what runs nor for how long it may", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const preload = join(temporaryFolder(), "jump.mjs");
    writeFileSync(
      preload,
      `const now = Date.now; let calls = 0;
       Date.now = () => now() + [0, 1, -1, 5, -3, 0.5][calls++ % 6] * 365 * 86_400_000;`,
    );
    const daemon = await home.startDaemon({ NODE_OPTIONS: `--import=${pathToFileURL(preload).href}` });
    const client = home.client();
    const run = await client.start({
      directory: root,
      tasks: {
        flaky: { run: 'test "$ANABRANCH_ATTEMPT" = 3', retries: { times: 2, delay: "50ms" } },
        slow: { run: "sleep 0.5", timeout: "5m" },
        stuck: { run: "sleep 600", timeout: "400ms" },
        after: { run: "true", needs: ["flaky", "slow"] },
      },
    });
    const view = await run.wait();
    expect(view.taskList.map((task) => task.outcome)).toEqual(["succeeded", "succeeded", "failed", "succeeded"]);
    expect(taskOf(view, "stuck").reason?.code).toBe("TASK_TIMEOUT");
    expect((await client.ask("gc", {})).runs.length).toBeLessThanOrEqual(1);
    const seqs: number[] = [];
    for await (const event of client.events({ run: run.id })) seqs.push(event.seq);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    for (const args of [["show", run.id], ["ls"], ["daemon", "status"]]) {
      const { status, stdout } = await home.cli(root, args);
      expect(status).toBe(0);
      expect(stdout).not.toMatch(/NaN|-\d+ (ms|s|m|h)|Invalid/);
    }
    expect(daemon.exitCode).toBeNull();
  });
});

describe("what a command is", () => {
  it("an exit status, a signal, or nothing at all: each is told as it was", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    for (const [command, status, words] of [
      ["exit 0", 0, undefined],
      ["exit 77", 77, /77/],
      ["exit 255", 255, /255/],
      ["kill -KILL $$", 137, /137|KILL|9/],
      ["kill -SEGV $$", 139, /139|SEGV|11/],
      ["exec sh -c 'exit 5'", 5, /5/],
      ["exec >/dev/null 2>&1 </dev/null; exit 6", 6, /6/],
      ["(", 2, /2/],
    ] as const) {
      const { task, attempt } = await runTask(home, root, command);
      expect(attempt?.exitStatus, command).toBe(status);
      expect(task.outcome, command).toBe(status === 0 ? "succeeded" : "failed");
      if (words !== undefined) expect(task.reason?.message, command).toMatch(words);
    }
  });

  it("a shim that is killed takes its command along, and the task is lost, and tried again where it may be", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const client = home.client();
    const run = await client.start({
      directory: root,
      tasks: {
        task: {
          run: 'echo "$ANABRANCH_ATTEMPT" > n.txt; test "$ANABRANCH_ATTEMPT" = 2 || sleep 600',
          retries: { times: 1, delay: "10ms" },
        },
      },
    });
    let pid = 0;
    await until(async () => {
      const [attempt] = (await client.ask("show", { id: run.id })).taskList[0]?.attempts ?? [];
      pid = attempt?.pid ?? 0;
      return pid > 0;
    }, "it works");
    process.kill(pid, "SIGKILL");
    const view = await run.wait();
    expect(view.outcome).toBe("succeeded");
    expect(taskOf(view, "task").attempts.map((attempt) => attempt.state)).toEqual(["lost", "exited"]);
  });
});
