import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { Anabranch } from "../../src/index.ts";
import { makeHome, type Home } from "../fixtures/home.ts";
import { makeRepository, temporaryFolder } from "../fixtures/repository.ts";
import { until } from "../fixtures/until.ts";

/** One that was told something: `ADDRESSEE ENTRY OUTCOME`, by the run or `RUN/TASK` it is about. */
type Told = Map<string, string[]>;

/** The environment of whoever stands inside a task at work. */
async function insideOf(client: Anabranch, run: string): Promise<Record<string, string>> {
  let marker: string | undefined;
  await until(async () => {
    const { taskList } = await client.ask("show", { id: run });
    const pid = taskList[0]?.attempts.at(-1)?.pid;
    if (pid !== undefined) marker = markerOf(pid);
    return marker !== undefined;
  }, "the parent works");
  return { ANABRANCH_MARKER: marker ?? "" };
}

function markerOf(pid: number): string | undefined {
  const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  return environment.find((entry) => entry.startsWith("ANABRANCH_MARKER="))?.slice("ANABRANCH_MARKER=".length);
}

/** Reads an inbox to its end, as often as daemons die meanwhile. */
async function readInbox(client: Anabranch, told: Told): Promise<void> {
  for (;;) {
    const { addressee, entries } = await client.ask("inbox", {});
    if (entries.length === 0) return;
    for (const { id, run = "", task, outcome } of entries) {
      const of = task === undefined ? run : `${run}/${task}`;
      told.set(of, [...(told.get(of) ?? []), `${addressee} ${id} ${outcome}`]);
    }
    await client.ask("acknowledge", { ids: entries.map(({ id }) => id) });
  }
}

/** Waits without saying that the outcome was told. */
const waitFor = (client: Anabranch, ...ids: string[]): Promise<unknown> => client.ask("wait", { ids });

/**
 * A parent starts three runs: one that ends while the parent works and is read by it, one that ends then but is not
 * read, and one that outlives it. The first leaves a detached task behind. Whatever the daemon's death, each outcome is
 * told under one id, to the parent or, after its end, to the person.
 */
async function tellWithFault(home: Home, root: string, fault: string): Promise<boolean> {
  const folder = temporaryFolder();
  const file = (name: string): string => join(folder, name);
  const lookFor = (name: string): string => `while [ ! -e "${file(name)}" ]; do sleep 0.01; done`;
  const daemon = await home.startDaemon({ ANABRANCH_FAULT: fault });
  const client = home.client();
  const told: Told = new Map();
  const start = (from: Anabranch, key: string, tasks: Parameters<Anabranch["spawn"]>[0]["tasks"]): Promise<string> =>
    from.spawn({
      directory: root,
      writesNone: true,
      requestId: `${key}-${folder}`.slice(-90),
      ...(tasks && { tasks }),
    });
  const parent = await start(client, "parent", { parent: lookFor("parent") });
  const inside = home.client(await insideOf(client, parent));
  const read = await start(inside, "read", {
    main: "exit 3",
    beside: { run: lookFor("beside"), detach: true },
  });
  const unread = await start(inside, "unread", { main: lookFor("unread") });
  const late = await start(inside, "late", { main: lookFor("late") });
  await waitFor(inside, read);
  await readInbox(inside, told);
  writeFileSync(file("unread"), "");
  await waitFor(client, unread);
  writeFileSync(file("parent"), "");
  await waitFor(client, parent);
  for (const name of ["late", "beside"]) writeFileSync(file(name), "");
  await waitFor(client, late, `${read}/beside`);
  await readInbox(client, told);
  expect([...told.keys()].toSorted(), fault).toEqual([parent, read, `${read}/beside`, unread, late].toSorted());
  for (const [of, all] of told) {
    const [addressee = "", , outcome] = all[0]?.split(" ") ?? [];
    // What was said to be read is not told again: each arrives once, or again under its id where the saying was lost.
    expect(new Set(all).size, `${fault}: ${of}: ${all.join("; ")}`).toBe(1);
    expect(addressee, fault).toBe(of === read ? `task:${parent}/parent` : "person");
    expect(outcome, fault).toBe(of === read ? "failed" : "succeeded");
  }
  const killed = daemon.signalCode === "SIGKILL";
  await client.ask("stop", {}).catch(() => undefined);
  for (const one of [client, inside]) one.close();
  await until(() => home.daemonPid() === undefined, "the daemon ends");
  return killed;
}

describe("outcomes are told once", () => {
  for (const [point, fewest] of [
    ["store.commit.before", 12],
    ["store.commit.after", 12],
  ] as const) {
    it(`whenever the daemon dies at ${point}, from the start of the first to the reading of the last`, async () => {
      const root = makeRepository({ "a.txt": "a\n" });
      let [next, kills, missed] = [1, 0, false];
      const worker = async (): Promise<void> => {
        const home = makeHome();
        while (!missed) {
          const pass = next++;
          if (await tellWithFault(home, root, `${point}@${pass}`)) kills += 1;
          else missed = true;
        }
      };
      await Promise.all([worker(), worker()]);
      expect(kills).toBeGreaterThanOrEqual(fewest);
    }, 300_000);
  }
});
