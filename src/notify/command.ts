import { existsSync } from "node:fs";
import { homedir } from "node:os";

import { AnabranchError } from "../base/errors.ts";
import { runProgram } from "../process/program.ts";
import { notTaken, type Notification } from "./target.ts";

const OUTPUT_CAP_BYTES = 1024 * 1024;

/**
 * Runs a command of the user's, with what happened as JSON on its standard input, and in its environment.
 * @throws {AnabranchError} `NOTIFY_FAILED`
 */
export async function runCommand(
  command: string,
  notification: Notification,
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<void> {
  const { status, stderr } = await runProgram({
    program: "/bin/sh",
    args: ["-c", command],
    cwd: existsSync(homedir()) ? homedir() : "/",
    environment: { ...environment, ...variablesOf(notification) },
    input: `${JSON.stringify(notification)}\n`,
    outputCapBytes: OUTPUT_CAP_BYTES,
    signal,
    group: true,
  }).catch((cause: unknown) => {
    if (signal.aborted) throw notTaken("the command took too long, and was ended");
    throw cause instanceof AnabranchError ? notTaken(cause.message) : cause;
  });
  if (status === 0) return;
  const words = stderr.trim().split("\n").at(-1) ?? "";
  throw notTaken(`the command ended with ${status ?? "a signal"}${words === "" ? "" : `: ${words.slice(0, 500)}`}`);
}

function variablesOf({ id, kind, title, run, task, command }: Notification): Record<string, string | undefined> {
  return {
    ANABRANCH_NOTIFY_ID: id,
    ANABRANCH_NOTIFY_KIND: kind,
    ANABRANCH_NOTIFY_TITLE: title,
    ANABRANCH_NOTIFY_RUN: run,
    ANABRANCH_NOTIFY_TASK: task,
    ANABRANCH_NOTIFY_COMMAND: command,
  };
}
