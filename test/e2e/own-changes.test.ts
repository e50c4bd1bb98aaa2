import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { systemClock } from "../../src/base/clock.ts";
import { loadRepositories } from "../../src/store/repositories.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import { RefWatch } from "../../src/triggers/ref-watch.ts";
import { sinkInto } from "../fixtures/event-sink.ts";
import { runner, TrialWatch, type ToldChange } from "../fixtures/file-watches.ts";
import { makeHome, type Home } from "../fixtures/home.ts";
import { git, makeRepository, writeFiles } from "../fixtures/repository.ts";
import { until } from "../fixtures/until.ts";

const cause = { chain: "chain1", depth: 3, triggers: ["r/t"] };

async function startRun(home: Home, root: string, tasks: Record<string, string>, target?: string): Promise<string> {
  const options = { directory: root, tasks, mode: "parallel" as const, ...(target === undefined ? {} : { target }) };
  const view = await (await home.client().start(options)).wait();
  expect(view.outcome).toBe("succeeded");
  return view.id;
}

const accept = (home: Home, directory: string, id: string, undo = false) =>
  home.client().ask("accept", { id, directory, environment: home.environment, undo });

async function stopDaemon(home: Home): Promise<void> {
  const pid = home.daemonPid();
  if (pid === undefined) return;
  process.kill(pid, "SIGTERM");
  await until(() => home.daemonPid() === undefined, "the daemon has ended");
}

/** What both watches say of what has happened since they last looked, without any daemon beside them. */
async function look(home: Home, root: string): Promise<{ files: ToldChange[]; refs: (string | undefined)[][] }> {
  await stopDaemon(home);
  const store = openSqliteStore(join(home.folder, "state/anabranch.db"));
  const [repository] = await loadRepositories(store);
  const { id: repositoryId = "", commonDirectory = "" } = repository ?? {};
  const trial = new TrialWatch(store, root);
  const { newest = 0 } = (await store.read("select max(seq) as newest from events"))[0] as { newest?: number };
  await trial.told();
  const tools = { clock: systemClock, log: () => undefined, store, sink: sinkInto(store), git: runner };
  const refs = new RefWatch(tools);
  await trial.watch.want([{ repositoryId, root }]);
  await trial.ready();
  await refs.want([{ repositoryId, root, commonDirectory }]);
  const rows = await store.read(
    "select run_id, data_json from events where seq > ? and type = 'ref.changed' order by seq",
    [newest],
  );
  const files = await trial.told();
  await Promise.all([trial.watch.close(), refs.close()]);
  await store.close();
  const named = rows.map((row) => [
    (JSON.parse(String(row["data_json"])) as { name: string }).name,
    row["run_id"] === null ? undefined : String(row["run_id"]),
  ]);
  return { files, refs: named };
}

async function giveCause(home: Home, run: string): Promise<void> {
  await stopDaemon(home);
  const store = openSqliteStore(join(home.folder, "state/anabranch.db"));
  await store.commit([
    { sql: "update runs set cause_json = ?, chain = ? where id = ?", values: [JSON.stringify(cause), "chain1", run] },
  ]);
  await store.close();
}

const byText = (one: unknown, other: unknown): number => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1);

const shortly = (told: readonly ToldChange[]): unknown[] =>
  told.map(({ files, run, event }) => [run, files, event.cause, event.data["by"]]);

describe("changes that Anabranch makes to the user's files and branches", () => {
  it("are their run's with its cause when they are accepted and undone, and the user's edits beside them are not", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n", "b.txt": "b\n", "mine.txt": "m\n" });
    const id = await startRun(home, root, { one: "echo A >> a.txt; echo B >> b.txt; echo made > new.txt" });
    await giveCause(home, id);
    expect(await look(home, root)).toEqual({ files: [], refs: [] });
    await accept(home, root, id);
    writeFiles(root, { "mine.txt": "edited\n", "b.txt": "b\nB\nand mine\n" });
    const accepted = await look(home, root);
    expect(shortly(accepted.files).toSorted(byText)).toEqual(
      [
        [undefined, ["changed b.txt", "changed mine.txt"], undefined, undefined],
        [id, ["changed a.txt", "created new.txt"], cause, { run: id }],
      ].toSorted(byText),
    );
    expect(accepted.refs).toEqual([["main", id]]);
    expect(await look(home, root)).toEqual({ files: [], refs: [] });
    writeFiles(root, { "mine.txt": "m\n", "b.txt": "b\nB\n" });
    await accept(home, root, id, true);
    const undone = await look(home, root);
    expect(undone.files.flatMap(({ run, files }) => files.map((file) => [run, file])).toSorted(byText)).toEqual(
      [
        [id, "changed a.txt"],
        [id, "changed b.txt"],
        [id, "deleted new.txt"],
        [undefined, "changed mine.txt"],
      ].toSorted(byText),
    );
    expect(undone.refs).toEqual([["main", id]]);
  });

  it("are told to be a run's that a person has started too, without any cause", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const id = await startRun(home, root, { one: "echo A >> a.txt" });
    await look(home, root);
    await accept(home, root, id);
    expect(shortly((await look(home, root)).files)).toEqual([[id, ["changed a.txt"], undefined, { run: id }]]);
  });

  it("are their run's once: the same brought about by hand later is the user's", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const id = await startRun(home, root, { one: "echo A >> a.txt" });
    await look(home, root);
    await accept(home, root, id);
    await look(home, root);
    git(root, "reset", "--quiet", "--hard", "HEAD~1");
    await look(home, root);
    writeFiles(root, { "a.txt": "a\nA\n" });
    expect(shortly((await look(home, root)).files)).toEqual([[undefined, ["changed a.txt"], undefined, undefined]]);
  });

  it("are their run's where it lands on a branch that is checked out", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n", "gone.txt": "g\n" });
    await startRun(home, root, { nothing: "true" });
    await look(home, root);
    const id = await startRun(home, root, { one: "echo A >> a.txt; rm gone.txt" }, "main");
    const { files, refs } = await look(home, root);
    expect(shortly(files)).toEqual([[id, ["changed a.txt", "deleted gone.txt"], undefined, { run: id }]]);
    expect(refs).toEqual([["main", id]]);
    rmSync(join(root, "a.txt"));
    expect(shortly((await look(home, root)).files)).toEqual([[undefined, ["deleted a.txt"], undefined, undefined]]);
  });
});
