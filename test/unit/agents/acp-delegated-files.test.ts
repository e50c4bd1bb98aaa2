import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";

import { DelegatedFiles } from "../../../src/agents/acp/delegated-files.ts";
import { ToolCalls } from "../../../src/agents/acp/tool-calls.ts";
import type { AgentEvent, GateAnswer } from "../../../src/agents/port.ts";

function bench(answer: GateAnswer = { allow: true }) {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "acp-files-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const cwd = join(root, "workspace");
  mkdirSync(cwd);
  const events: AgentEvent[] = [];
  const common = { ask: () => Promise.resolve(answer), emit: (event: AgentEvent) => void events.push(event) };
  const tools = new ToolCalls({
    ...common,
    cwd,
    titlesAreCommands: () => false,
    delegates: () => true,
    explain: () => undefined,
  });
  const files = new DelegatedFiles({ ...common, root: cwd, missingIsEmpty: () => false, tools });
  return { root, cwd, events, files };
}

it("replaces a file and keeps its mode", async () => {
  const { cwd, files, events } = bench();
  const path = join(cwd, "run.sh");
  writeFileSync(path, "old");
  chmodSync(path, 0o750);
  await files.write({ path, content: "new" });
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(statSync(path).mode & 0o777).toBe(0o750);
  expect(events).toEqual([{ type: "file", access: "write", path }]);
});

it("never writes through a link that leads out of the workspace, whatever the gate says", async () => {
  const { root, cwd, files } = bench();
  writeFileSync(join(root, "outside.txt"), "safe");
  symlinkSync(join(root, "outside.txt"), join(cwd, "link.txt"));
  symlinkSync(root, join(cwd, "folder"));
  symlinkSync(join(root, "nowhere"), join(cwd, "dangling"));
  for (const name of ["link.txt", "folder/outside.txt", "folder/new.txt", "dangling"]) {
    await expect(files.write({ path: join(cwd, name), content: "lost" })).rejects.toThrow(/leads/);
  }
  expect(readFileSync(join(root, "outside.txt"), "utf8")).toBe("safe");
});

it("leaves a file alone with the gate's own words", async () => {
  const { cwd, files, events } = bench({ allow: false, reason: "held by another" });
  const path = join(cwd, "a.txt");
  writeFileSync(path, "old");
  await expect(files.write({ path, content: "new" })).rejects.toThrow("held by another");
  await expect(files.read({ path })).rejects.toThrow("held by another");
  expect(readFileSync(path, "utf8")).toBe("old");
  expect(events).toEqual([]);
});

it("reads the lines that are asked for, and says in the protocol's words what is not there", async () => {
  const { cwd, files } = bench();
  const path = join(cwd, "a.txt");
  writeFileSync(path, "one\ntwo\nthree\n");
  expect(await files.read({ path, line: 2, limit: 1 })).toBe("two");
  await expect(files.read({ path: join(cwd, "none.txt") })).rejects.toMatchObject({ code: -32_002 });
  await expect(files.read({ path: cwd })).rejects.toThrow("is not a file");
});
