import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

import type { EventView, RunView } from "../../src/protocol/views.ts";
import type { Anabranch } from "../../src/index.ts";
import { makeHome, type Home } from "../fixtures/home.ts";
import { photograph } from "../fixtures/photograph.ts";
import { git, makeRepository, temporaryFolder } from "../fixtures/repository.ts";
import { taskOf } from "../fixtures/runs.ts";
import { until } from "../fixtures/until.ts";

/** A run whose tasks leave a line outside of their workspaces each time they really run. */
const definition = {
  mode: "parallel" as const,
  share: true,
  tasks: {
    write: { run: 'echo write >> "$EFFECTS"; echo made > made.txt' },
    check: {
      run: 'echo check >> "$EFFECTS"; echo \'{"fine":true}\'',
      writes: "none" as const,
      output: "json" as const,
    },
    beside: { run: 'echo beside >> "$EFFECTS"', writes: "none" as const },
    extend: { run: 'echo extend >> "$EFFECTS"; cat made.txt made.txt > more.txt', needs: ["write", "check"] },
    flaky: {
      run: 'echo flaky >> "$EFFECTS"; echo "$ANABRANCH_ATTEMPT" > flaky.txt; test "$(grep -c flaky "$EFFECTS")" -ge 2',
      retries: { times: 1, delay: "10ms" },
    },
    tell: { run: 'echo tell >> "$EFFECTS"', needs: ["write"], detach: true, writes: "none" as const },
  },
};

const EFFECTS = ["beside", "check", "extend", "flaky", "flaky", "tell", "write"];
const TASKS = Object.keys(definition.tasks).toSorted();

/** Kills the daemon at one pass of a fault point, lets the run finish with the next daemon, and checks everything. */
async function runWithFault(home: Home, root: string, fault: string): Promise<boolean> {
  const effects = join(temporaryFolder(), "effects");
  const daemon = await home.startDaemon({ ANABRANCH_FAULT: fault });
  const client = home.client({ EFFECTS: effects });
  const run = await client.start({ directory: root, definition });
  await run.wait();
  await client.wait(`${run.id}/tell`);
  const view = await client.ask("show", { id: run.id });
  const events: EventView[] = [];
  for await (const event of client.events({ run: run.id })) events.push(event);
  expectOnce(fault, view, events, readFileSync(effects, "utf8"));
  await until(
    async () => (await client.ask("doctor", {})).every((check) => !/[1-9]\d* in use/.test(check.evidence)),
    "workspaces are free",
  );
  const killed = daemon.signalCode === "SIGKILL";
  await client.ask("stop", {});
  client.close();
  await until(() => home.daemonPid() === undefined, "the daemon ends");
  return killed;
}

/** Every task has reached exactly one outcome, ran exactly as often as it should, and nothing of its work is lost. */
function expectOnce(fault: string, view: RunView, events: readonly EventView[], effects: string): void {
  expect(view.outcome, fault).toBe("succeeded");
  expect(effects.trim().split("\n").toSorted(), fault).toEqual(EFFECTS);
  const ends = events.filter((event) => event.type === "task.ended");
  expect(ends.map((event) => event.task ?? "").toSorted(), fault).toEqual(TASKS);
  expect(
    ends.every((event) => event.data["outcome"] === "succeeded"),
    fault,
  ).toBe(true);
  expect(events.filter((event) => event.type === "run.ended").length, fault).toBe(1);
  expect(taskOf(view, "check").output).toEqual({ fine: true });
  const changesetOf = (name: string) => taskOf(view, name).attempts.at(-1)?.changeset;
  expect(changesetOf("extend")?.changes.map((change) => change.path)).toEqual(["more.txt"]);
  expect(git(view.vault, "show", `${changesetOf("extend")?.snapshot}:more.txt`)).toBe("made\nmade");
  // What the failed attempt had done is safe as well.
  const tries = taskOf(view, "flaky").attempts.filter((attempt) => attempt.exitStatus !== undefined);
  expect(tries.map((attempt) => attempt.exitStatus)).toEqual([1, 0]);
  for (const { number, changeset } of tries)
    expect(git(view.vault, "show", `${changeset?.snapshot}:flaky.txt`), fault).toBe(String(number));
  expect(git(view.vault, "fsck", "--connectivity-only", "--no-dangling")).toBe("");
}

/** Kills at the first pass of a point, at the second, and so on, until a run does not come to it any more. */
async function runWithEveryFault(point: string): Promise<number> {
  const root = makeRepository({ "a.txt": "a\n" });
  const before = photograph(root);
  let [next, kills, missed] = [1, 0, false];
  // Two at a time, each with a home of its own: much of a pass is waiting.
  const worker = async (): Promise<void> => {
    const home = makeHome();
    while (!missed) {
      const pass = next++;
      if (await runWithFault(home, root, `${point}@${pass}`)) kills += 1;
      else missed = true;
    }
  };
  await Promise.all([worker(), worker()]);
  expect(photograph(root)).toEqual(before);
  expect(existsSync(join(root, "made.txt"))).toBe(false);
  return kills;
}

/** Asks daemons that each die at a pass of a point, each one later than those before, until one lives to answer. */
async function askMortals<Answer>(
  home: Home,
  point: string,
  environment: Readonly<Record<string, string>>,
  ask: (client: Anabranch) => Promise<Answer>,
): Promise<{ answer: Answer; deaths: number }> {
  for (let pass = 1; ; pass += 1) {
    const client = home.client({ ...environment, ANABRANCH_FAULT: `${point}@${pass}` });
    try {
      return { answer: await ask(client), deaths: pass - 1 };
    } catch (cause) {
      // It died before it was ready, or before it answered.
      if (!/^DAEMON_(START_FAILED|UNREACHABLE)$/.test(String((cause as { code?: unknown }).code))) throw cause;
    } finally {
      client.close();
    }
  }
}

it("there is a test for each place where the daemon can be killed", () => {
  const [sources, tests] = [filesBelow("src"), [...filesBelow("test/e2e"), ...filesBelow("test/agents")]].map((paths) =>
    paths.map((path) => readFileSync(path, "utf8")).join("\n"),
  );
  const points = [...(sources ?? "").matchAll(/faultPoint\("([\w.-]+)"\)/g)].map((match) => match[1] ?? "");
  expect(points.length).toBeGreaterThan(10);
  // Some name the steps of one transaction alone: "moved" of landing.moved.
  for (const point of points)
    expect(
      [point, point.slice(point.indexOf(".") + 1)].some((name) => tests?.includes(`"${name}`)),
      point,
    ).toBe(true);
});

function filesBelow(folder: string): string[] {
  const root = resolve(import.meta.dirname, "../..", folder);
  const names = readdirSync(root, { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".ts")).map((name) => join(root, name));
}

describe("daemons of which none lives long", () => {
  for (const point of ["store.commit.before", "store.commit.after"]) {
    it(`because each is killed at ${point}, bring a run to its end together and repeat nothing`, async () => {
      const home = makeHome();
      const root = makeRepository({ "a.txt": "a\n" });
      const effects = join(temporaryFolder(), "effects");
      const { answer: view, deaths } = await askMortals(home, point, { EFFECTS: effects }, async (client) => {
        const run = await client.start({ directory: root, definition, requestId: "asked-again" });
        await client.wait([run.id, `${run.id}/tell`]);
        return client.ask("show", { id: run.id });
      });
      expect(deaths).toBeGreaterThan(2);
      const client = home.client();
      const events: EventView[] = [];
      for await (const event of client.events({ run: view.id })) events.push(event);
      expectOnce(point, view, events, readFileSync(effects, "utf8"));
      expect(await client.ask("list", {})).toHaveLength(1);
    });
  }
});

describe("the daemon killed exactly", () => {
  for (const [point, fewest] of [
    ["store.commit.before", 12],
    ["store.commit.after", 12],
    ["attempt.launch.before", 7],
    ["attempt.launch.after", 7],
    ["snapshot.keep", 4],
    ["attempt.captured", 4],
    ["base.keep", 1],
  ] as const) {
    it(`at each pass of ${point} loses nothing, repeats nothing and ends every task once`, async () => {
      expect(await runWithEveryFault(point)).toBeGreaterThanOrEqual(fewest);
    }, 300_000);
  }
});

describe("the workspace that tasks share", () => {
  it("stays one when the daemon dies while another task's work lands, and is given back", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const go = join(temporaryFolder(), "go");
    const daemon = await home.startDaemon({ ANABRANCH_FAULT: "landing.moved@1" });
    const client = home.client();
    const run = await client.start({
      directory: root,
      share: true,
      mode: "parallel",
      tasks: {
        early: { run: `while [ ! -e ${go} ]; do sleep 0.02; done`, writes: "none" },
        write: { run: `until [ -e ${go}.early ]; do sleep 0.02; done; echo w > w.txt` },
        late: { run: `touch ${go}`, writes: "none", needs: "write" },
      },
    });
    await until(async () => {
      const { taskList } = await client.ask("show", { id: run.id });
      return taskList[0]?.state === "working";
    }, "the first of those that share works");
    writeFileSync(`${go}.early`, "");
    const view = await run.wait();
    expect(daemon.signalCode).toBe("SIGKILL");
    expect(view.outcome).toBe("succeeded");
    expect(taskOf(view, "late").attempts[0]?.workspace).toBe(taskOf(view, "early").attempts[0]?.workspace);
    await until(
      async () => (await client.ask("doctor", {})).every((check) => !/[1-9]\d* in use/.test(check.evidence)),
      "workspaces are free",
    );
  });
});
