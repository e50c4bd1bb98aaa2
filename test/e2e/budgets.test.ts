import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { makeHome } from "../fixtures/home.ts";
import { git, makeRepository, temporaryFolder } from "../fixtures/repository.ts";
import { taskOf } from "../fixtures/runs.ts";
import { until } from "../fixtures/until.ts";

const CLI = `${process.execPath} ${join(import.meta.dirname, "../../dist/cli.js")}`;

describe("a budget of time", () => {
  it("covers everything a run has started: that is stopped in order, and what it did is kept (invariant 12)", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const folder = temporaryFolder();
    const child = `echo child > child.txt; touch ${folder}/child.began; sleep 600`;
    const parent = `echo parent > parent.txt; ${CLI} wait $(${CLI} spawn -t child='${child}')`;
    const run = await home.client().start({ directory: root, tasks: { parent }, budget: { minutes: 0.06 } });
    await until(() => existsSync(join(folder, "child.began")), "the child has begun");
    const view = await run.wait();
    const task = taskOf(view, "parent");
    expect(task).toMatchObject({
      outcome: "failed",
      reason: {
        code: "BUDGET_SPENT",
        message: `the budget of run ${run.id} is spent: 0.1 of 0.1 minutes`,
        data: { limit: "ms", whose: run.id },
      },
    });
    expect(git(view.vault, "show", `${task.attempts[0]?.changeset?.snapshot}:parent.txt`)).toBe("parent");
    const below = (await home.client().ask("list", {})).find(({ parent: by }) => by?.run === run.id);
    const ended = await (await home.client().run(below?.id ?? "")).wait();
    const inner = taskOf(ended, "child");
    expect(inner).toMatchObject({ outcome: "failed", reason: { code: "BUDGET_SPENT", data: { whose: run.id } } });
    expect(git(ended.vault, "show", `${inner.attempts[0]?.changeset?.snapshot}:child.txt`)).toBe("child");
  });

  it("that is spent lets nothing new be started", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const folder = temporaryFolder();
    const late = `${CLI} spawn -t late=true --json > ${folder}/told.json 2>&1`;
    // It heeds no signal until it has asked.
    const command = `trap '' INT; trap '${late}; exit 1' TERM; while :; do sleep 0.05; done`;
    writeFileSync(join(folder, "task.sh"), command);
    const run = await home.client().start({
      directory: root,
      tasks: { parent: `exec sh ${folder}/task.sh` },
      budget: { minutes: 0.02 },
    });
    expect(taskOf(await run.wait(), "parent")).toMatchObject({ outcome: "failed", reason: { code: "BUDGET_SPENT" } });
    expect(JSON.parse(readFileSync(join(folder, "told.json"), "utf8"))).toMatchObject({
      ok: false,
      error: { code: "BUDGET_SPENT", data: { whose: run.id } },
    });
  });

  it("is read from the command line, and refused where it is none", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const spent = await home.cli(root, ["run", "-t", "one=sleep 60", "--budget", "minutes=0.01", "--json"]);
    expect(JSON.parse(spent.stdout)).toMatchObject({
      data: { outcome: "failed", taskList: [{ reason: { code: "BUDGET_SPENT" } }] },
    });
    expect(await home.cli(root, ["run", "-t", "one=true", "--budget", "euros=1"])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("--budget usd=2,tokens=500k,minutes=20,turns=30"),
    });
  });
});
