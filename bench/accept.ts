/**
 * What it takes to bring a run into the user's working tree: a hundred files of ten thousand, through the whole program,
 * on a clean tree (commits on the branch) and on one with changes (unstaged edits).
 */
import { appendFileSync } from "node:fs";
import { join } from "node:path";

import type { Bench } from "./bench.ts";
import { git, makeRepository, manyFiles } from "./repositories.ts";
import { openSandbox } from "./sandbox.ts";
import { median, quantile } from "./statistics.ts";

const FILES = 100;

export const accept: Bench = {
  name: "accept",
  about: "100 of 10,000 files brought into the working tree, beside git merge of the same",
  async run(report, { short, folder }) {
    const files = manyFiles(short ? 2000 : 10_000);
    const root = makeRepository(join(folder, "repository"), files);
    const paths = Object.keys(files);
    const sandbox = openSandbox(join(folder, "home"), 4);
    const client = sandbox.client();
    const rounds = short ? 3 : 7;
    const [cleanMs, dirtyMs, mergeMs]: [number[], number[], number[]] = [[], [], []];
    try {
      for (let round = 0; round < rounds; round += 1) {
        for (const dirty of [false, true]) {
          const id = await change(client, root, paths, `${round} ${dirty}`);
          // A change of the user's in a file that the run has not touched.
          if (dirty) appendFileSync(join(root, paths[1] ?? ""), "// mine\n");
          const began = performance.now();
          const done = await client.ask("accept", { id, directory: root, environment: {} });
          (dirty ? dirtyMs : cleanMs).push(performance.now() - began);
          if (done.written.length !== FILES) throw new Error(`${done.written.length} files were written`);
          git(root, "checkout", "--quiet", "--", ".");
        }
        mergeMs.push(mergeOf(root, paths, round));
      }
    } finally {
      const left = await sandbox.close();
      report.limit("processes left behind", left.length, { atMost: 0 });
    }
    report.table(
      `accept of ${FILES} of ${paths.length} files, nothing to verify, ms`,
      ["", "p50", "worst"],
      [
        ["clean tree, one commit", median(cleanMs), quantile(cleanMs, 1)],
        ["tree with changes", median(dirtyMs), quantile(dirtyMs, 1)],
        ["git merge of the same, in a checkout", median(mergeMs), quantile(mergeMs, 1)],
      ],
    );
    report.limit("accept of 100 files, clean tree, p50 ms", median(cleanMs), { atMost: 300, short: 3000 });
    report.limit("accept of 100 files, tree with changes, p50 ms", median(dirtyMs), { atMost: 300, short: 3000 });
  },
};

/** A run whose only task edits the files; ended, and its workspace given back. */
async function change(
  client: ReturnType<ReturnType<typeof openSandbox>["client"]>,
  root: string,
  paths: readonly string[],
  words: string,
): Promise<string> {
  const chosen = Array.from({ length: FILES }, (_, index) => paths[index * Math.floor(paths.length / FILES)] ?? "");
  const run = `for file in ${chosen.join(" ")}; do echo '// ${words}' >> $file; done`;
  const { id } = await client.start({ directory: root, tasks: { edit: { run } } });
  await client.ask("wait", { ids: [id] });
  const view = await client.ask("show", { id });
  if (view.outcome !== "succeeded") throw new Error(`the run ${view.outcome}`);
  return id;
}

function mergeOf(root: string, paths: readonly string[], round: number): number {
  git(root, "checkout", "--quiet", "-b", `merge-${round}`);
  for (let index = 0; index < FILES; index += 1) {
    appendFileSync(join(root, paths[index * Math.floor(paths.length / FILES)] ?? ""), `// merge ${round}\n`);
  }
  git(root, "commit", "--quiet", "--all", "-m", "change");
  git(root, "checkout", "--quiet", "main");
  const began = performance.now();
  git(root, "merge", "--quiet", "--no-ff", "--no-edit", `merge-${round}`);
  return performance.now() - began;
}
