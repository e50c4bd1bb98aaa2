/**
 * What bringing work together costs on a repository of 10,000 files, beside the plain git commands that do the same:
 * the decision about two changesets, many disjoint changesets onto one lane, and moving the ref.
 */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";

import { systemClock } from "../src/base/clock.ts";
import { composeChangesets, type Candidate } from "../src/landing/compose-changesets.ts";
import { vaultLane } from "../src/landing/lane.ts";
import { mergeTrees } from "../src/landing/merge-trees.ts";
import { receiptRef, writeReceipt } from "../src/landing/receipt.ts";
import type { Bench } from "./bench.ts";
import type { Report } from "./report.ts";
import { git, makeRepository, manyFiles } from "./repositories.ts";
import { median, quantile } from "./statistics.ts";
import { openWorkshop, type Workshop } from "./workshop.ts";

export const landing: Bench = {
  name: "landing",
  about: "10,000 files: merge decisions, many changesets onto one lane, moving a ref",
  async run(report, { short, folder }) {
    const files = manyFiles(short ? 2000 : 10_000);
    const root = makeRepository(join(folder, "repository"), files);
    const workshop = await openWorkshop(join(folder, "state"), root);
    const paths = Object.keys(files);
    try {
      const base = git(root, "rev-parse", "HEAD");
      const changes = makeChangesets(root, base, paths, files, short ? 64 : 512);
      report.note(`${paths.length} files; a changeset edits three of them`);
      await decide(report, workshop, root, base, paths, files, short ? 20 : 100);
      for (const count of short ? [64] : [64, 512]) {
        await composeMany(report, workshop, root, base, changes.slice(0, count), join(folder, `merging-${count}`));
      }
      await moveRef(report, workshop, base, changes, short ? 50 : 200);
    } finally {
      await workshop.vault.close();
    }
  },
};

/** Commits on top of the base, none of which meets another, made without touching the working tree. */
function makeChangesets(
  root: string,
  base: string,
  paths: readonly string[],
  files: Readonly<Record<string, string>>,
  count: number,
): string[] {
  const edits = Array.from({ length: count }, (_, index) =>
    [0, 1, 2].map((place) => {
      const path = paths[(index * 3 + place) * Math.floor(paths.length / (count * 3))] ?? "";
      return { path, text: `${files[path]}export const added${index} = ${index};\n` };
    }),
  );
  return commitEdits(root, base, edits, "change");
}

interface Edit {
  readonly path: string;
  readonly text: string;
}

/** One commit on the base for each set of edits, by one `git fast-import`. Its refs are `refs/heads/NAME-1` and so on. */
function commitEdits(root: string, base: string, sets: readonly (readonly Edit[])[], name: string): string[] {
  const who = "Ada <ada@example.org> 1700000000 +0000";
  const commands = sets.map((edits, index) => {
    const blobs = edits.map(({ path, text }) => `M 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`);
    return `commit refs/heads/${name}-${index + 1}\ncommitter ${who}\ndata 6\nchange\nfrom ${base}\n${blobs.join("")}\n`;
  });
  execFileSync("git", ["fast-import", "--quiet", "--force"], { cwd: root, input: commands.join("") });
  return git(root, "rev-parse", ...sets.map((_, index) => `refs/heads/${name}-${index + 1}`)).split("\n");
}

/** Two changesets: in different files, and in different places of one file; beside merging in a fresh worktree. */
async function decide(
  report: Report,
  workshop: Workshop,
  root: string,
  base: string,
  paths: readonly string[],
  files: Readonly<Record<string, string>>,
  count: number,
): Promise<void> {
  const pairs = Array.from({ length: count }, (_, index) => {
    const path = paths[index * 7] ?? "";
    const other = paths[index * 7 + 3] ?? "";
    const text = files[path] ?? "";
    const [top, bottom] = [`// top\n${text}`, `${text}// bottom\n`];
    // Every other pair meets in one file.
    const second = index % 2 === 0 ? { path, text: bottom } : { path: other, text: `${files[other]}// other\n` };
    return [[{ path, text: top }], [second]] as const;
  });
  const commits = commitEdits(root, base, pairs.flat(), "pair");
  const tookMs: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const [ours = "", theirs = ""] = commits.slice(index * 2, index * 2 + 2);
    const began = performance.now();
    const merge = await mergeTrees(workshop.git, workshop.vault, { base, ours, theirs });
    tookMs.push(performance.now() - began);
    if (merge.status !== "merged") throw new Error(`pair ${index} did not merge`);
  }
  const worktreeMs = Array.from({ length: 5 }, (_, index) =>
    mergeInWorktree(root, commits[index * 2] ?? "", commits[index * 2 + 1] ?? ""),
  );
  report.table(
    "the decision about two changesets, ms",
    ["way", "p50", "p99"],
    [
      ["in the vault's objects", quantile(tookMs, 0.5), quantile(tookMs, 0.99)],
      ["worktree add, merge, worktree remove", quantile(worktreeMs, 0.5), quantile(worktreeMs, 0.99)],
    ],
  );
  report.limit("merge decision, p50 ms", quantile(tookMs, 0.5), { atMost: 50, short: 150 });
  report.limit("merge decision, p99 ms", quantile(tookMs, 0.99), { atMost: 500, short: 1500 });
}

function mergeInWorktree(root: string, ours: string, theirs: string): number {
  const tree = `${root}-merge`;
  const began = performance.now();
  git(root, "worktree", "add", "--detach", "--quiet", tree, ours);
  git(tree, "merge", "--quiet", "--no-edit", theirs);
  git(root, "worktree", "remove", "--force", tree);
  return performance.now() - began;
}

/** Disjoint changesets onto one lane, with a commit each and one receipt; beside `git merge` of one after another. */
async function composeMany(
  report: Report,
  workshop: Workshop,
  root: string,
  base: string,
  changes: readonly string[],
  checkout: string,
): Promise<void> {
  const { git: runner, vault } = workshop;
  const candidates = changes.map((snapshot, index): Candidate => ({
    run: "bench",
    task: `t${index}`,
    attempt: 1,
    base,
    snapshot,
    intent: "edit three files",
  }));
  const ours: number[] = [];
  for (const round of [1, 2, 3]) {
    const id = `bench${changes.length}r${round}`;
    const began = performance.now();
    const composed = await composeChangesets(runner, vault, base, candidates, {
      landing: id,
      atSeconds: 1_700_000_000,
    });
    if (composed.landed.length !== changes.length) throw new Error("not all of them landed");
    const record = {
      target: { kind: "lane", name: `refs/lanes/${id}` } as const,
      before: base,
      after: composed.tip,
      tree: composed.tip,
      changesets: composed.landed.map(({ changeset }) => changeset),
      verification: { status: "unverified", tree: composed.tip, rulesFrom: base, commands: [], notices: [] } as const,
      notices: [],
      atMs: systemClock.wallMs(),
    };
    const commit = await writeReceipt(vault, "bench", id, record);
    const lane = vaultLane(runner, vault, `refs/lanes/${id}`);
    if (!(await lane.move(undefined, composed.tip, [{ ref: receiptRef(id), commit }])))
      throw new Error("the lane did not move");
    ours.push(performance.now() - began);
    if (round > 1) continue;
    const expected = git(
      root,
      "rev-parse",
      `${await mergeAll(root, base, changes, checkout, (ms) => (plainMs = ms))}^{tree}`,
    );
    const reached = await runner.text(vault.place, ["rev-parse", `${composed.tip}^{tree}`]);
    if (reached !== expected) throw new Error("git merge came to another tree");
  }
  const ratio = plainMs / median(ours);
  report.table(
    `${changes.length} disjoint changesets onto one lane, ms`,
    ["way", "ms", "times as fast"],
    [
      ["composed, a commit each, one receipt, one move", median(ours), ratio],
      ["git merge one by one, in a checkout", plainMs, 1],
    ],
  );
  if (changes.length === 512)
    report.limit("512 changesets, times as fast as git merge one by one", ratio, { atLeast: 20 });
  else
    report.limit(`${changes.length} changesets, times as fast as git merge one by one`, ratio, {
      atLeast: 8,
      short: 3,
    });
}

let plainMs = 0;

async function mergeAll(
  root: string,
  base: string,
  changes: readonly string[],
  checkout: string,
  took: (ms: number) => void,
): Promise<string> {
  git(root, "worktree", "add", "--detach", "--quiet", checkout, base);
  const began = performance.now();
  for (const change of changes) git(checkout, "merge", "--quiet", "--no-edit", change);
  took(performance.now() - began);
  const tip = git(checkout, "rev-parse", "HEAD");
  git(root, "worktree", "remove", "--force", checkout);
  rmSync(checkout, { recursive: true, force: true });
  return tip;
}

/** Moving a lane by compare-and-swap, through the one git that is kept for it. */
async function moveRef(
  report: Report,
  { git: runner, vault }: Workshop,
  base: string,
  changes: readonly string[],
  count: number,
): Promise<void> {
  const lane = vaultLane(runner, vault, "refs/lanes/moving");
  let at: string | undefined;
  const tookMs: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const to = index % 2 === 0 ? base : (changes[0] ?? "");
    const began = performance.now();
    await lane.move(at, to, []);
    tookMs.push(performance.now() - began);
    at = to;
  }
  report.table(
    "moving a lane, ms",
    ["", "p50", "p95"],
    [["update-ref --stdin", quantile(tookMs, 0.5), quantile(tookMs, 0.95)]],
  );
  report.limit("moving a lane, p50 ms", quantile(tookMs, 0.5), { atMost: 5, short: 15 });
}
