/** So many in a time, wherever that time begins. */
export interface Limit {
  readonly limit: number;
  readonly perMs: number;
}

/** What has passed a limit lately: when, and how many, the oldest first. */
export type Tally = readonly (readonly [atMs: number, count: number])[];

/** A higher limit counts in steps of a thousandth of its time, so that a tally stays small. */
const MOST_TIMES = 1000;

/** How many more may pass at a time. */
export function roomAt(tally: Tally, { limit, perMs }: Limit, atMs: number): number {
  const passed = tally.reduce((sum, [passedMs, count]) => (passedMs > atMs - perMs ? sum + count : sum), 0);
  return Math.max(0, limit - passed);
}

/** When one more may pass, at a time or later. */
export function freeAtMs(tally: Tally, limit: Limit, atMs: number): number {
  if (roomAt(tally, limit, atMs) > 0) return atMs;
  let newer = 0;
  for (const [passedMs, count] of tally.toReversed()) {
    newer += count;
    if (newer >= limit.limit) return passedMs + limit.perMs;
  }
  return atMs;
}

/** The tally after some more have passed; what no longer counts is forgotten. */
export function tallied(tally: Tally, { limit, perMs }: Limit, atMs: number, count: number): Tally {
  const counting = tally.filter(([passedMs]) => passedMs > atMs - perMs);
  const last = counting.at(-1);
  if (last !== undefined && last[0] >= atMs) return [...counting.slice(0, -1), [last[0], last[1] + count]];
  const stepMs = limit > MOST_TIMES ? Math.ceil(perMs / MOST_TIMES) : 1;
  // As if it had passed at the end of its step: never more than the limit get through.
  return [...counting, [atMs + stepMs - 1, count]];
}

/** The tally on a clock that was set to another time. */
export function movedTally(tally: Tally, byMs: number): Tally {
  return tally.map(([passedMs, count]) => [passedMs + byMs, count]);
}
