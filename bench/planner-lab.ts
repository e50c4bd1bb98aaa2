import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";

import type { Anabranch, StartOptions } from "../src/index.ts";
import type { PlanView } from "../src/protocol/views.ts";
import { openSqliteStore } from "../src/store/sqlite.ts";
import type { PlannerCase, RepositoryKind, Work } from "./planner-cases.ts";
import { git, makeRepository, manyFiles, writeFiles } from "./repositories.ts";
import { openSandbox, type Sandbox } from "./sandbox.ts";

/** The most tasks that the daemon of the lab lets run at once. */
export const MOST_AT_ONCE = 8;

type Start = Pick<StartOptions, "tasks" | "mode" | "parallel" | "share">;

/** A daemon, and a repository for each case. */
export class Lab {
  readonly #folder: string;
  readonly #sandbox: Sandbox;
  readonly #client: Anabranch;
  readonly #templates = new Map<RepositoryKind, string>();
  #cases = 0;
  #moves = 0;

  constructor(folder: string) {
    this.#folder = folder;
    this.#sandbox = openSandbox(join(folder, "home"), MOST_AT_ONCE);
    this.#client = this.#sandbox.client();
  }

  close(): Promise<string[]> {
    return this.#sandbox.close();
  }

  /** Makes the repository of a case; removing it is the caller's. */
  makeRoot(kind: RepositoryKind): string {
    const template = this.#templates.get(kind) ?? makeTemplate(join(this.#folder, `template-${kind}`), kind);
    this.#templates.set(kind, template);
    this.#cases += 1;
    const root = join(this.#folder, `case-${this.#cases}`);
    execFileSync("cp", ["-a", template, root]);
    git(root, "update-index", "-q", "--refresh");
    return root;
  }

  /** Fills as many workspaces as a case can use at once. */
  async warm(root: string, count: number): Promise<void> {
    const names = Array.from({ length: Math.min(count, MOST_AT_ONCE) }, (_, index) => `fill${index}`);
    const task = (name: string) => ({ run: `: ${name}; sleep 0.5`, writes: "none" as const });
    await this.run(root, {
      tasks: Object.fromEntries(names.map((name) => [name, task(name)])),
      mode: "parallel",
      share: false,
    });
  }

  /** Brings the pool into the state in which a case finds it. */
  async setPool(root: string, { pool }: PlannerCase): Promise<void> {
    if (pool === "cold") await this.#removeWorkspaces();
    if (pool === "few") await this.#client.ask("gc", { confirm: true });
    if (pool === "moved") this.#moveBase(root);
  }

  /** What `auto` would do now. */
  plan(root: string, one: PlannerCase): Promise<PlanView> {
    return this.#client.plan({ directory: root, tasks: one.tasks, mode: "auto" });
  }

  /** Runs tasks and returns how long they took, from the run's start to its end; waits until workspaces are back. */
  async run(root: string, start: Start): Promise<number> {
    const { id } = await this.#client.start({ directory: root, ...start });
    await this.#client.ask("wait", { ids: [id] });
    const view = await this.#client.ask("show", { id });
    if (view.outcome !== "succeeded") throw new Error(`a run ${view.outcome} in ${root}`);
    return view.times.wallMs;
  }

  #moveBase(root: string): void {
    this.#moves += 1;
    const paths = Array.from({ length: 20 }, (_, index) => `moved/file${index}.txt`);
    writeFiles(root, Object.fromEntries(paths.map((path) => [path, `${this.#moves}\n`])));
    git(root, "add", "--all");
    git(root, "commit", "--quiet", "-m", `move ${this.#moves}`);
  }

  /** As if no workspace had ever been filled; what is remembered of their cost stays. */
  async #removeWorkspaces(): Promise<void> {
    await this.#sandbox.stopDaemon();
    const state = join(this.#sandbox.folder, "state");
    const store = openSqliteStore(join(state, "anabranch.db"));
    const rows = await store.read("select distinct repository_id as id from workspaces");
    await store.commit([{ sql: "delete from ports" }, { sql: "delete from workspaces" }]);
    await store.close();
    for (const { id } of rows) {
      rmSync(join(state, "repositories", String(id), "workspaces"), { recursive: true, force: true });
    }
    await this.#client.ask("status", {});
  }
}

const HEAVY_FILES = { tracked: 400, installed: 800 };
const LARGE_FILES = 1500;

function makeTemplate(root: string, kind: RepositoryKind): string {
  if (kind === "cheap") return makeRepository(root, manyFiles(30));
  if (kind === "large") return makeRepository(root, manyFiles(LARGE_FILES));
  makeRepository(root, {
    ...manyFiles(HEAVY_FILES.tracked),
    ".gitignore": "node_modules/\n",
    "package-lock.json": "{}\n",
  });
  const installed = Object.entries(manyFiles(HEAVY_FILES.installed));
  writeFiles(join(root, "node_modules"), {
    ...Object.fromEntries(installed),
    ".package-lock.json": "{}\n",
  });
  return root;
}

/** The commands of the cases, for a machine whose shell counts so far in a millisecond. */
export function makeWork(loopsPerMs: number): Work {
  const count = (ms: number): string => `i=0; while [ $i -lt ${Math.round(ms * loopsPerMs)} ]; do i=$((i+1)); done`;
  const seconds = (ms: number): string => (ms / 1000).toFixed(3);
  return {
    wait: (ms) => `sleep ${seconds(ms)}`,
    burn: count,
    burnTwo: (ms) => `( ${count(ms)} ) & ( ${count(ms)} ) & wait`,
    half: (ms) => `${count(ms / 2)}; sleep ${seconds(ms / 2)}`,
    files: (files) => `d=$(mktemp -d); i=0; while [ $i -lt ${files} ]; do echo $i > $d/$i; i=$((i+1)); done; rm -r $d`,
    flush: (megabytes) => `f=$(mktemp); dd if=/dev/zero of=$f bs=1M count=${megabytes} conv=fsync 2> /dev/null; rm $f`,
  };
}

/** How far the shell counts in a millisecond on this machine: the best of a few tries. */
export function measureLoops(): number {
  const loops = 200_000;
  const tries = Array.from({ length: 5 }, () => {
    const beganMs = performance.now();
    execFileSync("/bin/sh", ["-c", `i=0; while [ $i -lt ${loops} ]; do i=$((i+1)); done`]);
    return performance.now() - beganMs;
  });
  return loops / Math.min(...tries);
}
