import { addCommand } from "./program.ts";

/** Adds the commands that show runs, wait for them and stop them. */
export function addRunCommands(): void {
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
}
