import { addCommand } from "./program.ts";

/** Adds the commands about work that goes on in the background. */
export function addBackgroundCommands(): void {
  addCommand(
    "attach <id>",
    "look at a run as it goes on, or at what a task prints, from now on",
    () => import("./commands/attach.ts"),
    `
d or Ctrl-C leaves it, and it goes on. Of a task, the last lines come first.

Examples:
  anabranch attach @last
  anabranch attach k3v9/dev-server`,
  ).option("-n, --lines <count>", "so many lines of what a task has printed by now", "40");

  addCommand(
    "adopt <run>",
    "make a run belong to the task that asks, or outside of tasks to you",
    () => import("./commands/adopt.ts"),
    `
From then on it is cancelled together with whoever has adopted it, what it uses counts in that
budget, and its outcome is told there. A task may adopt what it or its own runs have started,
and what belongs to no task at work. (When a task ends, what it has started is told to whoever
comes next above it, without being asked.)

Examples:
  anabranch adopt k3v9`,
  );

  addCommand(
    "inbox",
    "show what has ended, or needs you, that you were not told of yet",
    () => import("./commands/inbox.ts"),
    `
What was shown is read. Inside a task it is the inbox of that task: what the task has started.

Examples:
  anabranch inbox
  anabranch inbox --follow                  also what comes from now on
  anabranch inbox --read --limit 20         also what was read, the newest first`,
  )
    .option("-f, --follow", "wait for what comes next, and show that too")
    .option("--peek", "what is shown stays unread")
    .option("--read", "also what was read")
    .option("-a, --all", "of all repositories")
    .option("--limit <count>", "at most so many", "100");
}
