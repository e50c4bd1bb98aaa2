import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { CommandResponse } from "../../src/protocol/commands.ts";
import type { ConflictView, RunView } from "../../src/protocol/views.ts";
import type { StartOptions } from "../../src/sdk/start-options.ts";
import { makeHome, type Home } from "../fixtures/home.ts";
import { expectSoundLane, onLane } from "../fixtures/landings.ts";
import { photograph } from "../fixtures/photograph.ts";
import { git, makeRepository, temporaryFolder } from "../fixtures/repository.ts";
import { refused, taskOf } from "../fixtures/runs.ts";
import { until } from "../fixtures/until.ts";

const LINES = Array.from({ length: 12 }, (_, index) => `line ${index + 1}\n`).join("");

/** Two that change one line: `first` lands, `second` conflicts and changes another file besides. */
const MEETING = {
  first: "sed -i '5s/.*/first/' a.txt",
  second: {
    run: "while ! [ -e $GATE ]; do sleep 0.05; done; sed -i '5s/.*/second/' a.txt; echo new > b.txt",
  },
};

interface Conflicted {
  readonly home: Home;
  readonly root: string;
  readonly view: RunView;
  readonly id: string;
}

/** Starts tasks of which `first` lands before `second` ends. */
async function runMeeting(home: Home, root: string, options: Partial<StartOptions> = {}): Promise<RunView> {
  const gate = join(temporaryFolder(), "gate");
  const client = home.client({ GATE: gate });
  const run = await client.start({ directory: root, mode: "parallel", tasks: MEETING, ...options });
  await until(async () => taskOf(await client.ask("show", { id: run.id }), "first").state === "ended", "first lands");
  writeFileSync(gate, "");
  const view = await run.wait();
  client.close();
  return view;
}

async function makeConflict(files: Readonly<Record<string, string>> = {}): Promise<Conflicted> {
  const home = makeHome();
  const root = makeRepository({ "a.txt": LINES, ...files });
  const view = await runMeeting(home, root);
  return { home, root, view, id: view.conflicts[0]?.id ?? "" };
}

function show(home: Home, run: RunView): Promise<RunView> {
  return home.client().ask("show", { id: run.id });
}

/** Gives a command that is to succeed, and returns what it answers. */
async function give<Data>(home: Home, root: string, ...args: string[]): Promise<Data> {
  const end = await home.cli(root, [...args, "--json"]);
  expect(end.status, `${args.join(" ")}: ${end.stdout}${end.stderr}`).toBe(0);
  return (JSON.parse(end.stdout) as { data: Data }).data;
}

/** Gives a command that is to be refused, and returns the error. */
async function refuse(home: Home, root: string, status: number, ...args: string[]): Promise<Record<string, unknown>> {
  const end = await home.cli(root, [...args, "--json"]);
  expect(end.status, `${args.join(" ")}: ${end.stdout}${end.stderr}`).toBe(status);
  return (JSON.parse(end.stdout) as { error: Record<string, unknown> }).error;
}

async function expectProved(home: Home, root: string, count: number): Promise<void> {
  const audit = await give<CommandResponse<"audit">>(home, root, "audit");
  expect(audit.receipts.flatMap(({ problems }) => problems)).toEqual([]);
  expect(audit.proved).toBe(count);
}

const lineFive = (view: RunView): string | undefined => onLane(view, "a.txt").split("\n")[4];

describe("a conflict", () => {
  it("is listed and shown with both sides, who wanted what, and the ways on", async () => {
    const { home, root, view, id } = await makeConflict();
    const before = photograph(root);
    const list = await home.cli(root, ["conflicts", "--plain"]);
    expect(list.stdout).toBe(`${id}\t${view.id}/second\t1\t-\t${root}\n`);
    const elsewhere = makeRepository({ "x.txt": "x\n" });
    expect(await give(home, elsewhere, "conflicts")).toEqual([]);
    expect(await give<unknown[]>(home, elsewhere, "conflicts", "--all")).toHaveLength(1);
    const shown = await give<ConflictView>(home, root, "conflicts", "show", id.slice(0, 6));
    expect(shown).toMatchObject({
      id,
      task: "second",
      state: "open",
      isOutdated: false,
      intent: MEETING.second.run,
      files: [
        {
          path: "a.txt",
          kind: "contents",
          landed: [{ task: `${view.id}/first`, intent: MEETING.first }],
          hunks: [
            {
              base: { start: 5, lines: ["line 5"] },
              ours: { start: 5, lines: ["first"] },
              theirs: { start: 5, lines: ["second"] },
            },
          ],
        },
      ],
    });
    const page = (await home.cli(root, ["conflicts", "show", id])).stdout;
    for (const words of ["- first", "+ second", "line 5", `anabranch conflicts open ${id}`, `anabranch land ${id}`]) {
      expect(page).toContain(words);
    }
    expect(photograph(root)).toEqual(before);
  });

  it("lands when a side is taken, with a waiver that names what was dropped and a person", async () => {
    const { home, root, view, id } = await makeConflict();
    const taken = await give<CommandResponse<"conflicts-take">>(home, root, "conflicts", "take", "theirs", id);
    expect(taken.conflict.state).toBe("settled");
    expect(taken.landed).toMatchObject({ conflict: id, task: "second", already: false });
    const after = await show(home, view);
    expect(lineFive(after)).toBe("second");
    expect(onLane(after, "b.txt")).toBe("new");
    expect(after.outcome).toBe("failed");
    expect(taskOf(after, "second")).toMatchObject({ outcome: "failed", landing: taken.landed?.landing.id });
    const changeset = after.landings.at(-1)?.changesets[0];
    expect(changeset?.waivers).toMatchObject([{ path: "a.txt", by: "person" }]);
    expectSoundLane(after);
    await expectProved(home, root, 2);
    // Asked once more, it says what has happened.
    expect(await give(home, root, "land", id)).toMatchObject({ already: true });
    expect(await give(home, root, "land", `${view.id}/second`)).toMatchObject({ already: true });
    expect((await show(home, view)).landings).toHaveLength(2);
    expect(await refuse(home, root, 5, "conflicts", "open", id)).toMatchObject({ code: "CONFLICT_CLOSED" });
  });

  it("waits until every path has a side", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n", "b.txt": "b\n" });
    const tasks = {
      first: "echo 1 > a.txt; echo 1 > b.txt",
      second: "while ! [ -e $GATE ]; do sleep 0.05; done; echo 2 > a.txt; echo 2 > b.txt",
    };
    const view = await runMeeting(home, root, { tasks });
    const id = view.conflicts[0]?.id ?? "";
    const noted = await give<CommandResponse<"conflicts-take">>(home, root, "conflicts", "take", "ours", id, "a.txt");
    expect(noted.landed).toBeUndefined();
    expect(noted.conflict.paths).toMatchObject([{ path: "a.txt", choice: "ours" }, { path: "b.txt" }]);
    expect(await refuse(home, root, 5, "land", id)).toMatchObject({
      code: "MERGE_CONFLICT",
      data: { paths: ["b.txt"] },
    });
    expect(await refuse(home, root, 3, "conflicts", "take", "ours", id, "c.txt")).toMatchObject({ code: "NOT_FOUND" });
    await give(home, root, "conflicts", "take", "theirs", id, "b.txt");
    const after = await show(home, view);
    expect([onLane(after, "a.txt"), onLane(after, "b.txt")]).toEqual(["1", "2"]);
    expectSoundLane(after);
    await expectProved(home, root, 2);
  });

  it("is fixed in a workspace that holds what merged and both sides of what did not", async () => {
    const { home, root, view, id } = await makeConflict();
    const before = photograph(root);
    const opened = await give<CommandResponse<"conflicts-open">>(home, root, "conflicts", "open", id);
    expect(opened).toMatchObject({ id, again: false, paths: [{ path: "a.txt", kind: "contents" }] });
    const file = join(opened.folder, "a.txt");
    const marked = [
      "<<<<<<< what has landed",
      "first",
      "||||||| before both",
      "line 5",
      "=======",
      "second",
      ">>>>>>> second",
    ];
    expect(readFileSync(file, "utf8")).toBe(LINES.replace("line 5\n", `${marked.join("\n")}\n`));
    expect(readFileSync(join(opened.folder, "b.txt"), "utf8")).toBe("new\n");
    expect(git(opened.folder, "status", "--porcelain")).toBe(" M a.txt\n?? b.txt");
    expect(await refuse(home, root, 5, "land", id)).toMatchObject({
      code: "CONFLICT_MARKERS",
      data: { files: [{ path: "a.txt", lines: [5, 7, 9, 11] }] },
    });
    // Another daemon finds it again, with what was done in it.
    writeFileSync(file, LINES.replace("line 5\n", "first and =======\n=======\nsecond\n"));
    await give(home, root, "daemon", "restart");
    const again = await give<CommandResponse<"conflicts-open">>(home, root, "conflicts", "open", id);
    expect(again).toMatchObject({ folder: opened.folder, again: true });
    expect(await give(home, root, "gc")).toMatchObject({ retained: [] });
    expect(await refuse(home, root, 5, "land", id)).toMatchObject({ data: { files: [{ lines: [6] }] } });
    writeFileSync(file, LINES.replace("line 5\n", "first\nand second\n"));
    const landed = await give<CommandResponse<"land">>(home, root, "land", id);
    expect(landed.landing.changesets[0]?.waivers).toEqual([
      { path: "a.txt", what: "a line is gone: second", by: "person" },
      { path: "a.txt", what: "a change is from neither side: and second", by: "person" },
    ]);
    const after = await show(home, view);
    expect(onLane(after, "a.txt")).toBe(LINES.replace("line 5\n", "first\nand second\n").trimEnd());
    expect(onLane(after, "b.txt")).toBe("new");
    expect(after.conflicts).toMatchObject([{ id, state: "settled" }]);
    expectSoundLane(after);
    await expectProved(home, root, 2);
    expect(photograph(root)).toEqual(before);
    await untilFree(home);
  });

  it("gives way to another one where a fix meets what has landed meanwhile, and is proved all the same", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": LINES });
    const tasks = { ...MEETING, third: "sed -i '8s/.*/third/' a.txt; exit 3" };
    const view = await runMeeting(home, root, { tasks });
    const id = view.conflicts[0]?.id ?? "";
    const { folder } = await give<CommandResponse<"conflicts-open">>(home, root, "conflicts", "open", id);
    const fixed = LINES.replace("line 5\n", "first\nsecond\n").replace("line 8\n", "by hand\n");
    writeFileSync(join(folder, "a.txt"), fixed);
    await give(home, root, "land", `${view.id}/third`);
    const error = await refuse(home, root, 5, "land", id);
    expect(error).toMatchObject({ code: "MERGE_CONFLICT" });
    const { conflicts } = await show(home, view);
    expect(conflicts.map(({ state }) => state)).toEqual(["aborted", "open"]);
    await untilFree(home);
    const next = conflicts[1]?.id ?? "";
    const again = await give<CommandResponse<"conflicts-open">>(home, root, "conflicts", "open", next);
    expect(readFileSync(join(again.folder, "a.txt"), "utf8")).toContain("<<<<<<< what has landed\nthird\n");
    writeFileSync(join(again.folder, "a.txt"), fixed.replace("by hand\n", "third\n"));
    const landed = await give<CommandResponse<"land">>(home, root, "land", next);
    expect(landed.landing.changesets[0]?.waivers).toContainEqual({
      path: "a.txt",
      what: "a line is gone: by hand",
      by: "person",
    });
    const after = await show(home, view);
    expect(onLane(after, "a.txt")).toBe(
      LINES.replace("line 5\n", "first\nsecond\n").replace("line 8\n", "third\n").trimEnd(),
    );
    expectSoundLane(after);
    await expectProved(home, root, 3);
  });

  it("that is given up leaves the work and what was made of it in the vault", async () => {
    const { home, root, view, id } = await makeConflict();
    const { folder } = await give<CommandResponse<"conflicts-open">>(home, root, "conflicts", "open", id);
    writeFileSync(join(folder, "a.txt"), "half done\n");
    writeFileSync(join(folder, "mine.txt"), "mine\n");
    const given = await give<CommandResponse<"conflicts-abort">>(home, root, "conflicts", "abort", id);
    expect(given.conflict.state).toBe("aborted");
    expect(git(view.vault, "show", `${given.kept}:a.txt`)).toBe("half done");
    expect(git(view.vault, "show", `${given.kept}:mine.txt`)).toBe("mine");
    expect(git(view.vault, "show", `${given.snapshot}:a.txt`)).toContain("second");
    await untilFree(home);
    expect(await refuse(home, root, 5, "land", id)).toMatchObject({ code: "CONFLICT_CLOSED" });
    expect(await refuse(home, root, 5, "conflicts", "take", "ours", id)).toMatchObject({ code: "CONFLICT_CLOSED" });
    expect(lineFive(await show(home, view))).toBe("first");
    // Landing the task is still possible, and meets the same conflict again.
    expect(await refuse(home, root, 5, "land", `${view.id}/second`)).toMatchObject({ code: "MERGE_CONFLICT" });
    expect((await show(home, view)).conflicts.map(({ state }) => state)).toEqual(["aborted", "open"]);
  });

  it("about a file that one side deleted is fixed by keeping or removing it", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": LINES, "b.txt": "b\n" });
    const tasks = {
      first: "rm a.txt",
      second: "while ! [ -e $GATE ]; do sleep 0.05; done; echo more >> a.txt",
    };
    const view = await runMeeting(home, root, { tasks });
    const id = view.conflicts[0]?.id ?? "";
    const opened = await give<CommandResponse<"conflicts-open">>(home, root, "conflicts", "open", id);
    expect(readFileSync(join(opened.folder, "a.txt"), "utf8")).toBe(`${LINES}more\n`);
    expect(opened.paths).toMatchObject([{ path: "a.txt", advice: expect.stringContaining("rm 'a.txt'") as string }]);
    rmSync(join(opened.folder, "a.txt"));
    const landed = await give<CommandResponse<"land">>(home, root, "land", id);
    expect(landed.landing.changesets[0]).toMatchObject({ paths: 0, waivers: [{ path: "a.txt", by: "person" }] });
    expect(git(view.vault, "ls-tree", "--name-only", view.lane.name)).toBe("b.txt");
    await expectProved(home, root, 2);
  });

  it("cannot be decided from inside a task", async () => {
    const { home, root, view, id } = await makeConflict();
    const cli = join(import.meta.dirname, "../../dist/cli.js");
    const words = [
      `conflicts take theirs ${id}`,
      `conflicts open ${id}`,
      `conflicts abort ${id}`,
      `land ${id}`,
      `land ${view.id}/second`,
    ];
    const command = words.map((word) => `"${process.execPath}" ${cli} ${word} --json; echo " $?"`).join("; ");
    const run = await home.client().start({ directory: root, tasks: { sly: { run: command, writes: "none" } } });
    const ended = await run.wait();
    const log = readFileSync(taskOf(ended, "sly").attempts[0]?.log ?? "", "utf8").trim();
    expect(log.match(/"NOT_ALLOWED_IN_TASK"/g)).toHaveLength(words.length);
    expect(log.match(/ 5$/gm)).toHaveLength(words.length);
    expect(log).toContain("anabranch conflicts take");
    expect((await show(home, view)).conflicts).toMatchObject([{ state: "open" }]);
  });
});

/** Waits until no workspace belongs to anybody. */
async function untilFree(home: Home): Promise<void> {
  const client = home.client();
  await until(
    async () => (await client.ask("doctor", {})).every((check) => !/[1-9]\d* in use/.test(check.evidence)),
    "workspaces are free",
  );
}

describe("conflict markers", () => {
  const MARKED = "<<<<<<< ours\none\n=======\ntwo\n>>>>>>> theirs\n";

  it("that a task leaves in a file never land, whoever says so", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": LINES, "kept.txt": `example\n${MARKED}` });
    const run = await home.client().start({
      directory: root,
      tasks: {
        marks: `printf '${MARKED.replaceAll("\n", "\\n")}' > new.txt; echo fine > fine.txt`,
        moves: "mkdir docs; mv kept.txt docs/kept.txt; echo more >> docs/kept.txt",
      },
    });
    const view = await run.wait();
    expect(taskOf(view, "moves").outcome).toBe("succeeded");
    expect(taskOf(view, "marks")).toMatchObject({ outcome: "failed", reason: { code: "MERGE_CONFLICT" } });
    expect(view.conflicts).toMatchObject([{ task: "marks", paths: [{ path: "new.txt", kind: "markers" }] }]);
    const id = view.conflicts[0]?.id ?? "";
    expect(await refuse(home, root, 5, "conflicts", "take", "theirs", id)).toMatchObject({ code: "CONFLICT_MARKERS" });
    expect(await refuse(home, root, 5, "land", `${view.id}/marks`)).toMatchObject({ code: "MERGE_CONFLICT" });
    const next = (await show(home, view)).conflicts.find(({ state }) => state === "open")?.id ?? "";
    const { folder } = await give<CommandResponse<"conflicts-open">>(home, root, "conflicts", "open", next);
    expect(readFileSync(join(folder, "new.txt"), "utf8")).toBe(MARKED);
    expect(readFileSync(join(folder, "fine.txt"), "utf8")).toBe("fine\n");
    expect(await refuse(home, root, 5, "land", next)).toMatchObject({ code: "CONFLICT_MARKERS" });
    appendFileSync(join(folder, "a.txt"), MARKED);
    writeFileSync(join(folder, "new.txt"), "one\ntwo\n");
    expect(await refuse(home, root, 5, "land", next)).toMatchObject({ data: { files: [{ path: "a.txt" }] } });
    writeFileSync(join(folder, "a.txt"), LINES);
    await give(home, root, "land", next);
    expect(onLane(await show(home, view), "new.txt")).toBe("one\ntwo");
    const grep = await home.cli(root, ["git", "--", "grep", "-l", "^<<<<<<< ", view.lane.name]);
    expect(grep.stdout).toBe(`${view.lane.name}:docs/kept.txt\n`);
    await expectProved(home, root, 2);
  });

  it("stay out when a person keeps what has landed instead", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": LINES });
    const command = `printf '${MARKED.replaceAll("\n", "\\n")}' > a.txt; echo fine > fine.txt`;
    const view = await (await home.client().start({ directory: root, tasks: { marks: command } })).wait();
    await give(home, root, "conflicts", "take", "ours", view.conflicts[0]?.id ?? "");
    const after = await show(home, view);
    expect([onLane(after, "a.txt"), onLane(after, "fine.txt")]).toEqual([LINES.trimEnd(), "fine"]);
    await expectProved(home, root, 1);
  });
});

describe("the work of a task that has ended without it", () => {
  it("lands when a person wishes so: failed, cancelled, or refused by verification that passes by now", async () => {
    const home = makeHome();
    const pass = join(temporaryFolder(), "pass");
    const root = makeRepository({ "a.txt": LINES, "anabranch.yaml": `verify: ['! [ -e b.txt ] || [ -e ${pass} ]']\n` });
    const tasks = { broken: "echo b > b.txt", failing: "echo c > c.txt; exit 3", idle: "true" };
    const view = await (await home.client().start({ directory: root, mode: "parallel", tasks })).wait();
    expect(taskOf(view, "broken")).toMatchObject({ outcome: "failed", reason: { code: "VERIFY_FAILED" } });
    await until(() => !existsSync(join(view.folder, "inputs.json")), "the run is forgotten");
    const failed = await give<CommandResponse<"land">>(home, root, "land", `${view.id}/failing`);
    expect(failed.landing.verification.status).toBe("passed");
    expect(await refuse(home, root, 6, "land", `${view.id}/broken`)).toMatchObject({ code: "VERIFY_FAILED" });
    expect(await refuse(home, root, 3, "land", `${view.id}/idle`)).toMatchObject({ code: "NO_CHANGESET" });
    // What is around it is mended: a failure on the same tree is not held against it.
    writeFileSync(pass, "");
    const mended = await give<CommandResponse<"land">>(home, root, "land", `${view.id}/broken`);
    expect(mended.landing.verification.commands).toMatchObject([{ outcome: "passed", remembered: false }]);
    const after = await show(home, view);
    expect(taskOf(after, "failing")).toMatchObject({ outcome: "failed", landing: failed.landing.id });
    expect(onLane(after, "c.txt")).toBe("c");
    expect(existsSync(join(view.folder, "inputs.json"))).toBe(false);
    expect(onLane(after, "b.txt")).toBe("b");
    expectSoundLane(after);
    await expectProved(home, root, 2);
  });

  it("lands while other tasks of its run go on, but not before it has ended, nor out of a whole", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": LINES });
    const gate = join(temporaryFolder(), "gate");
    const client = home.client({ GATE: gate });
    const tasks = {
      failing: "echo c > c.txt; exit 3",
      slow: "while ! [ -e $GATE ]; do sleep 0.05; done; echo s > s.txt",
    };
    const start = { directory: root, mode: "parallel", tasks } as const;
    const [each, together] = [await client.start(start), await client.start({ ...start, land: "together" })];
    for (const { id } of [each, together]) {
      const failed = async (): Promise<boolean> =>
        taskOf(await client.ask("show", { id }), "failing").state === "ended";
      await until(failed, "it failed");
    }
    await refused(client.land(`${each.id}/slow`, root), "LAND_REFUSED");
    await refused(client.land(`${together.id}/failing`, root), "LAND_REFUSED");
    await client.land(`${each.id}/failing`, root);
    writeFileSync(gate, "");
    const views = await Promise.all([each.wait(), together.wait()]);
    expect(views.map(({ outcome }) => outcome)).toEqual(["failed", "failed"]);
    expect([onLane(views[0], "c.txt"), onLane(views[0], "s.txt")]).toEqual(["c", "s"]);
    expectSoundLane(views[0]);
    // The whole has not landed; a person can still land each part.
    await client.land(`${together.id}/slow`, root);
    expect(onLane(await show(home, views[1]), "s.txt")).toBe("s");
    await expectProved(home, root, 3);
  });
});

describe("receipts", () => {
  it("of every kind of landing are proved again, until somebody moves what they speak of", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": LINES, "x.log": "first\n", ".gitattributes": "*.log merge=union\n" });
    git(root, "config", "user.name", "Ada");
    git(root, "config", "user.email", "ada@example.org");
    const client = home.client();
    const start = { directory: root, mode: "parallel" } as const;
    const moved = await client.start({
      ...start,
      tasks: {
        moves: "mkdir d; mv a.txt d/a.txt; sed -i '2s/.*/two/' d/a.txt; echo m >> x.log",
        edits: "sed -i '11s/.*/eleven/' a.txt; echo e >> x.log",
        adds: "echo new > new.txt",
      },
    });
    const view = await moved.wait();
    expect(view.outcome).toBe("succeeded");
    expect(onLane(view, "d/a.txt")).toBe(LINES.replace("line 2\n", "two\n").replace("line 11\n", "eleven\n").trimEnd());
    const whole = await client.start({
      ...start,
      land: "together",
      tasks: { p: "echo p > p.txt", q: "echo q > q.txt" },
    });
    expect((await whole.wait()).outcome).toBe("succeeded");
    git(root, "branch", "side");
    const branch = await client.start({ ...start, target: "side", tasks: { u: "echo u > u.txt" } });
    expect((await branch.wait()).outcome).toBe("succeeded");
    await give(home, root, "accept", whole.id);
    writeFileSync(join(root, "p.txt"), "dirty\n");
    await give(home, root, "accept", view.id);
    const audit = await give<CommandResponse<"audit">>(home, root, "audit");
    expect(audit.receipts.flatMap(({ problems }) => problems)).toEqual([]);
    expect(new Set(audit.receipts.map(({ target }) => target.split(" ")[0]))).toEqual(
      new Set(["lane", "branch", "tree"]),
    );
    await give(home, root, "accept", "--undo", view.id);
    await expectProved(home, root, audit.receipts.length);
    const [own] = (await give<CommandResponse<"audit">>(home, root, "audit", whole.id)).receipts;
    expect(own).toMatchObject({ run: whole.id, changesets: 2, proved: true });
    git(view.vault, "update-ref", view.lane.name, view.base.commit);
    const end = await home.cli(root, ["audit", view.id]);
    expect(end.status).toBe(6);
    expect(end.stdout).toContain("not proved");
    expect(end.stdout).toContain(`${view.lane.name} does not hold`);
  });
});

describe("the daemon killed while a person's decision lands", () => {
  for (const point of [
    "landing.merged",
    "landing.verified",
    "landing.moving",
    "landing.receipt",
    "landing.moved",
    "store.commit.before",
    "store.commit.after",
  ]) {
    it(`at each pass of ${point} lands it exactly once`, async () => {
      const home = makeHome();
      const root = makeRepository({ "a.txt": LINES });
      let kills = 0;
      for (;;) {
        const view = await runMeeting(home, root);
        await home.client().ask("stop", {});
        await until(() => home.daemonPid() === undefined, "the daemon ends");
        const daemon = await home.startDaemon({ ANABRANCH_FAULT: `${point}@${kills + 1}` });
        const client = home.client();
        const id = view.conflicts[0]?.id ?? "";
        // Killed in the middle, it is asked again by the client.
        const { landed } = await client.takeSide(id, "theirs");
        expect(landed?.conflict).toBe(id);
        const after = await client.ask("show", { id: view.id });
        expect(lineFive(after), `${point}@${kills + 1}`).toBe("second");
        expect(after.landings).toHaveLength(2);
        expect(after.conflicts).toMatchObject([{ state: "settled", id }]);
        expect(taskOf(after, "second")).toMatchObject({ outcome: "failed", landing: landed?.landing.id });
        expectSoundLaneOf(after);
        const killed = daemon.signalCode === "SIGKILL";
        client.close();
        if (!killed) break;
        kills += 1;
      }
      expect(kills).toBeGreaterThanOrEqual(1);
      const audit = await give<CommandResponse<"audit">>(home, root, "audit");
      expect(audit.receipts.every(({ proved }) => proved)).toBe(true);
    }, 300_000);
  }

  it("while it opens a workspace opens it whole the next time", async () => {
    const { home, root, view, id } = await makeConflict();
    await home.client().ask("stop", {});
    await until(() => home.daemonPid() === undefined, "the daemon ends");
    const daemon = await home.startDaemon({ ANABRANCH_FAULT: "conflict.filled@1" });
    const opened = await home.client().openConflict(id);
    expect(daemon.signalCode).toBe("SIGKILL");
    expect(opened.again).toBe(false);
    expect(readFileSync(join(opened.folder, "a.txt"), "utf8")).toContain("<<<<<<< what has landed\nfirst\n");
    writeFileSync(join(opened.folder, "a.txt"), LINES.replace("line 5\n", "both\n"));
    await give(home, root, "land", id);
    expect(lineFive(await show(home, view))).toBe("both");
    await untilFree(home);
  });
});

/** Like `expectSoundLane`, where other runs have receipts in the same vault. */
function expectSoundLaneOf(run: RunView): void {
  const commits = run.landings.flatMap(({ changesets }) => changesets.map(({ commit }) => commit));
  expect(git(run.vault, "rev-list", "--reverse", `${run.base.commit}..${run.lane.name}`).split("\n")).toEqual(commits);
  for (const landing of run.landings) expect(git(run.vault, "rev-parse", landing.receipt)).toMatch(/^[0-9a-f]{40}$/);
}
