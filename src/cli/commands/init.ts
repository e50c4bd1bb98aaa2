import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { AnabranchError } from "../../base/errors.ts";
import type { CommandAction } from "../command.ts";
import { openTerminal, answer } from "../terminal.ts";

/** `anabranch init`: writes an `anabranch.yaml` that fits what the repository holds. */
export const action: CommandAction<{ readonly print?: boolean }> = async (_args, options) => {
  const terminal = openTerminal(options, process.env);
  const root = findRoot(process.cwd());
  const path = join(root, "anabranch.yaml");
  const text = describe(root);
  if (options.print === true) {
    answer(terminal, { path, text }, () => text);
    return 0;
  }
  try {
    writeFileSync(path, text, { flag: "wx" });
  } catch (cause) {
    if (!existsSync(path)) throw cause;
    throw new AnabranchError("FILE_EXISTS", {
      message: `${path} is there already, and stays as it is`,
      hint: "see what init would write: anabranch init --print",
      cause,
    });
  }
  answer(terminal, { path, text }, () => `wrote ${path}; look it over, then: anabranch run check`);
  return 0;
};

function findRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, ".git"))) return folder;
    if (dirname(folder) === folder) break;
  }
  throw new AnabranchError("NOT_A_REPOSITORY", {
    message: `${start} is not inside a git repository`,
    hint: "git init && git commit, or cd into one",
  });
}

function describe(root: string): string {
  const tasks = findTasks(root);
  const lines = tasks.map(([name, command]) => `      ${name}: { run: ${JSON.stringify(command)}, writes: none }`);
  return `# What Anabranch runs here. All keys: docs/configuration.md
# agents: { reviewer: { from: .claude/agents/reviewer.md, kind: codex } }   # anabranch agents ls
workflows:
  check:                  # anabranch run check
    mode: auto            # auto | sequential | parallel
    tasks:                # writes: none → what a task changes is reported and thrown away
${lines.join("\n")}
`;
}

/** The checks a repository seems to have, by what its build files say. */
function findTasks(root: string): [name: string, command: string][] {
  const tasks: [string, string][] = [];
  const has = (path: string): boolean => existsSync(join(root, path));
  if (has("package.json")) tasks.push(...packageTasks(join(root, "package.json"), has));
  if (has("Cargo.toml")) tasks.push(["cargo-test", "cargo test"], ["cargo-clippy", "cargo clippy"]);
  if (has("go.mod")) tasks.push(["go-test", "go test ./..."], ["go-vet", "go vet ./..."]);
  if (has("pyproject.toml") || has("setup.py") || has("tox.ini")) tasks.push(["pytest", "python3 -m pytest"]);
  if (tasks.length === 0 && has("Makefile")) tasks.push(...makeTasks(join(root, "Makefile")));
  return tasks.length > 0 ? tasks : [["hello", "echo replace this with your checks"]];
}

const USUAL_SCRIPTS = ["test", "lint", "typecheck", "type-check", "check", "build"];

function packageTasks(path: string, has: (path: string) => boolean): [string, string][] {
  const runner = has("pnpm-lock.yaml") ? "pnpm" : has("yarn.lock") ? "yarn" : has("bun.lock") ? "bun" : "npm";
  let scripts: Record<string, unknown> = {};
  try {
    scripts = (JSON.parse(readFileSync(path, "utf8")) as { scripts?: Record<string, unknown> }).scripts ?? {};
  } catch {
    // A package.json that cannot be read has no scripts to offer.
  }
  return USUAL_SCRIPTS.filter((name) => typeof scripts[name] === "string").map((name) => [
    name,
    `${runner} run ${name}`,
  ]);
}

function makeTasks(path: string): [string, string][] {
  const text = readFileSync(path, "utf8");
  return ["test", "check", "lint"]
    .filter((name) => new RegExp(`^${name}:`, "m").test(text))
    .map((name) => [name, `make ${name}`]);
}
