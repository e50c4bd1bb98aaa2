import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { EventView } from "../../src/protocol/views.ts";
import { DIST, makeHome, type Home } from "../fixtures/home.ts";
import { git, temporaryFolder, writeFiles } from "../fixtures/repository.ts";
import { makeTriggered, runsOf, untilRuns } from "../fixtures/triggers.ts";
import { until } from "../fixtures/until.ts";

const CLI = `${process.execPath} ${join(DIST, "cli.js")}`;

async function eventsOf(home: Home, root: string, ...types: string[]): Promise<EventView[]> {
  const found: EventView[] = [];
  for await (const event of home.client().events({ directory: root, here: true, types })) found.push(event);
  return found;
}

async function deadLetters(home: Home, directory: string): Promise<{ kind: string; trigger?: string | undefined }[]> {
  return home.client().ask("dead-letters", { directory });
}

describe("a chain of events", () => {
  it("goes from an edit to the tests, and from there to whoever is told and, after a yes, to the deployment", async () => {
    const home = makeHome();
    const out = temporaryFolder();
    writeFiles(home.folder, {
      "user/.profile": "",
      "config/config.yaml": `notify: { me: { command: "cat >> ${out}/told.jsonl" } }\n`,
    });
    home.environment["OUT"] = out;
    const root = await makeTriggered(
      home,
      `workflows:
  check: { tasks: { tests: { run: "! grep broken src/a.txt", writes: none } } }
  deploy: { tasks: { push: { run: "cp src/a.txt $OUT/deployed.txt", effect: irreversible, writes: none } } }
triggers:
  - { on: { files: "src/**" }, debounce: 200ms, run: check }
  - { on: { task: check.tests, outcome: succeeded }, run: deploy, approval: required }
  - { on: { task: check.tests }, notify: me }
`,
      { "src/a.txt": "old\n" },
    );
    writeFiles(root, { "src/a.txt": "new\n" });
    const [check] = await untilRuns(home, root, "check", 1);
    expect(check?.outcome).toBe("succeeded");
    await until(async () => (await home.client().needsYou(root)).length === 1, "a person is asked");
    await until(() => existsSync(join(out, "told.jsonl")), "somebody is told");
    expect(await runsOf(home, root, "deploy"), "nobody has said yes").toEqual([]);
    expect(existsSync(join(out, "deployed.txt"))).toBe(false);

    const [notice] = await home.client().needsYou(root);
    expect((await home.cli(root, ["approve", notice?.id ?? ""])).status).toBe(0);
    const [deploy] = await untilRuns(home, root, "deploy", 1);
    expect(deploy?.outcome).toBe("succeeded");
    expect(readFileSync(join(out, "deployed.txt"), "utf8")).toBe("new\n");
    const ends = await eventsOf(home, root, "run.ended");
    expect(ends.map(({ data, cause }) => [data["workflow"], cause?.depth])).toEqual([
      ["check", 1],
      ["deploy", 2],
    ]);
    expect(new Set(ends.map(({ cause }) => cause?.chain)).size).toBe(1);
    const { stdout } = await home.cli(root, ["events", "--type", "run.ended"]);
    expect(stdout).toMatch(/← check \(depth 1\)\n[^]*← deploy \(depth 2\)\n$/);

    writeFiles(root, { "src/a.txt": "broken\n" });
    const failed = (await untilRuns(home, root, "check", 2)).filter(({ outcome }) => outcome === "failed");
    expect(failed).toHaveLength(1);
    await until(() => readFileSync(join(out, "told.jsonl"), "utf8").trim().split("\n").length === 2, "it is told too");
    expect(await home.client().needsYou(root)).toEqual([]);
    expect(await runsOf(home, root, "deploy")).toHaveLength(1);

    const plan = await home.cli(root, ["plan", "check"]);
    expect(plan.stdout).toContain("then: deploy (on task check.tests succeeded; asks you first)");
  });

  it("L1 an agent's own write does not re-fire its trigger", async () => {
    const home = makeHome();
    const root = await makeTriggered(
      home,
      `workflows: { mend: { tasks: { fix: { run: "echo mended >> src/a.txt" } } } }
triggers: [{ on: { files: "src/**" }, debounce: 100ms, run: mend }]
`,
      { "src/a.txt": "old\n" },
    );
    writeFiles(root, { "src/a.txt": "mine\n" });
    const [first] = await untilRuns(home, root, "mend", 1);
    expect(first?.outcome).toBe("succeeded");
    expect((await home.cli(root, ["accept", first?.id ?? ""])).status).toBe(0);
    expect(readFileSync(join(root, "src/a.txt"), "utf8")).toBe("mine\nmended\n");
    await until(async () => (await deadLetters(home, root)).length > 0, "its own write is stopped, visibly");
    expect(await deadLetters(home, root)).toMatchObject([{ kind: "own-work", trigger: "mend" }]);
    const changes = await eventsOf(home, root, "files.changed");
    expect(changes.map(({ cause }) => cause?.depth)).toEqual([undefined, 1]);
    expect(await runsOf(home, root, "mend")).toHaveLength(1);
    // A person's next save is nobody's own work.
    appendFileSync(join(root, "src/a.txt"), "mine again\n");
    await untilRuns(home, root, "mend", 2);
    expect(await runsOf(home, root, "mend")).toHaveLength(2);
  });

  it("L2 depth survives timer, schedule, event and restart", async () => {
    const home = makeHome();
    const root = await makeTriggered(
      home,
      `workflows: { again: { tasks: { one: { run: "${CLI} emit ping --in 300ms", writes: none } } } }
chains: { depth: 4 }
triggers: [{ on: { event: ping }, run: again, again: true }]
`,
    );
    await home.cli(root, ["emit", "ping", "--at", new Date(Date.now() + 200).toISOString()]);
    await untilRuns(home, root, "again", 2);
    await home.cli(root, ["daemon", "restart"]);
    await until(async () => (await deadLetters(home, root)).length > 0, "the chain ends");
    expect(await deadLetters(home, root)).toMatchObject([{ kind: "depth", trigger: "again" }]);
    const runs = await runsOf(home, root, "again");
    expect(runs).toHaveLength(4);
    const pings = await eventsOf(home, root, "custom.ping");
    expect(pings.map(({ cause }) => cause?.depth)).toEqual([undefined, 1, 2, 3, 4]);
  });

  it("L3 depth survives the agent hop", async () => {
    const home = makeHome();
    const root = await makeTriggered(
      home,
      `workflows: { hop: { tasks: { one: { run: "${CLI} run -t inner='${CLI} emit ping'", writes: none } } } }
chains: { depth: 3 }
triggers: [{ on: { event: ping }, run: hop, again: true }]
`,
    );
    await home.cli(root, ["emit", "ping"]);
    await until(async () => (await deadLetters(home, root)).length > 0, "the chain ends");
    expect(await deadLetters(home, root)).toMatchObject([{ kind: "depth", trigger: "hop" }]);
    expect(await untilRuns(home, root, "hop", 3)).toHaveLength(3);
    const pings = await eventsOf(home, root, "custom.ping");
    expect(pings.map(({ cause }) => cause?.depth)).toEqual([undefined, 1, 2, 3]);
  });

  it("44 a burst of saves starts one run", async () => {
    const home = makeHome();
    const root = await makeTriggered(
      home,
      `workflows: { check: { tasks: { tests: { run: "ls src | wc -l", writes: none } } } }
triggers: [{ on: { files: "src/**" }, debounce: 3s, run: check }]
`,
      { "src/a.txt": "old\n" },
    );
    for (let save = 0; save < 8; save += 1) {
      writeFileSync(join(root, `src/file-${save}.txt`), `save ${save}\n`);
      // Each is an event of its own: what makes one run of them is the debounce.
      await until(async () => (await eventsOf(home, root, "files.changed")).length > save, `save ${save} is told`);
    }
    await untilRuns(home, root, "check", 1);
    const shown = async () => home.client().ask("triggers-show", { directory: root, name: "check" });
    await until(async () => (await shown()).trigger.dueMs === undefined, "nothing waits");
    const { firings } = await shown();
    expect(firings).toHaveLength(1);
    expect(firings[0]?.paths.toSorted()).toEqual(Array.from({ length: 8 }, (_, index) => `src/file-${index}.txt`));
    expect((await home.cli(root, ["logs", "@last"])).stdout.trim()).toBe("9");
    expect(git(root, "status", "--short", "--", "anabranch.yaml")).toBe("");
  });
});
