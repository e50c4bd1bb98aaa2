/**
 * One suite over all agents: the product, as its users have it, with the real programs and a scripted model.
 * What a kind cannot do must be said; that is a test as well. `docs/agents.md` has its table from the results.
 */
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createAdapters } from "../../src/agents/adapters.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { Capabilities } from "../../src/engine/agent.ts";
import type { RunView } from "../../src/index.ts";
import { until } from "../fixtures/until.ts";
import { noteCapability } from "./capability-record.ts";
import {
  changedPaths,
  COLUMNS,
  expectSuccess,
  killDaemon,
  kindOf,
  landedFile,
  logOf,
  openWorld,
  setsOf,
  TASK,
  theTask,
  type World,
} from "./conformance-world.ts";
import { DIALECTS } from "./dialects.ts";
import { prefixDifference } from "./prefix.ts";
import { scripted } from "./script.ts";

const COUNT = {
  type: "object",
  properties: { count: { type: "integer" } },
  required: ["count"],
  additionalProperties: false,
};

describe.each(COLUMNS)("%s", (column) => {
  const kind = kindOf(column);
  const { write, edit, read, run, answer } = DIALECTS[kind];
  const adapters = createAdapters(systemClock);
  // These take that long for their first request.
  const isSlow = kind === "opencode" || kind === "acp";
  // Gemini tells how many tokens it used when a turn is over; requests are counted as they come.
  const tellsUse = kind !== "acp";
  let world: World;
  let can: Capabilities;

  beforeAll(async () => {
    can = (await adapters.get(kind)).capabilities;
    world = await openWorld(column);
  });
  afterAll(async () => {
    await adapters.close();
    await world.close();
  });

  /** The first run of all. */
  const edited = async (): Promise<RunView> => {
    const first = (await world.client().ask("list", { directory: world.root })).at(-1);
    return world.client().ask("show", { id: first?.id ?? "" });
  };

  /** A test that is a row of the table. `true`: the kind can do it; `false`: it cannot, and that is said. */
  const row = (title: string, body: () => Promise<boolean>): void => {
    it(title, async () => {
      try {
        noteCapability(title, column, (await body()) ? "yes" : "no");
      } catch (cause) {
        noteCapability(title, column, "fails");
        throw cause;
      }
    });
  };

  row("edits files with its own tools, and the work lands", async () => {
    const steps = [read("a.txt"), edit("a.txt", "a\n", "b\n"), write("new.txt", "new\n"), { text: "all is done" }];
    const prompt = `Editing. ${scripted(...steps)}`;
    const { status, stdout, stderr } = await world.home.cli(
      world.root,
      ["run", "-a", kind, "-p", prompt, "--json"],
      world.environment,
    );
    expect(status, stdout + stderr).toBe(0);
    const done = await edited();
    expectSuccess(done);
    expect([landedFile(done, "a.txt"), landedFile(done, "new.txt")]).toEqual(["b", "new"]);
    expect(logOf(done)).toContain("all is done");
    expect(existsSync(join(world.root, "new.txt"))).toBe(false);
    const isSdk = String((await world.request("Editing.", 0)).headers["user-agent"]).includes("agent-sdk");
    expect(isSdk).toBe(column === "claude-sdk");
    return true;
  });

  row("tells exactly which files its tools write", async () => {
    const writes = setsOf(await edited())?.writes;
    const confidence = can.writeEvents ? "exact" : "found";
    expect(writes).toContainEqual({ path: "a.txt", confidence });
    expect(writes).toContainEqual({ path: "new.txt", confidence });
    return can.writeEvents;
  });

  row("tells exactly which files its tools read", async () => {
    const sets = setsOf(await edited());
    if (can.readEvents) expect(sets?.reads).toContainEqual({ path: "a.txt", confidence: "exact" });
    else expect(sets?.readsComplete).toBe(false);
    return can.readEvents;
  });

  row("gives an answer by a JSON Schema, and mends one that is not", async () => {
    const steps = can.structured ? [answer({ count: 3 })] : [{ text: "it is three" }];
    const options = { output: "json", schema: COUNT, writes: "none" } as const;
    const done = await world.run(
      `Counting. ${scripted(...steps, ...(can.structured ? [{ text: "done" }] : [answer({ count: 3 })]))}`,
      options,
    );
    expectSuccess(done);
    expect(theTask(done).output).toEqual({ count: 3 });
    return true;
  });

  row("writes and runs nothing when it may only read, and is told so", async () => {
    const prompt = `Only reading. ${scripted(write("no.txt", "no\n"), run("echo no > no2.txt"), { text: "seen" })}`;
    const done = await world.run(prompt, { agent: "reader" });
    expect(changedPaths(done)).toEqual([]);
    const told = (await world.request("Only reading.", 1)).text;
    expectSuccess(done);
    expect(told).toMatch(/You may read, but not write|blocked by read-only sandbox|call unavailable tool/);
    return true;
  });

  row("asks a person before it writes, and heeds a no", async () => {
    const started = await world.start(
      `Asking. ${scripted(write("yes.txt", "yes\n"), write("never.txt", "no\n"), { text: "asked" })}`,
      { agent: "asker" },
    );
    const answered: string[] = [];
    const client = world.client();
    if (can.preToolDeny) {
      for (const approved of [true, false]) {
        await until(async () => {
          const notice = (await client.needsYou(world.root)).find(({ id }) => !answered.includes(id));
          if (notice === undefined) return false;
          answered.push(notice.id);
          await client.approve(notice.id, approved, approved ? undefined : "never that one");
          return true;
        }, "it asks");
      }
    }
    const done = await started.wait();
    expectSuccess(done);
    if (!can.preToolDeny) {
      expect(changedPaths(done)).toEqual([]);
      return false;
    }
    expect(changedPaths(done)).toEqual(["yes.txt"]);
    expect((await world.request("Asking.", 2)).text).toContain("never that one");
    return true;
  });

  row("is kept off what another holds a lease on, and is told who", async () => {
    const flag = join(world.home.folder, "lease-over");
    const holder = await world.client().start({
      directory: world.root,
      tasks: {
        holder: { run: `until [ -e '${flag}' ]; do sleep 0.05; done`, writes: ["locked.txt"], exclusive: true },
      },
    });
    await until(async () => (await world.client().leases(world.root)).length > 0, "the lease is held");
    const steps = [write("locked.txt", "mine\n"), write("free.txt", "free\n"), { text: "worked around" }];
    const done = await world.run(`Locked. ${scripted(read("locked.txt"), ...steps)}`);
    writeFileSync(flag, "");
    await holder.wait();
    if (!can.preToolDeny) {
      expect(JSON.stringify(theTask(done))).toContain("locked.txt");
      return false;
    }
    expectSuccess(done);
    expect(changedPaths(done)).toEqual(["free.txt"]);
    expect((await world.request("Locked.", 2)).text).toContain(holder.id);
    return true;
  });

  row("hears a message while it works", async () => {
    const name = "steer";
    const started = await world.start(`Steering. ${scripted({ wait: name, ...read("a.txt") }, { text: "heard" })}`);
    await world.request("Steering.", 0);
    await world.client().message(`${started.id}/${TASK}`, "mind the gap", { when: "next" });
    world.server.release(name);
    const done = await started.wait();
    expectSuccess(done);
    expect(world.requests("mind the gap").length).toBeGreaterThan(0);
    // One that cannot be steered hears it in a turn of its own, after this one.
    const turns = logOf(done).split("mind the gap").length;
    expect(turns).toBeGreaterThan(1);
    return can.steer;
  });

  row("lets go of its turn for a message that is for now", async () => {
    const started = await world.start(`Hanging. ${scripted({ hang: true })}`);
    await world.request("Hanging.", 0);
    const words = `Urgent. ${scripted(write("urgent.txt", "urgent\n"), { text: "at once" })}`;
    await world.client().message(`${started.id}/${TASK}`, words, { when: "now" });
    const done = await started.wait();
    expectSuccess(done);
    expect(landedFile(done, "urgent.txt")).toBe("urgent");
    return true;
  });

  row("is cancelled in the middle of a request, and what it did is kept", async () => {
    const started = await world.start(`Cancelled. ${scripted(write("part.txt", "part\n"), { hang: true })}`);
    await world.request("Cancelled.", 1);
    await world.client().cancel(started.id);
    const done = await started.wait();
    expect(done.outcome).toBe("cancelled");
    expect(changedPaths(done)).toEqual(["part.txt"]);
    return true;
  });

  row("is stopped by its budget, and what it did is kept", async () => {
    const steps = ["1", "2", "3", "4", "5", "6"].map((name) => write(`${name}.txt`, `${name}\n`));
    const done = await world.run(`Spending. ${scripted(...steps)}`, {
      budget: tellsUse ? { tokens: 250 } : { turns: 2 },
    });
    expect(done.outcome, logOf(done)).toBe("failed");
    expect(theTask(done).reason?.code).toBe("BUDGET_SPENT");
    expect(changedPaths(done)).toContain("1.txt");
    expect(changedPaths(done)).not.toContain("6.txt");
    return true;
  });

  row("goes on in the same conversation and folder after the daemon was killed", async () => {
    const name = "crash";
    const steps = [write("before.txt", "before\n"), { wait: name, text: "waited" }, { text: "done" }];
    const started = await world.start(`Crashing. ${scripted(...steps)}`);
    await world.request("Crashing.", 1);
    const [before] = theTask(await world.client().ask("show", { id: started.id })).agent?.sessions ?? [];
    await killDaemon(world.home);
    world.server.release(name);
    await world.client().wait(started.id);
    const done = await world.client().ask("show", { id: started.id });
    expectSuccess(done);
    expect(landedFile(done, "before.txt")).toBe("before");
    expect(theTask(done).attempts).toHaveLength(1);
    const sessions = theTask(done).agent?.sessions ?? [];
    expect(sessions.map(({ conversation }) => conversation)).toEqual([before?.conversation]);
    const resumed = world.requests("was restarted while you were working");
    expect(resumed.some(({ text }) => text.includes("Crashing."))).toBe(true);
    return true;
  });

  row("is forked into another folder while it works", async () => {
    const name = "fork";
    const steps = [write("parent.txt", "parent\n"), { wait: name, text: "parent is done" }, { text: "parent is done" }];
    const parent = await world.start(`Parent. ${scripted(...steps)}`);
    await world.request("Parent.", 1);
    const words = `Child. ${scripted(read("parent.txt"), write("child.txt", "child\n"), { text: "child is done" })}`;
    const { estimate, run: child } = await world
      .client()
      .fork({ directory: world.root, source: `${parent.id}/${TASK}`, prompts: [words] });
    const forked = await child?.wait();
    world.server.release(name);
    expectSuccess(await parent.wait());
    if (forked === undefined) throw new Error("there is no fork");
    expectSuccess(forked);
    // It holds what the parent had done by then.
    expect((await world.request("Child.", 1)).text).toContain("parent");
    expect(changedPaths(forked)).toContain("child.txt");
    expect(estimate.way).toBe(can.forkCwd ? "copy" : "digest");
    if (!can.forkCwd) expect((await world.request("Child.", 0)).text).toContain("digest");
    return can.forkCwd;
  });

  row("begins a fork with the same bytes as its parent, so that the model's cache serves it", async () => {
    const [before, after] = [await world.request("Parent.", 0), await world.request("Child.", 0)];
    const difference = prefixDifference(before, after);
    // The first thing that opencode tells its model is the folder; a digest is another conversation.
    const isSame = can.forkCwd && kind !== "opencode";
    if (isSame) expect(difference).toBeUndefined();
    else expect(difference).toBeDefined();
    return isSame;
  });

  row("waits out a rate limit, a broken or overloaded service and a stream that breaks off", async () => {
    const done = await world.run(
      `Rough. ${scripted(
        { status: 429, times: 2 },
        write("one.txt", "one\n"),
        { status: 500, times: 2 },
        write("two.txt", "two\n"),
        { status: 529, times: 2 },
        read("a.txt"),
        { cut: true, times: 2 },
        { text: "through" },
      )}`,
    );
    expectSuccess(done);
    expect(changedPaths(done)).toEqual(["one.txt", "two.txt"]);
    expect(theTask(done).agent?.sessions).toHaveLength(1);
    return true;
  });

  row("fails plainly when its request is refused, and what it did is kept", async () => {
    const message = "the scripted model refuses this";
    const done = await world.run(`Refused. ${scripted(write("one.txt", "one\n"), { status: 400, message })}`);
    expect(done.outcome).toBe("failed");
    expect(theTask(done).reason).toMatchObject({
      code: "AGENT_FAILED",
      message: expect.stringContaining(message) as string,
    });
    expect(changedPaths(done)).toEqual(["one.txt"]);
    return true;
  });

  row("is stopped after its time when its model never answers", async () => {
    const done = await world.run(`Waiting. ${scripted(write("one.txt", "one\n"), { hang: true })}`, {
      timeout: isSlow ? "15s" : "5s",
    });
    expect(done.outcome).toBe("failed");
    expect(theTask(done).reason?.code).toBe("TASK_TIMEOUT");
    expect(changedPaths(done)).toEqual(["one.txt"]);
    return true;
  });

  row("is heard through lines of its program that nobody understands", async () => {
    const noise = join(import.meta.dirname, "noisy-program.mjs");
    const { command, args } = world.place.program;
    const ownArgs = args.filter((arg) => arg !== "--acp");
    const shell = world.shellWith({ command: process.execPath, args: [noise, command, ...ownArgs] });
    const started = await world.client(shell).start({
      directory: world.root,
      tasks: { [TASK]: { agent: kind, prompt: `Noise. ${scripted(write("one.txt", "one\n"), { text: "ok" })}` } },
    });
    const done = await started.wait();
    expectSuccess(done);
    expect(landedFile(done, "one.txt")).toBe("one");
    return true;
  });

  row("says what to do when its program is missing, too old or not logged in", async () => {
    const old = join(world.home.folder, "old-program");
    writeFileSync(old, "#!/bin/sh\necho 0.0.1\n");
    chmodSync(old, 0o755);
    const without = world.shellWith(undefined);
    const cases = [
      [{ ...without, PATH: pathWithoutAgents(without) }, "AGENT_MISSING"],
      [world.shellWith({ command: old, args: [] }), "AGENT_TOO_OLD"],
      [world.environment, "AGENT_LOGIN"],
    ] as const;
    for (const [shell, code] of cases) {
      const prompt = `Unable. ${scripted({ status: 401 })}`;
      const started = await world
        .client(shell)
        .start({ directory: world.root, tasks: { [TASK]: { agent: kind, prompt } } });
      const done = await started.wait();
      expect(done.outcome).toBe("failed");
      expect(theTask(done).reason, logOf(done)).toMatchObject({
        code,
        message: expect.stringMatching(/.{15}/) as string,
        hint: expect.stringMatching(/.{5}/) as string,
      });
    }
    return true;
  });
});

/** Whoever tests this may have agents installed. */
function pathWithoutAgents({ PATH = "" }: Readonly<Record<string, string>>): string {
  const names = ["claude", "codex", "opencode", "gemini"];
  return PATH.split(":")
    .filter((folder) => !names.some((name) => existsSync(join(folder, name))))
    .join(":");
}
