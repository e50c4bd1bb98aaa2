import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { makeHome, openHome, type CliEnd, type Home } from "../fixtures/home.ts";
import {
  gitFails,
  makeFolder,
  makeQuarrel,
  makeRepository,
  removeFolder,
  temporaryFolder,
  writeFiles,
} from "../fixtures/repository.ts";
import { until } from "../fixtures/until.ts";

interface Answer {
  readonly v: number;
  readonly ok: boolean;
  readonly data: unknown;
  readonly error: { code: string; kind: string; message: string; hint: string; data: Record<string, unknown> };
}

/** The one JSON document that is all of standard output. */
function documentOf(end: CliEnd): Answer {
  expect(end.stdout.endsWith("\n"), end.stdout + end.stderr).toBe(true);
  expect(end.stdout.trim()).not.toContain("\n");
  const answer = JSON.parse(end.stdout) as Answer;
  expect(answer.v).toBe(1);
  expect(Object.keys(answer).toSorted()).toEqual(answer.ok ? ["data", "ok", "v"] : ["error", "ok", "v"]);
  return answer;
}

describe("every command", () => {
  let [folder, root, id] = ["", "", ""];
  let home: Home;

  beforeAll(async () => {
    folder = makeFolder("anabranch-commands-");
    home = openHome(join(folder, "home"));
    root = makeRepository({ "a.txt": "a\n" }, folder);
    writeFiles(root, {
      "anabranch.yaml": "workflows: { check: { tasks: { one: { run: 'cat a.txt', writes: none } } } }\n",
    });
    const end = await home.cli(root, ["run", "--json", "-t", "good=echo b > b.txt; echo said", "-t", "bad=exit 4"]);
    id = (documentOf(end).data as { id: string }).id;
  });
  afterAll(async () => {
    await home.close();
    removeFolder(folder);
  });

  const cli = (args: readonly string[]): Promise<CliEnd> => home.cli(root, args);

  for (const [args, status] of [
    [["init", "--print"], 0],
    [["run", "check"], 0],
    [["run", "-t", "x=exit 3"], 1],
    [["run", "--detach", "-t", "x=true"], 0],
    [["spawn", "check"], 0],
    [["plan", "check"], 0],
    [["ls"], 0],
    [["ls", "--all", "-n", "3"], 0],
    [["show", "ID"], 0],
    [["show", "ID/good"], 0],
    [["logs", "ID"], 0],
    [["logs", "ID/good"], 0],
    [["wait", "ID/good"], 0],
    [["wait", "ID"], 1],
    [["wait", "ID/bad"], 1],
    [["wait", "ID/good", "ID/bad"], 1],
    [["cancel", "ID"], 0],
    [["diff", "ID/good"], 0],
    [["diff", "ID/good", "--stat"], 0],
    [["git", "--", "log", "--oneline", "-1", "HEAD"], 128],
    [["git", "--", "for-each-ref"], 0],
    [["agents"], 0],
    [["agents", "show", "claude"], 0],
    [["agents", "trust", "claude"], 0],
    [["gc"], 0],
    [["doctor"], 0],
    [["daemon", "start"], 0],
    [["daemon", "status"], 0],
  ] as const) {
    it(`answers with one JSON document and exit code ${status}: ${args.join(" ")} --json`, async () => {
      const words = args.map((word) => word.replace("ID", id));
      const end = await cli(args[0] === "git" ? ["--json", ...words] : [...words, "--json"]);
      expect(documentOf(end).ok).toBe(true);
      expect(end.status).toBe(status);
      // What git itself has to say is no part of the answer.
      expect(end.stderr).toMatch(args[0] === "git" ? /^(fatal: .*\n)?$/ : /^$/);
    });
  }

  for (const [args, status, code] of [
    [["run"], 2, "USAGE"],
    [["run", "-t", "nothing"], 2, "USAGE"],
    [["run", "-t", "a=true", "-t", "a=false"], 2, "USAGE"],
    [["run", "-t", "../a=true"], 2, "USAGE"],
    [["run", "-t", "a=true", "--mode", "never"], 2, "USAGE"],
    [["run", "-t", "a=true", "--parallel", "0"], 2, "USAGE"],
    [["run", "-t", "a=true", "--base", "nowhere"], 3, "UNKNOWN_BASE"],
    [["run", "chek"], 3, "WORKFLOW_UNKNOWN"],
    [["show", "nosuchrun"], 3, "NOT_FOUND"],
    [["show", "ID/god"], 3, "NOT_FOUND"],
    [["logs"], 2, "USAGE"],
    [["logs", "nosuchrun"], 3, "NOT_FOUND"],
    [["logs", "ID/good", "--attempt", "9"], 3, "NOT_FOUND"],
    [["logs", "ID/good", "--attempt", "x"], 2, "USAGE"],
    [["wait"], 2, "USAGE"],
    [["wait", "nosuchrun"], 3, "NOT_FOUND"],
    [["wait", "ID", "--timeout", "soon"], 2, "USAGE"],
    [["cancel", "nosuchrun"], 3, "NOT_FOUND"],
    [["diff", "nosuchrun"], 3, "NOT_FOUND"],
    [["agents", "show", "cluade"], 3, "AGENT_UNKNOWN"],
    [["agents", "trust"], 2, "USAGE"],
    [["git", "--", "push"], 2, "USAGE"],
    [["gc", "--older-than", "x"], 2, "USAGE"],
    [["ls", "--limit", "-1"], 2, "USAGE"],
    [["ls", "--no-such-option"], 2, "USAGE"],
    [["no-such-command"], 2, "USAGE"],
    [["daemon"], 2, "USAGE"],
    [["daemon", "explode"], 2, "USAGE"],
    [[], 2, "USAGE"],
  ] as const) {
    it(`refuses with ${code} and exit code ${status}: ${args.join(" ")}`, async () => {
      const words = args.map((word) => word.replace("ID", id));
      const end = await cli(["--json", ...words]);
      const { error } = documentOf(end);
      expect(error.code, error.message).toBe(code);
      expect(end.status).toBe(status);
      expect(error.hint.length).toBeGreaterThan(2);
      // A person reads it in five lines at most, on standard error alone.
      const told = await cli(words);
      expect(told.status).toBe(status);
      expect(told.stdout).toBe("");
      if (words.length > 0 && words.join() !== "daemon")
        expect(told.stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(5);
      expect(told.stderr).not.toMatch(/^\s+at /m);
    });
  }

  it("has help with examples, which need no daemon", async () => {
    const main = await cli(["--help"]);
    const names = [...main.stdout.matchAll(/^ {2}([a-z][a-z-]*)\b/gm)]
      .map((match) => match[1] ?? "")
      .filter((name) => name !== "help");
    expect(names).toEqual(
      expect.arrayContaining([
        "init",
        "run",
        "spawn",
        "plan",
        "ls",
        "show",
        "logs",
        "wait",
        "cancel",
        "diff",
        "git",
        "gc",
        "doctor",
        "daemon",
      ]),
    );
    for (const name of names) {
      const help = await cli([name, "--help"]);
      expect(help.status).toBe(0);
      expect(help.stdout, name).toMatch(/\nExamples:\n {2}anabranch /);
    }
    expect((await cli(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("prints records a line with --plain, an id alone where an id is the answer, and a stack only with --debug", async () => {
    expect((await cli(["spawn", "check"])).stdout).toMatch(/^[0-9a-z]{12}\n$/);
    expect((await cli(["run", "--detach", "check"])).stdout).toMatch(/^[0-9a-z]{12}\n$/);
    for (const line of (await cli(["ls", "--plain"])).stdout.trimEnd().split("\n"))
      expect(line.split("\t")).toHaveLength(5);
    const plain = await cli(["run", "--plain", "--quiet", "check"]);
    expect(plain).toMatchObject({
      status: 0,
      stderr: "",
      stdout: expect.stringMatching(/^\w+\/one\tended\tsucceeded\t0\n$/),
    });
    expect((await cli(["show", "nosuchrun", "--debug"])).stderr).toMatch(/^\s+at /m);
    const lines = (await cli(["logs", `${id}/good`, "--follow", "--json"])).stdout.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([{ text: "said" }]);
    expect(documentOf(await cli(["logs", id, "--json"])).data).toEqual([{ task: "good", text: "said" }]);
    expect(documentOf(await cli(["logs", `${id}/bad`, "--json"])).data).toEqual([]);
  });
});

describe("bad input is told with code, place, reason and the command that mends it", () => {
  for (const [what, yaml, code, place, words] of [
    ["an unknown key", "workflows:\n  check:\n    taks: {}\n", "CONFIG_INVALID", "3:5", /tasks/],
    [
      "an unknown key of a task",
      "workflows:\n  check:\n    tasks:\n      a: { run: x, need: [b] }\n",
      "CONFIG_INVALID",
      "4:20",
      /needs/,
    ],
    [
      "a wrong value",
      "workflows:\n  check:\n    mode: fast\n    tasks: { a: { run: x } }\n",
      "CONFIG_INVALID",
      "3:5",
      /auto/,
    ],
    [
      "a missing command",
      "workflows:\n  check:\n    tasks:\n      a: { writes: none }\n",
      "CONFIG_INVALID",
      "4:7",
      /run/,
    ],
    ["no YAML", "workflows: [\n", "CONFIG_SYNTAX", "2:1", /./],
    ["a key given twice", "setup: a\nsetup: b\n", "CONFIG_SYNTAX", "2:1", /unique/],
    [
      "a billion laughs",
      `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghi"
        .split("")
        .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${"abcdefgh"[index]}`).join(",")}]`)
        .join("\n")}\n`,
      "CONFIG_SYNTAX",
      "1:1",
      /alias/,
    ],
  ] as const) {
    it(`${what} in anabranch.yaml, with line and column`, async () => {
      const home = makeHome();
      const root = makeRepository({ "anabranch.yaml": yaml });
      const end = await home.cli(root, ["run", "check", "--json"]);
      const { error } = documentOf(end);
      expect(error).toMatchObject({ code, kind: "config" });
      expect(error.message).toContain(`${join(root, "anabranch.yaml")}:${place}: `);
      expect(`${error.message} ${error.hint}`).toMatch(words);
      expect(end.status).toBe(2);
    });
  }

  it("tasks that wait for each other, shown as the circle they are", async () => {
    const home = makeHome();
    const root = makeRepository({
      "anabranch.yaml":
        "workflows: { w: { tasks: { a: { run: x, needs: c }, b: { run: x, needs: a }, c: { run: x, needs: b } } } }\n",
    });
    const end = await home.cli(root, ["run", "w", "--json"]);
    const { error } = documentOf(end);
    expect([error.code, end.status]).toEqual(["GRAPH_CYCLE", 2]);
    expect(error.message).toMatch(/: a needs c needs b needs a$/);
  });

  it("a command that is missing, or cannot be run, is the task's failure, and tells where it looked", async () => {
    const home = makeHome();
    const root = makeRepository({ "plain.txt": "no program\n" });
    for (const [command, status] of [
      ["no-such-command-anywhere", 127],
      ["./plain.txt", 126],
    ] as const) {
      const end = await home.cli(root, ["run", "-t", `task=${command}`, "--json"]);
      const [task] = (documentOf(end).data as { taskList: { reason: object; attempts: { exitStatus: number }[] }[] })
        .taskList;
      expect(task?.reason).toMatchObject({ code: "COMMAND_MISSING", hint: expect.stringMatching(/.{5}/) });
      expect(task?.attempts[0]?.exitStatus).toBe(status);
      expect(end.status).toBe(1);
    }
  });

  it("a folder that is no repository, and one in the middle of a merge, each with an exit code of its own", async () => {
    const home = makeHome();
    const end = await home.cli(temporaryFolder(), ["run", "-t", "x=true", "--json"]);
    expect([documentOf(end).error.code, end.status]).toEqual(["NOT_A_REPOSITORY", 1]);
    const root = makeQuarrel();
    gitFails(root, "merge", "other");
    const busy = await home.cli(root, ["run", "-t", "x=true", "--json"]);
    expect([documentOf(busy).error.code, busy.status]).toEqual(["REPOSITORY_BUSY", 5]);
    expect(documentOf(busy).error.hint).toMatch(/git merge --(abort|continue)|--base HEAD/);
    expect((await home.cli(root, ["init"])).status).toBe(0);
    const again = await home.cli(root, ["init", "--json"]);
    expect([documentOf(again).error.code, again.status]).toEqual(["FILE_EXISTS", 5]);
  });

  it("a place where no daemon can start", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    writeFileSync(join(home.folder, "file"), "");
    const end = await home.cli(root, ["ls", "--json", "--home", join(home.folder, "file/below")]);
    expect([documentOf(end).error.code, end.status]).toEqual(["DAEMON_START_FAILED", 69]);
  });

  it("a git that is missing or of no use, which doctor tells with exit code 6", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const programs = temporaryFolder();
    // The client's own Node is given by its path; the daemon finds no git on this PATH.
    const broken = { PATH: programs };
    const run = await home.cli(root, ["run", "-t", "x=true", "--json"], broken);
    expect([documentOf(run).error.code, run.status]).toEqual(["GIT_MISSING", 1]);
    const doctor = await home.cli(root, ["doctor", "--json"], broken);
    expect(doctor.status).toBe(6);
    const checks = documentOf(doctor).data as { name: string; result: string; fix?: string }[];
    expect(
      checks
        .filter((check) => check.result === "fail")
        .map((check) => check.name)
        .join(),
    ).toMatch(/git/);
    expect(checks.filter((check) => check.result === "fail").every((check) => check.fix !== undefined)).toBe(true);
  });
});

describe("wait and cancel", () => {
  it("wait ends with what it waits for, with the first of several, or when its time is over", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const folder = temporaryFolder();
    const hold = (name: string): string => `while [ ! -e ${folder}/${name} ]; do sleep 0.02; done`;
    const client = home.client();
    const one = await client.start({ directory: root, tasks: { a: hold("a"), b: { run: hold("b"), detach: true } } });
    const two = await client.start({ directory: root, tasks: { c: hold("c") } });

    const late = await home.cli(root, ["wait", one.id, two.id, "--timeout", "50ms", "--json"]);
    expect([documentOf(late).error.code, late.status]).toEqual(["WAIT_TIMEOUT", 7]);
    expect(documentOf(late).error.data).toEqual({ open: [one.id, two.id] });

    const any = home.cli(root, ["wait", one.id, two.id, "--any", "--json"]);
    const all = home.cli(root, ["wait", one.id, two.id, `${one.id}/b`, "--json"]);
    writeFileSync(join(folder, "c"), "");
    const first = documentOf(await any).data as { id: string; ended: boolean; outcome?: string }[];
    expect(first.map(({ id, ended, outcome }) => ({ id, ended, outcome }))).toEqual([
      { id: one.id, ended: false, outcome: undefined },
      { id: two.id, ended: true, outcome: "succeeded" },
    ]);
    expect((await any).status).toBe(0);
    // A detached task does not hold its run open, but can be waited for.
    writeFileSync(join(folder, "a"), "");
    expect((await home.cli(root, ["wait", one.id])).status).toBe(0);
    writeFileSync(join(folder, "b"), "");
    expect((await all).status).toBe(0);
    expect(documentOf(await all).data).toHaveLength(3);
  });

  it("cancel stops one task with the runs it has started, and what needs it is skipped; the others go on", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const folder = temporaryFolder();
    mkdirSync(folder, { recursive: true });
    const client = home.client();
    const cli = `"${process.execPath}" "${join(import.meta.dirname, "../../dist/cli.js")}"`;
    const run = await client.start({
      directory: root,
      tasks: {
        // Whoever drops what marks it is known by whom it descends from.
        parent: `env -u ANABRANCH_MARKER ${cli} run -t child='${cli} run -t grandchild="echo g > g.txt; touch ${folder}/up; sleep 600"'`,
        needs: { run: "true", needs: "parent" },
        after: { run: "echo x > x.txt", needs: "parent", when: "always" },
        other: `while [ ! -e ${folder}/go ]; do sleep 0.02; done`,
      },
    });
    await until(() => client.ask("list", {}).then((runs) => runs.length === 3), "three runs are there");
    await until(async () => {
      const [youngest] = await client.ask("list", {});
      return (await client.ask("show", { id: youngest?.id ?? "" })).taskList[0]?.state === "working";
    }, "the youngest works");
    const end = await home.cli(root, ["cancel", `${run.id}/parent`, "--json"]);
    const stopped = documentOf(end).data as { runs: string[]; tasks: string[] };
    expect(stopped.tasks).toHaveLength(3);
    expect(stopped.runs).toHaveLength(2);
    await client.wait([`${run.id}/parent`, ...stopped.runs]);
    writeFileSync(join(folder, "go"), "");
    const view = await run.wait();
    expect(view.taskList.map((task) => task.outcome)).toEqual(["cancelled", "skipped", "succeeded", "succeeded"]);
    for (const id of stopped.runs) expect((await client.ask("show", { id })).outcome).toBe("cancelled");
    // A second time there is nothing left to stop, and that is no error.
    const again = await home.cli(root, ["cancel", `${run.id}/parent`, "--json"]);
    expect(documentOf(again)).toMatchObject({ ok: true, data: { tasks: [] } });
    rmSync(join(folder, "go"));
  });
});
