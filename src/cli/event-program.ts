import { addCommand, type Loader } from "./program.ts";

/** Adds the commands about events and triggers. */
export function addEventCommands(): void {
  const events = addCommand(
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
    .option("-a, --all", "events of all repositories")
    .option("--dead", "what was stopped or could not be delivered, and how to do it after all");

  addCommand(
    "replay <id>",
    "do after all what a dead letter is about",
    () => import("./commands/replay.ts"),
    `
Examples:
  anabranch events --dead
  anabranch events replay k3v9`,
    { parent: events },
  );

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

  addTriggers();
  addWebhooks();
}

function addTriggers(): void {
  const load: Loader = () => import("./commands/triggers.ts");
  const triggers = addCommand(
    "triggers",
    "list the triggers of this repository, and whether they act",
    load,
    `
Triggers stand in anabranch.yaml. They act only after you have agreed to them, and as long
as the file stays what you agreed to.

Examples:
  anabranch triggers                     the same as triggers ls
  anabranch triggers enable              look at them, and let them act
  anabranch triggers test event.json     what would fire on an event, and why not`,
    { words: ["ls"] },
  );
  addCommand("ls", "list the triggers of this repository", load, "\nExamples:\n  anabranch triggers ls --json", {
    parent: triggers,
    words: ["ls"],
  });
  addCommand(
    "show <name>",
    "show a trigger and what it has fired on",
    load,
    "\nExamples:\n  anabranch triggers show deploy",
    { parent: triggers, words: ["show"] },
  );
  addCommand(
    "test <event>",
    "show what would fire on an event, and why not, without anything happening",
    load,
    `
EVENT is a file that holds an event as JSON, or - for standard input.

Examples:
  anabranch triggers test event.json
  echo '{"type": "custom.release", "data": {"version": "1.4.0"}}' | anabranch triggers test -`,
    { parent: triggers, words: ["test"] },
  );
  addCommand(
    "enable",
    "let the triggers of this repository act; shows them and asks first",
    load,
    `
Examples:
  anabranch triggers enable
  anabranch triggers enable --yes     without being asked`,
    { parent: triggers, words: ["enable"] },
  ).option("--yes", "agree without being asked");
  addCommand("disable", "let none of them act any more", load, "\nExamples:\n  anabranch triggers disable", {
    parent: triggers,
    words: ["disable"],
  });
  addCommand(
    "pause <name>",
    "let one of them not fire for now",
    load,
    "\nExamples:\n  anabranch triggers pause deploy",
    { parent: triggers, words: ["pause"] },
  );
  addCommand("resume <name>", "let it fire again", load, "\nExamples:\n  anabranch triggers resume deploy", {
    parent: triggers,
    words: ["resume"],
  });
}

function addWebhooks(): void {
  const load: Loader = () => import("./commands/webhooks.ts");
  const webhooks = addCommand(
    "webhooks",
    "list the webhooks that triggers here wait for, and where they are called",
    load,
    `
They are served on this machine once config.yaml says where: webhooks: { port: 8787 }

Examples:
  anabranch webhooks --show               with their secrets
  anabranch webhooks rotate deploy        make another secret`,
  )
    .option("--show", "show their secrets")
    .option("-a, --all", "webhooks of all repositories");
  addCommand(
    "rotate <name>",
    "make another secret for a webhook; the old one is worth nothing from then on",
    load,
    `
Examples:
  anabranch webhooks rotate deploy --plain`,
    { parent: webhooks, words: ["rotate"] },
  );
}
