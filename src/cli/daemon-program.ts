import type { Command } from "commander";

import { act, addCommand, addCommon, program } from "./program.ts";

/** Adds the commands about the daemon and what it keeps. */
export function addDaemonCommands(): void {
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

  addDaemon();
}

function addDaemon(): void {
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
}

/** The commands by which the system starts the daemon by itself. */
function addServiceCommands(daemon: Command): void {
  for (const [name, about, help] of [
    [
      "install",
      "let systemd or launchd start it by itself, also after a reboot",
      `
It is a service of yours alone: a unit in ~/.config/systemd/user, or an agent in
~/Library/LaunchAgents. What it writes is said, and given again it changes nothing.

Examples:
  anabranch daemon install
  loginctl enable-linger      also while you are not logged in (Linux)`,
    ],
    [
      "uninstall",
      "undo that",
      `
Examples:
  anabranch daemon uninstall`,
    ],
  ] as const) {
    addCommand(name, about, () => import("./commands/service.ts"), help, { parent: daemon, words: [name] });
  }
}
