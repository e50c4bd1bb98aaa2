// The main job, on this very repository: npm run demo
//
// Clones the repository into a temporary folder, runs real checks of it one after another and then at once, starts a
// task in the background whose starter goes away, and lets several tasks change one repository at once: what fits lands,
// what conflicts is kept, what breaks the build stays out. Needs no keys, changes nothing of yours, leaves nothing
// running.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const PROJECT = resolve(import.meta.dirname, "..");
const CLI = join(PROJECT, "dist/cli.js");
const folder = mkdtempSync(join(tmpdir(), "anabranch-demo-"));
const clone = join(folder, "repository");
const environment = { ...process.env, ANABRANCH_HOME: join(folder, "home") };

// What the parallel run gains comes from two cores and from waiting: the last task stands for a model that thinks.
const WORKFLOW = `workflows:
  check:
    share: true
    tasks:
      types: { run: npx tsc --project ., writes: none }
      lint: { run: npx oxlint --threads=1, writes: none }
      tests: { run: npx vitest run --project unit --maxWorkers=1 test/unit/engine test/unit/workflows, writes: none }
      waits: { run: "echo 'honestly waiting 8 s, as for the answer of a model'; sleep 8", writes: none }
  change:
    mode: parallel
    tasks:
      words: { run: "sed -i.old '1s/first come, first served/in the order they came/' src/base/semaphore.ts && rm src/base/semaphore.ts.old" }
      width: { run: "{ echo; echo '/** How many run at once where nothing is said. */'; echo 'export const DEFAULT_WIDTH = 4;'; } >> src/base/semaphore.ts" }
      notes: { run: "echo '- A demo can change this file.' >> CONTRIBUTING.md" }
      rival: { run: "sleep 1; sed -i.old '1s/first come, first served/one after the other/' src/base/semaphore.ts && rm src/base/semaphore.ts.old" }
      break: { run: "sed -i.old 's/constructor(width: number)/constructor(width: string)/' src/base/semaphore.ts && rm src/base/semaphore.ts.old" }
verify: [npx tsc --project .]
`;

try {
  say(`A clone of this repository: ${clone}`);
  prepareClone();

  say("1. The checks one after another: anabranch run check --mode sequential");
  const sequential = run("check", "--mode", "sequential");

  say("2. The same checks at once: anabranch run check --mode parallel");
  const parallel = run("check", "--mode", "parallel");

  const gain = sequential.times.wallMs / parallel.times.wallMs;
  say(
    `   one after another ${seconds(sequential.times.wallMs)}, at once ${seconds(parallel.times.wallMs)}, spin-up included: ${gain.toFixed(1)} times as fast`,
  );

  say("3. A task in the background, whose starter ends: anabranch spawn -t history='…'");
  const id = await spawnAndLeave();
  console.log(anabranch("wait", id));

  say("4. Five tasks change the repository at once: anabranch run change");
  const change = runAnyhow("change");
  expectChange(change);
  console.log(anabranch("show", change.id));
  const [conflict] = change.conflicts;
  say(`5. What words and rival made of one line cannot both be kept: anabranch conflicts show ${conflict.id}`);
  console.log(anabranch("conflicts", "show", conflict.id));

  say(`6. What landed comes to the user's branch, verified once more: anabranch accept ${change.id}`);
  console.log(anabranch("accept", change.id));
  console.log(git("log", "--oneline", "-4"));
  console.log(anabranch("audit"));

  say("7. What all of this came to");
  console.log(anabranch("show", parallel.id));
  console.log(anabranch("show", id));
  console.log(anabranch("ls"));
  say(`Look around, then remove it all with: rm -r ${folder}
   the clone      ${clone} (git status there: ${git("status", "--short") || "clean"})
   logs           ${parallel.folder}
   the vault      ${parallel.vault}
   try            cd ${clone} && ANABRANCH_HOME=${environment.ANABRANCH_HOME} node ${CLI} show`);
} catch (cause) {
  console.error(`\nThe demo failed: ${cause.message}`);
  process.exitCode = 1;
} finally {
  anabranch("daemon", "stop", "--cancel");
}

function prepareClone() {
  execFileSync("git", ["clone", "--quiet", PROJECT, clone], { stdio: "inherit" });
  // The clone's dependencies are ours: the point is to run checks, not to install.
  execFileSync("cp", ["-R", join(PROJECT, "node_modules"), join(clone, "node_modules")]);
  writeFileSync(join(clone, "anabranch.yaml"), WORKFLOW);
  git("config", "user.name", "A user");
  git("config", "user.email", "user@example.org");
  git("add", "anabranch.yaml");
  git("commit", "--quiet", "-m", "Say how to check this repository");
}

function run(...args) {
  const data = runAnyhow(...args);
  const failed = data.taskList.find((task) => task.outcome !== "succeeded");
  if (failed !== undefined)
    throw new Error(`${failed.name} ${failed.outcome}:\n${anabranch("logs", `${data.id}/${failed.name}`)}`);
  return data;
}

function runAnyhow(...args) {
  const { stdout } = spawnSync(
    process.execPath,
    [CLI, "run", ...args, "--json", "--progress", process.stderr.isTTY ? "tty" : "none"],
    {
      ...inClone(),
      stdio: ["inherit", "pipe", "inherit"],
    },
  );
  const { data, error } = JSON.parse(stdout);
  if (error !== undefined) throw new Error(error.message);
  for (const task of data.taskList) {
    const { timings } = task.attempts.at(-1);
    const spinUp = seconds(timings.startedMs - timings.chosenMs);
    console.log(
      `   ${task.name.padEnd(6)} ${task.outcome.padEnd(9)}  spin-up ${spinUp}, ran ${seconds(timings.exitedMs - timings.startedMs)}`,
    );
  }
  return data;
}

/** The demo shows what it says only if exactly this happened. */
function expectChange({ taskList, conflicts }) {
  const reasons = Object.fromEntries(taskList.map((task) => [task.name, task.reason?.code ?? task.outcome]));
  const line = `${reasons.words} ${reasons.rival}`;
  const fits = reasons.width === "succeeded" && reasons.notes === "succeeded" && reasons.break === "VERIFY_FAILED";
  if (!fits || !/^(succeeded MERGE_CONFLICT|MERGE_CONFLICT succeeded)$/.test(line) || conflicts.length !== 1)
    throw new Error(`the tasks ended in another way: ${JSON.stringify(reasons)}`);
}

/** Starts a task from a process that has ended before the task does. */
async function spawnAndLeave() {
  const command =
    "echo started by a process that is gone; sleep 3; git log --oneline | head -5 > HISTORY.txt; wc -l HISTORY.txt";
  const starter = spawn(process.execPath, [CLI, "spawn", "-t", `history=${command}`], inClone());
  let printed = "";
  starter.stdout.on("data", (piece) => (printed += piece));
  await new Promise((done) => starter.on("close", done));
  const id = printed.trim();
  console.log(`   ${id}; its starter, process ${starter.pid}, has ended; ${anabranch("ls", "--plain").split("\n")[0]}`);
  return id;
}

function anabranch(...args) {
  const { stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], inClone());
  return `${stdout}${stderr}`;
}

function inClone() {
  return { cwd: existsSync(clone) ? clone : folder, env: environment, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 };
}

function git(...args) {
  return execFileSync("git", args, { cwd: clone, encoding: "utf8" }).trim();
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

function say(text) {
  console.log(`\n${text}`);
}
