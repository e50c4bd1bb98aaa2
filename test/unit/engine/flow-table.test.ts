import { describe, expect, it } from "vitest";

import { EVENT_FIELDS } from "../../../src/engine/event-fields.ts";
import { EVENT_DOCS, rowsOf, stormTimes, triggerWith } from "../../fixtures/event-tables.ts";
import { playFlow, playGroup, type PlayedRun } from "../../fixtures/flow-play.ts";

const numbers = (cell: string): number[] => (cell === "" ? [] : cell.split(" ").map(Number));

describe("what the documentation says of sources", () => {
  it.each(Object.entries(EVENT_FIELDS).filter(([source]) => source !== "custom"))(
    "%s have the fields %j",
    (source, fields) => {
      const key = source === "ref" ? "commit" : source === "timer" ? "cron" : source;
      const row = EVENT_DOCS.split("\n").find((line) => new RegExp(`^\\| \`\\{ ${key}\\b`).test(line));
      const told = [...(row?.split("|")[3] ?? "").matchAll(/`([^`]+)`/g)].map(([, field = ""]) => field);
      expect(told.toSorted()).toEqual([...fields].toSorted());
    },
  );
});

describe("what the documentation says of firings", () => {
  const rows = rowsOf("flow");

  it("is read at all", () => {
    expect(rows.length).toBeGreaterThan(20);
  });

  it.each(rows)("%s, with events at %s, fires %s and drops %s", async (settings, events, firings, dropped) => {
    const times = numbers(events);
    const played = playFlow((await triggerWith(settings)).flow, times);
    const told = played.firings.map(({ atMs, seqs }) => `${atMs}: ${seqs.map((seq) => times[seq]).join(" ")}`);
    expect(told.join("; ")).toBe(firings);
    expect(played.dropped.map((seq) => times[seq])).toEqual(numbers(dropped));
  });
});

describe("what the documentation says of storms", () => {
  const rows = rowsOf("storms");

  it("is read at all", () => {
    expect(rows.length).toBeGreaterThan(15);
  });

  it.each(rows)("%s, %s: %s firings of %s events, %s dropped, the last at %s", async (settings, storm, ...expected) => {
    const { firings, dropped } = playFlow((await triggerWith(settings)).flow, stormTimes(storm));
    const events = firings.reduce((sum, { count }) => sum + count, 0);
    expect([firings.length, events, dropped.length, firings.at(-1)?.atMs].map(String)).toEqual(expected);
  });
});

describe("what the documentation says of groups", () => {
  const rows = rowsOf("groups");
  const told = ({ startMs, endMs, end }: PlayedRun): string =>
    end === "ran"
      ? `${startMs}–${endMs}`
      : end === "cancelled"
        ? `${startMs}–${endMs} cancelled`
        : `${end} at ${endMs}`;

  it("is read at all", () => {
    expect(rows.length).toBeGreaterThan(8);
  });

  it.each(rows)("%s, with firings at %s: %s", async (settings, firings, expected) => {
    const arrivals = firings.split(" ").map((firing) => {
      const [atMs = "", priority = "0"] = firing.split("!");
      return { atMs: Number(atMs), priority: Number(priority) };
    });
    const runs = playGroup((await triggerWith(settings)).group, arrivals, 100, 5);
    expect(runs.map((run, index) => `${arrivals[index]?.atMs}: ${told(run)}`).join("; ")).toBe(expected);
  });
});
