import * as fc from "fast-check";
import pc from "picocolors";
import { describe, expect, it } from "vitest";

import { widthOf } from "../../../src/cli/format.ts";
import { drawTree, FrameWriter } from "../../../src/cli/live-tree.ts";
import type { RunView, TaskView } from "../../../src/protocol/views.ts";
import { Screen } from "../../fixtures/screen.ts";
import { taskView } from "../../fixtures/views.ts";

const colours = pc.createColors(true);

function runView(taskList: TaskView[], reason = "2 at once"): RunView {
  return {
    id: "k3v9",
    state: "active",
    cancelRequested: false,
    repository: "/repository",
    tasks: [],
    createdMs: 0,
    join: "all",
    base: { commit: "c", uncommittedPaths: 0, untrackedPaths: 0 },
    plan: {
      mode: "auto",
      width: 2,
      share: false,
      exclusive: [],
      reason,
      predictedMs: 0,
      measuredTasks: 0,
      alternatives: [],
      tasks: [],
    },
    taskList,
    lane: { kind: "lane", name: "refs/lanes/k3v9", land: "each", failing: [] },
    landings: [],
    conflicts: [],
    notices: [],
    times: { wallMs: 0, sequentialMs: 0 },
    vault: "/vault",
    folder: "/folder",
    seq: 0,
  };
}

describe("frames on a terminal", () => {
  const rows = fc.array(fc.string({ unit: "grapheme-ascii", maxLength: 20 }), { maxLength: 9 });

  it("leave on the screen exactly the last one, below what stood there before", () => {
    fc.assert(
      fc.property(fc.nat({ max: 15 }), fc.array(rows, { minLength: 1, maxLength: 8 }), (above, frames) => {
        const screen = new Screen(20, 10);
        const before = Array.from({ length: above }, (_, index) => `line ${index}`);
        screen.write(before.map((line) => `${line}\n`).join(""));
        const writer = new FrameWriter((text) => screen.write(text));
        for (const frame of frames) {
          writer.draw(frame);
          const expected = frame.map((row) => row.trimEnd());
          const found = screen.all();
          expect(found.slice(0, above)).toEqual(before);
          const below = found.slice(above);
          expect(below.slice(0, frame.length)).toEqual(expected);
          expect(below.slice(frame.length).filter((line) => line !== "")).toEqual([]);
        }
        writer.clear();
        expect(screen.all().filter((line, index) => index >= above && line !== "")).toEqual([]);
        screen.write("next\n");
        expect(screen.all()[above]).toBe("next");
      }),
      { numRuns: 500 },
    );
  });

  it("send nothing when nothing changed, and only the lines that did", () => {
    const sent: string[] = [];
    const writer = new FrameWriter((text) => sent.push(text));
    writer.draw(["one", "two", "three"]);
    writer.draw(["one", "two", "three"]);
    expect(sent).toHaveLength(1);
    writer.draw(["one", "2", "three"]);
    expect(sent[1]).toContain("2");
    expect(sent[1]).not.toContain("one");
    expect(sent[1]).not.toContain("three");
  });
});

describe("the live tree", () => {
  const anyTask = fc
    .record({
      name: fc.stringMatching(/^[a-z][a-z0-9-]{0,40}$/),
      state: fc.constantFrom("waiting", "ready", "preparing", "working", "captured", "ended"),
      activity: fc.option(fc.string({ unit: "binary" }), { nil: undefined }),
      line: fc.oneof(
        fc.string({ unit: "binary", maxLength: 200 }),
        fc.constantFrom("a\tb\tc", "\u001b[5A\u001b[2Kforged", "漢字".repeat(60)),
      ),
      detach: fc.boolean(),
    })
    .map(({ line, activity, ...rest }) => ({
      line,
      view: taskView(rest.name, { ...rest, ...(activity === undefined ? {} : { activity }) }),
    }));

  it("fits any terminal, whatever tasks are called and print, and is never forged", () => {
    const sizes = fc.record({ columns: fc.integer({ min: 1, max: 120 }), rows: fc.integer({ min: 1, max: 40 }) });
    fc.assert(
      fc.property(fc.array(anyTask, { maxLength: 60 }), sizes, (list, { columns, rows }) => {
        const lines = new Map(list.map((task) => [task.view.name, task.line]));
        const run = runView(list.map((task) => task.view));
        const frame = drawTree({ run, lines, nowMs: 1000, columns, rows, hint: "d detaches" }, colours);
        // The line below a frame is where the cursor stands.
        expect(frame.length).toBeLessThan(Math.max(2, rows));
        for (const row of frame) {
          expect(widthOf(row)).toBeLessThanOrEqual(columns);
          expect(row.replaceAll(/\u001b\[[0-9;]*m/g, "")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("shows those at work first when there are more tasks than rows", () => {
    const tasks = Array.from({ length: 50 }, (_, index) =>
      taskView(`t${index}`, index === 40 ? {} : { state: "ended", outcome: "succeeded" }),
    );
    const frame = drawTree(
      { run: runView(tasks), lines: new Map([["t40", "newest line"]]), nowMs: 0, columns: 80, rows: 10, hint: "" },
      colours,
    );
    expect(frame.join("\n")).toContain("t40");
    expect(frame.join("\n")).toContain("newest line");
    expect(frame.join("\n")).toContain("and 44 more");
  });
});
