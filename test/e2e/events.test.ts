import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { EventView } from "../../src/protocol/views.ts";
import { makeHome } from "../fixtures/home.ts";
import { makeRepository, writeFiles } from "../fixtures/repository.ts";
import { startCli } from "../fixtures/terminal.ts";

interface Answer<Data> {
  readonly v: number;
  readonly ok: boolean;
  readonly data: Data;
  readonly error?: { readonly code: string; readonly hint?: string };
}

function parse<Data>(stdout: string): Answer<Data> {
  return JSON.parse(stdout) as Answer<Data>;
}

describe("events on the command line", () => {
  it("are listed and followed: when, what, of which task, and what they tell", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const other = makeRepository({ "b.txt": "b\n" });
    await home.cli(other, ["emit", "elsewhere"]);
    const following = startCli(home, root, ["events", "-f", "--type", "task.*", "--type", "custom.*"]);
    await home.cli(root, ["run", "-t", "one=true"]);
    await following.shows(/task\.ended +\w+\/one +succeeded/);
    expect((await home.cli(root, ["emit", "release.cut", "--data", '{"version":"1.4.0"}'])).stdout).toMatch(
      /^custom\.release\.cut: event \d+\n$/,
    );
    await following.shows(/\d\d:\d\d:\d\d\.\d{3} +custom\.release\.cut +\{"version":"1\.4\.0"\}/);
    following.child.kill("SIGTERM");
    const listed = parse<EventView[]>((await home.cli(root, ["events", "--json"])).stdout);
    expect(listed.data.map(({ type }) => type)).toContain("run.ended");
    expect(listed.data.map(({ type }) => type)).not.toContain("custom.elsewhere");
    const seq = listed.data.find(({ type }) => type === "run.ended")?.seq ?? 0;
    const after = await home.cli(root, ["events", "--since", String(seq), "--plain"]);
    expect(after.stdout.split("\n").filter((line) => line.includes("custom.release.cut"))).toHaveLength(1);
    const everywhere = await home.cli(root, ["events", "--all", "--type", "custom.else*", "--json"]);
    expect(parse<EventView[]>(everywhere.stdout).data).toHaveLength(1);
    const ofRun = parse<EventView[]>((await home.cli(root, ["events", "--run", "@last", "--json"])).stdout).data;
    expect(ofRun.every(({ run }) => run !== undefined)).toBe(true);
    expect(ofRun.at(-1)?.type).toBe("run.ended");
    expect((await home.cli(root, ["events", "--since", "yesterday"])).status).toBe(2);
  });

  it("cannot be forged by what they tell: nothing of it moves the cursor or begins a line", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const evil = "\u001b[2J\u202e\r12:00:00.000  task.ended  x/y  succeeded\nrun.ended";
    writeFileSync(join(root, "evil.json"), JSON.stringify({ outcome: evil, because: evil }));
    await home.cli(root, ["emit", "evil", "--data", "@evil.json"]);
    for (const args of [["events"], ["events", "--plain"], ["events", "--json"]]) {
      const { stdout } = await home.cli(root, args);
      const [line = "", ...others] = stdout.trimEnd().split("\n");
      expect(others).toEqual([]);
      expect(line).toContain("custom.evil");
      expect(line).not.toMatch(/[\u001b\u202e\r]/);
    }
  });

  it("of one's own are refused with what is wrong with them, and nothing is appended", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const bad: readonly (readonly string[])[] = [
      ["emit", "9lives"],
      ["emit", "two words"],
      ["emit", "x".repeat(101)],
      ["emit", "a", "--data", "[1]"],
      ["emit", "a", "--data", "null"],
      ["emit", "a", "--data", '"text"'],
      ["emit", "a", "--data", "{half"],
      ["emit", "a", "--data", "@large.json"],
    ];
    writeFileSync(join(root, "large.json"), JSON.stringify({ text: "x".repeat(256 * 1024) }));
    for (const args of bad) {
      const { status, stdout } = await home.cli(root, [...args, "--json"]);
      expect(parse(stdout).error?.code, args.join(" ")).toBe("EVENT_INVALID");
      expect(status).toBe(2);
    }
    expect((await home.cli(root, ["emit", "a", "--in", "1h", "--at", "2030-01-01"])).status).toBe(2);
    expect((await home.cli(root, ["emit", "a", "--at", "noon"])).status).toBe(2);
    expect((await home.cli(root, ["emit", "a", "--data", "@nowhere.json"])).status).toBe(2);
    expect(parse<EventView[]>((await home.cli(root, ["events", "--all", "--json"])).stdout).data).toEqual([]);
  });

  it("of one key are one, also when they come again after a restart of the daemon", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const other = makeRepository({ "b.txt": "b\n" });
    const client = home.client();
    const first = await client.emit("tick", { n: 1 }, { directory: root, key: "monday" });
    expect(first).toMatchObject({ type: "custom.tick", already: false });
    await home.cli(root, ["daemon", "restart"]);
    const again = await client.emit("tick", { n: 2 }, { directory: root, key: "monday" });
    expect(again).toEqual({ type: "custom.tick", already: true });
    expect((await client.emit("tock", {}, { directory: root, key: "monday" })).already).toBe(false);
    expect((await client.emit("tick", {}, { directory: other, key: "monday" })).already).toBe(false);
  });

  it("that a task emits belong to its run, from wherever in it they are emitted", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const cli = `${process.execPath} ${join(import.meta.dirname, "../../dist/cli.js")}`;
    const { stdout } = await home.cli(root, ["run", "--json", "-t", `one=mkdir deep; cd deep; ${cli} emit from.task`]);
    const run = parse<{ id: string; outcome: string }>(stdout).data;
    expect(run.outcome).toBe("succeeded");
    const events = parse<EventView[]>((await home.cli(root, ["events", "--type", "custom.*", "--json"])).stdout).data;
    expect(events).toMatchObject([{ type: "custom.from.task", run: run.id, task: "one" }]);
  });

  it("that are gone are said to be, to whoever asks for what comes after one of them", async () => {
    const home = makeHome();
    writeFiles(home.folder, { "config/config.yaml": "events: { most: 1000 }\n" });
    const root = makeRepository({ "a.txt": "a\n" });
    const client = home.client();
    for (let round = 0; round < 22; round += 1) {
      await Promise.all(Array.from({ length: 50 }, () => client.emit("tick", {}, { directory: root })));
    }
    const shown = parse<{ events: number }>((await home.cli(root, ["gc", "--json"])).stdout).data;
    const removed = parse<{ events: number }>((await home.cli(root, ["gc", "--yes", "--json"])).stdout).data;
    expect(shown.events + removed.events).toBeGreaterThan(0);
    const oldest: number[] = [];
    const kept: number[] = [];
    for await (const { seq } of client.events({ afterSeq: 1 }, (seq) => oldest.push(seq))) kept.push(seq);
    expect(kept).toHaveLength(1000);
    expect(oldest).toEqual([kept[0]]);
    const { stderr } = await home.cli(root, ["events", "--since", "1"]);
    expect(stderr).toContain("kept no more");
  });
});

const TRIGGERS = `
workflows:
  check: { tasks: { tests: { run: "true", writes: none } } }
  deploy: { tasks: { push: { run: "true", writes: none } } }
triggers:
  - { name: on-release, on: { event: "release.*" }, where: { version: "1.*" }, run: check, debounce: 10m }
  - { on: { task: check.tests, outcome: succeeded }, run: deploy, approval: required }
`;

describe("triggers on the command line", () => {
  it("are shown before they are agreed to, and need a yes where there is no terminal", async () => {
    const home = makeHome();
    const root = makeRepository({ "anabranch.yaml": TRIGGERS });
    const before = await home.cli(root, ["triggers"]);
    expect(before.stdout).toMatch(/on-release +new/);
    const asked = await home.cli(root, ["triggers", "enable"]);
    expect(asked.status).toBe(2);
    expect(asked.stderr).toMatch(
      /on event release\.\*[\s\S]*→ runs check[\s\S]*→ runs deploy \(asks you first\)[\s\S]*--yes/,
    );
    expect((await home.cli(root, ["triggers", "ls", "--plain"])).stdout).toMatch(/^on-release\tnew\t/);
    const enabled = await home.cli(root, ["triggers", "enable", "--yes"]);
    expect(enabled.status).toBe(0);
    expect((await home.cli(root, ["triggers", "ls", "--plain"])).stdout).toMatch(/^on-release\tactive\t/);
    writeFiles(root, { "anabranch.yaml": TRIGGERS.replace("run: check", "run: deploy") });
    const changed = await home.cli(root, ["triggers", "enable"]);
    expect(changed.stderr).toMatch(/since it was agreed to:[\s\S]*\n {2}-.*run: check[\s\S]*\n {2}\+.*run: deploy/);
    expect((await home.cli(root, ["triggers"])).stdout).toMatch(/has changed since they were enabled/);
  });

  it("say of an event what would fire and why not, are paused and resumed, and are disabled", async () => {
    const home = makeHome();
    const root = makeRepository({ "anabranch.yaml": TRIGGERS });
    await home.cli(root, ["triggers", "enable", "--yes"]);
    writeFileSync(join(root, "event.json"), JSON.stringify({ type: "custom.release.cut", data: { version: "1.4.0" } }));
    const tried = await home.cli(root, ["triggers", "test", "event.json"]);
    expect(tried.stdout).toMatch(/✓ on-release fires: .*\n(.*\n)*.*→ runs check \(depth 1 of/);
    expect(tried.stdout).toMatch(/· deploy does not fire: \S/);
    writeFileSync(join(root, "event.json"), JSON.stringify({ type: "custom.release.cut", data: { version: "2.0.0" } }));
    const not = await home.cli(root, ["triggers", "test", "event.json"]);
    expect(not.stdout).toMatch(/· on-release does not fire: .*version/);
    for (const text of ["{half", "[]", '{"data":{}}']) {
      writeFileSync(join(root, "event.json"), text);
      const { status, stdout } = await home.cli(root, ["triggers", "test", "event.json", "--json"]);
      expect([status, parse(stdout).error?.code]).toEqual([2, "EVENT_INVALID"]);
    }
    await home.cli(root, ["triggers", "pause", "on-release"]);
    expect((await home.cli(root, ["triggers", "show", "on-release"])).stdout).toMatch(/state +paused/);
    await home.cli(root, ["triggers", "resume", "on-release"]);
    expect((await home.cli(root, ["triggers", "show", "on-release"])).stdout).toMatch(/state +active/);
    const unknown = await home.cli(root, ["triggers", "pause", "on-relase", "--json"]);
    expect(unknown.status).toBe(3);
    expect(parse(unknown.stdout).error?.hint).toContain("on-release");
    expect((await home.cli(root, ["triggers", "disable"])).stdout).toMatch(/disabled/);
    expect((await home.cli(root, ["events", "--dead"])).stdout).toBe("Nothing was stopped or left undelivered.\n");
    expect((await home.cli(root, ["events", "replay", "nosuch"])).status).toBe(3);
  });

  it("cannot be agreed to, held or replayed from inside a task", async () => {
    const home = makeHome();
    const root = makeRepository({ "anabranch.yaml": TRIGGERS });
    const cli = `${process.execPath} ${join(import.meta.dirname, "../../dist/cli.js")}`;
    const tries = ["triggers enable --yes", "triggers disable", "triggers pause deploy", "events replay x"];
    const command = tries.map((one) => `${cli} ${one} --json; echo`).join("; ");
    await home.cli(root, ["run", "-t", `one=${command}`]);
    const { stdout } = await home.cli(root, ["logs", "@last"]);
    expect(stdout.match(/NOT_ALLOWED_IN_TASK/g)).toHaveLength(tries.length);
    expect((await home.cli(root, ["triggers", "ls", "--plain"])).stdout).toMatch(/^on-release\tnew\t/);
  });
});
