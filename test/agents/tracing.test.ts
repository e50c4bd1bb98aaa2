import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { execFileSync } from "node:child_process";
import { dirname } from "node:path";

import { makeHome } from "../fixtures/home.ts";
import { makeRepository } from "../fixtures/repository.ts";
import { startModelServer, type ModelServer } from "./model-server.ts";
import { agentHome, agentPlace } from "./places.ts";
import { scripted } from "./script.ts";

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.close());

describe("the read set of an agent whose commands are traced", () => {
  it.skipIf(!hasStrace())("holds what they read, says so, and is complete", async () => {
    const home = makeHome();
    const root = makeRepository({
      "read.txt": "by a command\n",
      "shown.txt": "by a tool\n",
      "anabranch.yaml": "agents:\n  traced: { kind: claude, trace: strace }\n",
    });
    const place = agentPlace("claude", server, agentHome());
    const PATH = `${dirname(place.program.command)}:${place.environment["PATH"]}`;
    const anabranch = home.client({ ...home.environment, ...place.environment, PATH });
    const steps = [
      { tool: "Read", input: { file_path: "shown.txt" } },
      { tool: "Bash", input: { command: "cat read.txt && echo new > written.txt", description: "look" } },
      { text: "looked" },
    ];
    const prompt = `Look. ${scripted(...steps)}`;
    const started = await anabranch.start({
      directory: root,
      definition: { tasks: { one: { agent: "traced", prompt, timeout: "60s" } } },
    });
    const run = await started.wait();
    const sets = run.taskList[0]?.agent?.sessions[0]?.sets;
    const reads = new Map(sets?.reads.map(({ path, confidence }) => [path, confidence]));
    expect(run.outcome).toBe("succeeded");
    expect(sets?.readsComplete).toBe(true);
    expect(reads.get("shown.txt")).toBe("exact");
    expect(reads.get("read.txt")).toBe("traced");
    expect([...reads.keys()].filter((path) => path.startsWith(".git/"))).toEqual([]);
    expect(sets?.writes).toEqual([{ path: "written.txt", confidence: "found" }]);
  });
});

function hasStrace(): boolean {
  try {
    execFileSync("strace", ["-o", "/dev/null", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
