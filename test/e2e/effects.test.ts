import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { Anabranch } from "../../src/index.ts";
import type { EventView, NoticeView, RunView } from "../../src/protocol/views.ts";
import { DIST, makeHome } from "../fixtures/home.ts";
import { onLane } from "../fixtures/landings.ts";
import { makeRepository, temporaryFolder } from "../fixtures/repository.ts";
import { taskOf } from "../fixtures/runs.ts";
import { until } from "../fixtures/until.ts";

/** A fix, a deploy of what has landed that a person must agree to, and what comes after that. */
const CHAIN = {
  tasks: {
    fix: { run: "echo mended > a.txt" },
    deploy: { run: 'cat a.txt >> "$DEPLOYED"', effect: "irreversible", approval: "required" },
    tell: { run: "true", needs: "deploy", writes: "none" },
  },
} as const;

async function waitingFor(client: Anabranch, id: string, name: string): Promise<NoticeView> {
  let found: NoticeView | undefined;
  await until(async () => {
    found = taskOf(await client.ask("show", { id }), name).needsYou?.[0];
    return found !== undefined;
  }, "a person is asked");
  if (found === undefined) throw new Error("nobody is asked");
  return found;
}

async function eventsOf(client: Anabranch, run: string): Promise<EventView[]> {
  const events: EventView[] = [];
  for await (const event of client.events({ run })) events.push(event);
  return events;
}

const reasonOf = (run: RunView, name: string): string | undefined => taskOf(run, name).reason?.code;
const lines = (path: string): string[] => (existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : []);

describe("a task with an approval", () => {
  it("an approval waits instead of being denied: without its terminal and across a restart, until somebody answers", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const deployed = join(temporaryFolder(), "deployed");
    const first = home.client({ DEPLOYED: deployed });
    const { id } = await first.start({ directory: root, definition: CHAIN });
    await waitingFor(first, id, "deploy");
    first.close();
    process.kill(home.daemonPid() ?? 0, "SIGKILL");
    await until(() => home.daemonPid() === undefined, "the daemon is gone");

    const client = home.client();
    const notice = await waitingFor(client, id, "deploy");
    const view = await client.ask("show", { id });
    expect(taskOf(view, "deploy")).toMatchObject({ state: "ready", attempts: [] });
    expect(taskOf(view, "deploy").activity).toMatch(/^needs you: deploy asks before it runs/);
    const listed = (await home.cli(root, ["approve"])).stdout;
    expect(listed).toContain(`${notice.id}  ${id}/deploy  deploy asks before it runs: cat a.txt`);
    expect(listed).toContain(`after a yes: it runs on commit ${view.lane.tip?.slice(0, 12)}, with the work of fix`);
    expect(listed).toMatch(/without an answer it is no in 16\d h/);
    expect(listed).toContain(`anabranch approve ${notice.id}, or anabranch deny ${notice.id}`);
    expect((await home.cli(root, ["ls"])).stdout).toContain(`${id}/deploy`);

    expect((await home.cli(root, ["approve", `${id}/deploy`])).status).toBe(0);
    const [end] = await client.wait(id);
    expect(end?.outcome).toBe("succeeded");
    expect(lines(deployed)).toEqual(["mended"]);
    const run = await client.ask("show", { id });
    expect(taskOf(run, "deploy").attempts[0]?.base).toBe(view.lane.tip);
    const approved = (await eventsOf(client, id)).filter(({ type }) => type.startsWith("notice."));
    expect(approved.map(({ type, data }) => [type, typeof data["by"]])).toEqual([
      ["notice.opened", "undefined"],
      ["notice.approved", "string"],
    ]);
  });

  it("is cancelled by a no, with the words and the name of whoever said it, and what needs it is skipped", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const deployed = join(temporaryFolder(), "deployed");
    const client = home.client({ DEPLOYED: deployed });
    const { id } = await client.start({ directory: root, definition: CHAIN });
    const notice = await waitingFor(client, id, "deploy");
    await home.cli(root, ["deny", notice.id, "--reason", "not on a Friday"]);
    await client.wait(id);
    const run = await client.ask("show", { id });
    expect(run.outcome).toBe("cancelled");
    expect(reasonOf(run, "deploy")).toBe("APPROVAL_DENIED");
    expect(taskOf(run, "deploy")).toMatchObject({ outcome: "cancelled", attempts: [] });
    expect(taskOf(run, "deploy").reason?.message).toMatch(/^.+ said no: not on a Friday$/);
    expect(taskOf(run, "tell").outcome).toBe("skipped");
    expect(onLane(run, "a.txt")).toBe("mended");
    expect(lines(deployed)).toEqual([]);
    const ended = (await eventsOf(client, id)).find(({ type, task }) => type === "task.ended" && task === "deploy");
    expect(ended?.data).toMatchObject({ outcome: "cancelled", by: expect.stringMatching(/./) });
  });

  it("is not started by a yes from inside of a task", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const client = home.client({
      DEPLOYED: join(temporaryFolder(), "deployed"),
      NODE: process.execPath,
      CLI: join(DIST, "cli.js"),
    });
    const { id } = await client.start({ directory: root, definition: CHAIN });
    const notice = await waitingFor(client, id, "deploy");
    const said = join(temporaryFolder(), "said");
    const command = `"$NODE" "$CLI" approve ${notice.id} --json > ${said}; setsid "$NODE" "$CLI" approve ${id}/deploy --json >> ${said}`;
    const sly = await client.start({ directory: root, tasks: { sly: { run: command, writes: "none" } } });
    await sly.wait();
    const answers = lines(said).map((line) => JSON.parse(line) as { error: { code: string } });
    expect(answers.map(({ error }) => error.code)).toEqual(["NOT_ALLOWED_IN_TASK", "NOT_ALLOWED_IN_TASK"]);
    expect(taskOf(await client.ask("show", { id }), "deploy")).toMatchObject({ state: "ready", attempts: [] });
    await client.ask("cancel", { id });
  });

  it("can be cancelled while it waits; then nobody can start it any more", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const deployed = join(temporaryFolder(), "deployed");
    const client = home.client({ DEPLOYED: deployed });
    const { id } = await client.start({ directory: root, definition: CHAIN });
    const notice = await waitingFor(client, id, "deploy");
    await client.ask("cancel", { id });
    await until(async () => (await client.needsYou()).length === 0, "nobody is asked any more");
    const late = await home.cli(root, ["approve", notice.id, "--json"]);
    expect(JSON.parse(late.stdout)).toMatchObject({ error: { code: "NOTICE_CLOSED", data: { state: "withdrawn" } } });
    expect(reasonOf(await client.ask("show", { id }), "deploy")).toBe("CANCELLED");
    expect(lines(deployed)).toEqual([]);
  });

  it.each(["approval.asked@1", "store.commit.after@5", "approval.settled@1"])(
    "is asked about once and runs once after its yes when the daemon is killed at %s",
    async (fault) => {
      const home = makeHome();
      const root = makeRepository({ "a.txt": "a\n" });
      const deployed = join(temporaryFolder(), "deployed");
      const daemon = await home.startDaemon({ ANABRANCH_FAULT: fault });
      const client = home.client({ DEPLOYED: deployed });
      const { id } = await client.start({ directory: root, definition: CHAIN });
      const notice = await waitingFor(client, id, "deploy");
      // Where it is killed after the answer, nobody hears that it was taken; asking again tells.
      await client.ask("approve", { id: notice.id, approved: true }).catch(() => undefined);
      const [end] = await client.wait(id);
      expect(end?.outcome).toBe("succeeded");
      expect(daemon.signalCode).toBe("SIGKILL");
      expect(lines(deployed)).toEqual(["mended"]);
      const events = (await eventsOf(client, id)).map(({ type }) => type);
      expect(events.filter((type) => type.startsWith("notice."))).toEqual(["notice.opened", "notice.approved"]);
    },
  );
});

describe("an irreversible task", () => {
  it("starts when all that still writes has landed or failed, needed or not, and sees what has landed", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const [go, deployed] = [join(temporaryFolder(), "go"), join(temporaryFolder(), "deployed")];
    const client = home.client();
    const run = await client.start({
      directory: root,
      definition: {
        mode: "parallel",
        tasks: {
          slow: { run: `while [ ! -e ${go} ]; do sleep 0.02; done; echo slow > slow.txt` },
          broken: { run: "echo broken > broken.txt; false" },
          tests: { run: "true", writes: "none" },
          deploy: { run: `ls *.txt > ${deployed}`, needs: "tests", effect: "irreversible" },
        },
      },
    });
    await until(
      async () => taskOf(await client.ask("show", { id: run.id }), "broken").outcome === "failed",
      "one failed",
    );
    await until(async () => taskOf(await client.ask("show", { id: run.id }), "tests").state === "ended", "one passed");
    expect(taskOf(await client.ask("show", { id: run.id }), "deploy").state).toBe("waiting");
    writeFileSync(go, "");
    const view = await run.wait();
    expect(taskOf(view, "deploy").outcome).toBe("succeeded");
    expect(lines(deployed)).toEqual(["a.txt", "slow.txt"]);
  });

  it("that was lost is not done again", async () => {
    const home = makeHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const deployed = join(temporaryFolder(), "deployed");
    const client = home.client();
    const tasks = { deploy: { run: `echo begun >> ${deployed}; sleep 600`, effect: "irreversible" } } as const;
    const run = await client.start({ directory: root, tasks });
    await until(() => lines(deployed).length > 0, "it has begun");
    const pid = taskOf(await client.ask("show", { id: run.id }), "deploy").attempts[0]?.pid ?? 0;
    process.kill(pid, "SIGKILL");
    const view = await run.wait();
    expect(taskOf(view, "deploy")).toMatchObject({ outcome: "lost", attempts: [{ number: 1 }] });
    expect(lines(deployed)).toEqual(["begun"]);
  });
});
