import pc from "picocolors";
import { describe, expect, it } from "vitest";

import { drawTree } from "../../../src/cli/live-tree.ts";
import { explainOverlaps, explainTask } from "../../../src/cli/state-text.ts";
import type { RunView } from "../../../src/protocol/views.ts";
import { taskView } from "../../fixtures/views.ts";

const overlap = { run: "k3v9", task: "docs", paths: ["README.md"] };

describe("what is said of a task that overlaps with another", () => {
  it("names the other and where, and its run where that is another one", () => {
    expect(explainOverlaps(taskView("api"))).toBe("");
    expect(explainOverlaps(taskView("api", { overlaps: [overlap] }))).toBe("overlaps with docs in README.md");
    expect(explainOverlaps(taskView("api", { overlaps: [{ ...overlap, run: "m2x8" }] }))).toBe(
      "overlaps with m2x8/docs in README.md",
    );
  });

  it("counts what there is more of", () => {
    const overlaps = [{ ...overlap, paths: ["a", "b", "c"] }, overlap];
    expect(explainOverlaps(taskView("api", { overlaps }))).toBe(
      "overlaps with docs in a and 2 more files (and with 1 more task)",
    );
  });

  it("lets no path draw on the terminal", () => {
    expect(explainOverlaps(taskView("api", { overlaps: [{ ...overlap, paths: ["a\u001b[2Jb\n"] }] }))).not.toMatch(
      /[\u0000-\u001f]/,
    );
  });

  it("gives way to what is being done with the task", () => {
    const overlaps = [overlap];
    expect(explainTask(taskView("api", { overlaps }), [])).toBe("overlaps with docs in README.md");
    expect(explainTask(taskView("api", { overlaps, activity: "taking a snapshot" }), [])).toBe("taking a snapshot");
    expect(explainTask(taskView("api", { overlaps, cancelRequested: true }), [])).toBe("stopping");
  });

  it("stands before what the task prints", () => {
    const run = {
      id: "k3v9",
      createdMs: 0,
      plan: { reason: "two at once" },
      taskList: [taskView("api", { overlaps: [overlap] })],
    };
    const frame = { lines: new Map([["api", "compiling"]]), nowMs: 0, columns: 200, rows: 20, hint: "" };
    const [, row] = drawTree({ ...frame, run: run as unknown as RunView }, pc.createColors(false));
    expect(row).toMatch(/api +working .*overlaps with docs in README\.md {2}compiling$/);
  });
});
