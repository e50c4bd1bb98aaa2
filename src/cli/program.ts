import { Command, Option } from "commander";

import { printable } from "../base/printable.ts";
import { VERSION } from "../base/version.ts";
import type { CommandAction } from "./command.ts";

/** The command line as commander knows it; what each command does is loaded when it is given. */
export const program = addCommon(new Command("anabranch"))
  .description(
    "Runs commands and coding sub-agents in sync, in parallel, in the background and on events,\neach in its own snapshot of your repository.",
  )
  .version(VERSION, "-V, --version")
  .enablePositionalOptions()
  .configureOutput({ writeErr: (text) => void process.stderr.write(text.split("\n").map(printable).join("\n")) })
  .showHelpAfterError("(anabranch COMMAND --help tells more)")
  .configureHelp({ showGlobalOptions: false });

/** Loads what a command does. */
export type Loader = () => Promise<{ readonly action: CommandAction<never> }>;

/** Where a command belongs, and the words that it gives to what is loaded before its own. */
interface CommandPlace {
  readonly parent?: Command;
  readonly words?: readonly string[];
}

/** Adds a command with the options that all have. */
export function addCommand(
  usage: string,
  about: string,
  load: Loader,
  help: string,
  { parent = program, words = [] }: CommandPlace = {},
): Command {
  const command = addCommon(parent.command(usage).description(about)).addHelpText("after", help);
  act(command, load, words);
  return command;
}

/** Lets a command do what is loaded, with some words before its own. */
export function act(command: Command, load: Loader, fixed: readonly string[]): void {
  command.action(async () => {
    const { action } = await load();
    process.exitCode = await action([...fixed, ...command.args], optionsOf(command) as never);
  });
}

/** What was given before the command's name and after it; what nobody gave, only as a default. */
function optionsOf(command: Command): Record<string, unknown> {
  const levels = [command, ...(command.parent === null ? [] : [command.parent]), program];
  const given = levels.flatMap((level) =>
    Object.entries(level.opts()).filter(([name]) => level.getOptionValueSource(name) !== "default"),
  );
  return { ...command.opts(), ...Object.fromEntries(given.toReversed()) };
}

/** Adds the options that all commands have. */
export function addCommon(command: Command): Command {
  return command
    .option("--json", "answer with one JSON document")
    .option("--plain", "answer with one record a line")
    .option("-q, --quiet", "no progress and no notes")
    .option("--no-color", "no colours")
    .addOption(
      new Option("--progress <how>", "how progress is shown").choices(["auto", "tty", "plain", "json", "none"]),
    )
    .option("--home <folder>", "keep everything in this folder")
    .option("--debug", "print stack traces")
    .exitOverride();
}

/** Adds the options of what is to be run. */
export function addRunOptions(command: Command): Command {
  const collect = (value: string, before: string[] = []): string[] => [...before, value];
  return command
    .option("-t, --task <name=command>", "a task; give it again for more", collect)
    .option("-a, --agent <name>", "an agent, followed by -p; give both again for more", collect)
    .option("-p, --prompt <text>", "what the agent before it is asked", collect)
    .addOption(new Option("--mode <mode>", "how tasks start").choices(["auto", "parallel", "sequential"]))
    .addOption(
      new Option("--join <join>", "first: the first success ends the run; best-of-n: one lands").choices([
        "all",
        "first",
        "best-of-n",
      ]),
    )
    .addOption(
      new Option("--land <how>", "together: the work of all tasks lands, or none").choices(["each", "together"]),
    )
    .addOption(
      new Option("--red-base <what>", "when the base fails verification already").choices(["stop", "forbid-new"]),
    )
    .option("--target <branch>", "land on this branch instead of a lane of its own")
    .option("--parallel <count>", "at most so many at once")
    .option("--share", "tasks that write nothing share one workspace")
    .option("--no-share", "every task has a workspace of its own")
    .addOption(new Option("--writes <what>", "none: changes are reported and thrown away").choices(["none"]))
    .option("--base <commit>", "start from a commit instead of the current state")
    .option("--budget <parts>", "what it may use with all it starts: usd=2,tokens=500k,minutes=20,turns=30");
}
