/**
 * What workspaces cost on a repository of 10,000 files, beside the plain git commands that do the same. Every pair is
 * measured in turn, ours and git's, so that whatever else the machine does meets both; the ratio of each pair counts.
 */
import { execFile } from "node:child_process";
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { copyIndex } from "../src/git/index-file.ts";
import { openSqliteStore } from "../src/store/sqlite.ts";
import { ensureRepository } from "../src/store/repositories.ts";
import { updateWorkspace } from "../src/store/workspaces.ts";
import { captureWorkspace } from "../src/workspaces/capture.ts";
import { WorkspacePool } from "../src/workspaces/pool.ts";
import { resetWorkspace, type Workspace } from "../src/workspaces/workspace.ts";
import type { Bench } from "./bench.ts";
import { processorMs } from "./machine.ts";
import type { Report } from "./report.ts";
import { git, makeRepository, manyFiles, writeFiles } from "./repositories.ts";
import { mean, median, quantile, spreadOf } from "./statistics.ts";
import { openWorkshop, type Workshop } from "./workshop.ts";

const run = promisify(execFile);

export const workspaces: Bench = {
  name: "workspaces",
  about: "10,000 files: claim, recycle, snapshot and fill, beside plain git",
  async run(report, { short, folder }) {
    const files = manyFiles(short ? 600 : 10_000);
    const root = makeRepository(join(folder, "repository"), { ...files, ".gitignore": "build/\n" });
    const earlier = git(root, "rev-parse", "HEAD");
    const paths = Object.keys(files);
    writeFiles(root, Object.fromEntries(paths.slice(0, 300).map((path) => [path, "// changed\n"])));
    git(root, "commit", "--quiet", "--all", "-m", "second");
    const workshop = await openWorkshop(join(folder, "state"), root);
    try {
      const bench = new Pairs(workshop, root, join(folder, "trees"), earlier, paths, short ? 5 : 15);
      report.note(`${paths.length} files; each figure is the middle of ${bench.rounds} pairs measured in turn`);
      const [filled, plain] = await bench.fill(report);
      await bench.recycle(report, filled, plain);
      await bench.moveBase(report, filled, plain);
      await bench.snapshot(report, filled, plain);
      await claim(report, join(folder, "store"), workshop.base, short ? 50 : 400);
    } finally {
      await workshop.vault.close();
      await workshop.trash.empty();
    }
  },
};

/** Pairs of ours and git's, each on a tree of its own. */
class Pairs {
  readonly #workshop: Workshop;
  readonly #root: string;
  readonly #folder: string;
  readonly #earlier: string;
  readonly #paths: readonly string[];
  readonly rounds: number;
  #made = 0;
  #changes = 0;

  constructor(
    workshop: Workshop,
    root: string,
    folder: string,
    earlier: string,
    paths: readonly string[],
    rounds: number,
  ) {
    this.#workshop = workshop;
    this.#root = root;
    this.#folder = folder;
    this.#earlier = earlier;
    this.#paths = paths;
    this.rounds = rounds;
    mkdirSync(folder, { recursive: true });
  }

  /** An empty workspace filled, beside `git worktree add`. Returns the last of each. */
  async fill(report: Report): Promise<[Workspace, string]> {
    let last: [Workspace, string] | undefined;
    const pairs = await this.#measure(
      Math.ceil(this.rounds / 2),
      async () => {
        if (last !== undefined) {
          rmSync(last[0].slot, { recursive: true });
          git(this.#root, "worktree", "remove", "--force", last[1]);
        }
        this.#made += 1;
        last = [this.#workshop.slot(this.#made), join(this.#folder, String(this.#made))];
      },
      () => this.#reset(last?.[0], this.#workshop.base),
      () => run("git", ["worktree", "add", "--detach", "--quiet", last?.[1] ?? ""], { cwd: this.#root }),
    );
    reportPairs(report, "cold fill / git worktree add", pairs, { atMost: 1.5, short: 10 });
    if (last === undefined) throw new Error("nothing was filled");
    return last;
  }

  /** What a task left behind taken away again, beside `git reset --hard` and `git clean`. */
  async recycle(report: Report, filled: Workspace, plain: string): Promise<void> {
    const pairs = await this.#measure(
      this.rounds,
      async () => void this.#dirty([filled.tree, plain]),
      () => this.#reset(filled, this.#workshop.base),
      () => this.#plainReset(plain, this.#workshop.base),
    );
    reportPairs(report, "recycle / git reset --hard + git clean -fdx", pairs, { atMost: 1.2, short: 10 });
  }

  /** The same to a base at which 300 files differ. */
  async moveBase(report: Report, filled: Workspace, plain: string): Promise<void> {
    let base = this.#workshop.base;
    const pairs = await this.#measure(
      this.rounds + (this.rounds % 2),
      async () => {
        base = base === this.#earlier ? this.#workshop.base : this.#earlier;
        this.#dirty([filled.tree, plain]);
      },
      () => this.#reset(filled, base),
      () => this.#plainReset(plain, base),
    );
    reportPairs(report, "recycle to another base / the same with git", pairs, { atMost: 1.2, short: 10 });
    await this.#reset(filled, this.#workshop.base);
    await this.#plainReset(plain, this.#workshop.base);
  }

  /** A snapshot of a turn's work, beside `git add -A` and `git write-tree` with a private index. */
  async snapshot(report: Report, filled: Workspace, plain: string): Promise<void> {
    let changed: string[] = [];
    const capture = (paths: readonly string[] | undefined): Promise<unknown> =>
      captureWorkspace(this.#workshop.git, filled, {
        base: this.#workshop.base,
        ref: "refs/snapshots/bench",
        message: "A turn",
        atSeconds: Date.now() / 1000,
        kept: [],
        paths,
      });
    const prepare = async (): Promise<void> => {
      await this.#reset(filled, this.#workshop.base);
      await this.#plainReset(plain, this.#workshop.base);
      changed = this.#dirty([filled.tree, plain]);
    };
    const index = git(plain, "rev-parse", "--path-format=absolute", "--git-path", "index");
    const plainly = (): Promise<void> => plainSnapshot(plain, index);
    const unknown = await this.#measure(this.rounds, prepare, () => capture(undefined), plainly);
    reportPairs(report, "snapshot, write set unknown / git add -A + git write-tree", unknown, {
      atMost: 1.2,
      short: 10,
    });
    const known = await this.#measure(this.rounds, prepare, () => capture(changed), plainly);
    reportPairs(report, "snapshot, write set known / git add -A + git write-tree", known, { atMost: 0.5, short: 6 });
  }

  #reset(workspace: Workspace | undefined, base: string): Promise<void> {
    if (workspace === undefined) throw new Error("no workspace");
    const { git: ourGit, source, trash } = this.#workshop;
    return resetWorkspace(ourGit, workspace, base, source, ["node_modules"], trash);
  }

  async #plainReset(tree: string, base: string): Promise<void> {
    await run("git", ["reset", "--hard", "--quiet", base], { cwd: tree });
    await run("git", ["clean", "-fdxq", "-e", "node_modules"], { cwd: tree });
  }

  /**
   * Leaves in both trees what a task leaves: edits, deletions, new files, build output. Nothing is the same in both:
   * what one side has written, the other would not have to write again. Returns what differs from the base in the first.
   */
  #dirty(trees: readonly string[]): string[] {
    this.#changes += 1;
    const written = trees.map((tree, side) => {
      const at = (index: number): string =>
        this.#paths[(this.#changes * 37 + (2 * index + side) * 101) % this.#paths.length] ?? "";
      const edited = Array.from({ length: 8 }, (_, index) => at(index));
      const deleted = [at(8), at(9)].filter((path) => !edited.includes(path));
      const made = Array.from({ length: 10 }, (_, index) => `packages/new/${this.#changes}/file${index}.ts`);
      const built = Array.from({ length: 20 }, (_, index) => `build/out${index}.js`);
      const text = (path: string): string => `// change ${this.#changes} of ${path} in tree ${side}\n`;
      writeFiles(tree, Object.fromEntries([...edited, ...made, ...built].map((path) => [path, text(path)])));
      for (const path of deleted) rmSync(join(tree, path), { force: true });
      return [...edited, ...deleted, ...made];
    });
    return written[0] ?? [];
  }

  async #measure(
    rounds: number,
    prepare: () => Promise<void>,
    ours: () => Promise<unknown>,
    theirs: () => Promise<unknown>,
  ): Promise<Pair[]> {
    const pairs: Pair[] = [];
    // The first pair only fills the caches.
    for (let round = -1; round < rounds; round += 1) {
      await prepare();
      // What an earlier round threw away is still being removed in the background.
      await this.#workshop.trash.empty();
      const first = round % 2 === 0 ? ours : theirs;
      const second = first === ours ? theirs : ours;
      const [a, b] = [await timed(first), await timed(second)];
      if (round >= 0) pairs.push(first === ours ? { ours: a, theirs: b } : { ours: b, theirs: a });
    }
    return pairs;
  }
}

interface Timing {
  readonly wallMs: number;
  /** Of this process and those it started. */
  readonly cpuMs: number;
}

interface Pair {
  readonly ours: Timing;
  readonly theirs: Timing;
}

async function timed(action: () => Promise<unknown>): Promise<Timing> {
  const [began, cpuMs] = [performance.now(), processorMs("self")];
  await action();
  return { wallMs: performance.now() - began, cpuMs: processorMs("self") - cpuMs };
}

function reportPairs(
  report: Report,
  name: string,
  pairs: readonly Pair[],
  bound: { atMost: number; short: number },
): void {
  const [ours, theirs] = [pairs.map((pair) => pair.ours), pairs.map((pair) => pair.theirs)];
  const row = (who: string, timings: readonly Timing[]): (string | number)[] => {
    const wall = spreadOf(timings.map(({ wallMs }) => wallMs));
    return [who, wall.p50, wall.p95, wall.min, mean(timings.map(({ cpuMs }) => cpuMs))];
  };
  report.table(name, ["", "p50 ms", "p95 ms", "min ms", "mean CPU ms"], [row("ours", ours), row("git's", theirs)]);
  report.keep(name, pairs);
  const cpuOf = (timings: readonly Timing[]): number => mean(timings.map(({ cpuMs }) => cpuMs));
  report.note(
    `In processor time, which other load does not stretch: ${(cpuOf(ours) / cpuOf(theirs)).toFixed(2)} times.`,
  );
  report.limit(`${name}, median ratio`, median(pairs.map((pair) => pair.ours.wallMs / pair.theirs.wallMs)), bound);
}

async function plainSnapshot(tree: string, own: string): Promise<void> {
  const index = `${own}-snapshot`;
  await copyIndex(own, index);
  const environment = { ...process.env, GIT_INDEX_FILE: index };
  await run("git", ["add", "-A"], { cwd: tree, env: environment });
  await run("git", ["write-tree"], { cwd: tree, env: environment });
}

/** A workspace that stands ready at the base, claimed: what remains is making the lease durable. */
async function claim(report: Report, folder: string, base: string, rounds: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const store = openSqliteStore(join(folder, "anabranch.db"));
  const probe = openSync(join(folder, "probe"), "w");
  try {
    await store.commit([ensureRepository({ id: "one", commonDirectory: "/one/.git", root: "/one", createdMs: 0 })]);
    const pool = new WorkspacePool([], () => true);
    const wish = { repositoryId: "one", base, dependenciesKey: "", atMs: 1 };
    const [claimMs, fsyncMs]: [number[], number[]] = [[], []];
    for (let round = -10; round < rounds; round += 1) {
      const flushed = performance.now();
      writeSync(probe, Buffer.alloc(4096, round & 255));
      fsyncSync(probe);
      const began = performance.now();
      const reservation = await pool.reserve({ ...wish, holder: `run/task-${round}/1` });
      await store.commit([reservation.statement]);
      const row = reservation.confirm();
      const took = performance.now() - began;
      if (round >= 0) {
        claimMs.push(took);
        fsyncMs.push(began - flushed);
      }
      pool.beginRelease(row.id);
      const patch = { state: "free", holder: null, baseCommit: base } as const;
      await store.commit([updateWorkspace(row, patch)]);
      pool.patched(row.id, patch);
    }
    const [claims, flushes] = [spreadOf(claimMs), spreadOf(fsyncMs)];
    report.table(
      "Warm claim at the same commit",
      ["", "p50 ms", "p95 ms", "min ms"],
      [
        ["claim", claims.p50, claims.p95, claims.min],
        ["one write and fsync", flushes.p50, flushes.p95, flushes.min],
      ],
    );
    report.keep("claim", { claimMs, fsyncMs });
    report.limit("warm claim p95 beyond the middle fsync, ms", quantile(claimMs, 0.95) - flushes.p50, {
      atMost: 5,
      short: 250,
    });
  } finally {
    closeSync(probe);
    await store.close();
  }
}
