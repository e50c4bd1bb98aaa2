import { rm } from "node:fs/promises";

import { judgeRestart } from "../engine/restart.ts";
import type { Outcome } from "../engine/task.ts";
import { readEnd } from "../process/output.ts";
import { deleteAttempts, type AttemptRow } from "../store/attempts.ts";
import type { Reason } from "../store/runs.ts";
import type { TaskSpec } from "../workflows/spec.ts";
import type { Draft } from "./draft.ts";
import { taskKey } from "./live-run.ts";
import type { PreparedNotice } from "./notice-board.ts";
import type { Parts } from "./parts.ts";

/** How many attempts of a monitor are kept, the newest ones: it may be restarted for years. */
const KEPT_ATTEMPTS = 20;

const [END_BYTES, END_LINES] = [8192, 20];
const NOTICE_MS = 30 * 86_400_000;

/** How an attempt of a monitor ended. */
interface EndedAttempt {
  readonly attempt: AttemptRow;
  readonly outcome: Outcome;
  readonly reason: Reason | undefined;
}

/** What was made of the end of an attempt of a monitor. */
export interface Restarted {
  /** What a person is told, once all of it is durable. */
  readonly notice: PreparedNotice | undefined;
}

/**
 * Restarts a monitor after an attempt, or lets it fail where that happens too often; `undefined` where it ends like any
 * other task.
 */
export function restartMonitor(
  parts: Parts,
  draft: Draft,
  spec: TaskSpec,
  { attempt, outcome, reason }: EndedAttempt,
): Restarted | undefined {
  const { restart, name } = spec;
  // What was spent stays spent, however often it is tried again.
  if (restart === undefined || reason?.code === "BUDGET_SPENT") return undefined;
  const verdict = judgeRestart(restart, outcome, draft.task(name).restarts ?? [], parts.clock.wallMs());
  if (verdict.type === "done") return undefined;
  const status = attempt.exit === undefined ? {} : { exitStatus: attempt.exit.status };
  if (verdict.type === "limit") return { notice: stayDown(parts, draft, spec, attempt, reason, status) };
  const { restarts } = verdict;
  const notBeforeMs = parts.clock.monotonicMs() + restart.delayMs;
  const why = reason ?? { code: "TASK_FAILED" as const, message: "it ended, and is started again" };
  const data = { attempt: attempt.number, outcome, ...status, delayMs: restart.delayMs, reason };
  draft.setTask(name, { state: "ready", restarts, notBeforeMs, reason: why }, "task.restarting", data);
  draft.also([deleteAttempts({ ...attempt, number: attempt.number - KEPT_ATTEMPTS + 1 })]);
  return { notice: undefined };
}

/** Removes the folders of attempts that are about to be forgotten; before that, so that none is left over. */
export async function removeOldFolder(parts: Parts, attempt: AttemptRow): Promise<void> {
  const number = attempt.number - KEPT_ATTEMPTS + 1;
  if (number > 0) await rm(parts.layout.attempt({ ...attempt, number }), { recursive: true, force: true });
}

function stayDown(
  parts: Parts,
  draft: Draft,
  { name, restart }: TaskSpec,
  attempt: AttemptRow,
  last: Reason | undefined,
  status: { readonly exitStatus?: number },
): PreparedNotice {
  const { id, repositoryId, cause } = draft.run.row;
  const key = taskKey(id, name);
  const often = `${restart?.limit} times within ${(restart?.withinMs ?? 0) / 1000} s`;
  const message = `it was restarted ${often} and ended again: ${last?.message ?? "it succeeded, but should go on"}`;
  const data = { attempt: attempt.number, ...status };
  const reason = { code: "RESTART_LIMIT", message, hint: `anabranch logs ${key}`, data } as const;
  const result = { exitStatus: attempt.exit?.status };
  const ended = { outcome: "failed", reason, ...status };
  draft.setTask(name, { state: "ended", outcome: "failed", reason, result }, "task.ended", ended);
  const { text } = readEnd(parts.layout.attempt(attempt), "log", END_BYTES);
  const lines = text.trimEnd().split("\n").slice(-END_LINES);
  const notice = parts.notices.prepare({
    repositoryId,
    run: id,
    task: name,
    kind: "trouble",
    record: { title: `${name} stays down: ${message}`, detail: lines.join("\n"), paths: [], cause },
    expiresAfterMs: NOTICE_MS,
  });
  draft.also(notice.statements);
  return notice;
}
