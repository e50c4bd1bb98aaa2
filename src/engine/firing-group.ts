import type { GroupSpec } from "./trigger.ts";

/** A firing that could start. Those that are given first are older, where their times are the same. */
export interface WaitingFiring {
  readonly id: string;
  readonly priority: number;
  readonly createdMs: number;
}

/** A firing whose run has not ended. */
export interface RunningFiring {
  readonly id: string;
  readonly startedMs: number;
  /** Whether its run was asked to stop already. */
  readonly cancelling: boolean;
}

/** What becomes of the firings of a group; who is not named goes on waiting or running. */
export interface GroupDecision {
  readonly start: readonly string[];
  /** They wait no longer: a newer one waits in their place. */
  readonly replace: readonly string[];
  /** Their runs are cancelled for newer ones. */
  readonly cancel: readonly string[];
  /** They came while one ran. */
  readonly drop: readonly string[];
}

/**
 * Decides what starts of a group's firings. Among what waits a higher priority goes first, then the older; only
 * `cancel-in-progress` prefers the newer. Without a group, everything starts.
 */
export function decideGroup(
  group: GroupSpec | undefined,
  waiting: readonly WaitingFiring[],
  running: readonly RunningFiring[],
): GroupDecision {
  if (group === undefined) return { ...NOTHING, start: idsOf(waiting.toSorted(byTurn)) };
  if (group.policy === "cancel-in-progress") return makeWay(group.limit, waiting, running);
  const free = Math.max(0, group.limit - running.length);
  // A queue can be long, and only who goes is wanted of it.
  if (group.policy === "queue") return { ...NOTHING, start: idsOf(firstByTurn(waiting, free)) };
  const sorted = waiting.toSorted(byTurn);
  const [going, rest] = [sorted.slice(0, free), sorted.slice(free)];
  return group.policy === "skip"
    ? { ...NOTHING, start: idsOf(going), drop: idsOf(rest) }
    : { ...NOTHING, start: idsOf(going), replace: idsOf(withoutNewest(rest)) };
}

const NOTHING: GroupDecision = { start: [], replace: [], cancel: [], drop: [] };

function byTurn(a: WaitingFiring, b: WaitingFiring): number {
  return b.priority - a.priority || a.createdMs - b.createdMs;
}

function firstByTurn(waiting: readonly WaitingFiring[], count: number): readonly WaitingFiring[] {
  const first: WaitingFiring[] = [];
  for (const firing of count === 0 ? [] : waiting) {
    const last = first.at(-1);
    if (first.length === count && last !== undefined && byTurn(last, firing) <= 0) continue;
    const place = first.findLastIndex((other) => byTurn(other, firing) <= 0) + 1;
    first.splice(place, 0, firing);
    first.length = Math.min(first.length, count);
  }
  return first;
}

function idsOf(firings: readonly { readonly id: string }[]): string[] {
  return firings.map(({ id }) => id);
}

/** All but the one that may wait: of those with the highest priority, the newest. */
function withoutNewest(sorted: readonly WaitingFiring[]): readonly WaitingFiring[] {
  const highest = sorted[0]?.priority;
  const kept = sorted.findLast(({ priority }) => priority === highest);
  return sorted.filter((firing) => firing !== kept);
}

/** What is cancelled has to end before the newer one starts: two of a group never run at once. */
function makeWay(limit: number, waiting: readonly WaitingFiring[], running: readonly RunningFiring[]): GroupDecision {
  const byNews = waiting.toReversed().toSorted((a, b) => b.priority - a.priority || b.createdMs - a.createdMs);
  const [wanted, replaced] = [byNews.slice(0, limit), byNews.slice(limit)];
  const free = Math.max(0, limit - running.length);
  const [going, coming] = [wanted.slice(0, free), wanted.slice(free)];
  const ending = running.filter(({ cancelling }) => cancelling).length;
  const oldest = running.filter(({ cancelling }) => !cancelling).toSorted((a, b) => a.startedMs - b.startedMs);
  const cancel = oldest.slice(0, Math.max(0, coming.length - ending));
  return { start: idsOf(going), replace: idsOf(replaced), cancel: idsOf(cancel), drop: [] };
}
