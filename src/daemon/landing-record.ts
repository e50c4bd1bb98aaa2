import { describeRefusal, type ClassRefusal } from "../landing/class-policy.ts";
import type { Composed } from "../landing/compose-changesets.ts";
import type { LandingRecord, SemanticHit } from "../landing/receipt.ts";
import { rulePaths } from "../landing/rules.ts";
import { isPassing, type Verification } from "../landing/verification.ts";
import type { Reason } from "../store/runs.ts";
import type { LandingOrder } from "./landing-order.ts";
import type { LiveRun } from "./live-run.ts";
import { noticesOf } from "./semantic-check.ts";

/** Why what fails verification does not land. */
export function failedReason({ commands, notices }: Verification, hits: readonly SemanticHit[] = []): Reason {
  const failed = commands.find((result) => !isPassing(result));
  const how =
    failed?.outcome === "timed-out"
      ? "ran out of time"
      : failed?.outcome === "missing"
        ? "was not found"
        : `ended with exit status ${failed?.status ?? "unknown"}`;
  return {
    code: "VERIFY_FAILED",
    message: `verification failed on the merged result: ${JSON.stringify(failed?.command ?? "")} ${how}${whyOf(hits)}`,
    hint: `look at ${failed?.log ?? "the log"}`,
    data: {
      command: failed?.command,
      status: failed?.status,
      log: failed?.log,
      ...(hits.length === 0 ? {} : { semantic: hits.slice(0, 20), notices }),
    },
  };
}

/** Why work that was put together does not land by itself, by the rules that hold now. */
export function uncertainReason(refused: ClassRefusal): Reason {
  return {
    code: "VERIFY_FAILED",
    message: `both sides of a file were merged, but ${describeRefusal(refused)}`,
    hint: "give anabranch.yaml a command to verify with, or another rule under merge:",
  };
}

/** What may be why: a place where its changes meet what has landed. */
function whyOf([first]: readonly SemanticHit[]): string {
  return first === undefined ? "" : `; perhaps because ${first.message}`;
}

/** What a landing is about to do, and what was proved of it. */
export function recordOf(
  { run, lane, base }: LandingOrder,
  before: string,
  composed: Composed,
  verification: Verification,
  about: readonly string[],
  atMs: number,
): LandingRecord {
  const changed = composed.landed.flatMap(({ candidate }) => pathsOf(run, candidate.task));
  const rules =
    base === undefined
      ? []
      : rulePaths(
          changed,
          verification.commands.map(({ command }) => command),
        );
  const flaky = verification.commands.filter(({ outcome }) => outcome === "flaky");
  return {
    target: { kind: lane.kind, name: lane.name },
    before,
    after: composed.tip,
    tree: verification.tree,
    changesets: composed.landed.map(({ changeset }) => changeset),
    verification,
    notices: [
      ...about,
      ...rules.map((path) => `${path} has a say in what verification runs, and is changed`),
      ...flaky.map(({ command }) => `${JSON.stringify(command)} failed once and then passed on the same tree`),
      ...verification.notices,
      ...noticesOf(composed.landed.flatMap(({ changeset }) => changeset.semantic ?? [])),
    ],
    atMs,
  };
}

function pathsOf(run: LiveRun, task: string): string[] {
  return run.tasks.get(task)?.attempt?.changeset?.changes.map(({ path }) => path) ?? [];
}
