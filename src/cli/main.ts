#!/usr/bin/env node
import { CommanderError, Option, type Command } from "commander";

import { AGENT_KINDS, MESSAGE_TIMINGS } from "../engine/agent.ts";
import { addBackgroundCommands, addServiceCommands } from "./background-program.ts";
import { addEventCommands } from "./event-program.ts";
import { addMergeCommands } from "./merge-program.ts";
import { act, addCommand, addCommon, addRunOptions, program } from "./program.ts";

addCommand(
  "init",
  "write an anabranch.yaml for this repository",
  () => import("./commands/init.ts"),
  `
Examples:
  anabranch init
  anabranch init --print     only show what would be written`,
).option("--print", "show it instead of writing it");

addRunOptions(
  addCommand(
    "run [workflow]",
    "run a workflow, or tasks given here, and wait for the result",
    () => import("./commands/run.ts"),
    `
Examples:
  anabranch run check
  anabranch run -t tests='npm test' -t lint='npm run lint'
  anabranch run -t build=make -t check='make check' --mode sequential
  anabranch run -t a='./solve --fast' -t b='./solve --deep' --join first
  anabranch run -a reviewer -p "review the last commit" --writes none
  anabranch run -a claude -p "mend the parser" -a codex -p "mend the parser" --join best-of-n
While it runs: d detaches, Ctrl-C stops it in order, a second Ctrl-C at once.`,
  ),
).option("--detach", "start it, print its id and return");

addRunOptions(
  addCommand(
    "spawn [workflow]",
    "start a run in the background and print its id",
    () => import("./commands/spawn.ts"),
    `
Examples:
  anabranch spawn -t tests='npm test'
  anabranch wait $(anabranch spawn check)`,
  ),
);

addRunOptions(
  addCommand(
    "plan [workflow]",
    "show what run would do, and why, without doing it",
    () => import("./commands/plan.ts"),
    `
Examples:
  anabranch plan check
  anabranch plan -t tests='npm test' -t lint='npm run lint' --json`,
  ),
);

const fork = addCommand(
  "fork [source]",
  "copy a conversation into a workspace of its own, and let the copy go off",
  () => import("./commands/fork.ts"),
  `
The copy begins with everything that was said and with the files as they are now. SOURCE is
a task of ours, at work or ended, or the id of a conversation that you had with an agent
yourself; without it, the newest one in this folder. What that will cost is said first.

Examples:
  anabranch fork -p "write the changelog"          your own session here goes on undisturbed
  anabranch fork k3v9/fix -p "try it without the cache" -p "try it with a larger one"
  anabranch fork --estimate                        only what it would cost`,
)
  .option(
    "-p, --prompt <text>",
    "what the copy is asked; give it again for more copies",
    (value: string, before: string[] = []) => [...before, value],
  )
  .option("--estimate", "only say what it would cost")
  .option("--wait", "show it and wait for the result")
  .addOption(new Option("--writes <what>", "none: changes are reported and thrown away").choices(["none"]));
fork.addOption(new Option("--kind <kind>", "whose conversations are looked through").choices(AGENT_KINDS));

addCommand(
  "message <task> <text>",
  "say something to an agent at work",
  () => import("./commands/message.ts"),
  `
Examples:
  anabranch message k3v9/fix "the tests moved to test/unit"
  anabranch message k3v9/fix "stop, do the parser first" --when now`,
).addOption(
  new Option("--when <when>", "next: with the result of its tool; now: end its turn first; later: after it").choices(
    MESSAGE_TIMINGS,
  ),
);

addCommand(
  "approve [id]",
  "say yes to what waits for you; without an id, list all of it",
  () => import("./commands/approve.ts"),
  `
Examples:
  anabranch approve              what waits
  anabranch approve k3v9/fix`,
).option("-a, --all", "what waits in all repositories");

addCommand(
  "deny <id>",
  "say no to what waits for you",
  () => import("./commands/deny.ts"),
  `
Examples:
  anabranch deny k3v9/fix --reason "not on the main branch"`,
).option("--reason <text>", "told to whoever asked");

addCommand(
  "ls",
  "list what needs you, what goes on and why it waits, and what has ended last",
  () => import("./commands/ls.ts"),
  `
Examples:
  anabranch ls
  anabranch ls --all --limit 100 --json`,
)
  .option("-a, --all", "runs of all repositories")
  .option("-n, --limit <count>", "how many", "20");

addCommand(
  "show [id]",
  "show a run with its tasks, times and changes",
  () => import("./commands/show.ts"),
  `
Examples:
  anabranch show             the newest run
  anabranch show k3v9        any unique start of an id
  anabranch show @last~1     the run before the last`,
);

addCommand(
  "logs <id>",
  "print what a task, or all tasks of a run, printed",
  () => import("./commands/logs.ts"),
  `
Examples:
  anabranch logs @last/tests
  anabranch logs -f k3v9
  anabranch logs k3v9/scan --output > scan.json`,
)
  .option("-f, --follow", "go on until the task ends")
  .option("--output", "only standard output, of a task with output: text or json")
  .option("--attempt <number>", "an earlier attempt")
  .option("--raw", "every byte as it was printed, control characters too");

addCommand(
  "wait <ids...>",
  "wait until runs or tasks have ended",
  () => import("./commands/wait.ts"),
  `
Examples:
  anabranch wait @last
  anabranch wait k3v9 m2x8 --any --timeout 10m`,
)
  .option("--any", "until the first of them has")
  .option("--all", "until all of them have, which is the default")
  .option("--timeout <duration>", "give up waiting after this long (they go on)");

addCommand(
  "cancel <id>",
  "stop a run with everything it started, or one task",
  () => import("./commands/cancel.ts"),
  `
Examples:
  anabranch cancel @last
  anabranch cancel k3v9/tests --force`,
).option("--force", "at once, without giving it time to clean up");

addCommand(
  "diff <id>",
  "show what a task changed, or everything of a run that landed",
  () => import("./commands/diff.ts"),
  `
Examples:
  anabranch diff @last
  anabranch diff @last/fix
  anabranch diff k3v9/fix --stat`,
)
  .option("--stat", "only how many lines of which files")
  .option("--names", "only the names of the files");

addCommand(
  "accept <run>",
  "bring what a run has landed into your working tree and onto your branch",
  () => import("./commands/accept.ts"),
  `
Where no tracked file of yours has uncommitted changes, each changeset becomes a commit
on your branch; else your files are changed, and nothing is staged or committed. What is
merged is verified first, as a whole. Files you have edited since are never overwritten:
then nothing is written, and they are listed. Your hooks do not run.

Examples:
  anabranch accept @last
  anabranch accept --undo @last    while nothing else has changed`,
).option("--undo", "take it back, byte for byte");

const conflicts = addConflicts(
  "conflicts",
  "list what could not be merged and waits for a decision",
  "list",
  `
Examples:
  anabranch conflicts                        those of this repository
  anabranch conflicts show h4t2              both sides, and the ways on
  anabranch conflicts open h4t2              fix it in a workspace, then: anabranch land h4t2
  anabranch conflicts take theirs h4t2       the task's side of every path
  anabranch conflicts abort h4t2             give it up; the changeset stays in the vault
  anabranch conflicts --predict              what tasks at work have changed by now, and will conflict
  anabranch conflicts --predict @last        of one run`,
)
  .option("-a, --all", "conflicts of all repositories")
  .option("--predict [run]", "which tasks at work will conflict");

addConflicts(
  "show <id>",
  "show both sides of a conflict, who wanted what, and the ways on",
  "show",
  `
Examples:
  anabranch conflicts show h4t2
  anabranch conflicts show h4t2 --full       every file and line`,
  conflicts,
).option("--full", "every file and line, however many there are");

addConflicts(
  "open <id>",
  "open a workspace to fix a conflict in, and print its folder",
  "open",
  `
Everything that merges is merged there; where it does not, both sides stand between
markers. When it is fixed: anabranch land ID. Opened again it is the same folder.

Examples:
  cd $(anabranch conflicts open h4t2 --plain)`,
  conflicts,
);

addConflicts(
  "take <side> <id> [path]",
  "take a side of a conflict: ours is what has landed, theirs is the task's",
  "take",
  `
Without a path, of all its paths. When every path has a side it lands, and the receipt
names what was dropped and that a person said so.

Examples:
  anabranch conflicts take theirs h4t2
  anabranch conflicts take ours h4t2 src/a.ts`,
  conflicts,
);

addConflicts(
  "abort <id>",
  "give a conflict up; the changeset and what was made of it stay in the vault",
  "abort",
  `
Examples:
  anabranch conflicts abort h4t2`,
  conflicts,
);

addCommand(
  "land <id>",
  "land a conflict that was fixed, or a task's work that has not landed",
  () => import("./commands/land.ts"),
  `
It is merged and verified like everything that lands. How the task ended stays as it is.

Examples:
  anabranch land h4t2           a conflict, fixed in the workspace that was opened for it
  anabranch land k3v9/fix       a task that failed, was cancelled or did not pass verification`,
);

addCommand(
  "audit [run]",
  "prove again what every receipt says, from the objects in the vault alone",
  () => import("./commands/audit.ts"),
  `
Ends with status 6 when one is not proved.

Examples:
  anabranch audit
  anabranch audit @last --json`,
);

const agents = addAgents(
  "agents",
  "list the agents that can be named here, and whether they can run",
  "ls",
  `
Agents are those of anabranch.yaml, of .claude/agents in the repository and in your home,
and the kinds themselves.

Examples:
  anabranch agents                          the same as agents ls
  anabranch agents show reviewer            everything that is known of it
  anabranch agents trust reviewer           agree to what it brings: tool servers, hooks, a program`,
);
addAgents(
  "ls",
  "list the agents that can be named here",
  "ls",
  `
Examples:
  anabranch agents ls --json`,
  agents,
);
addAgents(
  "show <name>",
  "show everything that is known of an agent",
  "show",
  `
Examples:
  anabranch agents show reviewer`,
  agents,
);
addAgents(
  "trust <name>",
  "agree to what an agent of this repository brings; asks first",
  "trust",
  `
It holds until what the agent brings changes.

Examples:
  anabranch agents trust reviewer
  anabranch agents trust reviewer --yes     without being asked`,
  agents,
).option("--yes", "agree without being asked");

addCommand(
  "leases",
  "list who alone may write where, and until when",
  () => import("./commands/leases.ts"),
  `
A task with "exclusive: true" has a lease of what it says it "writes:".

Examples:
  anabranch leases
  anabranch leases --json`,
);

addCommand(
  "git [args...]",
  "run a read-only git command in the vault of this repository",
  () => import("./commands/git.ts"),
  `
Examples:
  anabranch git -- log --oneline --all
  anabranch git -- show refs/snapshots/k3v9x2mq7c0d/fix/1`,
).passThroughOptions();

addCommand(
  "gc",
  "show what is no longer needed, and with --yes remove it",
  () => import("./commands/gc.ts"),
  `
Examples:
  anabranch gc
  anabranch gc --yes --older-than 2d`,
)
  .option("--yes", "remove it")
  .option("--older-than <duration>", "runs that ended longer ago (default: 14d)");

addCommand(
  "doctor",
  "check everything that Anabranch rests on",
  () => import("./commands/doctor.ts"),
  `
Examples:
  anabranch doctor
  anabranch doctor --json`,
);

addCommand(
  "mcp",
  "serve a parent agent: tools to run agents with, on standard input and output (MCP)",
  () => import("./commands/mcp.ts"),
  `
It is started by the agent that uses it: docs/mcp.md has a line for each.

Examples:
  anabranch mcp
  claude mcp add anabranch -- anabranch mcp`,
);

const daemon = program
  .command("daemon")
  .description("see, start and stop the background process (it starts by itself)")
  .addHelpText(
    "after",
    `
Examples:
  anabranch daemon status
  anabranch daemon stop            running tasks go on; the next daemon takes them up
  anabranch daemon stop --cancel   running tasks are stopped first`,
  )
  .enablePositionalOptions();
for (const [name, about] of [
  ["start", "start it, if it does not run"],
  ["status", "tell whether it runs, since when, and what it does"],
  ["stop", "stop it; running tasks go on unless --cancel is given"],
  ["restart", "replace it; running tasks go on meanwhile"],
] as const) {
  const command = addCommon(daemon.command(name).description(about));
  if (name === "stop") command.option("--cancel", "stop all running tasks first");
  act(command, () => import("./commands/daemon.ts"), [name]);
}

addServiceCommands(daemon);
addBackgroundCommands();
addEventCommands();
addMergeCommands();

function addConflicts(usage: string, about: string, word: string, help: string, parent: Command = program): Command {
  const command = addCommon(parent.command(usage).description(about)).addHelpText("after", help);
  act(command, () => import("./commands/conflicts.ts"), [word]);
  return command;
}

function addAgents(usage: string, about: string, word: string, help: string, parent: Command = program): Command {
  const command = addCommon(parent.command(usage).description(about)).addHelpText("after", help);
  act(command, () => import("./commands/agents.ts"), [word]);
  return command;
}

try {
  await program.parseAsync();
} catch (cause) {
  const argv = new Set(process.argv);
  const isUsage = cause instanceof CommanderError;
  if (isUsage && (cause.exitCode === 0 || !argv.has("--json"))) process.exitCode = cause.exitCode === 0 ? 0 : 2;
  else {
    const [{ openTerminal }, { printFailure }, { AnabranchError }] = await Promise.all([
      import("./terminal.ts"),
      import("./failure.ts"),
      import("../base/errors.ts"),
    ]);
    const options = { json: argv.has("--json"), debug: argv.has("--debug"), color: !argv.has("--no-color") };
    const error = isUsage
      ? new AnabranchError("USAGE", { message: usageMessage(cause), hint: "anabranch COMMAND --help", cause })
      : cause;
    process.exitCode = printFailure(openTerminal(options, process.env), error);
  }
}

function usageMessage({ code, message }: CommanderError): string {
  return code === "commander.help" ? "a command is missing" : message.replace(/^error: /, "");
}
