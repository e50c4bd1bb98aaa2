import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { checkCron, dueBetween, nextDueMs, type When } from "../../../src/engine/schedule.ts";

const at = (text: string): number => Date.parse(text);
const cronIn = (cron: string, timeZone: string): When => ({ cron, timeZone });

function following(when: When, from: string, count: number): string[] {
  const times: string[] = [];
  let afterMs = at(from);
  while (times.length < count) {
    const nextMs = nextDueMs(when, afterMs);
    if (nextMs === undefined) break;
    times.push(new Date(nextMs).toISOString().slice(0, 16));
    afterMs = nextMs;
  }
  return times;
}

describe("a cron pattern", () => {
  it.each([
    ["* * * * *", "five fields"],
    ["*/5 * * * * *", "six fields, seconds first"],
    ["0 9 * * MON-FRI", "names of days"],
    ["0 0 29 2 *", "a day that comes every four years"],
    ["0 0 29 2 +MON", "a day that comes every 28 years"],
    ["0 0 L * *", "the last day of a month"],
    ["@daily", "a nickname"],
    ["  0 9 * * *  ", "blanks around it"],
  ])("%s is good: %s", (cron) => {
    expect(checkCron(cron, "Europe/Berlin")).toBeUndefined();
  });

  it.each([
    ["", /0 fields/],
    ["nonsense", /1 fields/],
    ["* * * *", /4 fields/],
    ["* * * * * * 2030", /7 fields/],
    ["2027-01-01T00:00:00", /1 fields/],
    ["60 * * * *", /minute is out of range/],
    ["* 24 * * *", /hour is out of range/],
    ["* * 32 * *", /day is out of range/],
    ["* * * 13 *", /month is out of range/],
    ["* * * * 8", /dayOfWeek is out of range/],
    ["*/0 * * * *", /stepping: 0/],
    ["5-1 * * * *", /larger/],
    ["a b c d e", /cannot be read/],
    ["1,, * * * *", /cannot be read/],
    ["99999999999999999999 * * * *", /cannot be read/],
    ["@reboot", /cannot be read/],
    ["@whenever", /cannot be read/],
    ["0 0 30 2 *", /never fires/],
    ["0 0 31 4,6,9,11 *", /never fires/],
    [`${"9".repeat(10_000)} * * * *`, /…/],
  ])("%j is refused", (cron, complaint) => {
    const problem = checkCron(cron, "UTC");
    expect(problem).toMatch(complaint);
    expect(problem?.length).toBeLessThan(300);
  });

  it.each(["Europe/Nowhere", "", "Mars/Olympus", "+02:00", "../../etc/localtime", "Europe/Berlin\n"])(
    "is refused in the time zone %j, which does not exist",
    (timeZone) => {
      expect(checkCron("0 9 * * *", timeZone)).toMatch(/no time zone/);
    },
  );

  it("is refused or understood whatever it says, and never throws", () => {
    const part = fc.oneof(fc.string({ maxLength: 6 }), fc.stringMatching(/^[0-9*/,\-LW#?+]{1,6}$/));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.array(part, { minLength: 5, maxLength: 6 })), (parts) => {
        const cron = typeof parts === "string" ? parts : parts.join(" ");
        if (checkCron(cron, "UTC") === undefined) expect(nextDueMs(cronIn(cron, "UTC"), 0)).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });
});

describe("daylight saving", () => {
  it.each([
    {
      what: "Berlin, put forward: a time that does not exist is fired once, right after the gap",
      when: cronIn("30 2 * * *", "Europe/Berlin"),
      from: "2027-03-26T12:00Z",
      times: ["2027-03-27T01:30", "2027-03-28T01:00", "2027-03-29T00:30"],
    },
    {
      what: "Berlin, put forward: several times in the gap are fired once together",
      when: cronIn("0,30 2 * * *", "Europe/Berlin"),
      from: "2027-03-27T12:00Z",
      times: ["2027-03-28T01:00", "2027-03-29T00:00", "2027-03-29T00:30"],
    },
    {
      what: "Berlin, put back: a time that exists twice is fired the first time",
      when: cronIn("30 2 * * *", "Europe/Berlin"),
      from: "2027-10-29T12:00Z",
      times: ["2027-10-30T00:30", "2027-10-31T00:30", "2027-11-01T01:30"],
    },
    {
      what: "Berlin, put forward: what is fired all the time goes on in real time",
      when: cronIn("*/30 * * * *", "Europe/Berlin"),
      from: "2027-03-28T00:00Z",
      times: ["2027-03-28T00:30", "2027-03-28T01:00", "2027-03-28T01:30", "2027-03-28T02:00"],
    },
    {
      what: "Berlin, put back: what is fired all the time goes on in real time",
      when: cronIn("0 * * * *", "Europe/Berlin"),
      from: "2027-10-30T23:30Z",
      times: ["2027-10-31T00:00", "2027-10-31T01:00", "2027-10-31T02:00"],
    },
    {
      what: "New York, put forward",
      when: cronIn("30 2 * * *", "America/New_York"),
      from: "2027-03-12T12:00Z",
      times: ["2027-03-13T07:30", "2027-03-14T07:00", "2027-03-15T06:30"],
    },
    {
      what: "New York, put back",
      when: cronIn("30 1 * * *", "America/New_York"),
      from: "2027-11-05T12:00Z",
      times: ["2027-11-06T05:30", "2027-11-07T05:30", "2027-11-08T06:30"],
    },
    {
      what: "Lord Howe, put forward by half an hour",
      when: cronIn("15 2 * * *", "Australia/Lord_Howe"),
      from: "2027-10-01T12:00Z",
      times: ["2027-10-01T15:45", "2027-10-02T15:30", "2027-10-03T15:15"],
    },
    {
      what: "Lord Howe, put back by half an hour",
      when: cronIn("45 1 * * *", "Australia/Lord_Howe"),
      from: "2027-04-02T12:00Z",
      times: ["2027-04-02T14:45", "2027-04-03T14:45", "2027-04-04T15:15"],
    },
  ])("$what", ({ when, from, times }) => {
    expect(following(when, from, times.length)).toEqual(times);
    const last = at(`${times.at(-1)}Z`);
    expect(dueBetween(when, at(from), last, 100).map((ms) => new Date(ms).toISOString().slice(0, 16))).toEqual(times);
  });
});

describe("a timer", () => {
  it("with an interval keeps to the grid of the epoch, whenever it is asked", () => {
    expect(nextDueMs({ everyMs: 600_000 }, at("2027-01-01T10:03:07Z"))).toBe(at("2027-01-01T10:10:00Z"));
    expect(nextDueMs({ everyMs: 600_000 }, at("2027-01-01T10:10:00Z"))).toBe(at("2027-01-01T10:20:00Z"));
  });

  it("with an interval of nothing is due once a second", () => {
    expect(nextDueMs({ everyMs: 0 }, 5000)).toBe(6000);
  });

  it("for one moment is due once", () => {
    expect(nextDueMs({ atMs: 1000 }, 999)).toBe(1000);
    expect(nextDueMs({ atMs: 1000 }, 1000)).toBeUndefined();
    expect(dueBetween({ atMs: 1000 }, 0, 1000, 10)).toEqual([1000]);
    expect(dueBetween({ atMs: 1000 }, 1000, 2000, 10)).toEqual([]);
  });

  it("tells the newest times where it was due more often than asked for", () => {
    expect(dueBetween({ everyMs: 1000 }, 0, 1_000_000_500, 3)).toEqual([999_998_000, 999_999_000, 1_000_000_000]);
    const minutely = cronIn("* * * * *", "UTC");
    expect(dueBetween(minutely, 0, 1_000_000_020_000, 2)).toEqual([999_999_960_000, 1_000_000_020_000]);
  });

  it("was due at exactly the times at which it was said to be due next", () => {
    const whens: When[] = [
      { everyMs: 90_000 },
      cronIn("*/7 * * * *", "Europe/Berlin"),
      cronIn("15 1,2,3 * * *", "Europe/Berlin"),
      cronIn("30 1 * * SUN", "America/New_York"),
      cronIn("*/20 1-3 * * *", "Australia/Lord_Howe"),
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...whens),
        fc.nat(400 * 24 * 60),
        fc.nat(3 * 24 * 60),
        (when, startMinute, minutes) => {
          const [fromMs, untilMs] = [at("2027-01-01T00:00Z") + startMinute * 60_000, minutes * 60_000];
          const forward: number[] = [];
          for (let next = nextDueMs(when, fromMs); next !== undefined && next <= fromMs + untilMs;) {
            forward.push(next);
            next = nextDueMs(when, next);
          }
          expect(dueBetween(when, fromMs, fromMs + untilMs, 100)).toEqual(forward.slice(-100));
        },
      ),
      { numRuns: 60 },
    );
  });
});
