/**
 * B2: many workspaces at the same moment on a real repository, five commits in each, and uncommitted work on top; the
 * daemon killed once while workspaces are made and once while snapshots are taken. Beside it, the same with
 * `git worktree add`, where nothing is killed.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import type { RunView } from "../src/index.ts";
import type { Bench } from "./bench.ts";
import { stormWorktrees } from "./storm-worktrees.ts";
import { cloneOwnRepository, git, writeFiles } from "./repositories.ts";
import { leftProcesses, openSandbox, until, type Sandbox } from "./sandbox.ts";
import { quantile } from "./statistics.ts";

const SIZES = [4, 13, 32, 64];
const COMMITS = 5;
const CLAIMERS = 16;
const IDENTITY: Readonly<Record<string, string>> = {
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.org",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.org",
};

/** What a task leaves: a file of five commits, then a new file and an edit that nobody commits; none of them another's. */
const COMMAND = [
  'echo "$ANABRANCH_TASK" >> "$RAN"',
  `for i in ${Array.from({ length: COMMITS }, (_, index) => index + 1).join(" ")}; do`,
  '  echo "$i of $ANABRANCH_TASK" >> "committed-$ANABRANCH_TASK.txt"',
  '  git add --all && git commit --quiet -m "$i" || exit 1',
  "done",
  'echo "new in $ANABRANCH_TASK" > "uncommitted-$ANABRANCH_TASK.txt"',
  'echo "edited in $ANABRANCH_TASK" >> "storm/$ANABRANCH_TASK.txt"',
].join("\n");

/** What became of one storm. */
interface Aftermath {
  readonly failures: number;
  /** Tasks whose command ran more than once, or never. */
  readonly repeats: number;
  readonly orphans: number;
  readonly lostBytes: number;
  readonly lostCommits: number;
  readonly wallMs: number;
  readonly createdMs: readonly number[];
}

export const storm: Bench = {
  name: "storm",
  about: "B2: 4 to 64 workspaces at once, the daemon killed in the middle, beside git worktree add",
  async run(report, { short, folder }) {
    const root = cloneOwnRepository(join(folder, "repository"));
    const tracked = Array.from({ length: Math.max(...SIZES) }, (_, index) => [
      `storm/task-${index}.txt`,
      "as it was\n",
    ]);
    writeFiles(root, Object.fromEntries(tracked) as Record<string, string>);
    git(root, "add", "--all");
    git(root, "commit", "--quiet", "-m", "A file for each task");
    const rows: (string | number)[][] = [];
    const naive: (string | number)[][] = [];
    const bad = { failures: 0, repeats: 0, orphans: 0, lostBytes: 0, lostCommits: 0 };
    for (const size of short ? [13] : SIZES) {
      for (const kills of short ? [2] : [0, 2]) {
        const home = join(folder, `home-${size}-${kills}`);
        const one = await stormOnce(home, root, size, kills > 0);
        const { failures, repeats, orphans, lostBytes, lostCommits, wallMs, createdMs } = one;
        for (const key of Object.keys(bad) as (keyof typeof bad)[]) bad[key] += one[key];
        const spread = [quantile(createdMs, 0.5), quantile(createdMs, 0.95)];
        rows.push([`${size}`, kills, failures, repeats, orphans, lostBytes, lostCommits, ...spread, wallMs]);
        report.keep(`storm of ${size}, ${kills} kills`, one);
        rmSync(home, { recursive: true, force: true, maxRetries: 3 });
      }
      const { made, orphans, commits, wallMs } = await stormWorktrees(join(folder, `worktrees-${size}`), root, size);
      naive.push([`${size}`, size - made, orphans, COMMITS * made - commits, wallMs]);
    }
    report.table(
      "Anabranch",
      [
        "at once",
        "kills",
        "failed",
        "not run once",
        "orphans",
        "lost bytes",
        "lost commits",
        "created p50 ms",
        "p95 ms",
        "whole ms",
      ],
      rows,
    );
    report.table(
      "git worktree add -b NAME PATH origin/main",
      ["at once", "failed", "orphan branches", "failed commits", "whole ms"],
      naive,
    );
    report.limit("storm: failed tasks", bad.failures, { atMost: 0 });
    report.limit("storm: tasks that did not run exactly once", bad.repeats, { atMost: 0 });
    report.limit("storm: orphans", bad.orphans, { atMost: 0 });
    report.limit("storm: lost bytes", bad.lostBytes, { atMost: 0 });
    report.limit("storm: lost commits", bad.lostCommits, { atMost: 0 });
    await raceForOne(report, join(folder, "race"), root);
  },
};

async function stormOnce(home: string, root: string, size: number, kill: boolean): Promise<Aftermath> {
  const before = refsOf(root);
  const sandbox = openSandbox(home, size);
  const ran = join(home, "ran");
  const names = Array.from({ length: size }, (_, index) => `task-${index}`);
  try {
    const client = sandbox.client({ ...IDENTITY, RAN: ran });
    const run = await client.start({
      directory: root,
      tasks: Object.fromEntries(names.map((name) => [name, COMMAND])),
      mode: "parallel",
      parallel: size,
    });
    if (kill) {
      await killAfter(sandbox, run.id, "task.started", Math.ceil(size / 4));
      await killAfter(sandbox, run.id, "task.captured", Math.ceil(size / 2));
    }
    const view = await run.wait();
    await until(
      async () => (await client.ask("doctor", {})).every((check) => !/[1-9]\d* in use/.test(check.evidence)),
      "all workspaces are free",
    );
    const lost = lostOf(view, names);
    const { retained } = await client.ask("gc", {});
    await client.ask("stop", {});
    client.close();
    await until(() => sandbox.daemonPid() === undefined, "the daemon ends");
    const processes = await leftProcesses(home);
    const strangers = refsOf(root).filter((ref) => !before.includes(ref) && !ref.startsWith("refs/anabranch/pins/"));
    const worktrees = git(root, "worktree", "list", "--porcelain").split("\n\n").length - 1;
    const lines = readFileSync(ran, "utf8").trim().split("\n");
    return {
      failures: view.taskList.filter((task) => task.outcome !== "succeeded").length,
      repeats: names.filter((name) => lines.filter((line) => line === name).length !== 1).length,
      orphans: strangers.length + worktrees + retained.length + processes.length,
      ...lost,
      wallMs: view.times.wallMs,
      createdMs: view.taskList.flatMap(({ attempts }) => {
        const { chosenMs, preparedMs } = attempts.at(-1)?.timings ?? {};
        return chosenMs === undefined || preparedMs === undefined ? [] : [preparedMs - chosenMs];
      }),
    };
  } finally {
    await sandbox.close();
  }
}

/** Kills the daemon as soon as so many events of a kind were committed. */
async function killAfter(sandbox: Sandbox, run: string, type: string, count: number): Promise<void> {
  const watching = sandbox.client();
  let seen = 0;
  for await (const event of watching.events({ run, follow: true })) {
    if (event.type === type) seen += 1;
    if (seen >= count || event.type === "run.ended") break;
  }
  const pid = sandbox.daemonPid();
  if (pid !== undefined) process.kill(pid, "SIGKILL");
  watching.close();
}

/** Everything a task wrote must be in the vault: its last files in the snapshot, its commits under refs. */
function lostOf(
  { id, vault, taskList }: RunView,
  names: readonly string[],
): { lostBytes: number; lostCommits: number } {
  let [lostBytes, lostCommits] = [0, 0];
  for (const name of names) {
    const attempt = taskList.find((task) => task.name === name)?.attempts.at(-1);
    const { snapshot = "", base = "" } = attempt?.changeset ?? {};
    const committed = Array.from({ length: COMMITS }, (_, index) => `${index + 1} of ${name}\n`).join("");
    const wanted = new Map([
      [`committed-${name}.txt`, committed],
      [`uncommitted-${name}.txt`, `new in ${name}\n`],
      [`storm/${name}.txt`, `as it was\nedited in ${name}\n`],
    ]);
    for (const [path, text] of wanted) if (show(vault, `${snapshot}:${path}`) !== text) lostBytes += text.length;
    const kept = git(vault, "rev-list", "--count", `--glob=refs/commits/${id}/${name}/*`, "--not", base || "HEAD");
    lostCommits += COMMITS - Number(kept);
  }
  return { lostBytes, lostCommits };
}

function show(vault: string, name: string): string | undefined {
  try {
    return `${git(vault, "show", name)}\n`;
  } catch {
    return undefined;
  }
}

function refsOf(root: string): string[] {
  return git(root, "for-each-ref", "--format=%(refname)").split("\n");
}

/** Many clients ask for the same work at the same moment: it is started once. */
async function raceForOne(report: Parameters<Bench["run"]>[0], home: string, root: string): Promise<void> {
  const sandbox = openSandbox(home, CLAIMERS);
  const ran = join(home, "ran");
  mkdirSync(home, { recursive: true });
  try {
    const started = await Promise.all(
      Array.from({ length: CLAIMERS }, () =>
        sandbox.client({ RAN: ran }).start({
          directory: root,
          tasks: { one: { run: 'echo one >> "$RAN"', writes: "none" } },
          requestId: "race-for-one",
        }),
      ),
    );
    await started[0]?.wait();
    const ids = new Set(started.map((run) => run.id));
    const lines = existsSync(ran) ? readFileSync(ran, "utf8").trim().split("\n").length : 0;
    report.limit(`${CLAIMERS} clients claim one piece of work: runs`, ids.size, { atMost: 1 });
    report.limit(`${CLAIMERS} clients claim one piece of work: times it ran`, lines, { atMost: 1 });
  } finally {
    const left = await sandbox.close();
    report.limit("processes left behind", left.length, { atMost: 0 });
  }
}
