import type { Outcome } from "../engine/task.ts";
import type { AttemptRow } from "../store/attempts.ts";
import type { Reason } from "../store/runs.ts";
import type { TaskRow } from "../store/tasks.ts";
import type { TaskSpec } from "../workflows/spec.ts";
import type { OutputVerdict } from "./task-results.ts";

/** How an attempt is judged. */
export interface Verdict {
  readonly outcome: Outcome;
  readonly reason: Reason | undefined;
}

/** Judges an attempt whose processes are all gone, from what was recorded of it alone. */
export function judgeAttempt(
  spec: TaskSpec,
  task: TaskRow,
  attempt: AttemptRow,
  output: OutputVerdict,
  trouble: Reason | undefined,
): Verdict {
  if (task.cancel !== undefined) return { outcome: "cancelled", reason: task.reason };
  if (trouble !== undefined) return { outcome: "failed", reason: trouble };
  if (attempt.state === "stopped") return { outcome: "failed", reason: timedOut(spec) };
  if (attempt.state === "lost" || attempt.exit === undefined) return { outcome: "lost", reason: LOST };
  if (attempt.exit.status !== 0) return { outcome: "failed", reason: exited(spec, attempt.exit.status) };
  return output.problem === undefined
    ? { outcome: "succeeded", reason: undefined }
    : { outcome: "failed", reason: output.problem };
}

const LOST: Reason = {
  code: "TASK_LOST",
  message: "its process vanished without leaving an exit status: it was killed, or the machine went down",
  hint: "start it again; with retries: it starts again by itself",
};

function timedOut(spec: TaskSpec): Reason {
  return {
    code: "TASK_TIMEOUT",
    message: `it ran longer than its timeout of ${(spec.timeoutMs ?? 0) / 1000} s`,
    hint: `give ${spec.name} a longer timeout:`,
  };
}

const SIGNALS: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM",
};

function exited(spec: TaskSpec, status: number): Reason {
  const data = { status };
  if (status === 127 || status === 126) {
    const why = status === 127 ? "was not found" : "cannot be run";
    return {
      code: "COMMAND_MISSING",
      message: `exit status ${status}: a command of "${shorten(spec.command)}" ${why}`,
      hint: "check its name and the PATH; in a workspace only what git tracks, dependencies: and setup: are there",
      data,
    };
  }
  const signal = SIGNALS[status - 128];
  const message = signal === undefined ? `exit status ${status}` : `exit status ${status} (${signal})`;
  return { code: "TASK_FAILED", message, data };
}

function shorten(command: string): string {
  const line = command.split("\n")[0] ?? "";
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
