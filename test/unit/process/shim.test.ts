import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { systemClock } from "../../../src/base/clock.ts";
import { isAlive } from "../../../src/process/identity.ts";
import { forestallShim, launchShim, readExit, readStart, reserveAttempt } from "../../../src/process/shim.ts";
import { waitForExit } from "../../../src/process/watch.ts";
import { until } from "../../fixtures/until.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { runShim, shimSpec, startShim } from "../../fixtures/shims.ts";

const forever = new AbortController().signal;
const logOf = (directory: string): string => readFileSync(join(directory, "log"), "utf8");

/** Starts a shim whose whole group is killed when the test ends. */
async function startForTest(command: string) {
  const spec = shimSpec(command);
  const shim = await startShim(spec);
  onTestFinished(() => {
    try {
      process.kill(-shim.identity.pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
  });
  const wait = () =>
    waitForExit({ directory: spec.directory, shim: shim.identity, child: shim.child }, systemClock, forever);
  return { spec, shim, wait };
}

describe("a shim", () => {
  it.each([
    ["true", 0],
    ["exit 3", 3],
    ["no-such-program", 127],
    ["kill -TERM $$", 143],
    ["kill -INT $$; echo survived", 130],
    ["kill -HUP $$; echo survived", 129],
    ["kill -KILL $$", 137],
    ["syntax error (", 2],
  ])("writes down how `%s` ended: %i", async (command, status) => {
    const spec = shimSpec(command);
    expect(await runShim(spec)).toBe("exited");
    expect(readExit(spec.directory)?.status).toBe(status);
    expect(logOf(spec.directory)).not.toContain("survived");
    expect(existsSync(join(spec.directory, "exit.tmp"))).toBe(false);
  });

  it("writes down what processor time the command and what it waited for took", async () => {
    const spec = shimSpec("(i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done)");
    await runShim(spec);
    expect(readExit(spec.directory)?.cpuMs).toBeGreaterThan(10);
  });

  it("gives the command its folder and exactly its environment, and nothing to read", async () => {
    const environment = { PATH: process.env["PATH"] ?? "", MARK: "a 'b' \"c\" $d\n`e`", EMPTY: "" };
    const spec = shimSpec('pwd; printf "%s" "$MARK"; cat; ls -l /proc/self/fd | grep -c pipe', { environment });
    await runShim(spec);
    expect(logOf(spec.directory)).toContain(`${spec.cwd}\n${environment.MARK}`);
    const names = shimSpec("env | sed 's/=.*//'", { environment: { PATH: environment.PATH, ONLY: "this" } });
    await runShim(names);
    const seen = logOf(names.directory).trim().split("\n");
    expect(seen.filter((name) => !["PWD", "OLDPWD", "SHLVL", "_"].includes(name)).toSorted()).toEqual(["ONLY", "PATH"]);
  });

  it("runs a command as it is written, whatever is in it", async () => {
    const command = `printf '%s\\n' "quotes ' \\" and \\\\ and \\$HOME" '$(touch x)' -- -n; # é 😀\nprintf 'second line'`;
    const spec = shimSpec(command);
    await runShim(spec);
    expect(logOf(spec.directory)).toBe(`quotes ' " and \\ and $HOME\n$(touch x)\n--\n-n\nsecond line`);
    expect(readdirSync(spec.cwd)).toEqual([]);
  });

  it("keeps standard output apart where that is asked for, the log holding the rest", async () => {
    const spec = shimSpec("echo answer; echo story >&2", { splitOutput: true });
    await runShim(spec);
    expect(readFileSync(join(spec.directory, "output"), "utf8")).toBe("answer\n");
    expect(logOf(spec.directory)).toBe("story\n");
  });

  it("outlives a signal to its whole group and writes down how the command took it", async () => {
    const { spec, shim, wait } = await startForTest("echo started; exec sleep 600");
    await until(() => existsSync(join(spec.directory, "log")) && logOf(spec.directory) !== "", "it has started");
    process.kill(-shim.identity.pid, "SIGTERM");
    expect(await wait()).toBe("exited");
    expect(readExit(spec.directory)?.status).toBe(143);
  });

  it("keeps what a command says as it is made to end", async () => {
    const command = "trap 'echo last words; exit 9' TERM; echo started; sleep 600 & wait";
    const { spec, shim, wait } = await startForTest(command);
    await until(() => existsSync(join(spec.directory, "log")) && logOf(spec.directory) !== "", "it has started");
    process.kill(-shim.identity.pid, "SIGTERM");
    expect(await wait()).toBe("exited");
    expect(readExit(spec.directory)?.status).toBe(9);
    await until(() => logOf(spec.directory) === "started\nlast words\n", "its last words are kept");
  });

  it("that is killed has left no record of an end, and that is seen", async () => {
    const { spec, shim, wait } = await startForTest("echo started; exec sleep 600");
    await until(() => readStart(spec.directory, systemClock.bootId) !== undefined, "it has started");
    const waiting = wait();
    process.kill(-shim.identity.pid, "SIGKILL");
    expect(await waiting).toBe("vanished");
    expect(readExit(spec.directory)).toBeUndefined();
  });

  it("has written down the end of its command although something else still holds its output", async () => {
    const { spec, shim, wait } = await startForTest("sleep 600 & echo done");
    expect(await wait()).toBe("exited");
    expect(readExit(spec.directory)?.status).toBe(0);
    expect(isAlive(shim.identity, systemClock)).toBe(true);
    await until(() => logOf(spec.directory) === "done\n", "its output is there");
  });

  it("says who it is, and that is who runs", async () => {
    const { spec, shim } = await startForTest("exec sleep 600");
    await until(() => readStart(spec.directory, systemClock.bootId) !== undefined, "it has started");
    expect(readStart(spec.directory, systemClock.bootId)).toEqual({ identity: shim.identity, controlGroup: undefined });
    expect(isAlive(shim.identity, systemClock)).toBe(true);
    expect(isAlive({ ...shim.identity, startTime: "1" }, systemClock)).toBe(false);
    expect(isAlive({ ...shim.identity, bootId: "another boot" }, systemClock)).toBe(false);
  });

  it("is not waited for any longer than somebody wants", async () => {
    const { spec, shim } = await startForTest("exec sleep 600");
    const controller = new AbortController();
    const attempt = { directory: spec.directory, shim: shim.identity, child: shim.child };
    const waiting = waitForExit(attempt, systemClock, controller.signal);
    controller.abort();
    expect(await waiting).toBe("aborted");
    expect(await waitForExit(attempt, systemClock, controller.signal)).toBe("aborted");
  });
});

describe("whether an attempt ran", () => {
  it("is decided once: a daemon that is first forestalls the command", async () => {
    const spec = shimSpec('touch "$OLDPWD/ran" ran');
    reserveAttempt(spec.directory);
    expect(forestallShim(spec.directory)).toBe(true);
    expect(forestallShim(spec.directory)).toBe(false);
    expect(await runShim(spec)).toBe("vanished");
    expect(readdirSync(spec.cwd)).toEqual([]);
    expect(readStart(spec.directory, systemClock.bootId)).toBeUndefined();
    expect(readExit(spec.directory)).toBeUndefined();
  });

  it("is decided once: a shim that is first is not forestalled, and a second shim does nothing", async () => {
    const spec = shimSpec("echo ran >> ran");
    await runShim(spec);
    expect(forestallShim(spec.directory)).toBe(false);
    const { child } = await launchShim(spec, systemClock);
    if (child.exitCode === null) await new Promise((resolve) => child.once("exit", resolve));
    expect(readFileSync(join(spec.cwd, "ran"), "utf8")).toBe("ran\n");
  });

  it("is the same to both when they meet", async () => {
    for (let round = 0; round < 25; round += 1) {
      const spec = shimSpec("echo ran > ran");
      const { child } = await startShim(spec);
      const exited = new Promise((resolve) => child.once("exit", resolve));
      // A little later each time, so that now one and now the other is first.
      for (let spin = 0; spin < round * 20; spin += 1) statSync(spec.directory);
      const forestalled = forestallShim(spec.directory);
      await exited;
      expect(existsSync(join(spec.cwd, "ran"))).toBe(!forestalled);
    }
  });
});

describe("the records of an attempt", () => {
  it("have their space before it starts, and reserving it again harms nothing", async () => {
    const spec = shimSpec("exit 5");
    reserveAttempt(spec.directory);
    expect(statSync(join(spec.directory, "exit.tmp")).size).toBeGreaterThanOrEqual(512);
    await runShim(spec);
    reserveAttempt(spec.directory);
    expect(readExit(spec.directory)?.status).toBe(5);
    expect(existsSync(join(spec.directory, "exit.tmp"))).toBe(false);
  });

  it("say nothing while they are not there or not complete", () => {
    const directory = join(temporaryFolder(), "attempt");
    expect(readExit(directory)).toBeUndefined();
    expect(readStart(directory, "boot")).toBeUndefined();
    mkdirSync(directory);
    for (const text of ["", " ".repeat(512), "status \n", "stat", "exit 3\n", "status -1\n"]) {
      writeFileSync(join(directory, "exit"), text);
      expect(readExit(directory), JSON.stringify(text)).toBeUndefined();
    }
    for (const text of ["", "\n", "4711", "4711 (sleep) S 1 2", "ps Thu", "x ps Thu\n"]) {
      writeFileSync(join(directory, "started"), text);
      expect(readStart(directory, "boot"), JSON.stringify(text)).toBeUndefined();
    }
  });
});

describe("an attempt that cannot be started", () => {
  it("says so: its folder is gone, its command or its environment is too large", async () => {
    const gone = shimSpec("true", { cwd: join(temporaryFolder(), "gone") });
    await expect(startShim(gone)).rejects.toMatchObject({ code: "COMMAND_MISSING" });
    const long = shimSpec(`: ${"x".repeat(130 * 1024)}`);
    await expect(startShim(long)).rejects.toMatchObject({ code: "COMMAND_MISSING" });
    const large = shimSpec("true", { environment: { LARGE: "x".repeat(3 * 1024 * 1024) } });
    await expect(startShim(large)).rejects.toMatchObject({ code: "COMMAND_MISSING" });
  });
});
