import { Cron } from "croner";

import type { EventSource } from "./trigger.ts";

/** When a timer is due. */
export type When = Extract<EventSource, { readonly type: "timer" }>["when"];

/** Intervals shorter than that are taken as that. */
export const LEAST_INTERVAL_MS = 1000;

/**
 * What is wrong with a cron pattern, in words; nothing, where it is a good one that fires some day.
 *
 * Five fields, six with seconds first, or a nickname such as `@daily`. Where clocks are put forward or back:
 * - A pattern that names its seconds, minutes and hours (no `*`, no step) fires once for each time that it names. A time
 *   that does not exist is fired at the first moment after the gap; one that exists twice is fired the first time.
 * - Any other pattern goes on with real time: what would be in the gap is left out, what exists twice is fired twice.
 */
export function checkCron(cron: string, timeZone: string | undefined): string | undefined {
  const zone = checkZone(timeZone);
  if (zone !== undefined) return zone;
  if (!/^(@[a-z]+|\S+(\s+\S+){4,5})$/i.test(cron.trim())) {
    return `cron pattern ${JSON.stringify(shortened(cron))} has ${countFields(cron)} fields: five are needed, or six with seconds first`;
  }
  try {
    const next = parseCron(cron, timeZone).nextRun(new Date(SOME_DAY_MS));
    return next === null ? `cron pattern "${cron}" never fires: there is no such day` : undefined;
  } catch (cause) {
    return `cron pattern ${JSON.stringify(shortened(cron))} cannot be read: ${complaintOf(cause)}`;
  }
}

/** When a timer is due next, after a moment; never, where it was due for the last time. */
export function nextDueMs(when: When, afterMs: number): number | undefined {
  if ("atMs" in when) return when.atMs > afterMs ? when.atMs : undefined;
  if ("everyMs" in when) {
    const everyMs = intervalOf(when);
    return (Math.floor(afterMs / everyMs) + 1) * everyMs;
  }
  return parseCron(when.cron, when.timeZone).nextRun(new Date(afterMs))?.getTime();
}

/** When a timer was due after a moment and until another one, in order; where it was more often, the newest times. */
export function dueBetween(when: When, afterMs: number, untilMs: number, most: number): number[] {
  if (untilMs <= afterMs) return [];
  if ("atMs" in when) return when.atMs > afterMs && when.atMs <= untilMs ? [when.atMs] : [];
  return ("everyMs" in when ? newestOfInterval(when, untilMs, most) : newestOfCron(when, untilMs, most))
    .filter((dueMs) => dueMs > afterMs)
    .toReversed();
}

// Any day does: what fires at all fires within the 400 years after which the calendar repeats itself.
const SOME_DAY_MS = Date.UTC(2024, 0, 1);

function checkZone(timeZone: string | undefined): string | undefined {
  if (timeZone === undefined) return undefined;
  const problem = `there is no time zone ${JSON.stringify(shortened(timeZone))}: use a name such as Europe/Berlin or UTC`;
  // An offset is no zone: it knows no daylight saving.
  if (!/^[A-Za-z]/.test(timeZone)) return problem;
  try {
    return Intl.DateTimeFormat("en", { timeZone }).format(0) === "" ? problem : undefined;
  } catch {
    return problem;
  }
}

function parseCron(cron: string, timeZone: string | undefined): Cron {
  return new Cron(cron.trim(), {
    paused: true,
    mode: "5-or-6-parts",
    fixedTimeRule: "no-wildcard",
    ...(timeZone === undefined ? {} : { timezone: timeZone }),
  });
}

function complaintOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const bare = message.replace(/^Cron\w*: /, "").replace(/^Syntax error, /, "");
  // The value that the library names is counted from nought.
  return shortened(bare.replace(/^Invalid value for (\w+): .*$/, "its $1 is out of range"));
}

function countFields(cron: string): number {
  return cron.trim() === "" ? 0 : cron.trim().split(/\s+/).length;
}

function shortened(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
}

/** Counted from the epoch, so that neither a restart nor a slow machine shifts the times. */
function intervalOf({ everyMs }: { readonly everyMs: number }): number {
  return Math.max(everyMs, LEAST_INTERVAL_MS);
}

function newestOfInterval(when: { readonly everyMs: number }, untilMs: number, most: number): number[] {
  const everyMs = intervalOf(when);
  const last = Math.floor(untilMs / everyMs);
  return Array.from({ length: most }, (_, index) => (last - index) * everyMs);
}

function newestOfCron(
  { cron, timeZone }: { readonly cron: string; readonly timeZone: string | undefined },
  untilMs: number,
  most: number,
): number[] {
  // Patterns are exact to a second, and looking back leaves out the moment it looks back from.
  const from = new Date((Math.floor(untilMs / 1000) + 1) * 1000);
  return parseCron(cron, timeZone)
    .previousRuns(most, from)
    .map((date) => date.getTime());
}
