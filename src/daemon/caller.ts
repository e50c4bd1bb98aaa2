import { AnabranchError } from "../base/errors.ts";
import { ancestryOf } from "../process/table.ts";
import { findAttemptByMarker } from "../store/attempts.ts";
import { findSessionOf } from "../store/sessions.ts";
import type { Parts } from "./parts.ts";

/** Who asks, as far as can be told: the headers of the request. */
export interface CallerClaims {
  readonly marker: string | undefined;
  /** An agent's own id of the conversation it is in. */
  readonly conversation: string | undefined;
  readonly pid: number | undefined;
}

/** The task a caller runs in. */
export interface CallingTask {
  readonly run: string;
  readonly task: string;
}

const VERIFYING = /^verify-([0-9a-z]+)-/;

/**
 * Finds the task that a caller runs in: by the marker it carries, by its conversation where a process that several
 * share carries none, or because it descends from a task's shim. This guards against accidents and against text that
 * talks an agent into something, not against hostile code of the user's.
 */
export async function findCaller(parts: Parts, claims: CallerClaims): Promise<CallingTask | undefined> {
  if (claims.marker !== undefined) {
    const attempt = await findAttemptByMarker(parts.store, claims.marker);
    if (attempt !== undefined) return { run: attempt.run, task: attempt.task };
    // Verification carries a marker too: whatever it starts may decide nothing either.
    const [, run] = VERIFYING.exec(claims.marker) ?? [];
    if (run !== undefined) return { run, task: "verification" };
  }
  if (claims.conversation !== undefined) {
    const session = await findSessionOf(parts.store, claims.conversation);
    if (session?.state === "open") return { run: session.run, task: session.task };
  }
  if (claims.pid === undefined) return undefined;
  const ancestors = new Set(ancestryOf(claims.pid));
  for (const run of parts.book.all()) {
    for (const { row, attempt } of run.tasks.values()) {
      const pid = attempt?.process?.pid;
      if (row.state === "working" && pid !== undefined && ancestors.has(pid)) return { run: row.run, task: row.name };
    }
  }
  return undefined;
}

/**
 * Refuses what a caller inside a task may never do.
 * @throws {AnabranchError} `NOT_ALLOWED_IN_TASK`
 */
export async function refuseInTask(parts: Parts, claims: CallerClaims, what: string): Promise<void> {
  const caller = await findCaller(parts, claims);
  if (caller === undefined) return;
  throw new AnabranchError("NOT_ALLOWED_IN_TASK", {
    message: `${what} is not for tasks: it was asked by task ${caller.task} of run ${caller.run}`,
    hint: `run it yourself, outside of the task: anabranch ${what}`,
    data: { ...caller },
  });
}

/**
 * The task that starts a run. One that was asked to stop, or is over, starts nothing more.
 * @throws {AnabranchError} `NOT_ALLOWED_IN_TASK`
 */
export async function findParent(parts: Parts, claims: CallerClaims): Promise<CallingTask | undefined> {
  const caller = await findCaller(parts, claims);
  if (caller === undefined) return undefined;
  const task = parts.book.get(caller.run)?.tasks.get(caller.task);
  if (task !== undefined && task.row.cancel === undefined && task.row.state !== "ended") return caller;
  throw new AnabranchError("NOT_ALLOWED_IN_TASK", {
    message: `task ${caller.task} of run ${caller.run} is being stopped or is over, and starts nothing more`,
    hint: "start it from outside of the task",
    data: { ...caller },
  });
}
