/**
 * Looking ahead: which tasks' work may collide when it lands, and whose workspace is looked at next.
 */
import { requirePlan, type Graph } from "./graph.ts";
import { isFinal } from "./outcome.ts";
import type { Join } from "./task.ts";

/** An attempt whose work is to land, or has. */
export interface Writer {
  readonly run: string;
  readonly task: string;
  readonly repository: string;
  /** Whether it may change what it has by now. */
  readonly isWorking: boolean;
  /** When its task ended; `undefined` while it has not. */
  readonly endedMs: number | undefined;
  /** When its base was chosen, where that is what has landed by then; `undefined` where it is the base of its run. */
  readonly onLaneSinceMs: number | undefined;
  /** The groups of its run, of each of which one task at most lands. */
  readonly choices: readonly number[];
  /** The task that started its run. */
  readonly parent: { readonly run: string; readonly task: string } | undefined;
}

/** Whether the work of two writers has yet to be brought together. */
export function mayCollide(one: Writer, other: Writer): boolean {
  if (one.repository !== other.repository) return false;
  if (one.endedMs !== undefined && other.endedMs !== undefined) return false;
  if (isStartedBy(one, other) || isStartedBy(other, one)) return false;
  if (one.run !== other.run) return true;
  if (one.task === other.task || one.choices.some((choice) => other.choices.includes(choice))) return false;
  return !holdsWorkOf(one, other) && !holdsWorkOf(other, one);
}

// What a task started, it waits for or has let go of: it is no rival of it.
function isStartedBy({ parent }: Writer, { run, task }: Writer): boolean {
  return parent?.run === run && parent.task === task;
}

// It began where the other's work had landed.
function holdsWorkOf({ onLaneSinceMs }: Writer, { endedMs }: Writer): boolean {
  return onLaneSinceMs !== undefined && endedMs !== undefined && endedMs <= onLaneSinceMs;
}

/** The groups of a run's tasks of which one at most lands, by task: those that race, and those the best is chosen of. */
export function choicesOf(graph: Graph, join: Join): ReadonlyMap<string, readonly number[]> {
  const groups: (readonly string[])[] = [];
  if (join !== "all") groups.push(graph.order.filter((name) => isFinal(graph, name)));
  for (const name of graph.order) {
    const plan = requirePlan(graph, name);
    if (plan.join !== "all") groups.push(plan.needs);
  }
  const choices = new Map<string, number[]>();
  for (const [index, group] of groups.entries()) {
    for (const name of group) choices.set(name, [...(choices.get(name) ?? []), index]);
  }
  return choices;
}

/** How often workspaces are looked at. */
export interface Pace {
  /** One workspace is not looked at again sooner than this. */
  readonly intervalMs: number;
  /** When the last look ended, and how long it took. */
  readonly lookedMs: number;
  readonly tookMs: number;
}

/** Looking takes at most one part in so many of the time, however many workspaces there are. */
const SHARE_OF_TIME = 20;

/** When a workspace that was last looked at, or came up, at a time may be looked at. */
export function dueMs({ intervalMs, lookedMs, tookMs }: Pace, sinceMs: number): number {
  return Math.max(sinceMs + intervalMs, lookedMs + SHARE_OF_TIME * tookMs);
}
