/**
 * The life of a task.
 *
 * State       Meaning                                        Next
 * waiting     a need, or what it comes after, has not ended   ready, ended
 * ready       may start as soon as the limits allow           preparing, ended
 * preparing   its workspace is being made ready               working, ready, ended
 * working     its process runs                                captured, ready, ended
 * captured    its changeset is safe in the vault              landing, ready, ended
 * landing     its changeset is being put on its run's lane    ready, ended
 * ended       it has its outcome                              (none)
 *
 * Going back to `ready` is the next attempt. A task that writes nothing is never `captured`; one that failed, or
 * changed nothing, is never `landing`.
 *
 * Invariants:
 * 1. An outcome is reached once and is final.
 * 2. From every state but `ended` a task can be cancelled, fail or be lost.
 * 3. A writing task ends only after its workspace was captured, whatever its outcome.
 * 4. A writing task that succeeded has landed, or has changed nothing.
 * 5. Once the lane is about to move for a task, it can no longer be cancelled.
 */
export const TASK_STATES = ["waiting", "ready", "preparing", "working", "captured", "landing", "ended"] as const;
/** Where a task stands. */
export type TaskState = (typeof TASK_STATES)[number];

/** How a task, or a run, ended. `lost`: its process or machine vanished and its retries are spent. */
export const OUTCOMES = ["succeeded", "failed", "skipped", "cancelled", "lost"] as const;
/** How a task, or a run, ended. */
export type Outcome = (typeof OUTCOMES)[number];

const NEXT_STATES: Readonly<Record<TaskState, readonly TaskState[]>> = {
  waiting: ["ready", "ended"],
  ready: ["preparing", "ended"],
  preparing: ["working", "ready", "ended"],
  working: ["captured", "ready", "ended"],
  captured: ["landing", "ready", "ended"],
  landing: ["ready", "ended"],
  ended: [],
};

/** Whether a task may go from one state to another. */
export function canMove(from: TaskState, to: TaskState): boolean {
  return NEXT_STATES[from].includes(to);
}

/** When a task with needs starts, judged by how they ended. */
export const CONDITIONS = ["success", "failure", "always"] as const;
/** When a task with needs starts. */
type Condition = (typeof CONDITIONS)[number];

/** Whether all of several are waited for, the first one decides, or the best one that passes verification lands alone. */
export const JOINS = ["all", "first", "best-of-n"] as const;
/** Whether all of several are waited for, the first one decides, or the best one that passes verification lands alone. */
export type Join = (typeof JOINS)[number];

/** How often and how patiently a failed or lost attempt is repeated. */
export interface RetryPolicy {
  /** Attempts after the first one. */
  readonly times: number;
  readonly delayMs: number;
  /** Each delay is this many times the one before. */
  readonly factor: number;
  readonly maxDelayMs: number;
  /** Attempts after one whose work did not land, where there are no others: an author mends it. Default: none. */
  readonly repairs?: number | undefined;
}

/** Whether what a task does can be taken back. A deploy, a push, a message to somebody cannot. */
export const EFFECTS = ["reversible", "irreversible"] as const;

/** What the engine knows of a task. What the task does is not its business. */
export interface TaskPlan {
  readonly name: string;
  readonly kind: string;
  readonly needs: readonly string[];
  /** Tasks that must have ended, however they did, before this one starts. */
  readonly after: readonly string[];
  readonly when: Condition;
  readonly join: Join;
  /** A detached task does not hold its run open. */
  readonly detach: boolean;
  /** `"none"`, or the globs it says it will write; empty means "anything". */
  readonly writes: "none" | readonly string[];
  /** Named resources it uses one unit of while it runs. */
  readonly resources: readonly string[];
  readonly retry: RetryPolicy;
  /** Absent in what was started by earlier versions: reversible. */
  readonly effect?: (typeof EFFECTS)[number] | undefined;
}

/** Where one task stands now. */
export interface TaskStatus {
  readonly state: TaskState;
  readonly outcome: Outcome | undefined;
  /** Why it was cancelled, where losing a race was the reason. */
  readonly lostRace?: boolean | undefined;
}

/** Whether an outcome means that the task did not do its work. */
export function isFailure(outcome: Outcome | undefined): boolean {
  return outcome === "failed" || outcome === "lost";
}

/**
 * How long to wait before the next attempt after so many that failed, or `undefined` when none may follow.
 *
 * @example
 * retryDelayMs({ times: 2, delayMs: 1000, factor: 2, maxDelayMs: 60_000 }, 2) // 2000
 */
export function retryDelayMs(policy: RetryPolicy, failures: number): number | undefined {
  if (failures > policy.times) return undefined;
  return Math.min(policy.delayMs * policy.factor ** (failures - 1), policy.maxDelayMs);
}
