import { addCommand } from "./program.ts";

/** Adds the commands about events and triggers. */
export function addEventCommands(): void {
  addCommand(
    "events",
    "list what has happened, of the last hour; -f shows it as it happens",
    () => import("./commands/events.ts"),
    `
Examples:
  anabranch events --since 2d --type 'task.*'
  anabranch events -f                     from now on
  anabranch events --run @last --json`,
  )
    .option("-f, --follow", "go on with what happens from now on")
    .option("--since <when>", "events of so long ago, such as 1h, or after an event's number")
    .option("--run <id>", "only those of a run")
    .option("--type <glob>", "only those of a type, such as 'files.*'; give it again for more", (value, before) => [
      ...((before as string[] | undefined) ?? []),
      value,
    ])
    .option("-a, --all", "events of all repositories");

  addCommand(
    "emit <name>",
    "append an event of your own, which triggers may wait for",
    () => import("./commands/emit.ts"),
    `
Its type is custom.NAME. Inside a task it belongs to whatever led to that task.

Examples:
  anabranch emit release.cut --data '{"version": "1.4.0"}'
  anabranch emit report --data @report.json --key nightly-2027-01-31
  anabranch emit remind --in 30m`,
  )
    .option("--data <json>", "a JSON object, @FILE that holds one, or - for standard input")
    .option("--key <key>", "the same name and key make one event")
    .option("--in <duration>", "append it after so long")
    .option("--at <time>", "append it then, such as 2027-01-31T09:00:00Z");
}
