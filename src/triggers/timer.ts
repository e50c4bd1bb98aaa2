import { dueBetween, type When } from "../engine/schedule.ts";
import { EVENT_TYPES, type MISSED } from "../engine/trigger.ts";
import type { NewEvent } from "../store/events.ts";

/** A trigger that waits for a time. */
export interface TimerWish {
  readonly triggerId: string;
  readonly repositoryId: string;
  readonly when: When;
  readonly missed: (typeof MISSED)[number];
}

/** A time that is noticed later than that was missed. */
const LATE_MS = 90_000;
/** Of times that were missed, so many are made up for; the newest. */
export const MOST_MISSED = 100;

/**
 * The events of a timer for the times that have passed since it was due last, and how far it is done with them.
 * @param noticedMs when the first of them was noticed: what could not be kept at once is not late for that
 */
export function settleTimer(
  wish: TimerWish,
  { doneMs, noticedMs, nowMs }: { readonly doneMs: number; readonly noticedMs: number; readonly nowMs: number },
): { events: NewEvent[]; doneMs: number } {
  const passed = dueBetween(wish.when, doneMs, nowMs, MOST_MISSED + MOST_ON_TIME + 1);
  const newestMs = passed.at(-1);
  if (newestMs === undefined) return { events: [], doneMs };
  const late = passed.filter((dueMs) => noticedMs - dueMs > LATE_MS);
  const onTime = passed.slice(late.length).map((dueMs) => ({ dueMs, missed: 0 }));
  const makeEvent = (data: TimerData): NewEvent => eventOf(wish, data, nowMs);
  return {
    events: [...makeUp(wish, late, newestMs), ...(replacesAll(wish, late) ? [] : onTime)].map(makeEvent),
    doneMs: newestMs,
  };
}

/** Intervals of a second are the shortest. */
const MOST_ON_TIME = LATE_MS / 1000 + 1;

interface TimerData {
  readonly dueMs: number;
  /** How many times were missed that this event is for. */
  readonly missed: number;
  /** There were older ones, which no event is for. */
  readonly more?: true;
}

/** What is done about times that were missed. */
function makeUp({ missed }: TimerWish, late: readonly number[], newestMs: number): TimerData[] {
  if (late.length === 0 || missed === "skip") return [];
  const kept = late.slice(-MOST_MISSED);
  const more = late.length > kept.length ? { more: true as const } : {};
  if (missed === "once") return [{ dueMs: newestMs, missed: kept.length, ...more }];
  return kept.map((dueMs, index) => ({ dueMs, missed: 1, ...(index === 0 ? more : {}) }));
}

/** Whether one event is for all that has passed. */
function replacesAll({ missed }: TimerWish, late: readonly number[]): boolean {
  return missed === "once" && late.length > 0;
}

function eventOf({ triggerId, repositoryId }: TimerWish, data: TimerData, nowMs: number): NewEvent {
  return {
    atMs: nowMs,
    type: EVENT_TYPES.timer,
    run: undefined,
    task: undefined,
    repositoryId,
    key: `timer:${triggerId}:${data.dueMs}`,
    data: { trigger: triggerId, ...data },
  };
}
