import { join } from "node:path";

import { AnabranchError } from "../base/errors.ts";
import { AT_ONCE, endProcesses } from "../process/ladder.ts";
import { readEnd } from "../process/output.ts";
import { launchShim, readExit, reserveAttempt } from "../process/shim.ts";
import { waitForExit } from "../process/watch.ts";
import { MARKER_VARIABLE } from "../protocol/wire.ts";
import { digest } from "../workspaces/dependencies.ts";
import type { Workspace } from "../workspaces/workspace.ts";
import type { Preparation } from "./preparation.ts";

/**
 * Runs the setup commands in a workspace, unless they ran there before for the same content of the lock files.
 *
 * @param doneFor what they last ran for there
 * @returns what they have now run for; `undefined` when there was nothing to do, or the task is no longer wanted
 * @throws {AnabranchError} `SETUP_FAILED`
 */
export async function runSetup(
  { parts, run, marker, folder, report, signal }: Preparation,
  workspace: Workspace,
  environment: Readonly<Record<string, string>>,
  doneFor: string | undefined,
): Promise<string | undefined> {
  const { setup, logCapBytes } = run.spec;
  if (setup.length === 0) return undefined;
  const key = digest([run.plan.lockKey, ...setup]);
  if (key === doneFor) return undefined;
  report(`setting up: ${setup.join(" && ")}`);
  const directory = join(folder, `setup-${parts.clock.monotonicMs().toFixed(0)}`);
  const command = ["set -e", ...setup].join("\n");
  reserveAttempt(directory);
  const { child, identity } = await launchShim(
    { directory, command, cwd: workspace.tree, environment, capBytes: logCapBytes, splitOutput: false },
    parts.clock,
  );
  const ended = await waitForExit({ directory, shim: identity, child }, parts.clock, signal);
  const processes = {
    directory,
    shim: identity,
    groupIsCurrent: true,
    marker: `${MARKER_VARIABLE}=${marker}`,
    controlGroup: undefined,
    workspace: undefined,
  };
  await endProcesses(processes, AT_ONCE, parts.clock);
  if (ended === "aborted") return undefined;
  requireSuccess(directory);
  return key;
}

function requireSuccess(directory: string): void {
  const status = readExit(directory)?.status;
  if (status === 0) return;
  const log = join(directory, "log");
  const lastLine = readEnd(directory, "log", 2000).text.trim().split("\n").at(-1) ?? "";
  throw new AnabranchError("SETUP_FAILED", {
    message: `setup ended with ${status === undefined ? "no exit status" : `exit status ${status}`}: ${lastLine}`,
    hint: `look at ${log}`,
    data: { log, status },
  });
}
