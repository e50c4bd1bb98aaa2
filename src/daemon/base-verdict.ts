import { isPassing } from "../landing/verification.ts";
import type { Reason, RunLanding } from "../store/runs.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import type { RunInputs } from "./run-files.ts";
import type { Verifier } from "./verifier.ts";

/** Verifies what a run starts from, once, and notes what that came to. */
export async function judgeBase(
  parts: Parts,
  verifier: Verifier,
  run: LiveRun,
  inputs: RunInputs,
): Promise<RunLanding> {
  if (run.row.landing.base !== undefined) return run.row.landing;
  const { status, commands } = await verifier.verify({
    row: run.row,
    inputs,
    commit: run.row.baseCommit,
    rulesFrom: run.row.baseCommit,
    thorough: run.row.spec.redBase === "forbid-new",
  });
  const failing = commands.filter((result) => !isPassing(result)).map(({ command, log }) => ({ command, log }));
  const base = status === "unverified" ? status : failing.length === 0 ? "green" : "red";
  await parts.book.change(run, (draft) => {
    draft.setLanding({ base, ...(failing.length === 0 ? {} : { failing }) });
    if (base === "red") draft.event("run.red-base", { failing, choice: run.row.spec.redBase });
  });
  return { ...run.row.landing, base, failing };
}

/** The commands that may fail, because they fail on the base already and the user has said that this is no reason. */
export function toleratedCommands(run: LiveRun, { failing = [] }: RunLanding): ReadonlySet<string> {
  return new Set(run.row.spec.redBase === "forbid-new" ? failing.map(({ command }) => command) : []);
}

/** Why nothing lands on a base that fails already, and the two ways on. */
export function redBaseReason({ failing = [] }: RunLanding): Reason {
  const commands = failing.map(({ command }) => JSON.stringify(command)).join(", ");
  return {
    code: "BASE_RED",
    message: `verification fails without any change: ${commands}`,
    hint: "mend it first, or run again with --red-base forbid-new to land what makes nothing else fail",
    data: { failing },
  };
}
