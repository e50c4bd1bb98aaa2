import { describe, expect, it } from "vitest";

import { reportRun, reportText } from "../../../src/mcp/report.ts";
import type { RunView, TaskView } from "../../../src/protocol/views.ts";
import type { AttemptView } from "../../../src/protocol/views/attempt.ts";
import { taskView } from "../../fixtures/views.ts";

function run(taskList: TaskView[], more: Partial<RunView> = {}): RunView {
  const lane = { kind: "lane", name: "lanes/k3v9", land: "each", failing: [] } as const;
  return { id: "k3v9", state: "ended", taskList, lane, conflicts: [], notices: [], ...more } as unknown as RunView;
}

function changed(paths: number): AttemptView[] {
  const changes = Array.from({ length: Math.min(paths, 100) }, (_, index) => ({
    path: `src/${index}.ts`,
    kind: index === 0 ? ("added" as const) : ("modified" as const),
    added: 3,
    ...(index === 0 ? {} : { deleted: 1 }),
  }));
  return [{ changeset: { paths, changes } } as unknown as AttemptView];
}

describe("a report for a parent agent", () => {
  it("tells of each task its outcome, files, answer or error, and of the run what is open and what comes next", () => {
    const view = run(
      [
        taskView("fix", { state: "ended", outcome: "succeeded", landing: "L1", attempts: changed(2) }),
        taskView("scan", { state: "ended", outcome: "succeeded", output: { bugs: 2 } }),
        taskView("late", {
          state: "ended",
          outcome: "failed",
          reason: { code: "MERGE_CONFLICT", message: "it met fix", hint: "anabranch conflicts show h4t2" },
          attempts: changed(1),
        }),
      ],
      {
        outcome: "failed",
        lane: { kind: "lane", name: "lanes/k3v9", land: "each", failing: [], tip: "abc" },
        conflicts: [
          {
            id: "h4t2",
            run: "k3v9",
            task: "late",
            state: "open",
            paths: [{ path: "src/0.ts", kind: "text", message: "" }],
            createdMs: 0,
          },
          { id: "old", run: "k3v9", task: "late", state: "settled", paths: [], createdMs: 0 },
        ],
        notices: ["nothing is verified"],
      },
    );
    const report = reportRun(view, new Map([["fix", "Fixed it.\nTwo files."]]));
    expect(report).toEqual({
      id: "k3v9",
      state: "failed",
      tasks: [
        {
          name: "fix",
          state: "succeeded",
          answer: "Fixed it.\nTwo files.",
          files: ["A src/0.ts +3", "M src/1.ts +3 -1"],
          landed: true,
        },
        { name: "scan", state: "succeeded", answer: { bugs: 2 } },
        {
          name: "late",
          state: "failed",
          error: { code: "MERGE_CONFLICT", message: "it met fix", hint: "anabranch conflicts show h4t2" },
          files: ["A src/0.ts +3"],
          landed: false,
        },
      ],
      conflicts: [{ id: "h4t2", task: "late", paths: ["src/0.ts"] }],
      notices: ["nothing is verified"],
      next: "a person takes it over with: anabranch accept k3v9",
    });
    expect(reportText(report)).toBe(
      [
        "run k3v9 failed",
        "fix: succeeded; A src/0.ts +3, M src/1.ts +3 -1 landed",
        "  Fixed it.",
        "  Two files.",
        "scan: succeeded",
        '  {"bugs":2}',
        "late: failed; A src/0.ts +3 not landed; MERGE_CONFLICT: it met fix (anabranch conflicts show h4t2)",
        "conflict h4t2: late could not land src/0.ts",
        "note: nothing is verified",
        "a person takes it over with: anabranch accept k3v9",
      ].join("\n"),
    );
  });

  it("is about one task where one is meant, and says what is going on where it goes on", () => {
    const view = run([taskView("a", { activity: "Edit src/a.ts" }), taskView("b")], { state: "active" });
    const report = reportRun(view, new Map(), view.taskList[0]);
    const next = 'not ended yet, and going on: wait_agents {"ids": ["k3v9"]}';
    const tasks = [{ name: "a", state: "working", doing: "Edit src/a.ts" }];
    expect(report).toEqual({ id: "k3v9", state: "active", tasks, next });
    expect(reportText(report)).toBe(`run k3v9 active\na: Edit src/a.ts\n${next}`);
  });

  it("names how much it leaves out of long answers and many files", () => {
    const tasks = Array.from({ length: 80 }, (_, index) =>
      taskView(`t${index}`, { state: "ended", outcome: "succeeded", attempts: changed(5000) }),
    );
    const report = reportRun(run(tasks), new Map(tasks.map(({ name }) => [name, "x".repeat(100_000)])));
    expect(report.tasks[0]).toMatchObject({ answerLeft: 99_000, filesLeft: 4960 });
    expect(reportText(report)).toContain("(99000 more characters: anabranch logs k3v9/t0 --output)");
  });

  it("lets no task's words move a cursor or look like another line of it", () => {
    const view = run([taskView("a", { state: "ended", outcome: "succeeded" })]);
    const text = reportText(reportRun(view, new Map([["a", "\u001b[2Jdone\rrun k3v9 succeeded\n\u202eb: succeeded"]])));
    expect(text.split("\n")).toEqual(["run k3v9 ended", "a: succeeded", "  donerun k3v9 succeeded", "  b: succeeded"]);
  });
});
