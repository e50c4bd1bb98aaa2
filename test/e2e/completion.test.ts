import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { Anabranch } from "../../src/index.ts";
import type { InboxEntryView } from "../../src/protocol/views.ts";
import { makeHome, type Home } from "../fixtures/home.ts";
import { insideOf } from "../fixtures/inside.ts";
import { makeRepository, temporaryFolder, writeFiles } from "../fixtures/repository.ts";
import { startCli } from "../fixtures/terminal.ts";
import { until } from "../fixtures/until.ts";

interface Place {
  readonly home: Home;
  readonly root: string;
  readonly client: Anabranch;
  /** A command that ends when this file is written. */
  readonly until: (name: string) => string;
  readonly release: (name: string) => void;
  /** Starts a run of one task. */
  readonly start: (command: string, from?: Anabranch, name?: string) => Promise<string>;
}

function makePlace(): Place {
  const home = makeHome();
  const root = makeRepository({ "a.txt": "a\n" });
  const folder = temporaryFolder();
  const client = home.client();
  return {
    home,
    root,
    client,
    until: (name) => `while [ ! -e "${join(folder, name)}" ]; do sleep 0.02; done`,
    release: (name) => writeFileSync(join(folder, name), ""),
    start: (command, from = client, name = "task") =>
      from.spawn({ directory: root, writesNone: true, tasks: { [name]: command } }),
  };
}

/** A parent at work, and a client that stands inside it. */
async function makeParent(place: Place): Promise<{ run: string; inside: Anabranch; marker: Record<string, string> }> {
  const run = await place.start(place.until("parent"), place.client, "parent");
  const marker = await insideOf(place.client, run);
  return { run, inside: place.home.client(marker), marker };
}

/** Waits as somebody who is not told by it. */
const ended = (client: Anabranch, ...ids: string[]): Promise<unknown> => client.ask("wait", { ids });

async function unread(client: Anabranch): Promise<readonly InboxEntryView[]> {
  return (await client.ask("inbox", {})).entries;
}

async function killDaemon(home: Home): Promise<void> {
  const pid = home.daemonPid();
  if (pid === undefined) throw new Error("no daemon runs");
  process.kill(pid, "SIGKILL");
  await until(() => !existsSync(`/proc/${pid}`), "the daemon is dead");
}

describe("completions that others have lost", () => {
  it("a resumed child's end reaches its parent", async () => {
    const place = makePlace();
    const { run, inside } = await makeParent(place);
    const child = await place.start(place.until("child"), inside, "child");
    await insideOf(place.client, child);
    await killDaemon(place.home);
    place.release("child");
    await ended(inside, child);
    const [entry] = await unread(inside);
    expect(entry).toMatchObject({ addressee: `task:${run}/parent`, run: child, outcome: "succeeded" });
    place.release("parent");
    await ended(place.client, run);
  });

  it("a written result wakes the parent", async () => {
    const place = makePlace();
    const { run, inside, marker } = await makeParent(place);
    const waiting = startCli(place.home, place.root, ["inbox", "--follow", "--json"], marker);
    const child = await place.start("exit 4", inside, "child");
    await until(() => waiting.printed().includes(child), "the parent is woken");
    expect(waiting.printed()).toContain('"outcome":"failed"');
    await until(async () => (await unread(inside)).length === 0, "what was shown is read");
    waiting.child.kill("SIGTERM");
    await waiting.ended;
    place.release("parent");
    await ended(place.client, run);
  });

  it("an outcome survives the runner's death", async () => {
    const place = makePlace();
    const child = await place.start("exit 3", place.client, "child");
    await ended(place.client, child);
    await killDaemon(place.home);
    const { stdout } = await place.home.cli(place.root, ["inbox"]);
    expect(stdout).toMatch(/failed .*child failed: 1 task, child failed/);
    expect(stdout).toContain(`anabranch show ${child}`);
    expect((await place.home.cli(place.root, ["inbox"])).stdout).toBe("Nothing new.\n");
  });

  it("a dead runner is reported as lost", async () => {
    const place = makePlace();
    const begun = join(temporaryFolder(), "begun");
    const child = await place.start(`echo > '${begun}'; ${place.until("never")}`, place.client, "child");
    await until(() => existsSync(begun), "it works");
    await insideOf(place.client, child);
    const { taskList } = await place.client.ask("show", { id: child });
    const shim = taskList[0]?.attempts.at(-1)?.pid ?? 0;
    const killedMs = performance.now();
    process.kill(shim, "SIGKILL");
    await ended(place.client, child);
    expect(performance.now() - killedMs).toBeLessThan(10_000);
    const [entry] = await unread(place.client);
    expect(entry).toMatchObject({
      run: child,
      title: "child failed: 1 task, child lost",
      reason: { code: "TASK_LOST" },
    });
  });

  it("an orphan is never silently deleted", async () => {
    const place = makePlace();
    const { run, inside } = await makeParent(place);
    const child = await place.start("true", inside, "child");
    await ended(place.client, child);
    place.release("parent");
    await ended(place.client, run);
    await place.home.cli(place.root, ["gc", "--yes", "--older-than", "1ms"]);
    expect((await place.home.cli(place.root, ["show", child])).status).toBe(3);
    expect(
      (await unread(place.client)).map((entry) => entry.run).toSorted((a = "", b = "") => (a < b ? -1 : 1)),
    ).toEqual([child, run].toSorted((a, b) => (a < b ? -1 : 1)));
  });

  it("completion arrives exactly once", async () => {
    const place = makePlace();
    const { run, inside, marker } = await makeParent(place);
    const children = await Promise.all(
      Array.from({ length: 12 }, (_, index) => place.start(`exit ${index % 2}`, inside, "child")),
    );
    await ended(place.client, ...children);
    const seen: string[] = [];
    for (let left = true; left;) {
      const { stdout } = await place.home.cli(place.root, ["inbox", "--json", "--limit", "5"], marker);
      const { data } = JSON.parse(stdout) as { data: { entries: { run: string }[] } };
      seen.push(...data.entries.map((entry) => entry.run));
      left = data.entries.length > 0;
    }
    expect(seen.toSorted()).toEqual(children.toSorted());
    place.release("parent");
    await ended(place.client, run);
    expect((await unread(place.client)).map((entry) => entry.run)).toEqual([run]);
  });

  it("a grandchild is adopted and tracked", async () => {
    const place = makePlace();
    const { run, inside } = await makeParent(place);
    const child = await place.start(place.until("child"), inside, "child");
    const insideChild = place.home.client(await insideOf(place.client, child));
    const grandchild = await place.start(place.until("grandchild"), insideChild, "grandchild");
    place.release("child");
    await ended(place.client, child);
    place.release("grandchild");
    await ended(place.client, grandchild);
    expect((await unread(inside)).map((entry) => entry.run)).toEqual([child, grandchild]);
    // Read by nobody until then, it is the person's in the end.
    place.release("parent");
    await ended(place.client, run);
    expect((await unread(place.client)).map((entry) => entry.run)).toEqual([child, grandchild, run]);
  });

  it("whoever has waited for an end is not told of it again", async () => {
    const place = makePlace();
    await place.home.cli(place.root, ["run", "-t", "one=true"]);
    const two = await place.start("true");
    await place.home.cli(place.root, ["wait", two]);
    const three = await place.client.start({ directory: place.root, tasks: { three: "true" } });
    await three.wait();
    expect(await unread(place.client)).toEqual([]);
    expect((await place.client.ask("inbox", { read: true })).entries).toHaveLength(3);
  });

  it("who waits for somebody else's run leaves the entry to them", async () => {
    const place = makePlace();
    const { run, inside } = await makeParent(place);
    const child = await place.start("true", inside, "child");
    await place.client.wait(child);
    expect((await unread(inside)).map((entry) => entry.run)).toEqual([child]);
    await inside.acknowledge([child]);
    expect(await unread(inside)).toEqual([]);
    place.release("parent");
    await ended(place.client, run);
  });
});

describe("control of what goes on in the background", () => {
  it("a stop names its true cause", async () => {
    const place = makePlace();
    const { run, inside } = await makeParent(place);
    const child = await place.start(place.until("never"), inside, "child");
    const other = await place.start(place.until("never"), place.client, "other");
    await place.client.cancel(run);
    await place.client.cancel(other);
    await ended(place.client, run, child, other);
    const reasonOf = async (id: string): Promise<string | undefined> =>
      (await place.client.ask("show", { id })).taskList[0]?.reason?.message;
    expect(await reasonOf(child)).toBe("what has started it was cancelled");
    expect(await reasonOf(other)).toBe("it was cancelled");
  });

  it("a killed agent stays dead after restart", async () => {
    const place = makePlace();
    const child = await place.start(place.until("never"), place.client, "child");
    await insideOf(place.client, child);
    await place.client.cancel(child, { force: true });
    await ended(place.client, child);
    await killDaemon(place.home);
    const { taskList, outcome } = await place.client.ask("show", { id: child });
    expect(outcome).toBe("cancelled");
    expect(taskList[0]?.attempts).toHaveLength(1);
    expect((await place.client.ask("status", {})).workingTasks).toBe(0);
    expect(await unread(place.client)).toMatchObject([{ run: child, outcome: "cancelled" }]);
  });

  it("a detached run can be attached by id", async () => {
    const place = makePlace();
    const child = await place.start(`echo begun; ${place.until("child")}; echo over`, place.client, "child");
    const attached = startCli(place.home, place.root, ["attach", `${child}/child`]);
    await until(() => attached.printed().includes("begun"), "its output is shown");
    place.release("child");
    expect((await attached.ended).stdout).toContain("over");
  });

  it("a child outlives its parent's turn", async () => {
    const place = makePlace();
    const { run, inside } = await makeParent(place);
    const child = await place.start(place.until("child"), inside, "child");
    place.release("parent");
    await ended(place.client, run);
    expect((await place.client.ask("show", { id: child })).state).toBe("active");
    place.release("child");
    await ended(place.client, child);
    expect(await unread(place.client)).toMatchObject([
      { run, outcome: "succeeded" },
      { run: child, outcome: "succeeded" },
    ]);
  });

  it("an async child calls back and can be steered", async () => {
    const place = makePlace();
    const { run, inside, marker } = await makeParent(place);
    const child = await place.start(place.until("never"), inside, "child");
    await insideOf(place.client, child);
    expect((await place.home.cli(place.root, ["cancel", child], marker)).status).toBe(0);
    await until(async () => (await unread(inside)).length === 1, "it calls back");
    expect(await unread(inside)).toMatchObject([{ run: child, outcome: "cancelled" }]);
    place.release("parent");
    await ended(place.client, run);
  });

  it("managing children never blocks the parent", async () => {
    const place = makePlace();
    const { run, marker } = await makeParent(place);
    const inParent = (...args: string[]): Promise<{ status: number | null; stdout: string }> =>
      place.home.cli(place.root, args, marker);
    const spawned = await inParent("spawn", "--writes", "none", "-t", `child=${place.until("never")}`);
    const child = spawned.stdout.trim();
    for (const args of [["ls"], ["show", child], ["inbox"], ["cancel", child]]) {
      expect((await inParent(...args)).status, args.join(" ")).toBe(0);
    }
    await ended(place.client, child);
    place.release("parent");
    await ended(place.client, run);
  });
});

describe("who is told outside", () => {
  it("a command gets what happened as JSON, once for each run that ended so", async () => {
    const place = makePlace();
    const told = join(temporaryFolder(), "told.jsonl");
    writeFiles(place.home.folder, {
      "config/config.yaml": `notify:\n  file: { command: "cat >> '${told}'", on: [failed] }\n`,
    });
    const bad = await place.start("exit 3", place.client, "bad");
    await ended(place.client, await place.start("true"), bad);
    await until(() => existsSync(told), "it is told");
    await killDaemon(place.home);
    await ended(place.client, bad);
    const lines = readFileSync(told, "utf8").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { kind: "failed", run: bad, repository: place.root, data: { outcome: "failed" } },
    ]);
  });
});
