import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { RunHandle } from "../../src/index.ts";
import { makeHome, type Home } from "../fixtures/home.ts";
import { onLane } from "../fixtures/landings.ts";
import { makeRepository, temporaryFolder } from "../fixtures/repository.ts";
import { taskOf } from "../fixtures/runs.ts";
import { until } from "../fixtures/until.ts";
import { startModelServer, type ModelServer } from "./model-server.ts";
import { agentHome, agentPlace } from "./places.ts";
import { scripted } from "./script.ts";

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.close());

/** A task that holds `src/` until it is let go, and a run of an agent that wants to write there, and elsewhere. */
interface Meeting {
  readonly home: Home;
  readonly holder: RunHandle;
  readonly agent: RunHandle;
  readonly letGo: () => void;
}

async function meet(answer: "warn" | "wait" | "deny"): Promise<Meeting> {
  const home = makeHome();
  const folder = temporaryFolder();
  const root = makeRepository({
    "src/a.txt": "a\n",
    "anabranch.yaml": `agents:\n  writer: { kind: claude, leases: ${answer} }\n`,
  });
  const place = agentPlace("claude", server, agentHome());
  const PATH = `${dirname(place.program.command)}:${place.environment["PATH"]}`;
  const anabranch = home.client({ ...home.environment, ...place.environment, PATH });
  const command = `touch ${folder}/began; until [ -e ${folder}/go ]; do sleep 0.02; done; echo held > src/a.txt`;
  const holder = await anabranch.start({
    directory: root,
    tasks: { holder: { run: command, writes: "src/**", exclusive: true } },
  });
  await until(() => existsSync(join(folder, "began")), "the holder has begun");
  const prompt = `Write. ${scripted(
    { tool: "Write", input: { file_path: "src/new.txt", content: "new\n" } },
    { tool: "Write", input: { file_path: "docs.txt", content: "docs\n" } },
    { text: "done" },
  )}`;
  const agent = await anabranch.start({
    directory: root,
    definition: { tasks: { writer: { agent: "writer", prompt, timeout: "60s" } } },
  });
  return { home, holder, agent, letGo: () => writeFileSync(join(folder, "go"), "") };
}

/** What the agent was told, as the model saw it last in this run. */
function told(agent: RunHandle): string {
  return readFileSync(join(agent.view.folder, "writer", "1", "log"), "utf8");
}

describe("an agent that is about to write what another task holds", () => {
  it("is refused before it does, is told who holds it, and goes on elsewhere", async () => {
    const { holder, agent, letGo } = await meet("deny");
    const run = await agent.wait();
    expect(run.outcome).toBe("succeeded");
    const changes = taskOf(run, "writer").attempts[0]?.changeset?.changes.map(({ path }) => path);
    expect(changes).toEqual(["docs.txt"]);
    const lastRequest = JSON.stringify(server.requests.at(-1)?.body);
    expect(lastRequest).toContain(`lease of ${holder.id}/holder`);
    expect(told(agent)).toContain("refused");
    letGo();
    await holder.wait();
  });

  it("may where its definition only warns; what it did there lands after the holder's work", async () => {
    const { home, holder, agent, letGo } = await meet("warn");
    const waits = async (): Promise<boolean> => {
      const view = await home.client().ask("show", { id: agent.id });
      return taskOf(view, "writer").activity?.includes(`held: lease of ${holder.id}/holder`) === true;
    };
    await until(waits, "its work waits for its place");
    letGo();
    const [first, second] = [await holder.wait(), await agent.wait()];
    expect(onLane(second, "src/new.txt")).toBe("new");
    expect(taskOf(second, "writer").endedMs).toBeGreaterThanOrEqual(taskOf(first, "holder").endedMs ?? 0);
  });

  it("waits until it may where its definition says so", async () => {
    const { holder, agent, letGo } = await meet("wait");
    const isAsked = (): boolean => {
      const path = join(agent.view.folder, "writer", "1", "log");
      return existsSync(path) && readFileSync(path, "utf8").includes("src/new.txt");
    };
    await until(isAsked, "it wants to write");
    letGo();
    const run = await agent.wait();
    const landed = taskOf(await holder.wait(), "holder");
    expect(onLane(run, "src/new.txt")).toBe("new");
    expect(taskOf(run, "writer").endedMs).toBeGreaterThanOrEqual(landed.endedMs ?? 0);
  });
});
