/**
 * B10: pairs of changes that merge as texts and break together, each landed for real by a daemon on a repository of its
 * kind, beside pairs of the same shape that break nothing. TypeScript has no `verify`: the symbols and the repository's
 * own compiler have to do. Python has one.
 */
import { cpSync, mkdirSync, readdirSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";

import type { Anabranch, RunView } from "../src/index.ts";
import type { Bench } from "./bench.ts";
import { seeded } from "./random.ts";
import type { Report } from "./report.ts";
import { git, makeRepository, writeFiles } from "./repositories.ts";
import { openSandbox } from "./sandbox.ts";
import { drawNames } from "./semantic-names.ts";
import { PYTHON_CHECK, PYTHON_SHAPES } from "./semantic-pairs-python.ts";
import { TYPESCRIPT_SHAPES, type Files, type Pair, type Shape } from "./semantic-pairs.ts";

const TSCONFIG = JSON.stringify({
  compilerOptions: {
    strict: true,
    target: "ES2022",
    module: "ESNext",
    moduleResolution: "bundler",
    noImplicitReturns: true,
    types: [],
    skipLibCheck: true,
  },
  include: ["src", "db"],
});

/** What each kind of repository has besides a pair's own files. */
const KINDS: readonly {
  readonly name: string;
  readonly shapes: readonly Shape[];
  readonly common: Readonly<Record<string, string>>;
}[] = [
  {
    name: "TypeScript",
    shapes: TYPESCRIPT_SHAPES,
    common: { ".gitignore": "node_modules\n", "tsconfig.json": TSCONFIG },
  },
  {
    name: "Python",
    shapes: PYTHON_SHAPES,
    common: { "pkg/__init__.py": "", "check.py": PYTHON_CHECK, "anabranch.yaml": "verify: python3 check.py\n" },
  },
];

export const cleanButWrong: Bench = {
  name: "clean-but-wrong",
  about: "B10: changes that merge as texts and break together, and such that do not",
  async run(report, { short, seed = 1, folder }) {
    const sandbox = openSandbox(join(folder, "home"), 2);
    const client = sandbox.client();
    try {
      for (const kind of KINDS) {
        if (kind.name === "Python" && !hasPython()) {
          report.note("there is no python3 here: no pairs of Python");
          continue;
        }
        const root = makeRepository(join(folder, kind.name), kind.common);
        if (kind.name === "TypeScript") installCompiler(root);
        const shapes = short ? kind.shapes.filter((_shape, index) => index % 4 === seed % 4) : kind.shapes;
        const pairs = shapes.map((shape, index) => shape(drawNames(seeded(seed * 1000 + index))));
        await judgePairs(report, client, root, kind, pairs);
      }
    } finally {
      const left = await sandbox.close();
      report.limit("processes left behind", left.length, { atMost: 0 });
    }
  },
};

function hasPython(): boolean {
  try {
    execFileSync("python3", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** The compiler of this project, as a repository has it, and two small packages. */
function installCompiler(root: string): void {
  const [from, to] = [resolve("node_modules/typescript"), join(root, "node_modules/typescript")];
  mkdirSync(join(to, "lib"), { recursive: true });
  for (const name of ["package.json", "bin"]) cpSync(join(from, name), join(to, name), { recursive: true });
  for (const name of readdirSync(join(from, "lib")).filter((one) => /^_?tsc\.js$|^lib\..*\.d\.ts$/.test(one))) {
    cpSync(join(from, "lib", name), join(to, "lib", name));
  }
  for (const [name, what] of [
    ["padding", "pad"],
    ["wrapping", "wrap"],
  ] as const) {
    writeFiles(join(root, "node_modules", name), {
      "package.json": JSON.stringify({ name, version: "1.0.0", types: "index.d.ts" }),
      "index.d.ts": `export declare function ${what}(text: string): string;\n`,
    });
  }
}

async function judgePairs(
  report: Report,
  client: Anabranch,
  root: string,
  { name, common }: (typeof KINDS)[number],
  pairs: readonly Pair[],
): Promise<void> {
  const rows: string[][] = [];
  const counts = { landed: 0, refused: 0, missed: 0 };
  for (const [index, pair] of pairs.entries()) {
    const commits = commitPair(root, { ...common }, pair, `pair-${index}`);
    const broken = await landBoth(client, root, commits.base, commits.ours, commits.theirs);
    const harmless = await landBoth(client, root, commits.base, commits.ours, commits.harmless);
    const [caught, stopped] = [rungOf(broken), rungOf(harmless)];
    if (caught === undefined) counts.landed += 1;
    if (caught === "verify alone") counts.missed += 1;
    if (stopped !== undefined) counts.refused += 1;
    rows.push([pair.shape, caught ?? "LANDED", stopped === undefined ? meetings(harmless) : `REFUSED by ${stopped}`]);
    report.keep(`${name}: ${pair.shape}`, { caught, stopped, why: reasonsOf(broken), twin: reasonsOf(harmless) });
  }
  report.table(
    `${name}: what stops each pair first, and what becomes of its harmless twin`,
    ["shape", "stopped by", "twin"],
    rows,
  );
  report.limit(`${name}: broken pairs that landed`, counts.landed, { atMost: 0 });
  report.limit(`${name}: harmless twins refused`, counts.refused, { atMost: 1 });
  report.limit(`${name}: broken pairs not flagged before verification, %`, (100 * counts.missed) / pairs.length, {
    atMost: 5,
  });
}

/** The commits of a pair, made without touching the working tree. */
function commitPair(
  root: string,
  common: Files,
  pair: Pair,
  name: string,
): Readonly<Record<"base" | "ours" | "theirs" | "harmless", string>> {
  const refs = ["base", "ours", "theirs", "harmless"] as const;
  const who = "Ada <ada@example.org> 1700000000 +0000";
  const commands = refs.map((one) => {
    const files = one === "base" ? { ...common, ...pair.base } : pair[one];
    const entries = Object.entries(files).map(([path, text]) =>
      text === null ? `D ${path}\n` : `M 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`,
    );
    const from = one === "base" ? "" : `from refs/heads/${name}-base\n`;
    return `commit refs/heads/${name}-${one}\ncommitter ${who}\ndata ${one.length}\n${one}\n${from}${entries.join("")}\n`;
  });
  execFileSync("git", ["fast-import", "--quiet", "--force"], { cwd: root, input: commands.join("") });
  const [base = "", ours = "", theirs = "", harmless = ""] = git(
    root,
    "rev-parse",
    ...refs.map((one) => `${name}-${one}`),
  ).split("\n");
  return { base, ours, theirs, harmless };
}

/** Two tasks, each of which leaves one of the changes, on one base. */
async function landBoth(client: Anabranch, root: string, base: string, ours: string, theirs: string): Promise<RunView> {
  const become = (commit: string): string => `git read-tree -m -u HEAD ${commit}`;
  const run = await client.start({
    directory: root,
    base,
    mode: "parallel",
    tasks: { ours: become(ours), theirs: become(theirs) },
  });
  return run.wait();
}

/** What kept one of the two from landing; nothing where both landed. */
function rungOf(view: RunView): string | undefined {
  const failed = view.taskList.find(({ outcome }) => outcome !== "succeeded");
  if (failed === undefined) return undefined;
  const kinds = view.conflicts.flatMap(({ paths }) => paths.map(({ kind }) => kind));
  if (kinds.length > 0) return kinds.includes("semantic") ? "symbols" : `text: ${kinds.join()}`;
  const { code = "?", data = {} } = failed.reason ?? {};
  if (code !== "VERIFY_FAILED") return `${code}: ${failed.reason?.message ?? ""}`;
  const hits = (data["semantic"] ?? []) as { readonly isCertain: boolean }[];
  if (hits.length === 0) return "verify alone";
  const by = String(data["command"]).includes("tsc") ? "the compiler" : "verify";
  return `${hits.some(({ isCertain }) => isCertain) ? "symbols, certain" : "symbols, perhaps"}; then ${by}`;
}

function meetings({ landings }: RunView): string {
  const said = landings.flatMap(({ notices }) => notices).filter((notice) => notice.startsWith("merged, but look"));
  return said.length === 0 ? "landed" : `landed, ${said.length} noted`;
}

function reasonsOf(view: RunView): string[] {
  return [
    ...view.taskList.flatMap(({ name, reason }) => (reason === undefined ? [] : [`${name}: ${reason.message}`])),
    ...view.landings.flatMap(({ notices }) => notices),
  ];
}
