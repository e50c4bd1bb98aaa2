import { cpus } from "node:os";

import { withoutWaiting, REMEMBERED_MEASUREMENTS, type Measurement } from "../engine/estimate.ts";
import type { AttemptRow } from "../store/attempts.ts";
import { rememberValue } from "../store/measurements.ts";
import type { Statement } from "../store/port.ts";
import { digest } from "../workspaces/dependencies.ts";
import type { TaskSpec } from "../workflows/spec.ts";
import type { LiveRun, LiveTask } from "./live-run.ts";
import type { Parts } from "./parts.ts";

/** What is remembered of a task: its newest measurements, and what it wrote last. */
export interface TaskMemory {
  readonly measurements: readonly Measurement[];
  readonly writes: readonly string[];
}

/** How a task got its workspace: it stood ready, was reset, or was filled. */
export type SpinUpKind = "warm" | "recycled" | "cold";

/** What is remembered of giving tasks their workspaces: the newest times of each kind, in milliseconds. */
export type SpinUpMemory = Readonly<Record<SpinUpKind, readonly number[]>>;

/** The subject under which spin-up times are remembered. */
const SPIN_UP_SUBJECT = "spin-up";

/** The subject under which a task is remembered: the same command in the same folder is the same task. */
export function taskSubject({ kind, command, agent, directory }: TaskSpec): string {
  const work = agent === undefined ? [command] : [agent.name, agent.model ?? "", agent.prompt];
  return `task:${digest([kind, ...work, directory])}`;
}

const MOST_REMEMBERED_PATHS = 200;

/** What is remembered of the repositories that were asked about. Filled from the store on first use. */
export class RepositoryMemory {
  readonly #values = new Map<string, Map<string, unknown>>();

  /** Takes in what the store remembers of a repository. */
  fill(repositoryId: string, values: Map<string, unknown>): void {
    if (!this.#values.has(repositoryId)) this.#values.set(repositoryId, values);
  }

  isFilled(repositoryId: string): boolean {
    return this.#values.has(repositoryId);
  }

  task(repositoryId: string, subject: string): TaskMemory {
    return (this.#values.get(repositoryId)?.get(subject) as TaskMemory | undefined) ?? { measurements: [], writes: [] };
  }

  spinUp(repositoryId: string): SpinUpMemory {
    const known = this.#values.get(repositoryId)?.get(SPIN_UP_SUBJECT) as SpinUpMemory | undefined;
    return known ?? { warm: [], recycled: [], cold: [] };
  }

  set(repositoryId: string, subject: string, value: unknown): void {
    this.#values.get(repositoryId)?.set(subject, value);
  }
}

/** The statements that remember what an attempt took, if it ran to its own end. */
export function rememberAttempt(parts: Parts, run: LiveRun, task: LiveTask, attempt: AttemptRow): Statement[] {
  if (attempt.state !== "exited" || attempt.exit === undefined || isMissingCommand(attempt.exit.status)) return [];
  const { runMs, cpuMs, stalledMs, memoryBytes } = attempt.exit;
  const measurement: Measurement = {
    runMs: withoutWaiting(runMs, stalledMs, cpuMs, cpus().length),
    cpuMs,
    memoryBytes,
  };
  const { repositoryId } = run.row;
  const subject = taskSubject(task.spec);
  const before = parts.remembered.task(repositoryId, subject);
  const value: TaskMemory = {
    measurements: [measurement, ...before.measurements].slice(0, REMEMBERED_MEASUREMENTS),
    writes: attempt.changeset?.changes.slice(0, MOST_REMEMBERED_PATHS).map((change) => change.path) ?? before.writes,
  };
  parts.remembered.set(repositoryId, subject, value);
  return [rememberValue({ repositoryId, subject, value }, parts.clock.wallMs())];
}

/** The statement that remembers what giving a task its workspace took. */
export function rememberSpinUp(parts: Parts, run: LiveRun, kind: SpinUpKind, tookMs: number): Statement {
  const { repositoryId } = run.row;
  const before = parts.remembered.spinUp(repositoryId);
  const value: SpinUpMemory = { ...before, [kind]: [tookMs, ...before[kind]].slice(0, REMEMBERED_MEASUREMENTS) };
  parts.remembered.set(repositoryId, SPIN_UP_SUBJECT, value);
  return rememberValue({ repositoryId, subject: SPIN_UP_SUBJECT, value }, parts.clock.wallMs());
}

// A command that was not found tells nothing of how long it would take.
function isMissingCommand(status: number): boolean {
  return status === 126 || status === 127;
}
