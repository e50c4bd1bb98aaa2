// The main job, on this very repository: npm run demo
//
// Clones the repository into a temporary folder, runs real checks of it one after another and then at once, and starts
// a task in the background whose starter goes away. Needs no keys, changes nothing of yours, leaves nothing running.
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
      tests: { run: npx vitest run --project unit --shard=1/2 --maxWorkers=1, writes: none }
      waits: { run: "echo 'honestly waiting 8 s, as for the answer of a model'; sleep 8", writes: none }
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

  say("4. What all of this came to");
  console.log(anabranch("show", parallel.id));
  console.log(anabranch("show", id));
  console.log(anabranch("ls"));
  say(`Look around, then remove it all with: rm -r ${folder}
   the clone      ${clone} (git status there: ${gitStatus()})
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
  if (!existsSync(join(clone, "anabranch.yaml"))) writeFileSync(join(clone, "anabranch.yaml"), WORKFLOW);
}

function run(...args) {
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
  const failed = data.taskList.find((task) => task.outcome !== "succeeded");
  if (failed !== undefined)
    throw new Error(`${failed.name} ${failed.outcome}:\n${anabranch("logs", `${data.id}/${failed.name}`)}`);
  return data;
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

function gitStatus() {
  return execFileSync("git", ["status", "--short"], { cwd: clone, encoding: "utf8" }).trim() || "clean";
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

function say(text) {
  console.log(`\n${text}`);
}
