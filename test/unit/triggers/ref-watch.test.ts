import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { systemClock } from "../../../src/base/clock.ts";
import { createGit } from "../../../src/git/git.ts";
import { loadEvents, type EventRow } from "../../../src/store/events.ts";
import { expectOwnChanges } from "../../../src/store/own-changes.ts";
import type { Store } from "../../../src/store/port.ts";
import { ensureRepository } from "../../../src/store/repositories.ts";
import { openSqliteStore } from "../../../src/store/sqlite.ts";
import { RefWatch } from "../../../src/triggers/ref-watch.ts";
import { sinkInto } from "../../fixtures/event-sink.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../../fixtures/repository.ts";
import { until } from "../../fixtures/until.ts";

const runner = createGit({ PATH: process.env["PATH"], HOME: "/nonexistent" }, systemClock);

interface Trial {
  readonly root: string;
  readonly store: Store;
  /** Begins to watch. */
  watch(): Promise<RefWatch>;
  /** Waits until a branch made for it is told, and returns what was told before. */
  told(): Promise<EventRow[]>;
}

async function makeTrial(root = makeRepository({ "a.txt": "a\n" })): Promise<Trial> {
  const store = openSqliteStore(join(temporaryFolder(), "store.db"));
  onTestFinished(() => store.close());
  const commonDirectory = join(root, ".git");
  await store.commit([ensureRepository({ id: "r", commonDirectory, root, createdMs: 1 })]);
  let [seq, mark] = [0, 0];
  return {
    root,
    store,
    async watch() {
      const log = (): void => undefined;
      const watch = new RefWatch({ clock: systemClock, log, store, sink: sinkInto(store), git: runner });
      onTestFinished(() => watch.close());
      await watch.want([{ repositoryId: "r", root, commonDirectory }]);
      return watch;
    },
    async told() {
      mark += 1;
      git(root, "branch", `mark/${mark}`);
      const all: EventRow[] = [];
      await until(async () => {
        all.push(...(await loadEvents(store, { afterSeq: seq, limit: 100 })));
        seq = all.at(-1)?.seq ?? seq;
        return all.some(({ data }) => data["name"] === `mark/${mark}`);
      }, "the mark is told");
      return all.filter(({ data }) => !String(data["name"]).startsWith("mark/"));
    },
  };
}

function commit(root: string, files: Readonly<Record<string, string>>, subject: string): string {
  writeFiles(root, files);
  git(root, "add", "--all");
  git(root, "commit", "--quiet", "-m", subject);
  return git(root, "rev-parse", "HEAD");
}

describe("the watching of refs", () => {
  it("tells a commit with its author, subject and paths, and branches and tags that come and go", async () => {
    const trial = await makeTrial();
    const { root } = trial;
    await trial.watch();
    const from = git(root, "rev-parse", "HEAD");
    const to = commit(root, { "a.txt": "b\n", "ü/b.txt": "b\n" }, "second: with words");
    expect(await trial.told()).toMatchObject([
      {
        type: "ref.changed",
        repositoryId: "r",
        data: {
          ref: "refs/heads/main",
          kind: "branch",
          name: "main",
          change: "moved",
          from,
          to,
          author: "Ada <ada@example.org>",
          subject: "second: with words",
          paths: ["a.txt", "ü/b.txt"],
        },
      },
    ]);
    git(root, "branch", "feature/deep/one");
    expect(await trial.told()).toMatchObject([{ data: { name: "feature/deep/one", change: "created", to } }]);
    git(root, "tag", "-a", "v1", "-m", "one");
    expect(await trial.told()).toMatchObject([
      { data: { kind: "tag", name: "v1", change: "created", subject: "second: with words" } },
    ]);
    git(root, "branch", "-D", "feature/deep/one");
    expect(await trial.told()).toMatchObject([{ data: { name: "feature/deep/one", change: "deleted", from: to } }]);
  });

  it("tells nothing of refs of Anabranch's own, of remote branches, or of refs that are packed", async () => {
    const trial = await makeTrial();
    await trial.watch();
    git(trial.root, "update-ref", "refs/anabranch/pins/one", "HEAD");
    git(trial.root, "update-ref", "refs/remotes/origin/main", "HEAD");
    git(trial.root, "pack-refs", "--all");
    git(trial.root, "gc", "--quiet");
    expect(await trial.told()).toEqual([]);
  });

  it("tells a branch that goes back and forth each time", async () => {
    const trial = await makeTrial();
    const { root } = trial;
    await trial.watch();
    const to = commit(root, { "a.txt": "b\n" }, "second");
    await trial.told();
    for (let round = 0; round < 2; round += 1) {
      git(root, "reset", "--quiet", "--hard", "HEAD~1");
      expect(await trial.told()).toMatchObject([{ data: { change: "moved", from: to } }]);
      git(root, "reset", "--quiet", "--hard", to);
      expect(await trial.told()).toMatchObject([{ data: { change: "moved", to } }]);
    }
  });

  it("tells what moved while its daemon was away, once", async () => {
    const trial = await makeTrial();
    const { root, store } = trial;
    await (await trial.watch()).close();
    const to = commit(root, { "b.txt": "b\n" }, "away");
    git(root, "tag", "light");
    const second = await trial.watch();
    expect((await trial.told()).map(({ data }) => [data["name"], data["change"], data["to"]])).toEqual([
      ["main", "moved", to],
      ["light", "created", to],
    ]);
    await second.close();
    await trial.watch();
    expect(await trial.told()).toEqual([]);
    expect(await store.read("select count(*) as count from known_states")).toEqual([{ count: 4 }]);
  });

  it("knows a move that a run has made from one that somebody made on top of it", async () => {
    const trial = await makeTrial();
    const { root, store } = trial;
    const watch = await trial.watch();
    await watch.close();
    const cause = { chain: "c", depth: 2, triggers: ["r/t"] };
    const landed = commit(root, { "b.txt": "b\n" }, "landed");
    const ref = { name: "refs/heads/main", state: landed };
    await store.commit(
      expectOwnChanges({ repositoryId: "r", run: "k1", cause, kind: "ref", changes: [ref], atMs: Date.now() }),
    );
    await trial.watch();
    expect(await trial.told()).toMatchObject([{ run: "k1", cause, data: { by: { run: "k1" }, to: landed } }]);
    git(root, "reset", "--quiet", "--hard", "HEAD~1");
    git(root, "reset", "--quiet", "--hard", landed);
    const after = await trial.told();
    expect(after.length).toBeLessThanOrEqual(2);
    expect(after.map(({ run }) => run)).not.toContain("k1");
  });

  it("begins anew with a repository that was deleted and made again", async () => {
    const trial = await makeTrial();
    const { root } = trial;
    await trial.watch();
    rmSync(root, { recursive: true });
    makeRepository({ "other.txt": "o\n" }, join(root, ".."));
    git(root, "branch", "old");
    await until(async () => {
      const rows = await trial.store.read("select subject from known_states where subject = 'ref:refs/heads/old'");
      return rows.length === 1;
    }, "it is known");
    const to = commit(root, { "a.txt": "b\n" }, "in the new one");
    expect((await trial.told()).map(({ data }) => [data["name"], data["to"]])).toContainEqual(["main", to]);
  });
});
