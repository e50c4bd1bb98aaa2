import { Option } from "commander";

import { AGENT_KINDS, MESSAGE_TIMINGS } from "../engine/agent.ts";
import { addCommand } from "./program.ts";

/** Adds the commands about what is said to agents, and what they and others ask. */
export function addConversationCommands(): void {
  addCommand(
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
    .addOption(new Option("--writes <what>", "none: changes are reported and thrown away").choices(["none"]))
    .addOption(new Option("--kind <kind>", "whose conversations are looked through").choices(AGENT_KINDS));

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
}
