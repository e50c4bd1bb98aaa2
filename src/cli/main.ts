#!/usr/bin/env node
import { CommanderError } from "commander";

import { addAgentCommands } from "./agent-program.ts";
import { addBackgroundCommands } from "./background-program.ts";
import { addConversationCommands } from "./conversation-program.ts";
import { addDaemonCommands } from "./daemon-program.ts";
import { addEventCommands } from "./event-program.ts";
import { addLandingCommands } from "./landing-program.ts";
import { addMergeCommands } from "./merge-program.ts";
import { program } from "./program.ts";
import { addRunCommands } from "./run-program.ts";
import { addStartCommands } from "./start-program.ts";

// Help lists them in this order.
addStartCommands();
addConversationCommands();
addRunCommands();
addLandingCommands();
addAgentCommands();
addDaemonCommands();
addBackgroundCommands();
addEventCommands();
addMergeCommands();

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
