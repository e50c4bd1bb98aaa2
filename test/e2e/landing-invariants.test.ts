import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { RunView } from "../../src/protocol/views.ts";
import { makeHome } from "../fixtures/home.ts";
import { expectSoundLane, landedSubjects, onLane } from "../fixtures/landings.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../fixtures/repository.ts";
import { refused, taskOf } from "../fixtures/runs.ts";

const LINES = Array.from({ length: 40 }, (_, index) => `line ${index + 1}\n`).join("");

describe("invariant 3: a changeset lands at most once, and only where it is reported", () => {
  it("however often and from how many sides it is asked to land", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": LINES });
    const client = home.client();
    const { id } = await client.start({ directory: root, tasks: { late: "echo late > late.txt; exit 1" } });
    await client.wait(id);
    const ask = () => client.ask("land", { id: `${id}/late`, directory: root, environment: home.environment });
    const answers = await Promise.allSettled(Array.from({ length: 6 }, ask));
    expect(answers.some(({ status }) => status === "fulfilled")).toBe(true);
    const view = await client.ask("show", { id });
    expect(landedSubjects(view)).toEqual(["late: echo late > late.txt; exit 1"]);
    expect(view.landings).toHaveLength(1);
    expectSoundLane(view);
    // Accepted twice it is on the branch once.
    const accept = () => client.ask("accept", { id, directory: root, environment: home.environment });
    await Promise.allSettled([accept(), accept(), accept()]);
    expect(git(root, "log", "--format=%s", "HEAD").split("\n")).toEqual([
      "late: echo late > late.txt; exit 1",
      "first",
    ]);
  });

  it("and what the user had not committed is reachable from no ref of theirs, whatever tasks made of it", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": LINES, "b.txt": "b\n" });
    writeFiles(root, { "secret.env": "s3cret-value\n" });
    const client = home.client();
    const tasks = {
      copy: "cp secret.env leak.txt",
      move: "mv secret.env moved.env",
      inline: "cat secret.env >> b.txt",
      fine: "sed -i 's/^line 3$/three/' a.txt",
    };
    const { id } = await client.start({ directory: root, tasks, mode: "sequential" });
    await client.wait(id);
    await client.ask("accept", { id, directory: root, environment: home.environment });
    expect(git(root, "show", "HEAD:a.txt")).toContain("three");
    const reachable = git(root, "rev-list", "--objects", "--all")
      .split("\n")
      .map((line) => line.slice(0, 40));
    for (const oid of reachable) {
      if (git(root, "cat-file", "-t", oid) === "blob")
        expect(git(root, "cat-file", "blob", oid)).not.toContain("s3cret");
    }
  });
});

describe("invariant 4: a landed merge keeps every edit of both sides", () => {
  it("or leaves it to a person: of many edits of one file each is there once, or waits as a conflict", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": LINES });
    // Every third line twice, so that some of them meet.
    const places = Array.from({ length: 12 }, (_, index) => 3 * (index % 8) + 2);
    const tasks = Object.fromEntries(
      places.map((line, index) => [`t${index}`, `sed -i '${line}s/.*/edit-${index}-of-line-${line}/' a.txt`]),
    );
    const client = home.client();
    const started = await client.start({ directory: root, tasks, mode: "parallel" });
    const view = await started.wait();
    const text = onLane(view, "a.txt").split("\n");
    const waiting = new Set(view.conflicts.filter(({ state }) => state === "open").map(({ task }) => task));
    for (const [index, line] of places.entries()) {
      const there = text.filter((one) => one === `edit-${index}-of-line-${line}`).length;
      expect(there, `t${index}`).toBe(waiting.has(`t${index}`) ? 0 : 1);
      expect(taskOf(view, `t${index}`).outcome).toBe(waiting.has(`t${index}`) ? "failed" : "succeeded");
    }
    expect(waiting.size).toBe(4);
    for (const line of LINES.trim()
      .split("\n")
      .filter((one) => !places.includes(Number(one.slice(5))))) {
      expect(
        text.filter((one) => one === line),
        line,
      ).toHaveLength(1);
    }
    expectSoundLane(view);
    const audit = await client.ask("audit", { directory: root });
    expect(audit.receipts.every(({ proved }) => proved)).toBe(true);
  });
});

describe("invariant 5: every value a lane takes has passed verification", () => {
  it("also where changes pass alone, fail together, and come in any order", async () => {
    const home = makeHome();
    const verified = join(temporaryFolder(), "verified");
    writeFileSync(verified, "");
    const rule = `ls | sort | sha1sum >> ${verified}; test "$(ls *.odd 2>/dev/null | wc -l)" -lt 2`;
    const root = makeRepository({ "a.txt": LINES, "anabranch.yaml": `verify:\n  - ${JSON.stringify(rule)}\n` });
    const tasks = Object.fromEntries(
      Array.from({ length: 8 }, (_, index) => [
        `t${index}`,
        `echo ${index} > ${index}.${index % 2 === 0 ? "even" : "odd"}`,
      ]),
    );
    const client = home.client();
    const view: RunView = await (await client.start({ directory: root, tasks, mode: "parallel" })).wait();
    expect(view.taskList.filter((task) => task.outcome === "succeeded")).toHaveLength(5);
    const values: string[] = [];
    for await (const event of client.events({ run: view.id })) {
      if (event.type === "run.landed") values.push(String(event.data["commit"]));
    }
    expect(values.length).toBeGreaterThan(0);
    expect(values.at(-1)).toBe(view.lane.tip);
    const trees = readFileSync(verified, "utf8").split("\n");
    for (const commit of values) {
      const names = git(view.vault, "ls-tree", "--name-only", commit).split("\n");
      expect(names.filter((name) => name.endsWith(".odd")).length).toBeLessThan(2);
      const checkedOut = temporaryFolder();
      for (const name of names) writeFileSync(join(checkedOut, name), "");
      expect(trees).toContain(listing(checkedOut));
    }
    expectSoundLane(view);
  });
});

describe("invariant 5 on the user's branch: what is committed has passed verification itself", () => {
  it("and not only together with files that git does not track", async () => {
    const home = makeHome();
    const rule = "test ! -e needs-it.txt || test -e helper.txt";
    const root = makeRepository({ "a.txt": LINES, "anabranch.yaml": `verify:\n  - ${JSON.stringify(rule)}\n` });
    writeFiles(root, { "helper.txt": "not committed\n" });
    const client = home.client();
    const { id } = await client.start({ directory: root, tasks: { one: "echo 1 > needs-it.txt" } });
    await client.wait(id);
    const accept = () => client.ask("accept", { id, directory: root, environment: home.environment });
    const error = await refused(accept(), "VERIFY_FAILED");
    expect(error.message).toContain("without the files that git does not track");
    expect(git(root, "status", "--porcelain")).toBe("?? helper.txt");
    git(root, "add", "helper.txt");
    git(root, "commit", "--quiet", "-m", "what it needs");
    await accept();
    expect(git(root, "show", "HEAD:needs-it.txt")).toBe("1");
  });
});

/** What the rule above writes down of a folder. */
function listing(folder: string): string {
  return execFileSync("/bin/sh", ["-c", "ls | sort | sha1sum"], { cwd: folder, encoding: "utf8" }).trim();
}
