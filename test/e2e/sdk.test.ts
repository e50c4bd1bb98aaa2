import { execFile } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

import type { EventView } from "../../src/protocol/views.ts";
import { DIST, makeHome, type Home } from "../fixtures/home.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../fixtures/repository.ts";
import { until } from "../fixtures/until.ts";

/** Runs a script of a user's own, with the package as it is built, and returns what it prints as JSON. */
async function runScript(home: Home, directory: string, body: string): Promise<Record<string, unknown>> {
  const script = join(temporaryFolder(), "script.mjs");
  const sdk = pathToFileURL(join(DIST, "index.js")).href;
  writeFileSync(
    script,
    `import { AnabranchError, connect, defineWorkflow, isAnabranchError } from ${JSON.stringify(sdk)};\n${body}\n`,
  );
  const text = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [script], { cwd: directory, env: home.environment }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${stdout}${stderr}`, { cause: error }));
    });
  });
  return JSON.parse(text) as Record<string, unknown>;
}

describe("a script with the package", () => {
  it("connects, plans, starts, waits, follows, cancels, and ends by itself when it lets go", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    writeFiles(root, { "anabranch.yaml": "workflows: { check: { tasks: { one: { run: 'cat a.txt' } } } }\n" });
    const answer = await runScript(
      home,
      root,
      `const anabranch = await connect();
       const workflow = defineWorkflow({ mode: "parallel", tasks: {
         make: { run: "echo made > made.txt" },
         scan: { run: "echo '[1,2]'", writes: "none", output: "json" },
         use: { run: "cat made.txt > used.txt; echo $ANABRANCH_SCAN_OUTPUT > scan.txt", needs: ["make", "scan"] },
       } });
       const plan = await anabranch.plan({ definition: workflow });
       const run = await anabranch.start({ definition: workflow });
       const types = [];
       for await (const event of run.events()) types.push(event.type + (event.task ? " " + event.task : ""));
       const view = await run.wait();
       const again = await anabranch.run(run.id);
       const id = await anabranch.spawn({ tasks: { long: "echo up; sleep 600" } });
       const soon = await anabranch.wait(id, { timeoutMs: 1 });
       await anabranch.cancel(id, { force: true });
       const [ended] = await anabranch.wait([id]);
       const named = await anabranch.start({ workflow: "check" });
       const failures = [];
       for (const ask of [() => anabranch.run("nosuchrun"), () => anabranch.start({ workflow: "chek" }), () => anabranch.start({ directory: "/", tasks: { a: "true" } }), () => anabranch.start({ tasks: { a: { run: "true", neds: "b" } } })])
         await ask().catch((error) => failures.push([isAnabranchError(error) && error instanceof AnabranchError, error.code, typeof error.hint]));
       const outcome = (await named.wait()).outcome;
       anabranch.close();
       console.log(JSON.stringify({ plan, types, view, again: again.view.outcome, soon, ended, outcome, failures }));`,
    );
    const view = answer["view"] as {
      outcome: string;
      vault: string;
      taskList: { output?: unknown; attempts: { changeset?: { snapshot: string } }[] }[];
    };
    expect(view.outcome).toBe("succeeded");
    expect(view.taskList[1]?.output).toEqual([1, 2]);
    expect(git(view.vault, "show", `${view.taskList[2]?.attempts[0]?.changeset?.snapshot}:used.txt`)).toBe("made");
    const types = answer["types"] as string[];
    expect(types[0]).toMatch(/^run\./);
    expect(types.at(-1)).toBe("run.ended");
    for (const task of ["make", "scan", "use"]) {
      const own = types.filter((type) => type.endsWith(` ${task}`)).map((type) => type.split(" ")[0]);
      expect(own.filter((type) => type === "task.ended")).toHaveLength(1);
      expect(own.indexOf("task.started")).toBeGreaterThan(own.indexOf("task.preparing"));
      expect(own.indexOf("task.ended")).toBeGreaterThan(own.indexOf("task.started"));
    }
    expect(types.indexOf("task.preparing use")).toBeGreaterThan(types.indexOf("task.ended make"));
    expect(answer).toMatchObject({
      plan: { mode: "parallel", tasks: [{ name: "make" }, { name: "scan" }, { name: "use", needs: ["make", "scan"] }] },
      again: "succeeded",
      soon: [{ ended: false }],
      ended: { ended: true, outcome: "cancelled" },
      outcome: "succeeded",
      failures: [
        [true, "NOT_FOUND", "string"],
        [true, "WORKFLOW_UNKNOWN", "string"],
        [true, "NOT_A_REPOSITORY", "string"],
        [true, "USAGE", "string"],
      ],
    });
  });

  it("can be told to start no daemon, and to ask twice for what shall start once", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const answer = await runScript(
      home,
      root,
      `const refused = await connect({ start: false }).catch((error) => error.code);
       const anabranch = await connect();
       const options = { tasks: { a: "true" }, requestId: "the-same-request" };
       const runs = await Promise.all([1, 2, 3, 4].map(() => anabranch.start(options)));
       const late = await anabranch.start(options);
       anabranch.close();
       console.log(JSON.stringify({ refused, ids: [...runs, late].map((run) => run.id) }));`,
    );
    expect(answer["refused"]).toBe("DAEMON_UNREACHABLE");
    expect(new Set(answer["ids"] as string[]).size).toBe(1);
    expect(await home.client().ask("list", {})).toHaveLength(1);
  });

  it("misses no event and sees none twice when daemons die and are replaced while it follows", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const folder = temporaryFolder();
    const client = home.client();
    const step = (name: string): string => `while [ ! -e ${folder}/${name} ]; do sleep 0.02; done`;
    const tasks = {
      a: { run: step("a"), writes: "none" },
      b: { run: step("b"), needs: "a", writes: "none" },
      c: { run: step("c"), needs: "b", writes: "none" },
    } as const;
    const run = await client.start({ directory: root, tasks });
    const seen: EventView[] = [];
    const following = (async () => {
      for await (const event of client.events({ run: run.id, follow: true })) {
        seen.push(event);
        if (event.type === "run.ended") return;
      }
    })();
    const views: string[] = [];
    const watching = (async () => {
      for await (const message of home.client().watch({ id: run.id, output: "full" }))
        if (message.type === "run") views.push(message.data.taskList.map((task) => task.outcome ?? task.state).join());
    })();
    for (const name of ["a", "b", "c"]) {
      await until(() => seen.some((event) => event.type === "task.started" && event.task === name), `${name} starts`);
      const pid = home.daemonPid();
      if (name === "b") await home.cli(root, ["daemon", "restart"]);
      else process.kill(pid ?? 0, "SIGKILL");
      await until(() => home.daemonPid() !== undefined && home.daemonPid() !== pid, "the next daemon is there");
      writeFileSync(join(folder, name), "");
    }
    await Promise.all([following, watching]);
    expect(views.at(-1)).toBe("succeeded,succeeded,succeeded");
    const all: EventView[] = [];
    for await (const event of client.events({ run: run.id })) all.push(event);
    expect(seen).toEqual(all);
    expect(seen.map((event) => event.seq)).toEqual(
      [...new Set(seen.map((event) => event.seq))].toSorted((a, b) => a - b),
    );
    // From any place on, it is the same story.
    const later: EventView[] = [];
    for await (const event of client.events({ run: run.id, afterSeq: all[3]?.seq ?? 0 })) later.push(event);
    expect(later).toEqual(all.slice(4));
    expect(existsSync(join(root, "made.txt"))).toBe(false);
  });
});
